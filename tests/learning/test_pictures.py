"""Figures of real tables, splits and evaluations say what they show."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from classification_assets.learning import pictures
from classification_assets.learning.evaluation import evaluate
from classification_assets.learning.folds import Fold
from classification_assets.learning.leaderboard import leaderboard
from classification_assets.learning.split import Split
from classification_assets.learning.view import View


def texts(figure):
    """All that can be read on a figure."""
    return "\n".join(text.get_text() for text in figure.findobj(Text) if text.get_visible())


@pytest.fixture(scope="module")
def boundary(evaluation, split):
    return texts(pictures.decision_boundary(evaluation, split, "moons · narrow"))


def test_the_rows_of_a_table_are_counted_in_the_title(table):
    assert {"moons", "300 rows"} <= set(texts(pictures.rows(table, "moons")).split("\n"))


def test_the_rows_of_a_split_are_counted_by_fold(split):
    assert "165 train, 60 validation, 75 test" in texts(pictures.folds(split, "moons"))


def test_the_curves_tell_how_many_networks_are_kept(fit):
    failed = fit(learning_rate=(0.03, 1e38, 0.02))
    assert "2 networks" in texts(pictures.training_curves(failed, "moons"))


def test_a_boundary_shows_the_test_accuracy_with_its_interval_and_spread(boundary, evaluation):
    score = evaluation.score(Fold.TEST, "accuracy")
    assert (
        f"test accuracy {score['value']:.3f} (95 % interval {score['low']:.3f}–{score['high']:.3f}), "
        f"± {score['spread']:.3f} over 3 members"
    ) in boundary


def test_a_boundary_names_its_axes_by_the_features(boundary):
    assert {"x1", "x2"} <= set(boundary.split("\n"))


def test_a_boundary_of_a_matrix_names_its_features_and_how_many_there_are(fit, split):
    X = np.column_stack([split.X, split.X[:, :1] ** 2, np.zeros(len(split.X), np.float32)])
    wide = Split.of_arrays(X, split.y, split.fold, names=["a", "b", "c", "d"])
    shown = evaluate(fit(on=wide), wide, view=View(plane="matrix"))
    text = texts(pictures.decision_boundary(shown, wide, "moons")).split("\n")
    assert "pairs of the 3 most important of 4 features" in text
    assert {"a", "b", "c"} <= set(text)


def test_a_confusion_matrix_shows_the_counts_of_the_test_fold(evaluation):
    text = texts(pictures.confusion_matrix(evaluation, "moons")).split("\n")
    assert {str(count) for count in evaluation.confusion(Fold.TEST).ravel()} <= {
        part.strip() for part in text
    }


def test_a_gallery_has_a_cell_for_every_experiment_and_architecture(evaluation, split):
    figure = pictures.boundary_gallery(
        {"one/narrow": evaluation, "two/narrow": evaluation},
        {"one": split, "two": split},
        {"one": leaderboard({"narrow": evaluation}), "two": leaderboard({"narrow": evaluation})},
    )
    assert isinstance(figure, Figure)
    assert all(name in texts(figure) for name in ("one", "two", "narrow"))
