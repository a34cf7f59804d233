"""Checks of drift: a verdict, and a sentence that says what was found. Light to import."""

from __future__ import annotations

from typing import TYPE_CHECKING

from classification_assets.learning.check import Check, Verdict

if TYPE_CHECKING:
    from classification_assets.learning.drift.drift import Drift


def drift_checks() -> list[Check]:
    """Checks of every comparison of rows."""
    return [Check.of(no_drift)]


def no_drift(drift: Drift) -> Verdict:
    """New rows are as those on which the champion was promoted, but for chance and for what does not matter."""
    return not drift.alarm, drift.sentence()
