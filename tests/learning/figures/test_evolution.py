import pytest

from classification_assets.learning.figures.evolution import evolution


@pytest.mark.parametrize(("T", "across"), [(1, 1), (4, 4), (6, 3), (8, 4), (9, 3)])
def test_snapshots_stand_in_even_rows(T, across, snapshots, names, extent):
    figure = evolution(snapshots(3, T, R=12), extent, classes=names(3))
    places = [ax.get_position() for ax in figure.axes]
    assert len(places) == T
    assert sum(abs(place.y0 - places[0].y0) < 1e-6 for place in places) == across


def test_each_snapshot_says_its_step_and_its_loss(snapshots, names, extent, texts):
    shown = texts(evolution(snapshots(3), extent, classes=names(3)))
    assert {
        "before training",
        "step 20",
        "step 100",
        "validation loss 1.000",
        "validation loss 0.200",
    } <= set(shown)


def test_what_is_drawn_is_explained_and_nothing_else(snapshots, rows, sectors, names, extent, texts):
    bare = evolution(snapshots(3), extent, classes=names(3))
    full = evolution(snapshots(3), extent, classes=names(3), points=rows(3), truth=sectors(3))
    assert "dots: some of the test rows · dashed: the optimal boundary" in texts(full)
    assert not any("dots" in text or "dashed" in text for text in texts(bare))


def test_scales_that_do_not_compare_give_a_square(snapshots, names):
    figure = evolution(snapshots(2), (0, 1, 0, 500), classes=names(2))
    panel = figure.axes[0].get_window_extent()
    assert panel.width == pytest.approx(panel.height, rel=0.01)


def test_snapshots_that_do_not_fit_the_classes_are_refused(snapshots, names, extent):
    with pytest.raises(
        ValueError, match=r"of step 0 must be \(R, R, C\) with C = 2 classes, got \(40, 40, 3\)"
    ):
        evolution(snapshots(3), extent, classes=names(2))
    with pytest.raises(ValueError, match="got none"):
        evolution([], extent, classes=names(2))
