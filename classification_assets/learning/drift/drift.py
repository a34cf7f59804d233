"""Drift of rows: every column, all of them together, the labels and the champion's score, against earlier rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
import pyarrow as pa

from classification_assets.learning.drift.columns import Difference, counted, differences, word_counts
from classification_assets.learning.drift.joint import MOST, Joint, joint_test
from classification_assets.learning.drift.rule import DriftRule
from classification_assets.learning.drift.score import ScoreChange
from classification_assets.learning.evaluation.significance import holm
from classification_assets.learning.tables.roles import ColumnKind
from classification_assets.learning.tables.rows import Rows

ROWS = 200_000
"""Rows of a side, evenly spaced, that are compared: what these do not show does not matter."""

LEAST = 8
"""New rows below which nothing is said."""

COLUMNS = [
    "column",
    "kind",
    "test",
    "p_value",
    "p_holm",
    "effect",
    "bound",
    "psi",
    "psi_error",
    "wasserstein",
    "jensen_shannon",
    "alarm",
    "change",
]


@dataclass(frozen=True)
class Drift:
    """Changes between two tables.

    Attributes
    ----------
    tests : DataFrame
        A row a test: ``column`` (or ``all columns``, ``labels``, ``score``), ``kind``, ``test``, ``p_value``,
        ``p_holm`` (Holm's correction over all of them), ``effect`` (in the unit of its ``bound``), ``bound``
        (from which it matters), ``psi`` (less what chance adds) and ``psi_error``, ``wasserstein``,
        ``jensen_shannon``, ``alarm``, ``change`` in words.
    n_reference, n_current : int
        Rows of both sides.
    note : str
        Why nothing was compared; empty if something was.
    """

    tests: pd.DataFrame
    n_reference: int
    n_current: int
    note: str = ""

    @classmethod
    def nothing(cls, note: str, n_reference: int = 0, n_current: int = 0) -> Self:
        """No comparison, and why."""
        return cls(pd.DataFrame(columns=COLUMNS), n_reference, n_current, note)

    @property
    def alarm(self) -> bool:
        """Whether anything differs really, and by so much that it matters."""
        return bool(len(self.tests)) and bool(self.tests["alarm"].any())

    @property
    def columns(self) -> pd.DataFrame:
        """The tests of single columns."""
        return self.tests[~self.tests["kind"].isin(["joint", "labels", "score"])]

    def sentence(self) -> str:
        """The result in words."""
        if self.note:
            return self.note
        sides = f"{self.n_current:,} new rows against {self.n_reference:,}"
        alarms = self.tests[self.tests["alarm"]]
        if not len(alarms):
            return f"no drift in {self.columns['column'].nunique()} columns: {sides}"
        told = [
            f"{test.column}: {test.change}" if test.change else str(test.column)
            for test in alarms.sort_values("effect", ascending=False).head(5).itertuples()
        ]
        more = f"; and {len(alarms) - 5} more" if len(alarms) > 5 else ""
        return f"drift ({sides}): {'; '.join(told)}{more}"

    def table(self) -> pd.DataFrame:
        """The tests for reading, alarms first."""
        order = self.tests.assign(times=self.tests["effect"] / self.tests["bound"])
        order = order.sort_values(["alarm", "times"], ascending=False, kind="stable")
        return pd.DataFrame(
            {
                "column": order["column"],
                "alarm": np.where(order["alarm"].astype(bool), "drift", ""),
                "change": order["change"],
                "effect": order["effect"],
                "matters from": order["bound"],
                "p (Holm)": [
                    f"{p:.4f}" if p >= 0.0001 else "< 0.0001" for p in order["p_holm"].astype(float)
                ],
                "test": order["test"],
                "PSI": [
                    "" if np.isnan(psi) else f"{psi:.3f} ± {error:.3f}"
                    for psi, error in zip(order["psi"], order["psi_error"], strict=True)
                ],
                "Wasserstein": order["wasserstein"],
                "Jensen-Shannon": order["jensen_shannon"],
            }
        )

    def scalars(self) -> dict[str, float]:
        """Numbers that are followed over time."""
        told: dict[str, float] = {"new_rows": self.n_current, "drifted_columns": 0}
        if len(self.tests):
            told["drifted_columns"] = int(self.columns["alarm"].astype(bool).sum())
            for kind, name in (("joint", "joint_auc"), ("labels", "label_shift"), ("score", "loss_increase")):
                found = self.tests.loc[self.tests["kind"] == kind, "effect"]
                told |= {name: float(found.iloc[0])} if len(found) else {}
        return told


def measure_drift(
    reference: Rows,
    current: Rows,
    kinds: Mapping[str, ColumnKind],
    target: str | None = None,
    rule: DriftRule | None = None,
    score: ScoreChange | None = None,
    chosen: np.ndarray | None = None,
    device: str = "cpu",
) -> Drift:
    """Compare rows with earlier ones.

    Parameters
    ----------
    kinds : mapping
        The columns to compare, and what they hold.
    target : str, optional
        The column of labels, where both have it.
    score : ScoreChange, optional
        The champion's, where labels are there.
    chosen : array of indices, optional
        The rows of `current` that are compared; default: all.
    """
    rule = rule or DriftRule()
    here = np.arange(current.n_rows) if chosen is None else chosen
    n, m = reference.n_rows, len(here)
    if not n:
        return Drift.nothing("there are no rows to compare with", n, m)
    if m < LEAST:
        return Drift.nothing(f"{m} new rows: at least {LEAST} are needed to say anything", n, m)
    here, there = (own[:: -(-len(own) // ROWS)] for own in (here, np.arange(n)))
    tests: list[dict[str, Any]] = []
    for name, kind in kinds.items():
        tests += _of_column(name, kind, reference, current, there, here, rule)
    if target is not None and target in reference.names and target in current.names:
        tests.append(_of_labels(_taken(reference, target, there), _taken(current, target, here), rule))
    compared = [name for name in kinds if name in reference.names and name in current.names]
    joint = joint_test(
        _table(reference, compared, there), _table(current, compared, here), dict(kinds), device
    )
    tests += [_of_joint(joint, rule)] if joint else []
    tests += [_of_score(score, rule)] if score else []
    frame = pd.DataFrame(tests, columns=[name for name in COLUMNS if name not in ("p_holm", "alarm")])
    frame["p_holm"] = holm(frame["p_value"].to_numpy(float))
    frame["alarm"] = (frame["p_holm"] <= rule.significance) & (frame["effect"] >= frame["bound"])
    return Drift(frame[COLUMNS], n, m)


def _of_column(
    name: str,
    kind: ColumnKind,
    reference: Rows,
    current: Rows,
    there: np.ndarray,
    here: np.ndarray,
    rule: DriftRule,
) -> Iterator[dict[str, Any]]:
    if name not in current.names or name not in reference.names:
        lost = "is gone" if name not in current.names else "is new"
        yield _test(name, kind, Difference("is it there", 0.0, 1.0, told=lost), rule.distance)
        return
    before, now = _taken(reference, name, there), _taken(current, name, here)
    try:
        for what, found in differences(before, now, kind):
            yield _test(name, kind, found, rule.missing if what == "gaps" else rule.distance)
    except (ValueError, pa.ArrowInvalid, pa.ArrowNotImplementedError):
        told = f"holds {now.type} now, not {before.type}"
        yield _test(name, kind, Difference("type", 0.0, 1.0, told=told), rule.distance)


def _of_labels(before: pa.Array, now: pa.Array, rule: DriftRule) -> dict[str, Any]:
    frame = [word_counts(own) for own in (before, now)]
    classes = sorted({*frame[0], *frame[1]})
    counts = np.array([[own.get(label, 0) for label in classes] for own in frame], float)
    found = counted(counts)
    shares = counts / counts.sum(1, keepdims=True)
    most = int(np.abs(shares[1] - shares[0]).argmax())
    told = f"share of {classes[most]} {100 * shares[0][most]:.1f} % → {100 * shares[1][most]:.1f} %"
    difference = Difference(found.test, found.p_value, found.effect, found.psi, found.psi_error, told)
    return _test("labels", "labels", difference, rule.label_shift)


def _of_joint(joint: Joint, rule: DriftRule) -> dict[str, Any]:
    told = f"new rows are told from old ones in {100 * joint.auc:.0f} of 100 pairs"
    difference = Difference("classifier two-sample", joint.p_value, joint.auc, told=told)
    return _test("all columns", "joint", difference, rule.joint_auc)


def _of_score(score: ScoreChange, rule: DriftRule) -> dict[str, Any]:
    difference = Difference("Welch's t", score.p_value, score.difference, told=score.sentence())
    return _test("score", "score", difference, rule.score)


def _test(name: str, kind: str, found: Difference, bound: float) -> dict[str, Any]:
    told = asdict(found)
    return {"column": name, "kind": kind, "change": told.pop("told"), "bound": bound} | told


def _taken(rows: Rows, name: str, index: np.ndarray) -> pa.Array:
    column = rows.column(name)
    return column if len(index) == len(column) else column.take(pa.array(index))


def _table(rows: Rows, names: list[str], index: np.ndarray) -> pa.Table:
    some = index[:: -(-len(index) // MOST)]
    return pa.table({name: _taken(rows, name, some) for name in names})
