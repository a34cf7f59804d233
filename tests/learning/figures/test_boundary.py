import re

import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex

from classification_assets.learning.evaluation.plane import Plane
from classification_assets.learning.figures.boundary import boundary
from classification_assets.learning.figures.canvas.legend import Key
from classification_assets.learning.figures.canvas.points import Points
from classification_assets.learning.figures.canvas.style import THEMES

INK = THEMES["light"].ink


def ringed(figure):
    """How many points are marked as misclassified."""
    dots = [artist for artist in figure.axes[0].collections if isinstance(artist, PathCollection)]
    return sum(len(some.get_offsets()) for some in dots if to_hex(some.get_edgecolors()[0]) == INK)


def legend_of(figure):
    (legend,) = [artist for artist in figure.axes[0].artists if isinstance(artist, Key)]
    return legend


@pytest.mark.parametrize("C", [1, 2, 3, 10, 20])
def test_the_legend_names_every_class(C, sectors, names, extent, texts):
    figure = boundary(sectors(C), extent, classes=names(C))
    assert set(names(C)) <= set(texts(legend_of(figure)))


def test_the_legend_of_twenty_classes_stands_beside_the_data_and_on_the_sheet(sectors, rows, names, extent):
    figure = boundary(
        sectors(20),
        extent,
        classes=names(20),
        points=rows(20),
        truth=sectors(20),
        disagreement=np.ones((9, 9)),
    )
    legend = legend_of(figure).get_window_extent(figure._get_renderer())
    panel = figure.axes[0].get_window_extent()
    assert legend.x0 >= panel.x1
    assert legend.y1 <= panel.y1 + 1
    assert legend.y0 > 0
    assert legend.x1 < figure.bbox.x1


@pytest.mark.parametrize("D", [1, 2, 4, 64])
@pytest.mark.parametrize("constant", [False, True])
def test_it_draws_what_a_plane_of_any_number_of_features_shows(D, constant, saved):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, D)).astype(np.float32)
    if constant:
        X[:, -1] = 5
    plane = Plane.of(X, [f"feature {i}" for i in range(D)])
    p = 1 / (1 + np.exp(-plane.grid(30).astype(float).sum(axis=1) + 5 * constant))
    points = Points(plane.project(X), (X[:, 0] > 0).astype(int), np.arange(80) % 3, np.arange(80) % 7 == 0)
    figure = boundary(
        np.stack([1 - p, p], axis=1).reshape(30, 30, 2),
        plane.extent,
        classes=["no", "yes"],
        points=points,
        names=plane.names,
        note=plane.note,
    )
    assert saved(figure).startswith(b"\x89PNG")
    assert bool(len(figure.axes[0].get_yticks())) == (D > 1)


def test_a_figure_without_points_has_no_entry_for_them(sectors, names, extent, texts):
    empty = Points(np.zeros((0, 2)), np.zeros(0, int), np.zeros(0, int), np.zeros(0, bool))
    for points in (None, empty):
        assert "test" not in texts(boundary(sectors(2), extent, classes=names(2), points=points))


def test_misclassified_test_rows_are_ringed_and_those_of_other_folds_are_not(sectors, names, extent):
    fold, wrong = np.array([0, 0, 1, 2, 2, 2]), np.array([1, 0, 1, 1, 1, 0], dtype=bool)
    points = Points(np.linspace(-1, 1, 12).reshape(6, 2), fold % 2, fold, wrong)
    assert ringed(boundary(sectors(2), extent, classes=names(2), points=points)) == 2


def test_when_all_are_wrong_all_are_ringed_and_the_legend_shows_no_others(sectors, names, extent, texts):
    points = Points(np.zeros((30, 2)), np.zeros(30, int), np.full(30, 2), np.ones(30, bool))
    figure = boundary(sectors(2), extent, classes=names(2), points=points)
    assert ringed(figure) == 30
    assert "misclassified test" in texts(figure)
    assert "test" not in texts(figure)


def test_thinning_is_announced(sectors, rows, names, extent, texts):
    few = boundary(sectors(2), extent, classes=names(2), points=rows(2, N=3000), note="as it is")
    many = boundary(sectors(2), extent, classes=names(2), points=rows(2, N=10_000), note="as it is")
    assert "as it is" in texts(few)
    assert "as it is · 3,000 of 10,000 rows are drawn" in texts(many)


def test_rows_outside_the_window_are_announced(sectors, names, texts):
    points = Points(np.array([[0.0, 0.0], [9.0, 0.0]]), np.zeros(2, int), np.zeros(2, int), np.zeros(2, bool))
    figure = boundary(sectors(2), (-2, 2, -2, 2), classes=names(2), points=points)
    assert "rows outside the window: 1" in texts(figure)


