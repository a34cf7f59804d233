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
    """What a row is for: training learns, validation chooses, test only reports."""

    TRAIN = 0
    VALIDATION = 1
    TEST = 2

    @property
    def label(self) -> str:
        """Its name in tables and figures."""
        return self.name.lower()


class Folds(Declaration):
    """Shares of the rows for validation and test, drawn at random within each class."""

    validation: float = Field(
        0.2, gt=0, lt=1, description="Share of the rows that stops, calibrates and chooses."
    )
    test: float = Field(0.25, gt=0, lt=1, description="Share of the rows that only reports.")
    seed: Seed = Field(0, description="Which rows go where.")

    @model_validator(mode="after")
    def _rows_left_to_train(self) -> Folds:
        if self.validation + self.test >= 1:
            raise ValueError(
                f"validation + test must leave rows to train on (be below 1), however: "
                f"{self.validation} + {self.test} = {self.validation + self.test:g}"
            )
        return self

    def sizes(self, n_rows: int, n_classes: int) -> dict[Fold, int]:
        """How many rows each fold gets.

        Raises
        ------
        ValueError
            If a fold would have fewer rows than there are classes.
        """
        n_test, n_validation = round(self.test * n_rows), round(self.validation * n_rows)
        sizes = {Fold.TRAIN: n_rows - n_test - n_validation, Fold.VALIDATION: n_validation, Fold.TEST: n_test}
        for fold, size in sizes.items():
            if size < n_classes:
                raise ValueError(
                    f"the {fold.label} fold would have {size} of {n_rows} rows, fewer than the {n_classes} classes: "
                    f"split.validation = {self.validation:g} and split.test = {self.test:g} need more rows "
                    "or other fractions"
                )
        return sizes

    def choose(self, y: np.ndarray) -> np.ndarray:
        """The fold of each row (N,), stratified by the labels y (N,): see `stratified`."""
        import numpy as np

        return stratified(y, self.sizes(len(y), len(np.unique(y))), self.seed)


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
