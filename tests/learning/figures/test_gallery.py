import numpy as np
import pytest

from classification_assets.learning.figures.gallery import Cell, gallery


@pytest.fixture
def cell(sectors, rows, names, extent):
    return lambda **options: Cell(sectors(3, R=25), extent, names(3), points=rows(3), **options)


def test_every_pair_has_a_panel_with_its_score_and_a_missing_one_a_dash(cell, texts):
    cells = {("moons", "linear"): cell(score=0.8714), ("moons", "deep"): cell(score=0.95, winner=True)}
    figure = gallery(["moons", "blobs"], ["linear", "deep"], cells, title="all")
    shown = texts(figure)
    assert len(figure.axes) == 4
    assert {"moons", "blobs", "linear", "deep", "0.871", "★ 0.950"} <= set(shown)
    assert shown.count("–") == 2


def test_a_winner_has_a_bolder_frame(cell):
    figure = gallery(
        ["moons"], ["linear", "deep"], {("moons", "linear"): cell(), ("moons", "deep"): cell(winner=True)}
    )
    plain, winner = (ax.spines["left"].get_linewidth() for ax in figure.axes)
    assert winner > 2 * plain


def test_ten_by_ten_are_drawn_at_a_size_one_can_read(cell, saved):
    rows, columns = [f"experiment {i}" for i in range(10)], [f"architecture {i}" for i in range(10)]
    figure = gallery(rows, columns, {(rows[i], columns[i]): cell(score=0.9) for i in range(10)})
    width, _ = figure.get_size_inches()
    # 7.5 pt badges on a picture shown 900 pixels wide.
    assert 7.5 / 72 * 900 / width > 7
    assert len(saved(figure, "svg")) < 500_000


def test_the_note_explains_only_what_is_drawn(cell, sectors, texts):
    cells = {("moons", "linear"): cell(truth=sectors(3), score=0.9)}
    assert any("dashed" in text for text in texts(gallery(["moons"], ["linear"], cells)))
    assert not any("dashed" in text for text in texts(gallery(["moons"], ["linear"], {})))


def test_only_test_rows_are_drawn(cell):
    drawn = cell()
    figure = gallery(["moons"], ["linear"], {("moons", "linear"): drawn})
    dots = sum(len(c.get_offsets()) for c in figure.axes[0].collections if hasattr(c, "get_sizes"))
    assert dots == np.sum(drawn.points.fold == 2)


def test_what_is_possible_at_best_is_a_last_column_only_where_it_is_known(cell, texts):
    cells = {(row, "linear"): cell(score=0.8) for row in ("moons", "iris")}
    figure = gallery(["moons", "iris"], ["linear"], cells, reference={"moons": cell(score=0.913)})
    assert {"Bayes optimal", "0.913"} <= set(texts(figure))
    assert "–" not in texts(figure)
    assert len([ax for ax in figure.axes if ax.axison]) == 3
    first = gallery(["iris", "moons"], ["linear"], cells, reference={"moons": cell(score=0.913)})
    assert {"Bayes optimal", "0.913"} <= set(texts(first))
    assert len([ax for ax in first.axes if ax.axison]) == 3


def test_a_gallery_of_nothing_is_refused():
    with pytest.raises(ValueError, match="got 0 and 1"):
        gallery([], ["linear"], {})
