"""What a good split, model or leaderboard must satisfy: a verdict and a sentence of what was found. Light to import."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from classification_assets.learning.criteria import Bound, Bounds
from classification_assets.learning.folds import Fold

if TYPE_CHECKING:
    from classification_assets.learning.blend import Fitted
    from classification_assets.learning.datasets import UnlabelledFile
    from classification_assets.learning.evaluation import Evaluation
    from classification_assets.learning.leaderboard import Leaderboard
    from classification_assets.learning.split import Split

Verdict = tuple[bool, str]
TOLERATED_ERROR = 0.02
"""A calibration error up to this matters to nobody, however surely it is there."""


@dataclass(frozen=True)
class Check:
    """A rule that an artifact must satisfy.

    Attributes
    ----------
    name : str
    description : str
    judge : callable
        ``judge(value) -> (passed, sentence)``.
    blocking : bool
        Whether a violation keeps everything downstream from being made.
    """

    name: str
    description: str
    judge: Callable[[Any], Verdict] = field(repr=False)
    blocking: bool = False

    @classmethod
    def of(cls, judge: Callable[[Any], Verdict]) -> Check:
        """From a function: its name and the first line of its docstring."""
        return cls(judge.__name__, (judge.__doc__ or "").strip().partition("\n")[0], judge)


def of_split() -> list[Check]:
    """What every split must satisfy."""
    return [Check.of(separate_folds), Check.of(classes_trained)]


def of_model() -> list[Check]:
    """What every trained model must satisfy."""
    return [Check.of(converged)]


def of_evaluation(bounds: Bounds) -> list[Check]:
    """What every model's scores must satisfy."""
    return [
        Check.of(beats_majority),
        Check.of(calibrated),
        _generalizes(bounds.gap),
        _near_optimal(bounds.regret),
        *(_within(metric, bound) for metric, bound in bounds.of_scores().items()),
    ]


def predictable(declared: UnlabelledFile) -> Check:
    """What a split must satisfy where rows without labels are to be predicted."""

    def rows_are_predictable(split: Split) -> Verdict:
        """The rows without labels (`predict`) have the columns and the kinds of values that are learned from."""
        from classification_assets.learning.predictions import check_file

        try:
            return True, f"all {check_file(split, declared):,} rows of {declared.path} can be predicted"
        except Exception as error:  # of as many kinds as there are protocols; and training needs no such file
            return (
                False,
                f"{error}; models are trained all the same, but `predictions` fails until this is right",
            )

    return Check.of(rows_are_predictable)


def separate_folds(split: Split) -> Verdict:
    """No row of the test fold is also in the training or the validation fold."""
    import numpy as np

    keys = _row_keys(split.X)
    test = split.fold == Fold.TEST
    repeated = np.isin(keys[test], keys[~test])
    if not repeated.any():
        return True, f"none of {int(test.sum()):,} test rows is in another fold"
    return False, (
        f"{int(repeated.sum()):,} of {int(test.sum()):,} test rows have the same features as a row of another fold: "
        f"scores on them flatter{against_copies(split.source)}"
    )


def against_copies(source: Mapping[str, Any]) -> str:
    """What to do about rows that are there several times, as far as their table's declaration can say something."""
    dataset = source.get("dataset", {})
    if "group" not in dataset:
        return ""
    if dataset["time"] or dataset.get("test"):  # a group may have no rows in both files
        return "; if they are copies, leave them out"
    if dataset["group"]:
        return f"; if they are copies, give all of them the same {dataset['group']}, or leave them out"
    return (
        "; if they are copies, leave them out, or name a column whose value copies share (group: <column>), so that "
        "they stay in one fold"
    )


def classes_trained(split: Split) -> Verdict:
    """Every class has rows in the training fold."""
    import numpy as np

    C = len(split.classes)
    rows = {fold: np.bincount(split.y[split.fold == fold], minlength=C) for fold in Fold}
    if unknown := np.flatnonzero(rows[Fold.TRAIN] == 0).tolist():
        told = []
        for code in unknown[:5]:
            there = [(int(rows[fold][code]), fold.label) for fold in Fold if rows[fold][code]]
            where = ", ".join(f"{count:,} {label} row{'s' * (count > 1)}" for count, label in there)
            told.append(f"class {split.classes[code]} has no training row: no network can learn it ({where})")
        others = len(unknown) - len(told)
        return False, "; ".join(told) + (f"; so have {others} more classes" if others else "")
    fewest = rows[Fold.TRAIN].argmin()
    return True, (
        f"all {C} classes have training rows; the fewest, {rows[Fold.TRAIN][fewest]:,}, "
        f"has class {split.classes[fewest]}"
    )


