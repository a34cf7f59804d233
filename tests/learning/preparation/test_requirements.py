"""A column that cannot be predicted is refused with what would be right, before any work."""

import numpy as np
import pandas as pd
import pytest

from classification_assets.learning.preparation.folds import Folds
from classification_assets.learning.preparation.requirements import refuse_few, refuse_unfit
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.tables.datasets import Moons
from classification_assets.learning.tables.table import Table

N = 400


def table(label):
    return Table.of_frame(pd.DataFrame({"x": np.arange(len(label)) * 1.0, "label": label}))


@pytest.mark.parametrize(
    ("label", "words"),
    [
        (
            ["yes"] * N,
            r"column 'label': two classes or more are needed, but all 400 rows have the label 'yes'",
        ),
        (np.arange(N) / 7, "400 different numbers in 400 rows .*rather a quantity than classes.*regression"),
        (np.arange(N) // 3, "134 different numbers in 400 rows .* cut it into classes first"),
        ([f"n{row}" for row in range(N)], "every row has a label of its own .*is this the right column"),
        ([f"n{row // 2}" for row in range(2002)], "there are 1,001 classes, and at most 1,000"),
        (
            [f"n{row // 2}" for row in range(N)],
            "the validation fold would have 80 of 400 rows, fewer than the 200",
        ),
    ],
)
def test_labels_that_are_no_classes_are_refused_with_advice(label, words):
    with pytest.raises(ValueError, match=words):
        refuse_unfit(table(label), Folds())
    with pytest.raises(ValueError):  # noqa: PT011 (the words are tested above)
        Split.of(table(label), Folds())


@pytest.mark.parametrize(
    "label",
    [
        np.arange(N) % 2,
        np.arange(N) % 20 / 2,
        np.arange(N) % 60,
        np.arange(N) % 2 == 0,
        [f"n{row % 50}" for row in range(N)],
    ],
)
def test_numbers_and_words_with_enough_rows_each_are_classes(label):
    refuse_unfit(table(label), Folds())


def test_generated_rows_that_are_too_few_are_refused_before_they_are_drawn():
    with pytest.raises(ValueError, match="the validation fold would have 1 of 4 rows"):
        refuse_few(Moons(n_samples=4), Folds())
