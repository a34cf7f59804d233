"""A table's profile tells what is wrong with it, and the checks say it in words."""

import numpy as np
import pandas as pd
import pytest

from classification_assets.learning.preparation import profile
from classification_assets.learning.preparation.checks import dataset_checks, separate_folds, table_checks
from classification_assets.learning.preparation.folds import Folds
from classification_assets.learning.preparation.profile import Profile
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.tables.datasets import (
    Blobs,
    Circles,
    Moons,
    Roles,
    ShippedTable,
    Spirals,
    TableFile,
)
from classification_assets.learning.tables.source import Source
from classification_assets.learning.tables.table import Table

N = 300


def table(roles=None, **columns):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"x": rng.normal(size=N), "word": rng.choice(["a", "b"], N), "label": np.arange(N) % 2}
    )
    return Table.of_frame(frame.assign(**columns), roles)


def verdicts(table):
    own = Profile.of(table)
    return {check.name: check.judge(own) for check in (*dataset_checks(), *table_checks())}


def failed(table):
    return {name for name, (passed, _) in verdicts(table).items() if not passed}


def test_nothing_is_wrong_with_a_good_table():
    assert failed(table()) == set()


@pytest.mark.parametrize(
    "dataset",
    [
        Moons(),
        Circles(),
        Blobs(),
        Spirals(),
        *(ShippedTable(name=name) for name in ("iris", "wine", "digits")),
    ],
)
def test_nothing_is_wrong_with_what_is_shipped(dataset):
    assert failed(Table.of(dataset)) == set()


def test_every_column_is_described_with_its_role():
    columns = Profile.of(table(Roles(id="name", drop=("note",)), name=range(N), note=1)).columns.set_index(
        "column"
    )
    assert columns["role"].to_dict() == {
        "x": "feature",
        "word": "feature",
        "label": "target",
        "name": "id",
        "note": "left out",
    }
    assert columns.loc["word", "different values"] == 2
    assert columns.loc["name", "lowest"] == "0"
    assert columns.loc["name", "highest"] == str(N - 1)


def test_columns_of_any_type_may_lie_beside_the_features():
    beside = table(
        Roles(drop=("many", "when", "raw")),
        many=[[1, 2]] * N,
        when=pd.to_timedelta(np.arange(N), unit="h"),
        raw=[b"x"] * N,
        half=np.arange(N).astype(np.float16),
    )
    columns = Profile.of(beside).columns.set_index("column")
    assert columns.loc["half", "highest"] == "299"
    assert np.isnan(columns.loc["many", "different values"])
    assert failed(beside) == set()


def test_gaps_are_counted():
    gaps = np.where(np.arange(N) < 180, np.nan, 1.0)
    found = table(gap=gaps)
    assert Profile.of(found).columns.set_index("column").loc["gap", "missing"] == pytest.approx(0.6)
    assert failed(found) == {"columns_filled"}
    assert "missing in more than half of the rows: gap" in verdicts(found)["columns_filled"][1]


def test_columns_that_do_not_vary_are_named():
    found = table(same=7, none=None)
    assert Profile.of(found).constant == ["same", "none"]
    assert "same, none (of 4 features)" in verdicts(found)["columns_vary"][1]
    assert "columns_vary" in failed(found)


@pytest.mark.parametrize(
    "leak",
    [
        lambda label: label * 3.5 + 1,
        lambda label: np.where(label == 1, "one", "zero"),
        lambda label: np.where(label == 1, np.nan, 5.0),
        lambda label: label == 1,
    ],
)
def test_a_column_that_alone_predicts_the_target_is_a_suspect(leak):
    found = table(told=leak(np.arange(N) % 2))
    assert Profile.of(found).suspects == ["told"]
    assert failed(found) == {"nothing_leaks"}
    _, sentence = verdicts(found)["nothing_leaks"]
    assert sentence.startswith("alone it predicts 'label' almost without error: told; is it known when")


def test_a_value_a_row_is_no_suspect_though_a_tree_could_learn_it_by_heart():
    names = table(Roles(columns={"name": "categorical"}), name=[f"n{row}" for row in range(N)])
    assert Profile.of(names).suspects == []


@pytest.mark.parametrize(
    "values",
    [
        10**15 + np.arange(N),
        1e15 + np.arange(N) % 2,
        np.where(np.arange(N) == 5, 0, 1_700_000_000 + np.arange(N)),
        np.uint64(2**63) + np.arange(N, dtype=np.uint64),
        pd.Timestamp("2024-02-29") + pd.to_timedelta(np.arange(N), unit="s"),
    ],
)
def test_values_that_float32_cannot_tell_apart_are_told(values):
    found = table(k=values)
    before, after = Profile.of(found).merged["k"]
    assert before == len(set(values))
    assert after <= before / 2
    assert "values_stay_apart" in failed(found)
    assert verdicts(found)["values_stay_apart"][1].startswith(
        f"column k: {before} different values, {after} after rounding to float32 (in 300 rows): subtract"
    )


