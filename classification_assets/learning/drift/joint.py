"""All columns together: whether a classifier can tell new rows from old ones (Lopez-Paz and Oquab 2017).

It sees what no column shows alone, such as a correlation that has changed. The networks are this project's own pack.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import scipy

from classification_assets.learning.models.architectures import MLP
from classification_assets.learning.models.fit import fit
from classification_assets.learning.packed.options import Training
from classification_assets.learning.preparation.folds import Fold, Folds
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.tables.roles import ColumnKind, Roles
from classification_assets.learning.tables.rows import MemoryRows
from classification_assets.learning.tables.table import Table

LEAST, MOST = 60, 4_000
"""Rows of a side: with fewer a classifier learns nothing, and more would show nothing that matters."""

_WHICH = "__which__"
_TRAINING = Training(members=4, max_epochs=30, batch_size=128, learning_rate=0.01, patience=5)


@dataclass(frozen=True)
class Joint:
    """A classifier two-sample test.

    Attributes
    ----------
    auc : float
        How often it gives a new row the higher probability of being new, on rows aside; 0.5: it knows nothing.
    p_value : float
        One-sided Mann-Whitney test of its probabilities on those rows (Mann and Whitney 1947).
    n_rows : int
        Rows aside.
    """

    auc: float
    p_value: float
    n_rows: int


def joint_test(
    reference: pa.Table, current: pa.Table, kinds: dict[str, ColumnKind], device: str = "cpu"
) -> Joint | None:
    """Train a pack to tell rows of two tables apart; None of too few rows, or where they have nothing in common."""
    names = [name for name in kinds if name in reference.column_names and name in current.column_names]
    if not names or min(len(reference), len(current)) < LEAST:
        return None
    most = min(MOST, 4 * min(len(reference), len(current)))
    parts = []
    for rows, which in ((reference, "old"), (current, "new")):
        some = rows.select(names).take(pa.array(np.arange(0, len(rows), -(-len(rows) // most))))
        parts.append(some.append_column(_WHICH, pa.array([which] * len(some))))
    try:
        both = pa.concat_tables(parts, promote_options="permissive")
        table = Table(MemoryRows(both), Roles(target=_WHICH, columns={name: kinds[name] for name in names}))
        split = Split.of(table, Folds(validation=0.2, test=0.4))
    except (pa.ArrowInvalid, pa.ArrowTypeError, ValueError):
        return None  # of different types, which the columns' own tests have said
    fitted = fit(MLP(name="joint", hidden=(32,)), split, _TRAINING, device)
    rows = split.rows(Fold.TEST)
    new = split.classes.index("new")
    p, is_new = fitted.predict_proba(split.X[rows], device)[:, new], split.y[rows] == new
    found = scipy.stats.mannwhitneyu(p[is_new], p[~is_new], alternative="greater")
    pairs = int(is_new.sum()) * int((~is_new).sum())
    return Joint(float(found.statistic / pairs), float(found.pvalue), len(rows))
