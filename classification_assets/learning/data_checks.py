"""What a good table satisfies: a verdict and a sentence of what was found. Light to import."""

from __future__ import annotations

from typing import TYPE_CHECKING

from classification_assets.learning.checks import Check, Verdict, against_copies

if TYPE_CHECKING:
    from collections.abc import Sequence

    from classification_assets.learning.table import Table

ENOUGH = 10
"""Rows of a class with which each fold gets some."""

RARE = 0.01
"""Share of the rows below which a class is easily never predicted."""

COUNTED = 200_000
"""Rows, evenly spaced, in which different values are counted."""

MISSING = 0.5
"""Share of gaps above which a column rather says whether it was filled in."""


def of_dataset() -> list[Check]:
    """What every table should satisfy."""
    judges = (
        labels_complete,
        classes_have_rows,
        columns_vary,
        columns_filled,
        values_stay_apart,
        rows_differ,
        labels_agree,
        nothing_leaks,
    )
    return [Check.of(judge) for judge in judges]


def labels_complete(table: Table) -> Verdict:
    """Every row has a label; those without are left out."""
    left_out, n_rows = table.profile.without_label, table.profile.n_rows
    if left_out:
        found = f"{left_out:,} of {n_rows + left_out:,} rows have no label and were left out"
        words = _words_for_missing(table)
        return False, found + (
            f"; these words say that there is none: {' '.join(words)}; if one is a class, list only the others in the "
            "YAML (missing: [''])"
            if words
            else ""
        )
    return True, f"all {n_rows:,} rows have a label"


def classes_have_rows(table: Table) -> Verdict:
    """Every class has enough rows for all folds, and no class is rarer than one row in a hundred."""
    rarest = min(table.class_counts().to_dict("records"), key=lambda count: count["rows"])
    found = f"the rarest class, {rarest['class']!r}, has {rarest['rows']:,} of {table.profile.n_rows:,} rows"
    if rarest["rows"] < ENOUGH:
        return False, f"{found}; its scores say little: at least {ENOUGH} are needed"
    if rarest["share"] < RARE:
        return False, f"{found}; look at its recall, and at balanced accuracy instead of accuracy"
    return True, found


def columns_vary(table: Table) -> Verdict:
    """At most one feature in ten is the same in all rows: such a one teaches nothing."""
    constant, D = table.profile.constant, len(table.features)
    if not constant:
        return True, f"all {D} features vary"
    return len(
        constant
    ) <= D / 10, f"the same value, or none, in all rows: {_listed(constant)} (of {D} features)"


def columns_filled(table: Table) -> Verdict:
    """No feature is missing in more than half of the rows."""
    features = table.profile.features
    empty = features.loc[features["missing"] > MISSING, "column"].tolist()
    if empty:
        return False, f"missing in more than half of the rows: {_listed(empty)}"
    most = features["missing"].max()
    return True, f"the feature with the most gaps lacks {100 * most:.1f} % of its values"


def values_stay_apart(table: Table) -> Verdict:
    """No feature's values become the same in float32, with 7 digits, in which networks compute."""
    merged, rows = table.profile.merged, min(table.profile.n_rows, COUNTED)
    if not merged:
        return True, f"rounded to float32, the features' values stay different (in {rows:,} rows)"
    told = [
        f"column {name}: {before:,} different values, {after:,} after rounding to float32"
        for name, (before, after) in merged.items()
    ]
    return False, (
        f"{_listed(told, '; ')} (in {rows:,} rows): subtract what its values share, such as the first moment of all"
    )


def rows_differ(table: Table) -> Verdict:
    """At most one row in a hundred repeats another's features; where it does, folds may share rows."""
    repeated, n_rows, group = table.profile.repeated, table.profile.n_rows, table.roles.group
    found = f"{repeated:,} of {n_rows:,} rows have the features of an earlier one"
    if group is not None:
        found += f" with another {group}"
    if repeated <= n_rows / 100:
        return True, found
    return False, found + against_copies(table.source)


def labels_agree(table: Table) -> Verdict:
    """At most one row in a hundred has the features of a row of another class."""
    contradicting, n_rows = table.profile.contradicting, table.profile.n_rows
    found = f"{contradicting:,} of {n_rows:,} rows have the features of a row of another class"
    return contradicting <= n_rows / 100, found


def nothing_leaks(table: Table) -> Verdict:
    """No feature alone predicts the target: it would rather have been written down after it."""
    profile = table.profile
    if suspects := profile.suspects:
        return False, (
            f"alone it predicts {table.target!r} almost without error: {_listed(suspects)}; "
            "is it known when a prediction is needed? If not, drop it"
        )
    alone = profile.features.dropna(subset="alone")
    if alone.empty:
        return True, "no feature could be tried alone"
    best = alone.loc[alone["alone"].idxmax()]
    return (
        True,
        f"the best feature alone, {best['column']!r}, reaches a balanced accuracy of {best['alone']:.2f}",
    )


def _words_for_missing(table: Table) -> list[str]:
    """The words that say so where values are words: in CSV and TSV."""
    if table.source.get("format") not in ("csv", "tsv"):
        return []
    return [word for word in table.source["dataset"]["missing"] if word]


def _listed(names: Sequence[str], between: str = ", ") -> str:
    shown = between.join(names[:10])
    return shown if len(names) <= 10 else f"{shown} and {len(names) - 10} more"
