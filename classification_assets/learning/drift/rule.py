"""The rule by which a difference between two tables is an alarm: a declaration. Light to import."""

from __future__ import annotations

from pydantic import Field

from classification_assets.learning.declaration import Declaration


class DriftRule(Declaration):
    """When new rows are said to have drifted: a difference must be significant, and large enough to matter.

    The p-values of all tests of one report are corrected together (Holm 1979): the chance of any false alarm among
    them is at most `significance`, however many columns there are.
    """

    significance: float = Field(0.01, gt=0, lt=0.5, description="Chance of a false alarm of a whole report.")
    distance: float = Field(
        0.1,
        ge=0,
        le=1,
        description="Of a column: the largest difference of the two cumulative shares (numbers), or half the sum of "
        "the differences of all shares (words), from which it matters.",
    )
    missing: float = Field(
        0.05,
        ge=0,
        le=1,
        description="Of a column: the difference of the shares of gaps from which it matters.",
    )
    label_shift: float = Field(
        0.1,
        ge=0,
        le=1,
        description="Half the sum of the differences of the classes' shares from which it matters.",
    )
    joint_auc: float = Field(
        0.6,
        ge=0.5,
        le=1,
        description="How well a classifier tells old from new rows by all columns together (area under its ROC curve; "
        "0.5: not at all) from which it matters.",
    )
    score: float = Field(
        0.05,
        ge=0,
        description="How much worse the champion's log loss is on new rows, from which it matters.",
    )
