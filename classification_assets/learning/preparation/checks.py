"""Checks of a table and of a split: a verdict, and a sentence that says what was found. Light to import."""

from __future__ import annotations

from typing import TYPE_CHECKING

from classification_assets.learning.check import Check, Verdict
from classification_assets.learning.preparation.folds import Fold
from classification_assets.learning.tables.datasets.tables import OwnTable
from classification_assets.learning.tables.reading.file_format import MISSING as USUAL
from classification_assets.learning.tables.roles import COUNTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from classification_assets.learning.preparation.profile import Profile
    from classification_assets.learning.preparation.split import Split
    from classification_assets.learning.tables.source import Source
    from classification_assets.learning.tables.table import Table

ENOUGH = 10
"""Rows of a class with which each fold gets some."""

RARE = 0.01
"""Share of the rows below which a class is easily never predicted."""


MISSING = 0.5
"""Share of gaps above which a column rather says whether it was filled in."""


def dataset_checks() -> list[Check]:
    """Checks of every data set."""
    judges = (classes_have_rows, columns_vary, values_stay_apart, rows_differ, labels_agree, nothing_leaks)
    return [Check.of(judge) for judge in judges]


def table_checks() -> list[Check]:
    """Checks of a table of one's own beside those of every data set: what is drawn or shipped cannot fail them."""
    judges = (labels_complete, labels_differ, read_as_meant, columns_filled)
    return [Check.of(judge) for judge in judges]


def labels_complete(profile: Profile) -> Verdict:
    """Every row has a label, and none is a word for a missing value; rows without one are left out."""
    left_out, n_rows = profile.without_label, profile.n_rows
    passed, found = True, f"all {n_rows:,} rows have a label"
    if left_out:
        passed, found = False, f"{left_out:,} of {n_rows + left_out:,} rows have no label and were left out"
        words = _words_for_missing(profile.table)
        if words:
            found += (
                f"; these words say that there is none: {' '.join(words)}; if one is a class, list only the others in "
                "the YAML (missing: [''])"
            )
    if odd := _named_as_missing(profile.table):
        passed, (first, *_) = False, odd
        told = ", ".join(f"{name!r} ({rows:,} rows)" for name, rows in odd.items())
        found += (
            f"; classes are named as what is missing: {told}; if that says that there is no label, declare it "
            f"(missing: [{first!r}]), and if it is a class, say that no word does (missing: [''])"
        )
    return passed, found


def labels_differ(profile: Profile) -> Verdict:
    """No two classes differ by case, blanks or the way of writing yes and no alone."""
    from classification_assets.learning.tables.labels import alike

    counts = profile.table.class_counts()
    rows = dict(zip(counts["class"], counts["rows"], strict=True))
    if not (groups := alike(list(rows))):
        return True, f"the {len(rows)} classes have names that differ by more than case and blanks"
    told = [" and ".join(f"{label!r} ({rows[label]:,} rows)" for label in group) for group in groups]
    return False, (
        f"classes look like one, written differently: {_listed(told, '; ')}; if they are one, write all of its labels "
        "alike"
    )


def classes_have_rows(profile: Profile) -> Verdict:
    """Every class has enough rows for all folds, and no class is rarer than one row in a hundred."""
    counts = profile.table.class_counts().to_dict("records")
    rows = COUNTED if COUNTED in counts[0] else "rows"
    rarest = min(counts, key=lambda count: count[rows])
    found = f"the rarest class, {rarest['class']!r}, has {rarest[rows]:,} of {profile.n_rows:,} rows"
    if rarest[rows] < rarest["rows"]:
        found += f" with a weight above 0, and {rarest['rows'] - rarest[rows]:,} without"
    if rarest[rows] < ENOUGH:
        return False, f"{found}; its scores say little: at least {ENOUGH} are needed"
    if rarest[rows] < RARE * sum(count[rows] for count in counts):
        return False, f"{found}; look at its recall, and at balanced accuracy instead of accuracy"
    return True, found


def read_as_meant(profile: Profile) -> Verdict:
    """The file is read as it is meant: no column of words, learned as categories, rather holds numbers or dates."""
    if profile.doubts:
        told = [f"column {name} {reason}" for name, reason in profile.doubts.items()]
        return False, _listed(told, "; ")
    read = profile.columns.dropna(subset="read as")
    told = [f"{name} ({words})" for name, words in zip(read["column"], read["read as"], strict=True)]
    words = f"read from words: {_listed(told)}" if told else "words are categories"
    return True, "; ".join([*profile.table.source.notes, words])


def columns_vary(profile: Profile) -> Verdict:
    """At most one feature in ten is the same in all rows: such a one teaches nothing."""
    constant, D = profile.constant, len(profile.table.features)
    if not constant:
        return True, f"all {D} features vary"
    return len(
        constant
    ) <= D / 10, f"the same value, or none, in all rows: {_listed(constant)} (of {D} features)"


