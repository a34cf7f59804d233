"""Facts about columns learned anew from other rows: the features stay, and nothing of the rows left out is in them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch

from classification_assets.learning.preparation import split as splits
from classification_assets.learning.preparation.preprocessing import Preprocessing
from classification_assets.learning.preparation.split import features_by_fold

N, LEARNED = 400, np.arange(250)


@pytest.fixture
def frame():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "height": rng.normal(size=N),
            "amount": np.exp(3 * rng.normal(size=N)),
            "city": [f"city {number}" for number in rng.integers(60, size=N)],
            "colour": rng.choice(["red", "green"], N),
            "day": pd.date_range("2020-01-01", periods=N),
            "old": rng.random(N) > 0.4,
        }
    )
    frame.loc[::7, "height"] = np.nan
    return frame


def fitted(frame, rows=LEARNED):
    mask = np.zeros(N, bool)
    mask[rows] = True
    return Preprocessing.fit_frame(pa.Table.from_pandas(frame), list(frame), mask)


def test_the_same_rows_teach_the_same(frame):
    preprocessing, X = fitted(frame)
    again, known = preprocessing.relearned(X, LEARNED)
    assert again == preprocessing
    # But for the category of no row that is learned from, which has the code of one never seen already.
    np.testing.assert_array_equal(known, X)


def test_other_rows_give_the_same_features_with_facts_of_their_own(frame):
    preprocessing, X = fitted(frame)
    others = np.arange(150, N)
    again, known = preprocessing.relearned(X, others)
    assert again.arithmetic.names == preprocessing.arithmetic.names
    height = frame["height"].to_numpy()[others]
    assert again.columns[0].mean == pytest.approx(np.nanmean(height), abs=1e-6)
    assert again.columns[0].scale == pytest.approx(np.nanstd(height), abs=1e-6)
    assert again.columns[1].knee != preprocessing.columns[1].knee
    assert np.isfinite(again.features(known)).all()


def test_a_category_that_no_row_has_is_one_never_seen(frame):
    frame.loc[:99, "colour"] = "blue"
    preprocessing, X = fitted(frame)
    again, known = preprocessing.relearned(X, np.arange(100, N))
    before = X.copy()
    colours = [name.startswith("colour") for name in again.arithmetic.names]
    assert (again.features(known)[:100, colours] == 0).all()
    assert (preprocessing.features(X)[:100, colours].sum(1) == 1).all()
    np.testing.assert_array_equal(X, before)


def test_columns_without_a_value_among_the_rows_are_no_error(frame):
    frame.loc[:, ["height", "amount"]] = np.nan
    frame.loc[:99, ["height", "amount"]] = np.random.default_rng(1).normal(size=(100, 2))
    frame["city"] = frame["city"].where(frame.index < 100)
    preprocessing, X = fitted(frame)
    again, known = preprocessing.relearned(X, np.arange(100, N))
    assert np.isfinite(again.features(known)).all()


@pytest.mark.parametrize("lazily", [False, True])
def test_nothing_of_the_rows_left_out_is_in_the_features_of_the_others(split, monkeypatch, lazily):
    if lazily:
        monkeypatch.setattr(splits, "COPIED_BYTES", 0)
    rows = len(split.y)
    learned = [np.arange(rows // 2), np.arange(rows // 2, rows)]

    def features(X):
        X = features_by_fold(replace(split, X=X), learned, "cpu")
        assert tuple(X.shape) == (2 * rows, 2)
        return X[torch.arange(2 * rows).view(2, rows)].numpy()

    before = features(split.X)
    np.testing.assert_allclose(before[0, learned[0]].mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(before[1, learned[1]].std(0), 1, atol=1e-5)
    changed = split.X.copy()
    changed[learned[1]] *= 5
    after = features(changed)
    np.testing.assert_array_equal(after[0, learned[0]], before[0, learned[0]])
    assert not np.array_equal(after[1, learned[0]], before[1, learned[0]])
