"""A panel looks as Matplotlib draws its axes, whatever is set of the ticks, and before and after they are set."""

import io

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from classification_assets.learning.figures.canvas.panel import Panel, panel


def log_scales(ax):
    ax.set(xscale="log", yscale="log", xlim=(0.03, 40), ylim=(2, 9e3))


def grids(ax):
    ax.grid(True, axis="y")
    ax.set_xticks([0.1, 0.25, 0.6], minor=True)
    ax.grid(True, which="minor", axis="x", color="#d55e00", linewidth=1.5)


def words(ax):
    ax.set_xticks([0.2, 0.9], ["a word", "another one"], rotation=30)
    ax.set_yticks([0, 1], ["", "top"])
    ax.get_yticklabels()[1].set(fontweight="bold", color="#0072b2")
    ax.tick_params(axis="y", length=0, pad=9)
    ax.tick_params(axis="x", labelcolor="#009e73", labelsize=12, width=3)


def on_top(ax):
    ax.xaxis.tick_top()
    ax.set(xlabel="named", title="a title")
    ax.spines["left"].set_visible(False)


def without_labels(ax):
    ax.tick_params(labelleft=False)
    ax.xaxis.set_visible(False)
    ax.set(ylabel="named")


def back_again(ax):
    ax.tick_params(labelleft=False, labelbottom=False, length=0)
    ax.figure.draw_without_rendering()
    ax.tick_params(labelleft=True, length=7, color="#cc79a7")


def far_from_zero(ax):
    ax.set(xlim=(1e6 + 1, 1e6 + 3), ylim=(-3e-9, 2e-9), xlabel="x", ylabel="y")
    ax.xaxis.set_major_locator(MaxNLocator(3))


def turned(ax):
    ax.set(xlim=(3, -2), ylim=(5, 1))
    ax.xaxis.set_major_locator(FixedLocator([-9, -1, 0, 2, 9]))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, place: f"{place}: {value}"))
    ax.yaxis.set_major_locator(NullLocator())


def drawn_and_changed(ax):
    ax.figure.draw_without_rendering()
    ax.set(xlim=(-4, 77), xticks=[0, 5, 70])
    ax.figure.set_size_inches(5, 2)
    ax.set_position((0.3, 0.4, 0.5, 0.3))


def nothing(ax): ...


KINDS = [log_scales, grids, words, on_top, without_labels, back_again, far_from_zero, turned]
KINDS += [drawn_and_changed, nothing]


def page(axes, settle):
    figure = Figure(figsize=(4, 3), dpi=100)
    ax = figure.add_axes(axes(figure, (0.2, 0.2, 0.6, 0.6)))
    settle(ax)
    return figure


def pixels(figure):
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba()).copy()


@pytest.mark.parametrize("settle", KINDS)
def test_every_pixel_is_as_matplotlib_draws_it_also_a_second_time(settle):
    expected = pixels(page(Axes, settle))
    drawn = page(Panel, settle)
    for _ in range(2):
        np.testing.assert_array_equal(pixels(drawn), expected)


@pytest.mark.parametrize("settle", KINDS)
def test_it_takes_as_much_room(settle):
    usual, lean = (page(axes, settle) for axes in (Axes, Panel))
    np.testing.assert_allclose(lean.get_tightbbox().extents, usual.get_tightbbox().extents)


@pytest.mark.parametrize("settle", KINDS)
def test_what_is_written_at_its_ticks_is_found(settle):
    def read(axes):
        figure = page(axes, settle)
        figure.draw_without_rendering()
        found = [text.get_text() for text in figure.findobj(Text) if text.get_visible()]
        labels = [
            label.get_text() for ax in figure.axes for label in (*ax.get_xticklabels(), *ax.get_yticklabels())
        ]
        return sorted(found), labels

    assert read(Panel) == read(Axes)


def test_a_vector_graphic_has_its_marks_grid_and_labels():
    def paths(axes):
        buffer = io.BytesIO()
        page(axes, grids).savefig(buffer, format="svg")
        content = buffer.getvalue().decode()
        return {part: content.count(part) for part in ("<use", "text_")}

    assert paths(Panel) == paths(Axes)


def test_an_unknown_version_of_matplotlib_gets_its_own_axes(monkeypatch):
    place = (0.1, 0.1, 0.8, 0.8)
    assert type(panel(Figure(), place)) is Panel
    monkeypatch.setattr("matplotlib.__version_info__", (99, 0, 0))
    assert type(panel(Figure(), place)) is Axes
