"""Labels of any type come back as they were, before and after storing; dates are scored."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from classification_assets import NeuralClassifier, load_classifier

DAYS = [dt.date(2024, 1, 1), dt.date(2024, 2, 1)]
LABELS = {
    "datetime64 days": np.array(DAYS, "datetime64[D]"),
    "datetime64 nanoseconds": np.array(DAYS, "datetime64[ns]"),
    "dates": np.array(DAYS, object),
    "datetimes": np.array([dt.datetime(2024, 1, 1, 3), dt.datetime(2024, 2, 1)], object),
    "zoned": pd.Series(pd.to_datetime(DAYS)).dt.tz_localize("Europe/Oslo"),
    "words": np.array(["no", "yes"]),
    "objects": np.array(["no", "yes"], object),
    "odd words": np.array(["None", "yes "], object),
    "truth": np.array([False, True]),
    "whole": np.array([3, 7], np.int32),
}


@pytest.mark.parametrize("kind", LABELS)
def test_labels_come_back_as_they_were_after_storing_too_and_are_scored(kind, tmp_path):
    X = np.random.default_rng(0).normal(size=(80, 2))
    labels = LABELS[kind]
    code = (X[:, 0] > 0).astype(int)
    y = labels.iloc[code].reset_index(drop=True) if isinstance(labels, pd.Series) else labels[code]
    classifier = NeuralClassifier("linear", members=2, max_epochs=60, learning_rate=0.1, random_state=0).fit(
        X, y
    )
    classifier.save(tmp_path / "model.safetensors")
    again = load_classifier(tmp_path / "model.safetensors")
    assert classifier.classes_.dtype == again.classes_.dtype
    np.testing.assert_array_equal(classifier.predict(X), again.predict(X))
    expected = np.mean(np.asarray(y) == classifier.predict(X))
    assert expected > 0.8
    weight = np.where(code, 3.0, 1.0)
    for model in (classifier, again):
        assert (model.classes_ == np.asarray(labels)).all()
        assert model.score(X, y) == pytest.approx(expected)
        assert model.score(X, y, sample_weight=weight) == pytest.approx(
            np.average(np.asarray(y) == classifier.predict(X), weights=weight)
        )
