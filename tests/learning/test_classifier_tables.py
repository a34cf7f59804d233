"""NeuralClassifier takes tables as they are, of any library, and weights of their rows."""

from datetime import date

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from classification_assets import NeuralClassifier
from tests.learning.two_moons import CODES, X, classifier


def as_polars(frame):
    return pl.from_pandas(frame).with_columns(pl.col("street").cast(pl.Categorical))


def as_arrow(frame):
    return as_polars(frame).to_arrow()


def as_views(frame):
    table = as_arrow(frame)
    views = {pa.large_string(): pa.string_view()}
    return table.cast(
        pa.schema([field.with_type(views.get(field.type, field.type)) for field in table.schema])
    )


@pytest.fixture(scope="module")
def of_people(people):
    return NeuralClassifier(random_state=0).fit(*people)


def test_a_lazy_frame_is_refused_with_what_to_hand_over():
    lazy = pl.LazyFrame({"x": [0.0, 1.0] * 20})
    with pytest.raises(
        TypeError, match=r"a lazy frame holds no rows yet; hand over what X\.collect\(\) gives"
    ):
        NeuralClassifier().fit(lazy, [0, 1] * 20)


@pytest.mark.parametrize("other", [as_polars, as_arrow, as_views], ids=["polars", "pyarrow", "views"])
def test_a_frame_of_another_library_gives_the_same_classifier(people, of_people, other):
    frame, labels = people
    fitted = NeuralClassifier(random_state=0).fit(other(frame), pl.Series(labels))
    np.testing.assert_array_equal(fitted.predict_proba(other(frame)), of_people.predict_proba(frame))
    assert fitted.feature_names_in_.tolist() == list(frame.columns)


def test_every_kind_of_column_is_learned_from(people):
    frame, labels = people
    fitted = NeuralClassifier(random_state=0).fit(frame[:200], labels[:200])
    assert fitted.score(frame[200:], labels[200:]) > 0.8
    kinds = {column.name: column.kind for column in fitted.fitted_.provenance.preprocessing.columns}
    assert kinds == {
        "age": "numeric",
        "children": "numeric",
        "city": "categorical",
        "street": "categorical",
        "member": "boolean",
        "since": "date",
    }


def test_a_category_that_was_never_seen_is_no_error(people, of_people):
    frame = people[0].assign(city="Paris", street="a new one")
    assert np.isfinite(of_people.predict_proba(frame)).all()


def test_columns_that_are_missing_altogether_are_no_error_of_a_row(people, of_people):
    nothing = people[0][:3].assign(age=np.nan, city=None, since=pd.NaT)
    assert np.isfinite(of_people.predict_proba(nothing)).all()


def test_an_array_of_several_types_is_a_table_too(people):
    frame, labels = people
    fitted = NeuralClassifier("linear", max_epochs=5, random_state=0).fit(frame.to_numpy(object), labels)
    kinds = [column.kind for column in fitted.fitted_.provenance.preprocessing.columns]
    assert kinds == ["numeric", "numeric", "categorical", "categorical", "boolean", "date"]


def test_words_that_are_numbers_with_a_comma_are_refused_with_advice(people):
    frame, labels = people
    named = frame.assign(height=[f"1.{number},5" for number in range(100, 399)] + ["7"])
    with pytest.raises(
        ValueError, match=r"'height' holds words that are numbers with a comma, .*make them numbers"
    ):
        NeuralClassifier("linear", max_epochs=5).fit(named, labels)


def test_free_text_is_refused_with_advice(people):
    frame, labels = people
    named = frame.assign(name=[f"person {number}" for number in range(300)])
    with pytest.raises(ValueError, match=r"column 'name' looks like a name or free text.*leave it out"):
        NeuralClassifier().fit(named, labels)


def test_dates_may_be_labels():
    days = np.array([date(2024, 2, 28), date(2024, 2, 29)], object)
    fitted = classifier(max_epochs=2).fit(X, days[CODES])
    assert set(fitted.predict(X).tolist()) <= set(days.tolist())


def test_whole_weights_are_counts(people):
    frame, labels = people
    weight = np.random.default_rng(0).integers(0, 4, 300)
    order = np.random.default_rng(1).permutation(300)
    rows = np.repeat(order, weight[order])
    weighted = classifier().fit(frame, labels, sample_weight=weight)
    copied = classifier().fit(frame.iloc[rows], labels[rows])
    np.testing.assert_array_equal(weighted.predict_proba(frame), copied.predict_proba(frame))
