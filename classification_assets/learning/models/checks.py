"""Checks of a trained model, and of whether the rows to be predicted can be. Light to import."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from classification_assets.learning.check import Check, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from classification_assets.learning.models.fitted import FittedModel
    from classification_assets.learning.models.predictions import Predictions
    from classification_assets.learning.preparation.split import Split
    from classification_assets.learning.tables.datasets import UnlabelledFile


def model_checks() -> list[Check]:
    """Checks of every trained model."""
    return [Check.of(converged)]


def predictable(declared: UnlabelledFile) -> Check:
    """The check of a split where rows without labels are to be predicted."""

    def rows_are_predictable(split: Split) -> Verdict:
        """The rows without labels (`predict`) have the columns and the kinds of values that are learned from."""
        from classification_assets.learning.models.predictions import unseen_in_file

        try:
            unseen = unseen_in_file(split, declared)
        except Exception as error:  # of as many kinds as there are protocols; and training needs no such file
            return (
                False,
                f"{error}; models are trained all the same, but `predictions` fails until this is right",
            )
        passed, found = _seen(unseen.columns, unseen.n_rows, declared)
        return passed, f"all {unseen.n_rows:,} rows of {declared.path} can be predicted; {found}"

    return Check.of(rows_are_predictable)


def predictions_checks(declared: UnlabelledFile) -> list[Check]:
    """Checks of every file of predictions."""

    def categories_are_known(predictions: Predictions) -> Verdict:
        """The rows without labels hold, but for few cells of a column, categories that training has seen."""
        return _seen(predictions.about.get("unseen", {}), predictions.rows.n_rows, declared)

    return [Check.of(categories_are_known)]


def _seen(unseen: Mapping[str, Mapping[str, Any]], n_rows: int, declared: UnlabelledFile) -> Verdict:
    """Whether few enough cells of each column, out of `n_rows`, were never seen: see `UnseenCells.columns`."""
    if not unseen:
        return True, "every category was seen in training"
    told, most = [], max(unseen, key=lambda name: unseen[name]["cells"])
    for name in sorted(unseen, key=lambda name: -unseen[name]["cells"]):
        its = unseen[name]
        example = f"{its['such_as']!r}" + (
            f", seen were {', '.join(map(repr, its['known']))}" if its["known"] else ""
        )
        told.append(f"{its['cells']:,} of {n_rows:,} cells of column {name!r} (such as {example})")
    found = f"categories that were never seen in training are in {'; '.join(told[:5])}"
    found += f"; and in {len(told) - 5} more columns" if len(told) > 5 else ""
    if unseen[most]["cells"] <= declared.unseen * n_rows:
        return True, found
    return False, (
        f"{found}: such a cell tells a model nothing, and more than {100 * declared.unseen:g} % of a column are too "
        "many; write them as in the table that was learned from (a code may have lost its leading zeros), train on "
        "rows that have them, or allow more (predict: {unseen: …})"
    )


def converged(fitted: FittedModel) -> Verdict:
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


def _unfinished(fitted: FittedModel) -> int:
    """Members, if most, whose validation loss fell by more than 1 % in the last tenth of the epochs."""
    import numpy as np

    provenance, loss = fitted.provenance, fitted.history["validation_loss"]
    tenth = len(loss) // 10
    if not provenance.training.early_stopping or not tenth:
        return 0
    before, after = np.nanmin(loss[:-tenth], axis=0), loss[-tenth:]
    falling = int((np.nan_to_num(after, nan=np.inf).min(0) < 0.99 * before).sum())
    return falling if 2 * falling > len(before) else 0
