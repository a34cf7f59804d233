"""Figures of a sweep show its numbers, of any result."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classification_assets.learning.figures.canvas.export import png
from classification_assets.learning.figures.sweep import displays
from classification_assets.learning.sweeps.importance import importance
from classification_assets.learning.sweeps.places import places
from tests.learning.figures.shown_text import texts
from tests.learning.sweeps.made_up import SWEPT, made_up


def test_each_shape_shows_its_best_score_and_how_many_were_trained_to_their_end(halved):
    said = texts(displays.score_of_shapes(halved, "moons")).split("\n")
    frame, place = halved.configurations(), places(halved)
    for _, rows in frame.groupby(["depth", "width"]):
        best = rows.iloc[place[rows.index].argmax()]
        finished = int((rows["state"] == "finished").sum())
        assert f"{finished}/{len(rows)}" in said
        dropped = "" if best["state"] == "finished" else f" at {best['epochs']}"
        star = "★ " if best["configuration"] == halved.summary.winner else ""
        assert f"{star}{best['score']:.3f}{dropped}" in said


@pytest.mark.parametrize("thumbnails", [True, False])
@pytest.mark.parametrize("classes", [2, 3])
def test_the_map_is_drawn_with_and_without_pictures(thumbnails, classes, sweep):
    result = sweep(60, thumbnails=thumbnails, classes=classes)
    said = texts(displays.score_of_shapes(result, "moons"))
    assert ("class 1" in said) == thumbnails
    assert ("class 2" in said) == (thumbnails and classes == 3)


def test_many_widths_are_taken_together(sweep):
    widths = np.random.default_rng(0).integers(4, 65, 200)
    said = texts(displays.score_of_shapes(sweep(200, width=widths), "moons"))
    assert "4–" in said
    assert "–64" in said


def test_effects_say_what_each_hyper_parameter_decides_and_what_a_place_is(halved):
    said = texts(displays.effects_of_hyperparameters(halved, "moons"))
    found = importance(halved)
    for effect, share, matters in zip(found.effects, found.share, found.matters, strict=True):
        assert effect.axis.name in said
        assert not matters or f"decides {100 * share:.0f} %" in said
    assert "none shown" in said
    assert "after 5 epochs, which all have" in said.replace("\n", " ")
    assert "at place 50" in said.replace("\n", " ")


@pytest.mark.parametrize("metric", ["log_loss", "accuracy"])
def test_places_are_explained_by_the_scores_that_belong_to_them(metric, sweep):
    result = sweep(200, rungs=(40,), metric=metric, failing=9.0)
    said = texts(displays.effects_of_hyperparameters(result, "moons")).replace("\n", " ")
    better = result.networks["score"].sort_values(ascending=metric == "accuracy")
    assert f"{better.iloc[round(0.75 * 199)]:.3g} at place 75" in said
    assert f"{better.iloc[round(0.25 * 199)]:.3g} at place 25" in said


def test_importance_shows_the_numbers_of_the_table(halved):
    said = texts(displays.importance_of_hyperparameters(halved, "moons"))
    found = importance(halved)
    assert f"{100 * found.share[0]:.0f} % ({100 * found.low[0]:.0f} to {100 * found.high[0]:.0f})" in said
    assert said.count("not shown") == int((~found.matters).sum())


@pytest.mark.parametrize("metric", ["log_loss", "accuracy"])
def test_cost_is_of_what_was_trained_to_its_end(metric, sweep):
    result = sweep(100, metric=metric)
    figure = displays.score_against_cost(result, "moons")
    finished = int((result.networks["state"] == "finished").sum())
    assert f"{finished} of 100 configurations" in texts(figure)
    assert len(figure.axes) == (4 if metric == "log_loss" else 2)


def test_only_figures_that_are_known_to_show_seconds_do(sweep):
    one = sweep(60)
    slower = one.networks.assign(seconds=one.networks["seconds"] ** 2 + 1)
    other = type(one)(slower, one.finalists, one.summary, one.thumbnails)
    differ = {
        name for name, draw in displays.KEPT.items() if png(draw(one, "moons")) != png(draw(other, "moons"))
    }
    assert differ == displays.TIMED


def test_curves_count_networks_and_what_became_of_them(halved):
    said = texts(displays.all_learning_curves(halved, "moons"))
    summary = halved.summary
    assert f"200 networks, {summary.n_dropped} dropped early, {summary.n_failed} failed" in said
    assert {"winner", "failed", "some are dropped"} <= set(said.split("\n"))


def test_parallel_coordinates_go_from_the_most_important_on(halved):
    figure = displays.all_configurations(halved, "moons")
    names = [text.get_text() for text in figure.axes[0].texts if text.get_text() in (*SWEPT, "place")]
    assert names == [*(effect.axis.name for effect in importance(halved).effects), "place"]


def test_what_cannot_be_told_is_said_in_the_figure(sweep):
    few, failed = sweep(8, failing=9.0), sweep(40, failing=0.0)
    assert "8 configurations are too few" in texts(displays.importance_of_hyperparameters(few, "moons"))
    assert "All 40 configurations failed" in texts(displays.importance_of_hyperparameters(failed, "moons"))
    assert "no configuration was trained to its end" in texts(displays.score_against_cost(failed, "moons"))
    assert "neither depth nor width" in texts(
        displays.score_of_shapes(sweep(30, swept=("dropout",)), "moons")
    )


def test_only_what_has_something_to_show_is_worth_drawing(sweep, halved):
    assert displays.worth_drawing(halved) == dict(displays.KEPT)
    one = displays.worth_drawing(sweep(64, swept=("learning_rate",)))
    assert set(displays.KEPT) - set(one) == {"score by depth and width", "parallel coordinates"}
    assert set(displays.worth_drawing(sweep(8, failing=9.0))) == set(displays.KEPT) - {"importance"}
    assert {"score by depth and width", "score against cost", "importance"}.isdisjoint(
        displays.worth_drawing(sweep(40, failing=0.0))
    )


@settings(max_examples=4, deadline=None)
@given(
    n=st.integers(1, 40),
    failing=st.sampled_from([0.0, 0.01, 9.0]),
    rungs=st.sampled_from([(40,), (2, 6), (1, 3, 9)]),
    swept=st.sampled_from([(), ("learning_rate",), ("depth",), ("activation", "dropout"), SWEPT]),
    thumbnails=st.booleans(),
)
def test_every_figure_is_drawn_of_any_result(n, failing, rungs, swept, thumbnails):
    result = made_up(n, failing=failing, rungs=rungs, swept=swept, thumbnails=thumbnails)
    for draw in displays.KEPT.values():
        assert png(draw(result, "moons"))


def test_a_star_is_at_the_best_of_those_that_were_trained_to_their_end(sweep):
    result = sweep(200, metric="accuracy")
    frame = result.networks
    dropped = frame.index[(frame["state"] == "dropped") & (frame["depth"] == 1) & (frame["width"] == 8)][0]
    # The first in log loss after the first epochs, by which halving did not judge.
    frame.at[dropped, "curve"] = [1e-3] * len(frame.at[dropped, "curve"])
    assert places(result).argmax() == dropped
    said = texts(displays.score_of_shapes(result, "moons")).split("\n")
    finished = frame[frame["state"] == "finished"]
    assert [text for text in said if text.startswith("★ ") and "best of" not in text] == [
        f"★ {finished['score'].max():.3f}"
    ]
    for _, rows in finished.groupby(["depth", "width"]):
        assert any(text.removeprefix("★ ") == f"{rows['score'].max():.3f}" for text in said)


def test_the_cost_of_accuracy_is_told_by_the_score_of_all_networks_of_a_configuration(sweep):
    result = sweep(60, metric="accuracy")
    result.networks["score"] += 0.125
    ax = displays.score_against_cost(result, "moons").axes[0]
    highest = max(np.max(line.get_ydata()) for line in ax.lines)
    assert highest == pytest.approx(result.summary.best_score + 0.125)
