"""Which row belongs to which fold: what may be declared, and the choice. Light to import."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import TYPE_CHECKING

from pydantic import Field, model_validator

from classification_assets.learning.declaration import Declaration, Seed

if TYPE_CHECKING:
    import numpy as np


class Fold(IntEnum):
    """The use of a row: training learns, validation chooses, test only reports."""

    TRAIN = 0
    VALIDATION = 1
    TEST = 2

    @property
    def label(self) -> str:
        """Its name in tables and figures."""
        return self.name.lower()


class Folds(Declaration):
    """Shares of the rows for validation and test, drawn at random within each class.

    Where the table has a column for it, rows of one group stay together, or the split is by time.
    """

    validation: float = Field(
        0.2, gt=0, lt=1, description="Share of the rows that stops, calibrates and chooses."
    )
    test: float = Field(0.25, gt=0, lt=1, description="Share of the rows that only reports.")
    seed: Seed = Field(0, description="Which rows go where.")

    @model_validator(mode="after")
    def _rows_left_to_train(self) -> Folds:
        if self.validation + self.test >= 1:
            raise ValueError(
                f"validation + test must leave rows to train on (be below 1), got "
                f"{self.validation} + {self.test} = {self.validation + self.test:g}"
            )
        return self

    def sizes(self, n_rows: int, n_classes: int, n_test: int = 0) -> dict[Fold, int]:
        """How many rows each fold gets; `n_test` of them have the test fold in a file of their own.

        Raises
        ------
        ValueError
            If a fold would have fewer rows than there are classes.
        """
        test = n_test or round(self.test * n_rows)
        validation = round(self.validation * (n_rows - n_test))
        sizes = {Fold.TRAIN: n_rows - test - validation, Fold.VALIDATION: validation, Fold.TEST: test}
        for fold, size in sizes.items():
            if size < n_classes and not (fold is Fold.TEST and n_test):
                raise ValueError(
                    f"the {fold.label} fold would have {size} of {n_rows} rows, fewer than the {n_classes} classes: "
                    f"split.validation = {self.validation:g} and split.test = {self.test:g} need more rows "
                    "or other fractions"
                )
        return sizes

    def choose(
        self,
        y: np.ndarray,
        *,
        group: np.ndarray | None = None,
        time: np.ndarray | None = None,
        n_test: int = 0,
    ) -> np.ndarray:
        """The fold of each row.

        Parameters
        ----------
        y : array (N,)
            Labels: drawn within each class (see `stratified`), unless the next two say otherwise.
        group : array (N,) of int, optional
            Rows of one group stay together: see `grouped`.
        time : array (N,), optional
            The newest rows test, those before them validate: see `by_time`.
        n_test : int
            Rows at the end that are the test fold, whatever `test` says.

        Returns
        -------
        array (N,) int8
            Values of `Fold`.

        Raises
        ------
        ValueError
            If there are too few rows, groups or timestamps for the folds.
        """
        import numpy as np

        sizes = self.sizes(len(y), len(np.unique(y)), n_test)
        fold = np.full(len(y), Fold.TEST, np.int8)
        rest = slice(0, len(y) - n_test)
        if n_test:
            sizes = sizes | {Fold.TEST: 0}
        if group is not None:
            refuse_shared_groups(group, n_test)
            fold[rest] = grouped(y[rest], group[rest], sizes, self.seed)
        elif time is not None:
            fold[rest] = by_time(time[rest], sizes)
        else:
            fold[rest] = stratified(y[rest], sizes, self.seed)
        return fold


def refuse_shared_groups(group: np.ndarray, n_test: int) -> None:
    """Check that no group (N,) has rows both among the last `n_test`, of a file of their own, and before them.

    Raises
    ------
    ValueError
        If one has.
    """
    import numpy as np

    first = len(group) - n_test
    if len(both := np.intersect1d(group[:first], group[first:])):
        raise ValueError(
            f"{len(both)} groups have rows in the test file too; rows of a group must stay together"
        )


def stratified(y: np.ndarray, sizes: Mapping[Fold, int], seed: int) -> np.ndarray:
    """Draw the rows of the folds that are held out, the same share of each class; the rest trains.

    A class with fewer than three rows cannot be in every fold: its rows go to training, and so does the last
    row that another fold leaves of a class.

    Parameters
    ----------
    y : array (N,)
        Labels.
    sizes : mapping
        Rows of each fold to hold out.
    seed : int

    Returns
    -------
    array (N,) int8
        Values of `Fold`.

    Raises
    ------
    ValueError
        If the classes with enough rows for every fold are too few rows in all.
    """
    import numpy as np
    from sklearn.model_selection import train_test_split

    _, code, counts = np.unique(y, return_inverse=True, return_counts=True)
    fold = np.full(len(y), Fold.TRAIN, np.int8)
    rest = np.flatnonzero(counts[code] >= 3)
    for held_out in (Fold.TEST, Fold.VALIDATION):
        if size := sizes.get(held_out, 0):
            rest = rest[np.bincount(code[rest], minlength=len(counts))[code[rest]] >= 2]
            n_classes = len(np.unique(code[rest]))
            if len(rest) < size + n_classes:
                raise ValueError(
                    f"the {held_out.label} fold cannot have {size} of {len(y)} rows: {len(rest)} are left in classes "
                    f"with rows for every fold, and training needs one of each of those {n_classes}; "
                    "it needs more rows a class or a smaller share"
                )
            rest, chosen = train_test_split(rest, test_size=size, random_state=seed, stratify=code[rest])
            fold[chosen] = held_out
    return fold


def by_time(time: np.ndarray, sizes: Mapping[Fold, int]) -> np.ndarray:
    """The oldest rows train, then come validation and, newest, test; rows of one timestamp stay together.

    Parameters
    ----------
    time : array (N,)
    sizes : mapping
        Rows of the folds that are held out, to within what rows of one timestamp need.

    Returns
    -------
    array (N,) int8
        Values of `Fold`.

    Raises
    ------
    ValueError
        If there are too few different timestamps.
    """
    import numpy as np

    timestamps = np.unique(time)
    needed = [
        fold for fold in (Fold.TRAIN, Fold.VALIDATION, Fold.TEST) if fold is Fold.TRAIN or sizes.get(fold)
    ]
    if len(timestamps) < len(needed):
        raise ValueError(
            f"a split by time needs a timestamp a fold, {len(needed)} in all, got {len(timestamps)} "
            "different ones"
        )
    held_out = [sizes[fold] for fold in needed[1:]]
    starts = len(time) - np.cumsum(held_out[::-1])[::-1]
    return np.array(needed, np.int8)[stretches(time, starts)]


def stretches(time: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """The part (N,) that each row falls to where time is cut into stretches, no timestamp into two.

    Part p begins near the row, in order of time, that `starts[p - 1]` says. There must be as many different timestamps
    as parts, and then no part is empty.
    """
    import numpy as np

    _, position, counts = np.unique(time, return_inverse=True, return_counts=True)
    before = np.concatenate([[0], np.cumsum(counts)])
    part, end = np.zeros(len(counts), np.int64), len(counts)
    for number, wanted in reversed(list(enumerate(starts, start=1))):
        # The edge between timestamps that is nearest, with at least a timestamp for this part and each one before it.
        start = int(np.clip(np.abs(before - wanted).argmin(), number, end - 1))
        part[start:end] = number
        end = start
    return part[position]


def grouped(y: np.ndarray, group: np.ndarray, sizes: Mapping[Fold, int], seed: int) -> np.ndarray:
    """Draw whole groups for the folds that are held out, so that sizes and shares of classes come near.

    Parameters
    ----------
    y, group : arrays (N,)
    sizes : mapping
        Rows of each fold to hold out.
    seed : int

    Returns
    -------
    array (N,) int8
        Values of `Fold`.

    Raises
    ------
    ValueError
        If there are fewer groups than folds.
    """
    import numpy as np

    held_out = [fold for fold in (Fold.VALIDATION, Fold.TEST) if sizes.get(fold)]
    n_groups = len(np.unique(group))
    if n_groups <= len(held_out):
        raise ValueError(
            f"rows of a group stay together, so each of the {len(held_out) + 1} folds needs a group, got "
            f"{n_groups}"
        )
    out = [sizes[fold] for fold in held_out]
    shares = np.array([len(y) - sum(out), *out]) / len(y)
    return np.array([Fold.TRAIN, *held_out], np.int8)[deal_groups(y, group, shares, seed)]


def deal_groups(y: np.ndarray, group: np.ndarray, shares: np.ndarray, seed: int) -> np.ndarray:
    """The part (N,) that each row falls to, whole groups together; parts get about their shares (P,) of each class.

    The largest group first, each goes to the part that then lacks most of what the group has. There must be as
    many groups as parts, and then no part is empty.
    """
    import numpy as np

    _, code, rows = np.unique(y, return_inverse=True, return_counts=True)
    groups, position, members = np.unique(group, return_inverse=True, return_counts=True)
    G, C = len(groups), len(rows)
    counts = np.bincount(position * C + code, minlength=G * C).reshape(G, C)
    # What each part still lacks of each class, as a share of what it shall have.
    wanted = np.outer(shares, rows).astype(float)
    lacking = wanted.copy()
    order = np.random.default_rng(seed).permutation(G)
    order = order[np.argsort(-members[order], kind="stable")]
    chosen = np.zeros(G, np.int8)
    filled = np.zeros(len(shares), bool)
    for number, which in enumerate(order):
        share = (lacking / np.maximum(wanted, 1e-9)) @ counts[which] / members[which]
        # The last groups are kept for the parts that have none yet.
        best = int(filled.argmin()) if (~filled).sum() >= G - number else int(share.argmax())
        lacking[best] -= counts[which]
        filled[best] = True
        chosen[which] = best
    return chosen[position]
