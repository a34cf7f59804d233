"""Which plane of feature space the boundary figures show: a declaration, light to import."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Literal

from pydantic import Field, field_validator

from classification_assets.learning.declaration import Declaration

_SHOWN = 12


class View(Declaration):
    """The planes that boundary figures look at."""

    plane: Literal["auto", "pca", "matrix"] | tuple[str, str] = Field(
        "auto",
        description=(
            "auto: one or two features as they are, of more the plane of the first two principal components; "
            "pca: that plane always; matrix: each pair of the most important features; [a, b]: two features by "
            "name. Features that are not on the axes are at their median."
        ),
    )
    features: int = Field(3, ge=2, le=4, description="Of a matrix: how many features are paired.")

    @field_validator("plane")
    @classmethod
    def _two_features(cls, plane: str | tuple[str, str]) -> str | tuple[str, str]:
        if isinstance(plane, tuple) and plane[0] == plane[1]:
            raise ValueError(f"two different features span a plane, got {plane[0]!r} twice")
        return plane

    def check(self, names: Sequence[str]) -> None:
        """Refuse a pair that is not among the features.

        Raises
        ------
        ValueError
            With the feature that there is not, and those that there are.
        """
        if isinstance(self.plane, str):
            return
        for name in self.plane:
            if name not in names:
                near = get_close_matches(name, names, n=1)
                advice = f"did you mean {near[0]!r}? " if near else ""
                rest = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
                raise ValueError(
                    f"view.plane names the feature {name!r}, which there is not; {advice}"
                    f"features are {', '.join(names[:_SHOWN])}{rest}"
                )
