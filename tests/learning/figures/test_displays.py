"""Figures of real tables, splits and evaluations say what they show."""

import numpy as np
import pandas as pd
import pytest

from classification_assets.learning.evaluation.comparison import comparison
from classification_assets.learning.evaluation.leaderboard import leaderboard
from classification_assets.learning.figures import displays
from classification_assets.learning.preparation.folds import Fold
from classification_assets.learning.tables.datasets import TableFile
from classification_assets.learning.tables.table import Table
from tests.learning.figures.shown_text import texts


def test_the_rows_of_a_table_are_counted_in_the_title(table):
    assert {"moons", "300 rows"} <= set(texts(displays.rows(table, "moons")).split("\n"))


def test_the_rows_of_a_split_are_counted_by_fold(split):
    assert "165 train, 60 validation, 75 test" in texts(displays.folds(split, "moons"))


def test_the_curves_tell_how_many_networks_are_kept(fit):
    failed = fit(learning_rate=(0.03, 1e38, 0.02))
    assert "2 networks" in texts(displays.training_curves(failed, "moons"))


def test_a_confusion_matrix_shows_the_counts_of_the_test_fold(evaluation):
    text = texts(displays.confusion_matrix(evaluation, "moons")).split("\n")
    assert {str(count) for count in evaluation.confusion(Fold.TEST).ravel()} <= {
        part.strip() for part in text
    }


def test_a_reliability_diagram_shows_the_calibration_error_of_the_table(evaluation):
    text = texts(displays.calibration(evaluation, "moons"))
    now = evaluation.score(Fold.TEST, "expected_calibration_error")["value"]
    before = evaluation.score(Fold.TEST, "expected_calibration_error", "uncalibrated")["value"]
    assert f"calibrated: ECE {now:.3f}" in text
    assert f"before: ECE {before:.3f}" in text
    assert "75 test rows" in text


def test_ranking_curves_show_the_areas_of_the_table(evaluation):
    area = evaluation.score(Fold.TEST, "roc_auc")["value"]
    precision = evaluation.score(Fold.TEST, "average_precision")["value"]
    assert f"{area:.3f} · {precision:.3f}  macro" in texts(displays.ranking(evaluation, "moons"))


@pytest.mark.parametrize("metric", ["log_loss", "accuracy", "macro_f1"])
def test_score_intervals_are_those_of_the_leaderboard_and_star_its_winner(evaluations, metric):
    board = leaderboard(evaluations, metric)
    text = texts(displays.score_intervals(board, evaluations, "moons")).split("\n")
    assert f"★ {board.winner}" in text
    assert {f"{value:.3f}" for value in board.board[metric]} <= set(text)
    assert ("not tied with it" in text) == (len(board.tied()) + 1 < len(evaluations))
    assert "Bayes optimal" in text


def test_average_ranks_are_those_of_the_comparison(evaluations):
    board = leaderboard(evaluations)
    compared = comparison({"one": board, "two": board, "three": board})
    text = texts(displays.average_ranks(compared, "all"))
    for name, rank in zip(compared.ranks["architecture"], compared.ranks["test_rank"], strict=True):
        assert f"{name}  {rank:.2f}" in text or f"{rank:.2f}  {name}" in text
    assert f"p = {compared.about['p_value']:.2g}" in text
    assert "over 3 experiments" in text
    alone = displays.average_ranks(comparison({"one": board}), "all")
    assert "Friedman" not in texts(alone)


def test_timestamps_of_a_day_are_told_by_their_time_at_the_axis(tmp_path):
    at = pd.Timestamp("2024-03-05T10:00") + pd.to_timedelta(np.arange(80), unit="min")
    frame = pd.DataFrame({"at": at, "load": np.arange(80) % 7, "label": np.arange(80) % 2})
    frame.to_parquet(tmp_path / "log.parquet")
    figure = displays.rows(Table.of(TableFile(path=str(tmp_path / "log.parquet"), target="label")), "log")
    assert "10:30\n2024-03-05" in texts(figure)
