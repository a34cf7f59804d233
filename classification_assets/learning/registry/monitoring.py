"""Monitoring: new rows against those on which the champion was promoted, and its score on them.

Shapes: N rows of a table, m new ones.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
from upath import UPath

from classification_assets.learning.drift.drift import LEAST, Drift, measure_drift
from classification_assets.learning.drift.rule import DriftRule
from classification_assets.learning.drift.score import ScoreChange, score_change
from classification_assets.learning.evaluation.evaluation import Evaluation
from classification_assets.learning.evaluation.metrics import counted, row_losses
from classification_assets.learning.models.fitted import FittedModel
from classification_assets.learning.preparation.folds import Fold
from classification_assets.learning.registry.registry import NoChampionError, Registry
from classification_assets.learning.registry.serving import EVALUATION, REFERENCE, Serving, serving, stored
from classification_assets.learning.tables.rows import MemoryRows, Rows
from classification_assets.learning.tables.table import Table

SCORED = 20_000
"""New rows, evenly spaced, on which the champion is scored, at most."""


def table_drift(
    root: UPath,
    experiment: str,
    table: Table,
    rule: DriftRule,
    device: str = "cpu",
    using: Callable[[FittedModel], FittedModel] = lambda model: model,
) -> Drift:
    """Compare the rows of a table that the champion's own table did not have with the rows of that one.

    A table that grows holds its old rows too, which would hide what is different about the new ones.

    Parameters
    ----------
    using : callable
        Gives the champion the class of a person's own network; where it cannot, the champion is not scored.
    """
    try:
        served = serving(root, experiment)
    except NoChampionError:
        return Drift.nothing(
            "there is no champion yet, on whose rows others could be compared", 0, table.rows.n_rows
        )
    registry = Registry(root, experiment)
    reference: Table | None = stored(registry, served.version.number, REFERENCE)
    evaluation: Evaluation = stored(registry, served.version.number, EVALUATION)
    if reference is None:
        return Drift.nothing(f"{served.version.name} keeps no rows to compare with", 0, table.rows.n_rows)
    fresh = np.flatnonzero(_new_rows(served.model, evaluation, table))
    if len(fresh) < LEAST:
        return Drift.nothing(
            f"{len(fresh)} rows are new since {served.version.name} was promoted: nothing to compare",
            reference.rows.n_rows,
            len(fresh),
        )
    try:
        score = _score(using(served.model), evaluation, table, fresh[:: -(-len(fresh) // SCORED)], device)
    except ValueError:
        score = None  # a class of one's own that is not declared any more, or is another one now
    kinds = {name: kind for name, kind in reference.kinds().items() if name in _learned(served.model)}
    return measure_drift(reference.rows, table.rows, kinds, table.target, rule, score, fresh, device)


def rows_drift(root: UPath, served: Serving, rows: Rows, rule: DriftRule, device: str = "cpu") -> Drift:
    """Compare rows without labels, which the version that serves has predicted, with those of its table."""
    version = served.version
    reference: Table | None = stored(Registry(root, version.experiment), version.number, REFERENCE)
    if reference is None:
        return Drift.nothing(f"{served.version.name} keeps no rows to compare with", 0, rows.n_rows)
    kinds = {name: kind for name, kind in reference.kinds().items() if name in _learned(served.model)}
    return measure_drift(reference.rows, rows, kinds, None, rule, None, None, device)


def _learned(model: FittedModel) -> set[str]:
    return set(model.provenance.preprocessing.names)


def _new_rows(model: FittedModel, evaluation: Evaluation, table: Table) -> np.ndarray:
    """Whether a row (N,) of a table was in none of the folds of the champion's."""
    learned = model.learned
    if learned is None or learned.identity.missing(table) or "key" not in evaluation.rows:
        return np.ones(table.rows.n_rows, bool)
    keys = learned.identity.keys(table)
    known = np.isin(keys, evaluation.rows["key"].to_numpy(np.uint64))
    for part in (learned.training, learned.validation):
        # Of very many rows, the upper half of each key is kept.
        short = part.dtype == np.uint32
        known |= np.isin((keys >> np.uint64(32)).astype(np.uint32) if short else keys, part)
    return ~known


def _score(
    model: FittedModel, evaluation: Evaluation, table: Table, rows: np.ndarray, device: str
) -> ScoreChange | None:
    """The champion's losses on some new rows against those on its test fold; None where it cannot read them."""
    rows_then, weight_then = evaluation.counted(Fold.TEST)
    then = row_losses(evaluation.labels(Fold.TEST)[rows_then], evaluation.probabilities(Fold.TEST)[rows_then])
    names = model.provenance.preprocessing.names
    if any(name not in table.rows.names for name in names):
        return None
    weight = table.weight()
    rows = rows if weight is None else rows[weight[rows] > 0]
    index = pa.array(rows)
    some = MemoryRows(pa.table({name: table.rows.column(name).take(index) for name in names}))
    try:
        X = model.provenance.preprocessing.encode_rows(some)
    except ValueError:
        return None
    classes, y = table.labels()
    known = [str(label) for label in model.provenance.classes]
    code = np.array([known.index(str(label)) if str(label) in known else -1 for label in classes])[y[rows]]
    answered = code >= 0
    if not answered.any():
        return None
    p = model.predict_proba(X[answered], device)
    weight_now = None if weight is None else counted(weight[rows[answered]])[1]
    return score_change(then, row_losses(code[answered], p), weight_then, weight_now)
