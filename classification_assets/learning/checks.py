"""What a good model must satisfy: a verdict, and a sentence saying what was found. Light to import."""

from __future__ import annotations

from typing import TYPE_CHECKING

from classification_assets.learning.folds import Fold

if TYPE_CHECKING:
    from classification_assets.learning.blend import Fitted
    from classification_assets.learning.evaluation import Evaluation

Verdict = tuple[bool, str]


def converged(fitted: Fitted) -> Verdict:
    """No member failed, and each one learned: its validation log loss fell below its first epoch's."""
    import numpy as np

    members, failed = len(fitted.best_step), int((fitted.best_step < 0).sum())
    if failed:
        return False, f"the loss of {failed} of {members} members stopped being finite; they were left out"
    loss = fitted.history["validation_loss"]
    first, best = loss[0], np.nanmin(loss, axis=0)
    stuck = int((best >= first).sum()) if len(loss) > 1 else 0
    if stuck:
        return (
            False,
            f"the validation log loss of {stuck} of {members} members never fell below its first epoch's",
        )
    return (
        True,
        f"the validation log loss of all {members} members fell, to {np.median(best):.3f} in the median",
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
