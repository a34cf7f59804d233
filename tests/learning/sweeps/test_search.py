"""A search: test rows have no part in it, budgets hold, those that diverge are told, and the tables add up."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from classification_assets.learning.packed.options import Training
from classification_assets.learning.preparation.folds import Fold
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.sweeps import crew, pack_runner
from classification_assets.learning.sweeps.search import search
from tests.learning.sweeps.searches import assert_same, small

NAMES = ["across", "along"]


@pytest.fixture(scope="module")
def result(split):
    return search(small(27), split, n_jobs=1)


def refuse(*_, **__):
    raise AssertionError("a network was trained")


# Honest


def test_test_rows_have_no_influence(split):
    arrays = {"names": NAMES, "fold": split.fold}
    X, y, test = split.X.copy(), split.y.copy(), split.rows(Fold.TEST)
    X[test] = X[test][::-1] * 0.9 + 0.01
    y[test] ^= 1
    before = search(small(), Split.of_arrays(split.X, split.y, **arrays), n_jobs=1)
    after = search(small(), Split.of_arrays(X, y, **arrays), n_jobs=1)
    same = dataclasses.replace(after, thumbnails=before.thumbnails)
    assert_same(before, same)


def test_labels_that_are_noise_look_better_than_chance_by_the_best_score_alone(split):
    rng = np.random.default_rng(0)
    y = np.where(split.fold == Fold.TEST, split.y, rng.integers(0, 2, len(split.y)))
    noise = Split.of_arrays(split.X, y, names=NAMES, fold=split.fold)
    found = search(small(200, metric="accuracy", max_epochs=2, halving=None), noise, n_jobs=1).summary
    rows = split.rows(Fold.VALIDATION)
    chance = max(np.mean(y[rows]), 1 - np.mean(y[rows]))
    assert found.best_score > chance + 0.05
    assert found.optimism > 0.03
    assert abs(found.corrected_score - 0.5) < abs(found.best_score - 0.5)


def test_a_single_configuration_has_no_optimism(split):
    found = search(small(1, {"learning_rate": 0.05}), split, n_jobs=1).summary
    assert found.corrected_score == found.best_score
    assert found.optimism == 0
    assert (found.swept, found.n_configurations, found.n_dropped) == ((), 1, 0)


def test_the_winner_is_the_finalist_of_the_best_mean_over_new_seeds(result):
    table, summary = result.finalists, result.summary
    assert table["score"].is_monotonic_increasing
    assert summary.winner == table["configuration"][0]
    assert summary.final_score == table["score"][0]
    finished = result.networks[result.networks["state"] == "finished"]
    assert set(table["configuration"]) <= set(finished["configuration"])
    assert summary.best_score == finished["score"].min() == table["first_score"].min()
    assert summary.optimism == max(0.0, summary.corrected_score - summary.best_score)


# What was trained


def test_the_tables_and_the_summary_add_up(result):
    networks, summary = result.networks, result.summary
    assert summary.n_configurations == len(networks) == 27
    assert summary.n_networks == 27 + 2 * 2
    assert networks["configuration"].tolist() == list(range(27))
    assert summary.n_dropped == (networks["state"] == "dropped").sum() > 0
    assert summary.epochs == networks["epochs"].sum() + 2 * 2 * 9
    assert networks["epochs"].isin([1, 3, 9]).all()
    assert (networks["curve"].map(len) == networks["epochs"]).all()
    np.testing.assert_allclose(networks["curve"].str[-1], networks["log_loss"], rtol=1e-4)
    # One network a configuration, so both are the same number.
    pd.testing.assert_series_equal(networks["score"], networks["log_loss"], check_names=False)
    rung_one = networks[networks["epochs"] >= 3]
    assert len(rung_one) == 27 // 3
    assert not result.summary.stopped


def test_networks_of_several_seeds_and_folds_are_judged_together(split):
    sweep = small(36, seeds=2, folds=3, finalists=1)
    found = search(sweep, split, n_jobs=1)
    assert found.networks.groupby("configuration")[["seed", "fold"]].size().eq(6).all()
    assert found.networks.groupby("configuration")[["score", "epochs"]].nunique().eq(1).all(axis=None)
    assert found.summary.n_networks == 36 + 2 * 3
    assert found.finalists["networks"].tolist() == [2]
    assert len(found.configurations()) == 6


def test_options_that_are_not_searched_come_from_the_training_and_from_the_architecture(split):
    sweep = small(
        4, {"width": [5, 8]}, architecture={"activation": "tanh", "training": {"weight_decay": 0.3}}
    )
    found = search(
        sweep, split, training=Training(learning_rate=0.07, weight_decay=0.1, batch_size=50), n_jobs=1
    )
    row = found.networks.iloc[0]
    assert (row["learning_rate"], row["weight_decay"], row["batch_size"]) == (0.07, 0.3, 50)
    assert row["activation"] == "tanh"
    assert found.summary.stopped == "the space holds no more configurations"


# Those that diverge


def test_those_that_diverge_are_told_as_failed_and_the_others_stay_as_they_would_be(split):
    lost, sound = 1e36, [0.01, 0.03, 0.1]
    options = {"sampler": "grid", "halving": None, "networks": 6}
    some = search(small(space={"learning_rate": [*sound, lost, 2 * lost]}, **options), split, n_jobs=1)
    none = search(small(space={"learning_rate": sound}, **options), split, n_jobs=1)
    assert some.networks["state"].tolist() == ["finished"] * 3 + ["failed"] * 2
    assert some.summary.n_failed == 2
    assert some.networks["score"].isna().tolist() == [False] * 3 + [True] * 2
    columns = ["score", "log_loss", "accuracy", "train_loss"]
    pd.testing.assert_frame_equal(some.networks[columns][:3], none.networks[columns], check_exact=True)
    assert some.configurations()["state"].tolist() == some.networks["state"].tolist()


def test_a_configuration_of_which_one_network_diverged_has_failed(split, monkeypatch):
    found = search(small(4, {"learning_rate": [0.01, 1e36]}, seeds=2, halving=None), split, n_jobs=1)
    networks = found.networks.copy()
    networks.loc[networks["learning_rate"] == 0.01, "state"] = ["finished", "failed"]
    table = dataclasses.replace(found, networks=networks).configurations()
    assert table["state"].tolist() == ["failed", "failed"]


def test_all_diverging_is_an_error_with_advice(split):
    with pytest.raises(FloatingPointError) as caught:
        search(small(space={"learning_rate": [1e36, 1e37]}), split, n_jobs=1)
    assert str(caught.value).startswith(
        "sweep: the losses of all 2 configurations stopped being finite, the lowest"
    )
    assert "learning rate being 1e+36; lower space.learning_rate, to 0.01 say" in str(caught.value)
    with pytest.raises(FloatingPointError, match=r"^sweep: the loss of the only configuration stopped being"):
        search(small(space={"learning_rate": [1e36]}), split, n_jobs=1)
    with pytest.raises(FloatingPointError, match=r"lower training\.learning_rate, to 0\.01 say"):
        search(small(space={"width": [4, 8]}), split, training=Training(learning_rate=1e36), n_jobs=1)


# Budgets


def test_a_budget_of_networks_is_never_exceeded(split):
    seen = []
    found = search(
        small(20, seeds=3),
        split,
        n_jobs=1,
        on_progress=lambda networks, epochs, planned, best: seen.append((networks, epochs, planned)),
    )
    assert len(found.networks) == 18
    assert max(networks for networks, _, _ in seen) == 18
    assert seen[-1][1] == found.summary.epochs
    assert all(epochs <= planned for _, epochs, planned in seen)


def test_progress_tells_the_best_score_as_soon_as_there_is_one(split):
    best = []
    found = search(small(), split, n_jobs=1, on_progress=lambda *told: best.append(told[-1]))
    assert not np.isnan(best).any()
    assert best[-1] == found.summary.best_score


def test_after_its_seconds_a_search_begins_no_more_and_still_has_a_winner(split, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(pack_runner.time, "monotonic", lambda: now[0])

    def on_progress(*_):
        now[0] += 1.0

    found = search(small(60, seconds=2.5, finalists=1), split, n_jobs=1, on_progress=on_progress)
    assert 0 < found.summary.n_configurations < 60
    assert found.summary.stopped == "no more were begun after 2.5 s"
    assert "finished" in set(found.networks["state"])
    # Everyone that was to go on has gone on.
    reached = found.networks["rung"].value_counts()
    assert reached.get(1, 0) + reached.get(2, 0) >= found.summary.n_configurations // 3


def test_a_search_that_ends_within_its_seconds_is_the_one_without_them(split):
    found = search(small(seconds=1000), split, n_jobs=1)
    assert found.summary.stopped == ""
    assert_same(found, search(small(), split, n_jobs=1))


def test_time_that_is_over_at_once_still_gives_one_configuration(split):
    found = search(small(160, seconds=1e-9, seeds=4, folds=2), split, n_jobs=1)
    assert 1 <= found.summary.n_configurations < 20
    assert found.summary.stopped == "no more were begun after 1e-09 s"


# Rows that cannot judge


def test_without_a_validation_fold_the_error_says_what_to_declare(split, monkeypatch):
    monkeypatch.setattr(crew, "done", refuse)
    fold = np.where(split.fold == Fold.VALIDATION, Fold.TRAIN, split.fold)
    none = Split.of_arrays(split.X, split.y, fold, names=NAMES)
    with pytest.raises(
        ValueError, match=r"declare a split with validation above 0, or sweep.folds of 2 or more"
    ):
        search(small(), none, n_jobs=1)


def test_a_metric_that_the_rows_cannot_give_is_an_error_before_training(split, monkeypatch):
    monkeypatch.setattr(crew, "done", refuse)
    y = np.where(split.y == 0, "left", "right")
    y[split.rows(Fold.VALIDATION)] = "left"
    one_class = Split.of_arrays(split.X, y, split.fold, names=NAMES)
    with pytest.raises(
        ValueError, match=r"sweep.metric: macro_f1 needs rows of every class .* none of class 'right'"
    ):
        search(small(metric="macro_f1"), one_class, n_jobs=1)


@pytest.mark.parametrize("metric", ["log_loss", "accuracy"])
def test_a_picture_of_a_shape_is_of_the_best_of_those_that_were_trained_longest(split, metric):
    found = search(small(60, metric=metric, seeds=2), split, n_jobs=1)
    sign = 1 if metric == "log_loss" else -1
    known = found.configurations().assign(loss=lambda frame: sign * frame["score"])
    best = known[known["state"] != "failed"].sort_values(
        ["epochs", "loss"], ascending=[False, True], kind="stable"
    )
    best = best.groupby(["depth", "width"])["configuration"].first()
    pictures = found.thumbnails
    shapes = zip(pictures.depth.tolist(), pictures.width.tolist(), strict=True)
    assert dict(zip(shapes, pictures.configuration.tolist(), strict=True)) == best.to_dict()
