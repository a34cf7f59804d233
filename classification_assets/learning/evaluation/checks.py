"""Checks of an evaluation and of a leaderboard: a verdict, and a sentence that says what was found. Light to import."""

from __future__ import annotations

from typing import TYPE_CHECKING

from classification_assets.learning.check import Check, Verdict
from classification_assets.learning.evaluation.bounds import Bound, Bounds
from classification_assets.learning.preparation.folds import Fold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from classification_assets.learning.evaluation.evaluation import Evaluation
    from classification_assets.learning.evaluation.leaderboard import Leaderboard

TOLERATED_ERROR = 0.02
"""A calibration error up to this matters to nobody, however surely it is there."""


def evaluation_checks(bounds: Bounds, knows_truth: bool = True) -> list[Check]:
    """Checks of every model's scores.

    Parameters
    ----------
    bounds : Bounds
    knows_truth : bool
        Whether the lowest possible log loss is known, as of generated data.
    """
    return [
        Check.of(beats_majority),
        Check.of(calibrated),
        _generalizes(bounds.gap),
        *([_near_optimal(bounds.regret)] if knows_truth or bounds.declares("near_optimal") else []),
        *(_within(metric, bound) for metric, bound in bounds.of_scores().items()),
    ]


def beats_majority(evaluation: Evaluation) -> Verdict:
    """The test accuracy's interval lies above the share of the largest class, rows counting by their weight."""
    score = evaluation.score(Fold.TEST, "accuracy")
    sizes = evaluation.class_sizes(Fold.TEST)
    majority = sizes.max() / sizes.sum()
    return bool(score["low"] > majority), (
        f"test accuracy {score['value']:.3f} (95 % interval {score['low']:.3f} to {score['high']:.3f}); "
        f"always naming the largest class would give {majority:.3f}"
    )


def calibrated(evaluation: Evaluation) -> Verdict:
    """The probabilities on the test fold are as high as the ensemble is right, but for chance."""
    error = evaluation.score(Fold.TEST, "expected_calibration_error")["value"]
    p_value = evaluation.score(Fold.TEST, "calibration_p_value")["value"]
    passed = bool(error <= TOLERATED_ERROR or p_value >= 0.01)
    chance = f"a calibrated classifier would show as much in {100 * p_value:.1f} of 100 such folds"
    return passed, f"expected calibration error {error:.3f}; {chance}"


def leaderboard_checks(baselines: Sequence[str]) -> list[Check]:
    """Checks of every leaderboard."""

    def beats_baseline(leaderboard: Leaderboard) -> Verdict:
        """Where any architecture is really better than a baseline, none is really worse."""
        return _beats_baseline(
            leaderboard, [name for name in leaderboard.board["architecture"] if name in baselines]
        )

    return [Check.of(beats_baseline)]


def _beats_baseline(leaderboard: Leaderboard, baselines: Sequence[str]) -> Verdict:
    others = [name for name in leaderboard.board["architecture"] if name not in baselines]
    if not baselines or not others:
        return True, "there is no baseline to compare with"
    tested = leaderboard.differences[leaderboard.differences["metric"] == "log_loss"]
    told, worse = [], []
    for baseline in baselines:
        against = tested[(tested["first"] == baseline) | (tested["second"] == baseline)]
        better = [name for name in others if name in set(against["better"])]
        behind = against[against["better"] == baseline]
        beaten = [name for name in others if name in {*behind["first"], *behind["second"]}]
        untold = [name for name in others if name not in (*better, *beaten)]
        parts = [
            ("really better: ", better),
            ("really worse: ", beaten),
            ("these rows do not tell: ", untold),
        ]
        if better or beaten:
            found = "; ".join(words + ", ".join(names) for words, names in parts if names)
            told.append(f"than {baseline}, {found}")
        else:
            told.append(
                f"no architecture is really better than {baseline}: the boundary may well be as simple"
            )
        worse += beaten if better else []
    return not worse, "log loss on the test fold: " + "; ".join(told)


def _generalizes(bound: Bound) -> Check:
    def generalizes(evaluation: Evaluation) -> Verdict:
        test = evaluation.score(Fold.TEST, "accuracy")
        try:
            train = evaluation.score(Fold.TRAIN, "accuracy")
        except KeyError:
            return True, "an older model, which has learned from no row of the training fold: there is no gap"
        gap = train["value"] - test["value"]
        # What the test fold's size alone can do is no gap.
        sure = train["value"] - test["high"]
        passed = bound.holds(gap) or bound.holds(sure)
        return bool(passed), (
            f"accuracy {train['value']:.3f} on the training fold, {test['value']:.3f} on the test fold: "
            f"a gap of {gap:z.3f} (at the upper end of the test interval {sure:z.3f}), expected {bound}"
        )

    words = f"The accuracy on the training fold less that on the test fold is {bound}."
    return Check("generalizes", words, generalizes, bound.blocking)


def _near_optimal(bound: Bound) -> Check:
    def near_optimal(evaluation: Evaluation) -> Verdict:
        try:
            regret = evaluation.score(Fold.TEST, "log_loss", "regret")
        except KeyError:
            return True, "the truth is not known, so neither is the lowest possible log loss"
        passed = bound.holds(regret["value"]) or bound.holds(regret["low"])
        return bool(passed), (
            f"the log loss on the test fold is {regret['value']:z.3f} (95 % interval {regret['low']:z.3f} to "
            f"{regret['high']:z.3f}) above the lowest possible one, expected {bound}"
        )

    words = f"The log loss above the lowest possible one is {bound}, where the truth is known."
    return Check("near_optimal", words, near_optimal, bound.blocking)


def _within(metric: str, bound: Bound) -> Check:
    words = metric.replace("_", " ")

    def within(evaluation: Evaluation) -> Verdict:
        score = evaluation.score(Fold.TEST, metric)
        return bool(bound.holds(score["value"])), (
            f"test {words} {score['value']:.3f} (95 % interval {score['low']:.3f} to {score['high']:.3f}), "
            f"declared to be {bound}"
        )

    return Check(f"{metric}_within_bounds", f"The test {words} is {bound}.", within, bound.blocking)