def columns_filled(profile: Profile) -> Verdict:
    """No feature is missing in more than half of the rows."""
    features = profile.features
    empty = features.loc[features["missing"] > MISSING, "column"].tolist()
    if empty:
        return False, f"missing in more than half of the rows: {_listed(empty)}"
    most = features["missing"].max()
    return True, f"the feature with the most gaps lacks {100 * most:.1f} % of its values"


def values_stay_apart(profile: Profile) -> Verdict:
    """No feature's values become the same in float32, with 7 digits, in which networks compute."""
    merged, rows = profile.merged, profile.n_counted
    if not merged:
        return True, f"rounded to float32, the features' values stay different (in {rows:,} rows)"
    told = [
        f"column {name}: {before:,} different values, {after:,} after rounding to float32"
        for name, (before, after) in merged.items()
    ]
    return False, (
        f"{_listed(told, '; ')} (in {rows:,} rows): subtract what its values share, such as the first timestamp of all"
    )


def rows_differ(profile: Profile) -> Verdict:
    """At most one row in a hundred repeats another's features; where it does, folds may share rows."""
    repeated, n_rows, group = profile.repeated, profile.n_rows, profile.table.roles.group
    found = f"{repeated:,} of {n_rows:,} rows have the features of an earlier one"
    if group is not None:
        found += f" with another {group}"
    if repeated <= n_rows / 100:
        return True, found
    return False, found + against_copies(profile.table.source)


def labels_agree(profile: Profile) -> Verdict:
    """At most one row in a hundred has the features of a row of another class."""
    contradicting, n_rows = profile.contradicting, profile.n_rows
    found = f"{contradicting:,} of {n_rows:,} rows have the features of a row of another class"
    return contradicting <= n_rows / 100, found


def nothing_leaks(profile: Profile) -> Verdict:
    """No feature alone predicts the target: it would rather have been written down after it."""
    if suspects := profile.suspects:
        return False, (
            f"alone it predicts {profile.table.target!r} almost without error: {_listed(suspects)}; "
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
    if table.source.format not in ("csv", "tsv"):
        return []
    return [word for word in (table.source.declared("missing") or ()) if word]


def _named_as_missing(table: Table) -> dict[str, int]:
    """Rows of the classes that are named as what is missing, unless it is declared which words say so."""
    if tuple(table.source.declared("missing") or USUAL) != USUAL:
        return {}
    counts, usual = table.class_counts(), {word.casefold() for word in USUAL}
    return {
        label: rows
        for label, rows in zip(counts["class"], counts["rows"], strict=True)
        if isinstance(label, str) and label.casefold() in usual
    }


def _listed(names: Sequence[str], between: str = ", ") -> str:
    shown = between.join(names[:10])
    return shown if len(names) <= 10 else f"{shown} and {len(names) - 10} more"


def split_checks() -> list[Check]:
    """Checks of every split."""
    return [Check.of(separate_folds), Check.of(classes_trained)]


def separate_folds(split: Split) -> Verdict:
    """No row of the test fold is also in the training or the validation fold."""
    import numpy as np

    from classification_assets.learning.tables.row_keys import array_keys

    keys = array_keys(split.X, split.preprocessing.names)
    test = split.fold == Fold.TEST
    repeated = np.isin(keys[test], keys[~test])
    if not repeated.any():
        return True, f"none of {int(test.sum()):,} test rows is in another fold"
    return False, (
        f"{int(repeated.sum()):,} of {int(test.sum()):,} test rows have the same features as a row of another fold: "
        f"scores on them flatter{against_copies(split.source)}"
    )


def against_copies(source: Source) -> str:
    """Advice on rows that are there several times, as far as their table's declaration can say something."""
    if not isinstance(source.dataset, OwnTable):
        return ""
    if source.declared("time") or source.declared("test"):  # a group may have no rows in both files
        return "; if they are copies, leave them out"
    if source.dataset.group:
        return f"; if they are copies, give all of them the same {source.dataset.group}, or leave them out"
    return (
        "; if they are copies, leave them out, or name a column whose value copies share (group: <column>), so that "
        "they stay in one fold"
    )


def classes_trained(split: Split) -> Verdict:
    """Every class has rows in the training fold."""
    import numpy as np

    C = len(split.classes)
    rows = {fold: np.bincount(split.y[split.counted_rows(fold)], minlength=C) for fold in Fold}
    if unknown := np.flatnonzero(rows[Fold.TRAIN] == 0).tolist():
        told = []
        for code in unknown[:5]:
            there = [(int(rows[fold][code]), fold.label) for fold in Fold if rows[fold][code]]
            where = ", ".join(f"{count:,} {label} row{'s' * (count > 1)}" for count, label in there)
            where = where or "all its rows have a weight of 0"
            told.append(f"class {split.classes[code]} has no training row: no network can learn it ({where})")
        others = len(unknown) - len(told)
        return False, "; ".join(told) + (f"; so have {others} more classes" if others else "")
    fewest = rows[Fold.TRAIN].argmin()
    return True, (
        f"all {C} classes have training rows; the fewest, {rows[Fold.TRAIN][fewest]:,}, "
        f"has class {split.classes[fewest]}"
    )
