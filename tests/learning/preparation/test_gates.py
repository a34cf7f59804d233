"""Gates stop a new version of a table that is worse than the accepted one, and let every other through."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from classification_assets.learning.preparation.gates import Delivery, Gates, gate_checks
from classification_assets.learning.preparation.label_shift import LabelShift
from classification_assets.learning.preparation.profile import Profile
from classification_assets.learning.tables.datasets import Moons, Roles, ShippedTable, TableFile
from classification_assets.learning.tables.source import Source
from classification_assets.learning.tables.table import Table

N = 400


def frame(n=N, seed=0):
    rng = np.random.default_rng(seed)
    label = rng.choice(["no", "yes", "perhaps"], n, p=[0.5, 0.3, 0.2])
    return pd.DataFrame(
        {
            "age": rng.integers(0, 90, n),
            "income": rng.normal(size=n) + (label == "yes"),
            "ward": rng.choice(["a", "b"], n),
            "since": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 900, n), "D"),
            "label": label,
        }
    )


def verdicts(new, accepted, roles=None, **gates):
    table, before = (
        each if each is None or isinstance(each, Table) else Table.of_frame(each, roles)
        for each in (new, accepted)
    )
    delivery = Delivery(Profile.of(table), before, Gates(**gates))
    return {check.name: check.judge(delivery) for check in gate_checks()}


def closed(new, accepted, roles=None, **gates):
    return {name for name, (passed, _) in verdicts(new, accepted, roles, **gates).items() if not passed}


def test_every_gate_blocks_and_says_what_it_is_for():
    assert all(check.blocking and check.description for check in gate_checks())


def test_no_name_of_a_gate_is_that_of_a_field_of_a_data_set_whose_run_configuration_it_shares():
    fields = {field for kind in (TableFile, ShippedTable, Moons) for field in kind.model_fields}
    assert not fields & set(Gates.model_fields)


def test_the_same_table_passes():
    assert closed(frame(), frame()) == set()


def test_a_first_version_passes_and_says_why():
    for passed, sentence in verdicts(frame(), None).values():
        assert passed
        assert "first version" in sentence


@pytest.mark.parametrize(
    ("new", "accepted", "why"),
    [
        (Moons(n_samples=50), ShippedTable(name="iris"), "kind: moons, before: sklearn"),
        (ShippedTable(name="iris"), ShippedTable(name="wine"), "name: iris, before: wine"),
        (ShippedTable(name="iris"), Moons(), "kind: sklearn, before: moons"),
    ],
)
def test_another_data_set_is_not_compared(new, accepted, why):
    for passed, sentence in verdicts(Table.of(new), Table.of(accepted)).values():
        assert passed
        assert why in sentence


def test_another_target_is_another_data_set():
    other = Table.of_frame(frame(), Roles(target="ward"))
    assert closed(other, Table.of_frame(frame())) == set()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda rows: rows.drop(columns="age"), "age (gone)"),
        (lambda rows: rows.rename(columns={"age": "years"}), "age (gone); new columns: years"),
        (lambda rows: rows.assign(age=rows["age"].astype(str)), "age (numeric, now categorical)"),
        (lambda rows: rows.assign(since=rows["since"].astype(str)), "since (date, now categorical)"),
        (lambda rows: rows.assign(age=np.nan), "age (emptied: all its values are missing)"),
        (lambda rows: rows.assign(ward=None), "ward (emptied: all its values are missing)"),
    ],
)
def test_a_column_that_is_gone_of_another_kind_or_emptied_blocks(change, told):
    passed, sentence = verdicts(change(frame()), frame())["same_columns"]
    assert not passed
    assert told in sentence


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows.assign(age=rows["age"].astype(float)),
        lambda rows: rows.assign(age=rows["age"].where(rows["age"] > 9)),
        lambda rows: rows.assign(ward=rows["ward"].astype("category")),
        lambda rows: rows.assign(height=1.0),
        lambda rows: rows[rows.columns[::-1]],
    ],
)
def test_gaps_new_columns_and_another_order_pass(change):
    assert closed(change(frame()), frame()) == set()


def test_new_columns_are_told():
    assert "new columns: height" in verdicts(frame().assign(height=1.0), frame())["same_columns"][1]


def test_a_column_that_was_empty_may_be_filled_with_words():
    assert "same_columns" not in closed(frame(), frame().assign(ward=np.nan))


def test_a_column_that_is_not_used_may_go_and_is_told():
    roles = Roles(features=("age", "income"))
    passed, sentence = verdicts(frame().drop(columns="ward"), frame(), roles)["same_columns"]
    assert passed
    assert "ward (gone)" in sentence


def test_dropping_a_column_by_declaration_is_no_change_of_the_data():
    new = Table.of_frame(frame(), Roles(drop=("age",)))
    assert closed(new, Table.of_frame(frame())) == set()


def test_a_kind_that_is_declared_otherwise_is_no_change_of_the_data():
    new = Table.of_frame(
        frame().assign(age=frame()["age"].astype(str)), Roles(columns={"age": "categorical"})
    )
    assert closed(new, Table.of_frame(frame())) == set()


def test_a_class_that_vanished_blocks():
    rows = frame()
    passed, sentence = verdicts(rows[rows["label"] != "perhaps"], rows)["same_classes"]
    assert not passed
    assert "1 of 3 classes are gone: perhaps (" in sentence


def test_a_new_class_passes_and_is_told():
    rows = frame()
    passed, sentence = verdicts(rows, rows[rows["label"] != "perhaps"])["same_classes"]
    assert passed
    assert "new classes: perhaps" in sentence


def test_whole_numbers_that_became_floats_are_the_same_classes():
    numbers = frame().assign(label=np.arange(N) % 3)
    assert closed(numbers.assign(label=numbers["label"].astype(float)), numbers) == set()


@pytest.mark.parametrize(
    ("left", "blocks"), [(N, False), (N // 2, False), (N // 2 - 1, True), (N // 10, True)]
)
def test_more_rows_gone_than_the_bound_block(left, blocks):
    assert ("rows_there" in closed(frame()[:left], frame())) == blocks


def shifted(n, share, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame({"x": rng.normal(size=n), "label": (np.arange(n) < share * n).astype(int)})


def test_shifted_labels_block_and_the_numbers_are_told():
    passed, sentence = verdicts(shifted(N, 0.8), shifted(N, 0.5))["labels_alike"]
    assert not passed
    assert "0.300" in sentence
    assert "class 1, from 50.0% to 80.0%" in sentence


def test_few_rows_do_not_block_by_chance():
    passed, sentence = verdicts(shifted(8, 0.75), shifted(8, 0.5))["labels_alike"]
    assert passed
    assert "chance" in sentence


def test_rows_of_few_groups_do_not_block_by_chance():
    rows = shifted(N, 0.8).assign(who=np.arange(N) // 80), shifted(N, 0.5).assign(who=np.arange(N) // 80)
    assert "labels_alike" in closed(*rows)
    assert "labels_alike" not in closed(*rows, Roles(group="who"))


def test_a_random_sample_of_the_same_rows_blocks_at_most_once_in_a_hundred():
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"x": 0.0, "label": rng.choice(4, 120)})
    blocked = 0
    for _ in range(300):
        before, now = (
            Table.of_frame(rows.sample(n, random_state=int(rng.integers(2**31)))) for n in (40, 20)
        )
        shift = LabelShift.between(before, now)
        blocked += shift.chance() <= 0.01  # however far apart they are
    assert blocked <= 9  # of 300, with the expectation 3


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), share=st.floats(0.55, 1.0))
def test_rows_in_another_order_twice_and_a_sample_of_them_pass(seed, share):
    rows = frame()
    assert closed(rows.sample(frac=1, random_state=seed), rows) == set()
    assert closed(pd.concat([rows, rows], ignore_index=True), rows) == set()
    assert closed(rows.sample(frac=share, random_state=seed), rows) == set()


def test_a_column_that_predicts_the_target_now_blocks():
    rows = frame()
    leaking = rows.assign(income=(rows["label"] == "yes") + 2.0 * (rows["label"] == "no"))
    passed, sentence = verdicts(leaking, rows)["nothing_leaks_now"]
    assert not passed
    assert re.search(r"income \(balanced accuracy 1.00, before: 0\.\d\d\)", sentence)


def test_a_new_column_that_predicts_the_target_blocks():
    rows = frame()
    passed, sentence = verdicts(rows.assign(outcome=rows["label"].str.upper()), rows)["nothing_leaks_now"]
    assert not passed
    assert "no such column" in sentence


def test_a_column_that_always_predicted_the_target_passes():
    rows = frame().assign(outcome=frame()["label"].str.upper())
    passed, sentence = verdicts(rows, rows)["nothing_leaks_now"]
    assert passed
    assert "outcome" in sentence


def mistyped(rows, share):
    """Some rows have a class that never was."""
    label = rows["label"].where(np.arange(len(rows)) >= share * len(rows), "yess")
    return rows.assign(label=label)


@pytest.mark.parametrize("share", [0.0025, 0.015])
def test_a_new_class_of_few_rows_blocks_as_mistyped_labels_would(share):
    passed, sentence = verdicts(mistyped(frame(), share), frame())["new_classes_are_no_slips"]
    assert not passed
    assert f"yess ({share:.1%})" in sentence
    assert closed(mistyped(frame(), share), frame(), new_class_share=0) == set()


def test_a_new_class_of_enough_rows_passes_and_is_told():
    passed, sentence = verdicts(mistyped(frame(), 0.1), frame())["new_classes_are_no_slips"]
    assert passed
    assert "yess (10.0%)" in sentence


def broken():
    """Every gate is closed to it."""
    rows = frame()
    rows = rows[rows["label"] != "perhaps"].drop(columns="age")
    rows = pd.concat([rows[rows["label"] == "no"][:10], rows[rows["label"] == "yes"][:100]])
    return mistyped(rows.assign(income=(rows["label"] == "yes") * 1.0), 0.01)


def test_a_version_that_breaks_all_rules_is_stopped_by_each():
    assert closed(broken(), frame()) == {check.name for check in gate_checks()}


def test_the_configuration_that_a_gate_names_opens_it():
    for name, (_, sentence) in verdicts(broken(), frame()).items():
        setting = json.loads(re.search(r"with the configuration (\{.*\})$", sentence)[1])
        assert name not in closed(broken(), frame(), **setting)


@pytest.mark.parametrize("wrong", [{"fewer_rows": 1.1}, {"label_shift": -0.1}, {"same_column": True}])
def test_a_rule_out_of_bounds_is_refused(wrong):
    with pytest.raises(ValidationError):
        Gates(**wrong)


def test_a_declaration_of_an_earlier_version_is_compared_by_its_kind():
    outdated = Source.model_validate({"dataset": {"kind": "gone_kind"}})
    passed, sentence = verdicts(frame()[:10], Table.of_frame(frame(), source=outdated))["rows_there"]
    assert passed
    assert "before: gone_kind" in sentence
