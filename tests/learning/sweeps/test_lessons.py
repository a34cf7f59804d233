import dataclasses

import numpy as np
import pandas as pd
import pytest

from classification_assets.learning.sweeps.importance import importance
from classification_assets.learning.sweeps.lessons import lessons
from tests.learning.sweeps.made_up import made_up


def said(*arguments, **options):
    return lessons(made_up(*arguments, **options))


def test_what_decides_comes_first_with_its_interval_and_its_best_values(halved):
    first, *others = lessons(halved)
    assert first.startswith("learning_rate decides most (")
    assert " of the differences, " in first
    assert ", best on average near 0.03" in first
    assert "; then activation (" in first
    assert "average gelu or relu" in first or "average relu or gelu" in first
    (none,) = [sentence for sentence in others if "no difference" in sentence]
    assert none.endswith("make no difference that 200 configurations can show.")
    assert "dropout" in none
    assert "learning_rate" not in none


def test_a_best_value_at_the_edge_says_so():
    rng = np.random.default_rng(0)
    (only,) = said(100, swept=("learning_rate",), learning_rate=10 ** rng.uniform(-4, -2.5, 100))
    assert " on, at the edge of what was tried" in only


def test_below_zero_there_is_nothing_to_try():
    result = made_up(200, swept=("dropout",), rungs=(40,), failing=9.0)
    result.networks["score"] = result.networks["dropout"] + 1
    (only,) = lessons(result)
    assert "best on average up to 0." in only
    assert "edge" not in only


def test_the_best_levels_of_an_ordered_one_are_a_stretch():
    result = made_up(100, swept=("width",), rungs=(40,), failing=9.0)
    result.networks["score"] = (result.networks["width"] == 8).astype(float)
    (only,) = lessons(result)
    assert "best on average from 16 to 32, at the edge of what was tried" in only


@pytest.mark.parametrize(
    ("values", "best", "words"),
    [
        ([0, 16, 32], 0, "best on average all rows."),
        ([0, 16, 32], 16, "best on average 16, at the edge of what was tried."),
        ([8, 16, 32], 32, "best on average 32, at the edge of what was tried."),
    ],
)
def test_there_is_no_batch_larger_than_all_rows(values, best, words):
    sizes = np.tile(values, 40)
    result = made_up(120, swept=("batch_size",), rungs=(40,), failing=9.0, batch_size=sizes)
    result.networks["score"] = (sizes != best) + np.random.default_rng(0).normal(0, 0.1, 120)
    assert lessons(result)[0].endswith(words)


def test_a_configuration_of_several_networks_counts_once_and_fails_if_one_of_them_does():
    one = made_up(60, failing=9.0)
    other = one.networks.assign(fold=1)
    other.loc[[2, 4], "state"] = "failed"
    both = pd.concat([one.networks, other])
    both.loc[both["configuration"].isin([2, 4]), "score"] = np.nan
    sentences = lessons(type(one)(both, one.finalists, one.summary))
    assert sentences[-1] == "2 of 60 configurations failed."
    assert "that 60 configurations can show" in " ".join(sentences)


def test_failures_are_told_with_the_value_from_which_they_begin(halved):
    count = int((halved.networks["state"] == "failed").sum())
    lowest = halved.networks.loc[halved.networks["state"] == "failed", "learning_rate"].min()
    assert lessons(halved)[-1] == (
        f"{count} of 200 configurations failed, all of them with learning_rate {lowest:.2g} or above."
    )


def test_failures_that_nothing_explains_are_counted_alone():
    result = made_up(100, failing=9.0)
    result.networks.loc[[3, 50, 90], "state"] = "failed"
    assert lessons(result)[-1] == "3 of 100 configurations failed."


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"n": 8, "failing": 9.0},
            "8 configurations are too few to tell what matters: at least 16 are needed.",
        ),
        ({"n": 40, "failing": 0.0}, "All 40 configurations failed, so nothing can be told of what matters."),
        (
            {"n": 40, "swept": ("mixup",), "failing": 9.0},
            "All configurations have the same values, so nothing can be told of what matters.",
        ),
        (
            {"n": 40, "swept": ("dropout",), "failing": 9.0},
            "dropout makes no difference that 40 configurations can show.",
        ),
    ],
)
def test_what_cannot_be_told_is_said(options, sentence):
    assert lessons(made_up(**options)) == [sentence]


def test_equal_scores_are_no_differences():
    result = made_up(40, rungs=(40,), failing=9.0)
    result.networks["score"] = 0.5
    assert lessons(result) == [
        "All 40 configurations are equally good, so no hyper-parameter makes a difference."
    ]


def test_none_decides_most_where_another_may_decide_more(halved, monkeypatch):
    found = importance(halved)
    unclear = dataclasses.replace(found, low=np.where(np.arange(len(found.low)) == 0, -0.1, found.low))
    monkeypatch.setattr("classification_assets.learning.sweeps.lessons.importance", lambda _: unclear)
    first, *_ = lessons(halved)
    assert first.startswith("activation makes a difference (")
    assert "decides most" not in first


def test_the_interval_of_what_matters_does_not_reach_down_to_0(halved, monkeypatch):
    found = importance(halved)
    hardly = dataclasses.replace(found, low=np.where(np.arange(len(found.low)) == 0, 0.003, found.low))
    monkeypatch.setattr("classification_assets.learning.sweeps.lessons.importance", lambda _: hardly)
    assert " of the differences, 0.3 to " in lessons(halved)[0]
