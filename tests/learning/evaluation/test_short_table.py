"""An evaluation's scores in little room."""

import dataclasses

import pytest

from classification_assets.learning.evaluation.scoring import evaluate
from classification_assets.learning.preparation.folds import Fold
from classification_assets.learning.tables.source import Source


@pytest.fixture(scope="module")
def evaluation(fit, split):
    return evaluate(fit(), split)


def test_every_metric_is_told_with_its_interval_its_spread_and_the_best_that_is_possible(evaluation):
    table = evaluation.short_table().set_index("metric")
    assert not table.index.duplicated().any()
    assert list(table) == ["test", "validation", "train", "best possible"]
    test, best = (evaluation.score(Fold.TEST, "log_loss", scope) for scope in ("ensemble", "bayes"))
    told = f"{test['value']:.3f} [{test.low:.3f},\N{NO-BREAK SPACE}{test.high:.3f}] ± {test.spread:.3f}"
    assert table.loc["log loss", "test"] == told
    assert (
        table.loc["log loss", "validation"] == f"{evaluation.score(Fold.VALIDATION, 'log_loss')['value']:.3f}"
    )
    assert table.loc["log loss", "train"] == f"{evaluation.score(Fold.TRAIN, 'log_loss')['value']:.3f}"
    assert table.loc["log loss", "best possible"] == f"{best['value']:.3f}"
    assert set(table.index) == set(evaluation.overall_table()["metric"])


def test_of_one_network_no_spread_is_told_and_of_rows_that_were_read_nothing_best(fit, split):
    read = dataclasses.replace(split, source=Source())
    table = evaluate(fit(members=1, on=read), read).short_table()
    assert not table["test"].str.contains("±").any()
    assert "best possible" not in table


def test_what_has_no_interval_is_a_number_alone(evaluation):
    table = evaluation.short_table().set_index("metric")
    assert float(table.loc["calibration p value", "test"]) == pytest.approx(
        evaluation.score(Fold.TEST, "calibration_p_value")["value"], abs=5e-4
    )
