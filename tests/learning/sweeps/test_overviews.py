import numpy as np
import pytest

from classification_assets.learning.sweeps.importance import importance
from classification_assets.learning.sweeps.overviews import best_configurations, importance_table
from tests.learning.sweeps.made_up import SWEPT


@pytest.mark.parametrize("metric", ["log_loss", "accuracy", "macro_f1"])
def test_the_best_are_those_trained_to_their_end_the_best_first(metric, sweep):
    result = sweep(100, metric="accuracy" if metric != "log_loss" else metric)
    result = type(result)(
        result.networks, result.finalists, type(result.summary)(**vars(result.summary) | {"metric": metric})
    )
    table = best_configurations(result)
    finished = result.networks[result.networks["state"] == "finished"]
    assert len(table) == min(10, len(finished))
    assert list(table)[: 1 + len(SWEPT)] == ["configuration", *SWEPT]
    assert table["configuration"].iloc[0] == result.summary.winner
    assert table[metric].is_monotonic_increasing == (metric == "log_loss")
    assert {"accuracy", "log_loss", "parameters"} <= set(table)
    assert "seconds" not in table  # which differ from run to run


def test_numbers_are_rounded_for_reading(halved):
    table = best_configurations(halved, 3)
    assert len(table) == 3
    for value in table["learning_rate"]:
        assert value == float(f"{value:.3g}")
    for value in table["log_loss"]:
        assert value == round(value, 4)


def test_importance_is_a_row_a_hyper_parameter(halved):
    table, found = importance_table(halved), importance(halved)
    assert table["hyperparameter"].tolist() == [effect.axis.name for effect in found.effects]
    np.testing.assert_allclose(table["share"], found.share, atol=5e-4)
    row = table.set_index("hyperparameter")
    assert row.loc["learning_rate", "matters"] == "yes"
    assert row.loc["learning_rate", "best"].startswith("near 0.03")
    assert row.loc["dropout", "matters"] == "not shown"
    assert row.loc["dropout", "best"] == ""


def test_of_too_few_the_tables_are_short(sweep):
    assert importance_table(sweep(8)).empty
    assert best_configurations(sweep(12, failing=0.0)).empty


@pytest.mark.parametrize("metric", ["log_loss", "accuracy"])
def test_the_score_of_several_networks_is_that_of_their_mean_not_the_mean_of_theirs(metric, sweep):
    result = sweep(60, metric=metric)
    result.networks["score"] += 0.125
    shown = best_configurations(result)[metric].to_numpy()
    assert shown[0] == pytest.approx(result.summary.best_score + 0.125, abs=1e-4)