def converged(fitted: Fitted) -> Verdict:
    """No member failed, each one learned, and training did not end while most were still improving."""
    import numpy as np

    members, failed = len(fitted.best_step), int((fitted.best_step < 0).sum())
    if failed:
        return False, f"the loss of {failed} of {members} members stopped being finite; they were left out"
    if fitted.provenance.architecture.learns_from_validation:
        return (
            True,
            f"the loss of all {members} networks stayed finite; out-of-fold rows chose among their states",
        )
    loss = fitted.history["validation_loss"]
    first, best = loss[0], np.nanmin(loss, axis=0)
    stuck = int((best >= first).sum()) if len(loss) > 1 else 0
    if stuck:
        return (
            False,
            f"the validation log loss of {stuck} of {members} members never fell below its first epoch's",
        )
    if unfinished := _unfinished(fitted):
        return False, (
            f"{unfinished} of {members} members were still improving when training ended after "
            f"{len(loss)} epochs; more epochs (max_epochs) may help"
        )
    fell = "fell, to" if len(loss) > 1 else "is"
    return (
        True,
        f"the validation log loss of all {members} members {fell} {np.median(best):.3f} in the median",
    )


def beats_majority(evaluation: Evaluation) -> Verdict:
    """The test accuracy's interval lies above the share of the largest class."""
    import numpy as np

    score = evaluation.score(Fold.TEST, "accuracy")
    majority = np.bincount(evaluation.labels(Fold.TEST)).max() / len(evaluation.labels(Fold.TEST))
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


def beats_linear(leaderboard: Leaderboard) -> Verdict:
    """Where a curved boundary pays, every other architecture is really better than the linear one."""
    board, differences = leaderboard.board, leaderboard.differences
    others = [name for name in board["architecture"] if name != "linear"]
    if len(others) == len(board) or not others:
        return True, "there is no linear model to compare with"
    tested = differences[differences["metric"] == "log_loss"]
    against = tested[(tested["first"] == "linear") | (tested["second"] == "linear")]
    better = {name for name in against["better"] if name not in ("", "linear")}
    if not better:
        return True, (
            "no architecture is really better than the linear one on the test fold: the boundary may well be linear"
        )
    behind = [name for name in others if name not in better]
    said = f"really better than the linear one (log loss on the test fold): {', '.join(sorted(better))}"
    return not behind, said + (f"; not better: {', '.join(behind)}" if behind else "")


def _generalizes(bound: Bound) -> Check:
    def generalizes(evaluation: Evaluation) -> Verdict:
        train, test = (evaluation.score(fold, "accuracy") for fold in (Fold.TRAIN, Fold.TEST))
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


def _unfinished(fitted: Fitted) -> int:
    """Members, if most, whose validation loss fell by more than 1 % in the last tenth of the epochs."""
    import numpy as np

    provenance, loss = fitted.provenance, fitted.history["validation_loss"]
    tenth = len(loss) // 10
    if not provenance.training.early_stopping or not tenth:
        return 0
    before, after = np.nanmin(loss[:-tenth], axis=0), loss[-tenth:]
    falling = int((np.nan_to_num(after, nan=np.inf).min(0) < 0.99 * before).sum())
    return falling if 2 * falling > len(before) else 0


def _row_keys(X: Any) -> Any:
    """A number a row of X (N, D), the same for equal rows and, but for one in 10^19 cases, for no others."""
    import numpy as np
    from pandas.util import hash_array

    keys = np.zeros(len(X), np.uint64)
    for column in X.T:
        # Zero and minus zero are equal and have different bytes.
        keys = keys * np.uint64(6364136223846793005) + hash_array(np.ascontiguousarray(column + 0))
    return keys
