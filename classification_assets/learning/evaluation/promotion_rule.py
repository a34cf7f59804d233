"""The rule by which a challenger takes the champion's place: a declaration. Light to import."""

from __future__ import annotations

from pydantic import Field

from classification_assets.learning.declaration import Declaration


class PromotionRule(Declaration):
    """When a challenger is promoted, and how long replaced versions are kept."""

    margin: float = Field(
        0.002,
        ge=0,
        description="The experiment's metric must be better by at least this, on rows that neither has learned from.",
    )
    significance: float = Field(
        0.05,
        ge=0.001,
        lt=0.5,
        description="A one-sided paired test that it is better must reach this p-value.",
    )
    recall_drop: float = Field(
        0.05, ge=0, le=1, description="No class's recall may be worse by more than this."
    )
    min_rows: int = Field(
        30, ge=10, description="Rows that neither has learned from: with fewer, a champion keeps its place."
    )
    keep: int = Field(
        10, ge=1, description="Versions that are kept, at least; champion and pinned ones always are."
    )
    onnx: bool = Field(
        False,
        description="Each version carries its ONNX file too (pip install 'classification-assets[onnx]').",
    )
