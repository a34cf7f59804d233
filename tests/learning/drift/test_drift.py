"""Drift: found where it is and matters, not found where chance or size alone would say so."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from classification_assets.learning.artifacts import storage
from classification_assets.learning.drift.checks import no_drift
from classification_assets.learning.drift.drift import Drift, measure_drift
from classification_assets.learning.drift.rule import DriftRule
from classification_assets.learning.drift.score import score_change
from classification_assets.learning.tables.rows import MemoryRows

KINDS = {"a": "numeric", "b": "numeric", "town": "categorical", "smoker": "boolean", "day": "date"}


def frame(n, seed=0, **changes):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "a": rng.normal(size=n),
            "b": rng.lognormal(size=n),
            "town": rng.choice(["Bern", "Oslo", "Rome"], n, p=[0.5, 0.3, 0.2]),
            "smoker": rng.random(n) < 0.3,
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 365, n), "D"),
            "label": rng.choice(["yes", "no"], n),
        }
    ).assign(**changes)


def drift_of(current, reference=None, kinds=KINDS, **options):
    reference = frame(4000, 99) if reference is None else reference
    return measure_drift(MemoryRows.of(reference), MemoryRows.of(current), kinds, "label", **options)


def alarms(drift):
    return set(drift.tests.loc[drift.tests["alarm"].astype(bool), "column"])


@pytest.mark.parametrize(("n", "weeks"), [(8, 60), (50, 60), (1000, 30)])
def test_weeks_without_drift_raise_hardly_an_alarm(n, weeks):
    rule = DriftRule(significance=0.05)
    false = sum(drift_of(frame(n, seed), rule=rule).alarm for seed in range(weeks))
    assert false <= 0.05 * weeks + 3.1 * np.sqrt(0.05 * 0.95 * weeks)


@pytest.mark.parametrize(
    ("column", "change"),
    [
        ("a", lambda own: own + 0.6),
        ("a", lambda own: own * 3),
        ("b", lambda own: own * 2.5),
        ("town", lambda own: own.where(np.arange(len(own)) % 2 == 0, "Paris")),
        ("smoker", lambda own: ~own),
        ("day", lambda own: own + pd.Timedelta(200, "D")),
        ("a", lambda own: own.where(np.arange(len(own)) % 3 > 0)),
    ],
)
def test_a_shift_of_a_column_is_found_and_named(column, change):
    new = frame(600, 1)
    drift = drift_of(new.assign(**{column: change(new[column])}))
    assert column in alarms(drift)
    assert column in drift.sentence()
    assert alarms(drift) <= {column, "all columns"}


def test_what_hardly_changes_is_no_alarm_however_many_rows_say_so():
    new = frame(200_000, 1)
    drift = drift_of(new.assign(a=new["a"] + 0.03), frame(200_000, 99))
    a = drift.tests.set_index("column").loc["a"]
    assert a["p_holm"] < 1e-6
    assert not drift.alarm


def test_a_correlation_that_changed_is_seen_by_all_columns_together_alone():
    rng = np.random.default_rng(0)

    def pair(n, sign):
        a = rng.normal(size=n)
        return frame(n, 3).assign(a=a, b=sign * a + 0.3 * rng.normal(size=n))

    assert alarms(drift_of(pair(1500, -1), pair(3000, 1))) == {"all columns"}


def test_one_wild_value_hides_no_shift():
    """Bins of equal width would put all but the wild value into one."""
    new = frame(2000, 1)
    shifted = new["b"] * 3
    shifted.iloc[0] = 1e12
    found = drift_of(new.assign(b=shifted)).tests.set_index("column").loc["b"]
    assert found["psi"] > 0.25
    assert found["alarm"]


def test_labels_that_shift_are_an_alarm_of_their_own():
    drift = drift_of(frame(800, 1, label="yes"))
    assert "labels" in alarms(drift)
    assert "share of" in drift.sentence()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"a": None}, "gaps 0.0 % → 100.0 %"),
        ({"a": "word"}, "holds"),
    ],
)
def test_a_column_without_values_or_of_another_type_is_told(change, told):
    assert told in drift_of(frame(300, 1, **change)).sentence()


def test_a_column_that_is_gone_is_told():
    assert "a: is gone" in drift_of(frame(300, 1).drop(columns="a")).sentence()


def test_too_few_rows_say_so():
    drift = drift_of(frame(3, 1))
    assert not drift.alarm
    assert drift.sentence() == "3 new rows: at least 8 are needed to say anything"


def test_constant_columns_and_ids_are_no_drift():
    names = {"same": "numeric", "id": "categorical"}

    def rows(first, n):
        return pd.DataFrame({"same": 1.0, "id": [f"id {first + index}" for index in range(n)]})

    drift = measure_drift(MemoryRows.of(rows(0, 3000)), MemoryRows.of(rows(0, 500)), names)
    assert not alarms(drift) - {"id", "all columns"}
    assert np.isfinite(drift.tests["p_value"]).all()


@given(
    st.lists(
        st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=False, width=32)),
        min_size=1,
        max_size=60,
    ),
    st.lists(st.sampled_from(["x", "y", "", None]), min_size=1, max_size=60),
)
@settings(max_examples=60, deadline=None)
def test_whatever_the_values_every_p_value_is_one_and_no_error_comes(numbers, words):
    n = max(len(numbers), len(words))
    table = pa.table(
        {
            "a": pa.array((numbers * n)[:n], pa.float64()),
            "town": pa.array((words * n)[:n], pa.string()),
        }
    )
    drift = measure_drift(
        MemoryRows.of(frame(200, 5)), MemoryRows(table), {"a": "numeric", "town": "categorical"}
    )
    assert drift.tests["p_value"].astype(float).between(0, 1).all()
    assert drift.sentence()


def test_a_vocabulary_that_was_exchanged_is_drift_and_one_that_is_never_seen_whole_is_none():
    rng = np.random.default_rng(0)

    def words(n, first):
        return pd.DataFrame({"name": [f"word {first + index}" for index in rng.zipf(1.6, n) % 3000]})

    reference, kinds = MemoryRows.of(words(6000, 0)), {"name": "categorical"}
    assert not measure_drift(reference, MemoryRows.of(words(800, 0)), kinds).alarm
    drift = measure_drift(reference, MemoryRows.of(words(800, 10_000)), kinds)
    assert "name" in alarms(drift)


@pytest.mark.parametrize(
    "written", [lambda own: own.astype(float), lambda own: own.astype(bool), lambda own: own.astype(str)]
)
def test_how_a_file_writes_labels_and_truth_values_is_no_drift(written):
    rng = np.random.default_rng(0)
    both = [
        pd.DataFrame({"flag": rng.integers(2, size=n), "label": rng.integers(2, size=n)}) for n in (900, 500)
    ]
    new = both[1].assign(flag=written(both[1]["flag"]), label=both[1]["label"].astype(float))
    drift = measure_drift(MemoryRows.of(both[0]), MemoryRows.of(new), {"flag": "boolean"}, "label")
    assert not drift.alarm, drift.sentence()


def test_only_chosen_rows_are_compared():
    new = pd.concat([frame(1000, 1), frame(400, 2).assign(a=9.0)], ignore_index=True)
    assert not drift_of(new, chosen=np.arange(1000)).alarm
    assert "a" in alarms(drift_of(new, chosen=np.arange(1000, 1400)))


def test_a_worse_score_is_an_alarm_only_if_it_is_worse_by_enough():
    rng = np.random.default_rng(0)
    then = rng.gamma(1, 0.3, 2000)
    much, hardly = (
        score_change(then, rng.gamma(1, 0.5, 2000)),
        score_change(then, rng.gamma(1, 0.31, 200_000)),
    )
    assert "score" in alarms(drift_of(frame(300, 1), score=much))
    assert "the champion's log loss is" in drift_of(frame(300, 1), score=much).sentence()
    assert "score" not in alarms(drift_of(frame(300, 1), score=hardly))
    assert score_change(then, then[:10]) is None
    assert much.low < much.difference < much.high


def test_a_report_is_stored_and_comes_back(tmp_path):
    drift = drift_of(frame(600, 1, a=3.0))
    storage.save(drift, tmp_path / "drift.parquet")
    back = storage.load(tmp_path / "drift.parquet")
    assert back.sentence() == drift.sentence()
    pd.testing.assert_frame_equal(back.table(), drift.table())
    nothing = Drift.nothing("there is no champion yet", 0, 5)
    storage.save(nothing, tmp_path / "nothing.parquet")
    assert storage.load(tmp_path / "nothing.parquet").sentence() == "there is no champion yet"


def test_the_check_says_what_was_found():
    passed, sentence = no_drift(drift_of(frame(600, 1, a=3.0)))
    assert not passed
    assert sentence.startswith("drift (600 new rows against 4,000): ")
    assert no_drift(drift_of(frame(600, 1)))[0]


@pytest.mark.parametrize(
    ("field", "value"), [("significance", 0), ("distance", 2), ("joint_auc", 0.3), ("score", -1)]
)
def test_a_rule_that_makes_no_sense_is_refused(field, value):
    with pytest.raises(ValidationError, match=field):
        DriftRule(**{field: value})