def test_the_areas_of_an_svg_are_one_picture_and_a_crowded_svg_stays_below_a_megabyte(
    sectors, rows, names, extent, saved
):
    points = rows(20, N=10_000)
    all_test = Points(points.xy, points.label, np.full(10_000, 2), points.wrong)
    svg = saved(boundary(sectors(20, R=200), extent, classes=names(20), points=all_test), "svg")
    assert len(re.findall(rb"<image", svg)) == 1
    assert len(svg) < 1_000_000
    assert (
        len(saved(boundary(sectors(3, R=200), extent, classes=names(3), points=rows(3, N=1500)), "svg"))
        < 600_000
    )


def test_the_areas_of_an_svg_fill_the_panel(sectors, names, extent, saved):
    figure = boundary(sectors(3), extent, classes=names(3))
    found = re.search(
        rb'<image[^>]* x="([-.\d]+)"[^>]* width="([.\d]+)" height="([.\d]+)"', saved(figure, "svg")
    )
    panel = 72 * figure.axes[0].get_position().transformed(figure.transSubfigure).get_points() / figure.dpi
    x, width, height = map(float, found.groups())
    np.testing.assert_allclose([x, width, height], [panel[0, 0], *(panel[1] - panel[0])], atol=0.5)


def test_the_optimal_boundary_is_dashed_and_named(sectors, names, extent, texts):
    plain = boundary(sectors(2), extent, classes=names(2))
    known = boundary(sectors(2), extent, classes=names(2), truth=sectors(2, R=25, sharpness=1.0))

    def dashed(figure):
        return [c for c in figure.axes[0].collections if c.get_linestyles() and c.get_linestyles()[0][1]]

    assert "Bayes optimal" in texts(known)
    assert "Bayes optimal" not in texts(plain)
    assert len(dashed(known)) == 1
    assert not dashed(plain)


def test_disagreement_is_hatched_and_named_only_where_members_disagree(sectors, names, extent, texts):
    calm = boundary(sectors(2), extent, classes=names(2), disagreement=np.zeros((40, 40)))
    split = boundary(sectors(2), extent, classes=names(2), disagreement=np.full((40, 40), 0.4))
    assert "members disagree" in texts(split)
    assert "members disagree" not in texts(calm)


@pytest.mark.parametrize(
    ("extent", "ratio"), [((0, 4, 0, 4), 1), ((0, 6, 0, 2), 3), ((0, 1, 0, 3), 1 / 3), ((0, 1, 0, 500), None)]
)
def test_both_axes_have_one_scale_when_their_ranges_are_comparable(extent, ratio, sectors, names):
    figure = boundary(sectors(2), extent, classes=names(2))
    panel = figure.axes[0].get_window_extent()
    assert panel.width / panel.height == pytest.approx(ratio or 1 / 0.9, rel=0.02)


def test_regions_of_many_classes_are_named_where_they_are(sectors, names, extent):
    C = 10
    figure = boundary(sectors(C, R=60), extent, classes=names(C))
    named = {text.get_text(): text.get_position() for text in figure.axes[0].texts}
    assert set(named) == set(names(C))
    for c, name in enumerate(names(C)):
        x, y = named[name]
        angle = (np.arctan2(y, x) - 0.3 - 2 * np.pi * c / C + np.pi) % (2 * np.pi) - np.pi
        assert abs(angle) < np.pi / C


@pytest.mark.parametrize("C", [10, 20])
@pytest.mark.parametrize("long", ["", " of a long name that would not fit"])
def test_names_of_regions_lie_inside_of_the_panel_and_on_no_other(C, long, sectors, names, extent):
    figure = boundary(sectors(C, R=120), extent, classes=[name + long for name in names(C)])
    renderer, (ax,) = figure._get_renderer(), figure.axes
    boxes = [text.get_window_extent(renderer) for text in ax.texts]
    panel = ax.get_window_extent()
    assert len(boxes) >= C / 2
    for index, box in enumerate(boxes):
        assert panel.x0 <= box.x0
        assert panel.x1 >= box.x1
        assert panel.y0 <= box.y0
        assert panel.y1 >= box.y1
        assert not any(box.overlaps(other) for other in boxes[:index])


def test_probabilities_that_do_not_fit_the_classes_are_refused(sectors, names, extent):
    with pytest.raises(ValueError, match=r"C = 2 classes, got \(40, 40, 3\)"):
        boundary(sectors(3), extent, classes=names(2))
