"""The metric that decides between architectures, and bounds on scores: declarations. Light to import."""

from __future__ import annotations

from math import isnan
from typing import Literal

from pydantic import Field, model_validator

from classification_assets.learning.declaration import Declaration, Name

Metric = Literal["log_loss", "brier_score", "accuracy", "balanced_accuracy", "macro_f1"]
"""The metric that orders a leaderboard, on the validation fold."""

LOWER_IS_BETTER = frozenset({"log_loss", "brier_score", "expected_calibration_error"})


class Bound(Declaration):
    """Limits of a score."""

    min: float | None = Field(None, description="The score must be at least this.")
    max: float | None = Field(None, description="The score must be at most this.")
    blocking: bool = Field(
        False, description="A violation is an error that keeps everything downstream from being made."
    )

    @model_validator(mode="after")
    def _bounds_something(self) -> Bound:
        if self.min is None and self.max is None:
            raise ValueError("a bound needs min or max")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min must not be above max, got {self.min} > {self.max}")
        return self

    def holds(self, value: float) -> bool:
        """Whether a value lies within; NaN does not."""
        if isnan(value):
            return False
        return (self.min is None or value >= self.min) and (self.max is None or value <= self.max)

    def __str__(self) -> str:
        parts = [("at least", self.min), ("at most", self.max)]
        return " and ".join(f"{words} {value:g}" for words, value in parts if value is not None)


Lesson = Literal["beats_majority", "calibrated", "generalizes", "near_optimal", "converged"]
"""A check of every model that may fail in order to teach something."""


class Bounds(Declaration):
    """Limits of every model's scores on the test fold, each a check of its evaluation, and whom to judge how."""

    accuracy: Bound | None = None
    balanced_accuracy: Bound | None = None
    macro_precision: Bound | None = None
    macro_recall: Bound | None = None
    macro_f1: Bound | None = None
    weighted_precision: Bound | None = None
    weighted_recall: Bound | None = None
    weighted_f1: Bound | None = None
    roc_auc: Bound | None = None
    average_precision: Bound | None = None
    cohen_kappa: Bound | None = None
    matthews_correlation: Bound | None = None
    log_loss: Bound | None = None
    brier_score: Bound | None = None
    expected_calibration_error: Bound | None = None
    gap: Bound = Field(
        Bound(max=0.05), description="Accuracy on the training fold less that on the test fold."
    )
    regret: Bound = Field(
        Bound(max=0.1),
        description="Log loss above the lowest possible one, where the truth is known; in nats.",
    )

    baselines: tuple[Name, ...] = Field(
        ("linear",),
        description="Architectures that are there to be beaten: beside others they are measured, and only the bounds "
        "that are declared here are checked.",
    )
    lessons: dict[Lesson, str] = Field(
        {},
        description="What a check teaches by failing: {generalizes: deep networks learn the noise by heart}.",
    )

    def declares(self, check: str) -> bool:
        """Whether a person has declared the bound that a check of every model judges by, and not only its default."""
        field = {"generalizes": "gap", "near_optimal": "regret"}.get(
            check, check.removesuffix("_within_bounds")
        )
        return field in self.model_fields_set

    def of_scores(self) -> dict[str, Bound]:
        """The declared bounds by metric, those of differences aside."""
        declared = {name: getattr(self, name) for name in type(self).model_fields}
        return {
            name: bound
            for name, bound in declared.items()
            if isinstance(bound, Bound) and name not in ("gap", "regret")
        }
