"""Decision boundaries of real splits and evaluations say what they show."""

import dataclasses
import re

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from classification_assets.learning.evaluation.leaderboard import leaderboard
from classification_assets.learning.evaluation.plane import planes_of
from classification_assets.learning.evaluation.scoring import evaluate
from classification_assets.learning.evaluation.surface import surfaces
from classification_assets.learning.evaluation.view import View
from classification_assets.learning.figures import boundary_displays
from classification_assets.learning.models.architectures import MLP
from classification_assets.learning.preparation.folds import Fold, Folds
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.tables.datasets import Moons, TableFile
from classification_assets.learning.tables.source import Source
from classification_assets.learning.tables.table import Table
from tests.learning.figures.shown_text import texts


@pytest.fixture(scope="module")
def boundary(evaluation, surface, split):
    return texts(boundary_displays.decision_boundary(evaluation, surface, split, "moons · narrow"))


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
    fitted = fit(on=wide)
    seen = surfaces(fitted, wide, View(plane="matrix"))
    text = texts(boundary_displays.decision_boundary(evaluate(fitted, wide), seen, wide, "moons")).split("\n")
    assert "pairs of the 3 most important of 4 features" in text
    assert {"a", "b", "c"} <= set(text)


def test_figures_of_one_experiment_compute_its_truth_once(evaluation, surface, split, monkeypatch):
    asked, posterior = [], Moons.posterior
    monkeypatch.setattr(Moons, "posterior", lambda own, X: asked.append(own) or posterior(own, X))

    def drawn(noise):
        dataset = split.source.dataset.model_copy(update={"noise": noise})
        own = dataclasses.replace(split, source=split.source.model_copy(update={"dataset": dataset}))
        return boundary_displays.decision_boundary(evaluation, surface, own, "moons")

    first, again, other = drawn(0.41), drawn(0.41), drawn(0.43)
    assert [dataset.noise for dataset in asked] == [0.41, 0.43]
    assert texts(first) == texts(again) == texts(other)


def test_a_gallery_has_a_cell_for_every_experiment_and_architecture(evaluation, surface, split):
    figure = boundary_displays.boundary_gallery(
        {"one/narrow": evaluation, "two/narrow": evaluation},
        {"one/narrow": surface, "two/narrow": surface},
        {"one": split, "two": split},
        {"one": leaderboard({"narrow": evaluation}), "two": leaderboard({"narrow": evaluation})},
    )
    assert isinstance(figure, Figure)
    assert all(name in texts(figure) for name in ("one", "two", "narrow"))


def test_a_gallery_has_the_best_possible_beside_what_is_known_of(evaluation, surface, split):
    unknown = dataclasses.replace(split, source=Source())
    board = leaderboard({"narrow": evaluation})
    figure = boundary_displays.boundary_gallery(
        {"one/narrow": evaluation, "two/narrow": evaluation},
        {"one/narrow": surface, "two/narrow": surface},
        {"one": split, "two": unknown},
        {"one": board, "two": board},
    )
    best = evaluation.score(Fold.TEST, "accuracy", "bayes")["value"]
    assert {"Bayes optimal", f"{best:.3f}"} <= set(texts(figure).split("\n"))
    assert len(figure.axes) == 3
    neither = boundary_displays.boundary_gallery(
        {"two/narrow": evaluation}, {"two/narrow": surface}, {"two": unknown}, {"two": board}
    )
    assert "Bayes optimal" not in texts(neither)


@pytest.fixture(scope="module")
def seen_over(fitted, fit, split):
    return {"narrow": surfaces(fitted, split), "linear": surfaces(fit(MLP(name="linear", hidden=())), split)}


def test_the_effect_of_an_architecture_is_told_of_networks_that_have_a_depth(evaluations, seen_over, split):
    architectures = {
        "narrow": MLP(name="narrow", hidden=(6,), activation="tanh", dropout=0.1),
        "linear": MLP(name="linear", hidden=()),
    }
    text = texts(
        boundary_displays.effect_of_architecture(
            architectures, evaluations, seen_over, split, "linear", "moons"
        )
    )
    assert {"tanh, dropout", "none", "narrow", "linear"} <= set(text.split("\n"))
    assert f"★ {evaluations['linear'].score(Fold.TEST, 'accuracy')['value']:.3f}" in text


@pytest.fixture(scope="module")
def seen(fitted, split):
    return boundary_displays.snapshots_of(fitted, split)


def test_the_last_snapshot_of_a_training_is_the_classifier(seen, fitted, split, evaluation):
    plane = planes_of(split, View())[0]
    R = boundary_displays.SNAPSHOT_RESOLUTION
    expected = fitted.predict_proba(plane.grid(R)).reshape(R, R, 2)
    # Where it is interpolated, to a step or two of a colour.
    apart = np.abs(seen[-1].probabilities - expected)
    assert apart.max() < 0.05
    assert np.quantile(apart, 0.999) < 0.02
    np.testing.assert_array_equal(seen[-1].probabilities.argmax(2), expected.argmax(2))
    assert seen[-1].loss == pytest.approx(evaluation.score(Fold.VALIDATION, "log_loss")["value"], abs=1e-5)
    assert [snapshot.step for snapshot in seen] == list(fitted.checkpoints)
    assert seen[0].loss > seen[-1].loss


def test_a_strip_tells_its_snapshots_from_before_training_to_the_end(seen, split):
    text = texts(boundary_displays.boundary_evolution(seen, split, "moons"))
    assert "before training" in text
    assert f"step {seen[-1].step}" in text
    assert f"validation loss {seen[-1].loss:.3f}" in text
    assert "dashed: the optimal boundary" in text


def test_an_animation_inline_is_a_small_gif(seen, split):
    gif = boundary_displays.boundary_animation(seen, split, "moons")
    assert gif.startswith(b"GIF89a")
    assert len(gif) < 300_000


def test_of_a_training_of_which_nothing_was_kept_the_end_is_shown(fitted, split, seen):
    (end,) = boundary_displays.snapshots_of(dataclasses.replace(fitted, checkpoints={}), split)
    np.testing.assert_allclose(end.probabilities, seen[-1].probabilities, atol=1e-6)
    assert (end.step, end.loss) == (seen[-1].step, pytest.approx(seen[-1].loss))
    assert "the end alone" in texts(boundary_displays.boundary_evolution([end], split, "moons"))


def test_categories_truths_and_dates_are_words_at_their_axes(tmp_path, fit):
    rng = np.random.default_rng(0)
    town, open_ = rng.choice(["Bern", "Oslo", "Rome"], 90), rng.random(90) < 0.5
    seen = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(90), unit="D")
    frame = pd.DataFrame({"town": town, "open": open_, "seen": seen, "label": np.where(open_, "yes", "no")})
    frame.to_parquet(tmp_path / "rows.parquet")
    table = Table.of(TableFile(path=str(tmp_path / "rows.parquet"), target="label"))
    split = Split.of(table, Folds())
    fitted = fit(on=split)

    def at_axes(*pair):
        seen = surfaces(fitted, split, View(plane=pair))
        ax = boundary_displays.decision_boundary(evaluate(fitted, split), seen, split, "rows").axes[0]
        return [
            [label.get_text() for label in labels] for labels in (ax.get_xticklabels(), ax.get_yticklabels())
        ]

    towns, truths = at_axes("town", "open")
    assert set(towns) >= {"Bern", "Oslo", "Rome"}
    assert set(truths) >= {"True", "False"}
    assert any(re.fullmatch(r"2024-\d\d-\d\d", text) for text in at_axes("seen", "open")[0])
