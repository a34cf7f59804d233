"""Rows keep their fold while their table grows, shrinks, is reordered and holds copies."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classification_assets.learning.preparation.folds import Fold, Folds
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.tables.roles import Roles
from classification_assets.learning.tables.table import Table

FOLDS = Folds()
SHARES = {Fold.TRAIN: 0.55, Fold.VALIDATION: 0.2, Fold.TEST: 0.25}


def rows(n, seed=0, share=0.3):
    """Rows that differ, two classes, a name for each."""
    rng = np.random.default_rng(seed)
    label = np.where(rng.random(n) < share, "yes", "no")
    name = [f"{seed}-{index}" for index in range(n)]
    return pd.DataFrame({"x": rng.normal(size=n), "y": rng.normal(size=n), "name": name, "label": label})


def split_of(frame, before=None, roles=None, folds=FOLDS):
    roles = roles or Roles(drop=("name",))
    table = Table.of_frame(frame.reset_index(drop=True), roles)
    return Split.of(table, folds, None if before is None else before.memory())


def folds_of(frame, split):
    return dict(zip(frame["name"], split.fold.tolist(), strict=True))


def moved(before, after):
    """Names of rows that are in both and changed their fold."""
    return {name for name, fold in after.items() if before.get(name, fold) != fold}


BY_ID = Roles(id="name")
BY_CONTENT = Roles(drop=("name",))


@pytest.mark.parametrize("roles", [BY_ID, BY_CONTENT], ids=["id", "content"])
@given(
    st.lists(st.sampled_from(["grow", "grow much", "shrink", "reorder", "columns"]), min_size=1, max_size=6),
    st.integers(0, 2**16),
)
@settings(max_examples=25, deadline=None)
def test_a_row_keeps_its_fold_whatever_happens_to_its_table(roles, changes, seed):
    frame = rows(120, seed)
    split = split_of(frame, roles=roles)
    known = folds_of(frame, split)
    for number, change in enumerate(changes):
        match change:
            case "grow":
                frame = pd.concat([frame, rows(17, seed + number + 1)])
            case "grow much":
                frame = pd.concat([rows(300, seed + 100 + number), frame])
            case "shrink":
                frame = frame.sample(frac=0.8, random_state=seed)
            case "reorder":
                frame = frame.sample(frac=1, random_state=seed)
            case "columns":
                frame = frame[["label", "y", "name", "x"]]
        split = split_of(frame, split, roles)
        now = folds_of(frame, split)
        assert moved(known, now) == set()
        known |= now


def test_new_rows_are_dealt_so_that_every_class_has_its_exact_share():
    frame = rows(200)
    split = split_of(frame)
    grown = pd.concat([frame, rows(90, 1, share=0.5)])
    counts = split_of(grown, split).class_counts().set_index("class")
    for label, there in grown["label"].value_counts().items():
        assert counts.loc[label, "test"] == round(0.25 * there)
        assert counts.loc[label, "validation"] == round(0.2 * there)


def test_a_table_that_grows_by_a_row_a_day_keeps_its_shares():
    frame = rows(100)
    split = split_of(frame)
    for day in range(60):
        frame = pd.concat([frame, rows(1, 1000 + day)])
        split = split_of(frame, split)
    for fold, share in SHARES.items():
        assert (split.fold == fold).mean() == pytest.approx(share, abs=0.02)


def test_a_row_that_was_gone_for_a_day_comes_back_to_its_fold():
    frame = rows(200)
    split = split_of(frame)
    known = folds_of(frame, split)
    half = frame.iloc[:100]
    broken = split_of(half, split)
    again = split_of(frame, broken)
    assert moved(known, folds_of(frame, again)) == set()
    assert broken.gone is not None
    assert again.gone is None


def test_a_file_that_is_delivered_twice_changes_no_fold_and_brings_no_test_row_into_training():
    frame = rows(150)
    split = split_of(frame)
    twice = pd.concat([frame, frame.assign(name=frame["name"] + " again")])
    now = folds_of(twice, split_of(twice, split))
    assert all(now[name] == now[f"{name} again"] == fold for name, fold in folds_of(frame, split).items())


def test_a_label_that_is_corrected_moves_no_row():
    frame = rows(150)
    split = split_of(frame)
    corrected = frame.assign(label=np.where(frame.index % 10 == 0, "yes", frame["label"]))
    assert moved(folds_of(frame, split), folds_of(corrected, split_of(corrected, split))) == set()


def test_a_new_column_moves_no_row():
    frame = rows(150)
    split = split_of(frame)
    wider = frame.assign(z=np.arange(len(frame)))
    now = split_of(wider, split)
    assert moved(folds_of(frame, split), folds_of(wider, now)) == set()
    # From then on the new column belongs to the row's content.
    assert now.identity.columns == ("x", "y", "z")


def test_without_the_column_by_which_rows_were_known_all_are_dealt_anew():
    frame = rows(150)
    split = split_of(frame)
    less = frame.drop(columns="y")
    np.testing.assert_array_equal(split_of(less, split).fold, split_of(less).fold)


@pytest.mark.parametrize("other", [Folds(seed=1), Folds(test=0.3)])
def test_another_declaration_deals_all_rows_anew(other):
    frame = rows(150)
    split = split_of(frame)
    np.testing.assert_array_equal(split_of(frame, split, folds=other).fold, split_of(frame, folds=other).fold)


def test_the_first_deal_is_that_of_the_declaration():
    frame = rows(150)
    y = np.unique(frame["label"], return_inverse=True)[1]
    np.testing.assert_array_equal(split_of(frame).fold, FOLDS.choose(y))
    other = rows(150, 5)
    np.testing.assert_array_equal(split_of(other, split_of(frame)).fold, split_of(other).fold)


def test_rows_of_a_group_follow_their_group():
    roles = Roles(drop=("name",), group="patient")
    frame = rows(200).assign(patient=lambda d: d.index % 20)
    split = split_of(frame, roles=roles)
    known = dict(zip(frame["patient"], split.fold.tolist(), strict=True))
    # New rows of known patients alone, and some of new ones.
    grown = pd.concat(
        [
            rows(60, 1).assign(patient=lambda d: d.index % 20),
            rows(50, 2).assign(patient=lambda d: 20 + d.index % 5),
        ]
    )
    now = split_of(grown, split, roles)
    groups = pd.Series(now.fold).groupby(grown["patient"].to_numpy()).agg(set)
    assert (groups.map(len) == 1).all()
    assert {patient: next(iter(fold)) for patient, fold in groups.items() if patient < 20} == known


def test_long_numbers_name_groups():
    roles = Roles(drop=("name",), group="patient")
    frame = rows(200).assign(patient=1_700_000_000_000_000_000 + np.arange(200) // 5)
    split = split_of(frame, roles=roles)
    shuffled = frame.sample(frac=1, random_state=0)
    assert moved(folds_of(frame, split), folds_of(shuffled, split_of(shuffled, split, roles))) == set()


def test_another_column_of_groups_deals_all_rows_anew():
    frame = rows(200).assign(a=np.arange(200) % 20, b=np.arange(200) // 10)
    split = split_of(frame, roles=Roles(drop=("name", "b"), group="a"))
    other = Roles(drop=("name", "a"), group="b")
    np.testing.assert_array_equal(split_of(frame, split, other).fold, split_of(frame, roles=other).fold)


def test_ids_that_are_missing_or_shared_name_no_row_and_content_does():
    frame = rows(150)
    for names in (frame["name"].where(frame.index % 5 > 0), [f"c{index // 3}" for index in range(150)]):
        told = frame.assign(id=names)
        roles = Roles(id="id", drop=("name",))
        split = split_of(told, roles=roles)
        assert split.identity.by == "content"
        shuffled = told.sample(frac=1, random_state=0)
        assert moved(folds_of(told, split), folds_of(shuffled, split_of(shuffled, split, roles))) == set()


def test_ids_that_are_delivered_twice_for_a_day_move_no_row():
    frame = rows(150)
    split = split_of(frame, roles=BY_ID)
    twice = pd.concat([frame, frame])
    doubled = split_of(twice, split, BY_ID)
    known = folds_of(frame, split)
    assert moved(known, folds_of(twice, doubled)) == set()
    assert moved(known, folds_of(frame, split_of(frame, doubled, BY_ID))) == set()


def test_a_group_that_is_in_the_test_file_too_is_refused_with_memory_as_without():
    frame = rows(200).assign(g=np.arange(200) // 5)
    roles = Roles(drop=("name",), group="g")
    split = Split.of(dataclasses.replace(Table.of_frame(frame, roles), n_test=50), FOLDS)
    shared = pd.concat([rows(20, 1).assign(g=39), frame]).reset_index(drop=True)
    with pytest.raises(ValueError, match="1 groups have rows in the test file too"):
        Split.of(dataclasses.replace(Table.of_frame(shared, roles), n_test=50), FOLDS, split.memory())


def test_a_split_by_time_moves_on_by_its_rule():
    roles = Roles(drop=("name",), time="day")
    frame = rows(100).assign(day=range(100))
    split = split_of(frame, roles=roles)
    grown = pd.concat([frame, rows(100, 1).assign(day=range(100, 200))])
    now = split_of(grown, split, roles)
    np.testing.assert_array_equal(now.fold, split_of(grown, roles=roles).fold)
    assert (now.fold[:100] == Fold.TRAIN).all()


def test_where_too_few_rows_are_left_of_a_fold_the_message_says_how_to_deal_anew():
    frame = rows(150)
    split = split_of(frame)
    trained = frame[split.fold == Fold.TRAIN]
    with pytest.raises(
        ValueError, match=r"only 0 belong to the \w+ fold.*another split\.seed deals all rows anew"
    ):
        split_of(trained, split)


def test_copies_that_were_dealt_apart_keep_how_many_are_in_each_fold():
    frame = rows(120)
    frame = frame.assign(x=np.arange(120) % 6 // 2, y=0)  # three contents, forty rows each, of both classes
    split = split_of(frame)
    grown = pd.concat([frame, frame.iloc[:30]]).sample(frac=1, random_state=0)
    now = split_of(grown, split)

    def counts(of, fold):
        each = pd.DataFrame({"x": of["x"].to_numpy(), "label": of["label"].to_numpy(), "fold": fold})
        return each.value_counts()

    before, after = counts(frame, split.fold), counts(grown, now.fold)
    assert (after.reindex(before.index).fillna(0) >= before).all()
