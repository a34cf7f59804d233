"""In which formats figures are stored: a declaration. Light to import."""

from __future__ import annotations

from pydantic import Field

from classification_assets.learning.declaration import Declaration


class FigureFiles(Declaration):
    """Formats of an experiment's figures beside PNG, in which every figure is stored."""

    svg: bool = Field(
        False,
        description="Also as SVG, from the next time that they are drawn; one alone: classification_assets.figure.",
    )