@pytest.mark.parametrize(
    "values",
    [
        np.arange(N) / 10 + np.arange(N) % 2 * 1e-16,
        np.where(np.arange(N) % 2, 0.3, 0.1 + 0.2) + np.arange(N) // 2,
        1_700_000_000 + 86_400 * np.arange(N),
        np.where(np.arange(N) % 3, 1e30, np.nan),
        pd.Timestamp("2024-02-29") + pd.to_timedelta(np.arange(N), unit="h"),
    ],
)
def test_values_that_stay_different_or_never_were_are_not(values):
    assert Profile.of(table(k=values)).merged == {}


@pytest.mark.parametrize("others", [[], [0.7], [0.7, 0.9, 1.1]])
def test_few_values_and_their_last_digits_are_not_rounded_away(others):
    assert Profile.of(table(k=np.resize([0.1 + 0.2, 0.3, *others], N))).merged == {}


def test_large_numbers_that_are_categories_are_not_rounded():
    assert Profile.of(table(Roles(columns={"k": "categorical"}), k=10**15 + np.arange(N) % 9)).merged == {}


def test_repeated_and_contradicting_rows_are_counted():
    x, label = np.arange(N) // 2, np.zeros(N, int)
    label[: N // 2] = np.arange(N // 2) % 2
    found = table(x=x, word="a", label=label)
    assert Profile.of(found).repeated == N / 2
    assert Profile.of(found).contradicting == N / 2
    assert {"rows_differ", "labels_agree"} <= failed(found)


def test_rows_of_one_group_do_not_repeat_each_other():
    x = np.arange(N) // 4  # four rows alike: two of one group, two of another
    found = table(Roles(group="who"), x=x, word="a", who=np.arange(N) // 2, label=np.arange(N) // 4 % 2)
    assert Profile.of(found).repeated == N / 4
    assert verdicts(found)["rows_differ"][1].startswith(
        "75 of 300 rows have the features of an earlier one with another who"
    )
    copies = table(Roles(group="who"), x=x, word="a", who=x, label=x % 2)
    assert Profile.of(copies).repeated == 0
    assert "rows_differ" not in failed(copies)


@pytest.mark.parametrize(
    ("declared", "advice"),
    [
        (
            {"drop": ["who"]},
            "name a column whose value copies share (group: <column>), so that they stay in one fold",
        ),
        ({"group": "who"}, "; if they are copies, give all of them the same who, or leave them out"),
        ({"time": "who"}, "; if they are copies, leave them out"),
        ({"test": "b.csv", "drop": ["who"]}, "; if they are copies, leave them out"),
        ({"test": "b.csv", "group": "who"}, "; if they are copies, leave them out"),
    ],
)
def test_rows_that_are_there_twice_say_what_to_declare(declared, advice, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    frame = table(x=np.arange(N) // 2, word="a", who=np.arange(N)).frame
    frame.to_csv("a.csv", index=False)
    frame.assign(who=N + np.arange(N)).to_csv("b.csv", index=False)
    found = Table.of(TableFile(path="a.csv", **declared))
    passed, sentence = verdicts(found)["rows_differ"]
    assert not passed
    assert sentence.endswith(advice)
    passed, sentence = separate_folds(Split.of(found, Folds()))
    assert passed or sentence.endswith(advice)


def test_of_what_has_no_groups_nothing_is_advised():
    found = Table.of_frame(
        table(x=1, word="a").frame, source=Source(dataset={"kind": "sklearn", "name": "iris"})
    )
    assert verdicts(found)["rows_differ"][1] == "299 of 300 rows have the features of an earlier one"


def test_gaps_and_signed_zeros_repeat_too():
    x = np.where(np.arange(N) % 2, np.nan, np.where(np.arange(N) % 4, 0.0, -0.0))
    assert Profile.of(table(x=x, word="a")).repeated == N - 2


def test_rare_classes_are_named():
    few = table(label=np.where(np.arange(N) < 4, "rare", "common"))
    assert "the rarest class, 'rare', has 4 of 300 rows" in verdicts(few)["classes_have_rows"][1]
    assert "classes_have_rows" in failed(few)


def test_rows_without_a_label_are_told():
    left_out = Table.of_frame(table().frame, source=Source(without_label=5))
    assert verdicts(left_out)["labels_complete"] == (False, "5 of 305 rows have no label and were left out")


def test_a_large_table_is_tried_on_evenly_spaced_rows(monkeypatch):
    monkeypatch.setattr(profile, "TRIED", 50)
    found = table(told=np.arange(N) % 2)
    assert Profile.of(found).suspects == []  # every sixth row is of class 0
    monkeypatch.setattr(profile, "TRIED", 70)
    assert Profile.of(table(told=np.arange(N) // 7 % 2, label=np.arange(N) // 7 % 2)).suspects == ["told"]


def test_the_checks_are_light_to_import(imported_by):
    loaded = imported_by("import classification_assets.learning.preparation.checks")
    assert not loaded & {"torch", "sklearn", "pandas", "pyarrow", "matplotlib"}
