import io
from itertools import pairwise

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from classification_assets.learning.figures.animation import INLINE_BYTES, animation
from classification_assets.learning.figures.canvas.style import THEMES


def opened(gif):
    picture = Image.open(io.BytesIO(gif))
    frames, durations = [], []
    for index in range(picture.n_frames):
        picture.seek(index)
        frames.append(np.asarray(picture.convert("RGB"), float))
        durations.append(picture.info["duration"])
    return picture, frames, durations


@pytest.fixture(scope="module")
def inline(snapshots, rows, names, extent):
    return animation(snapshots(3, 8), extent, classes=names(3), points=rows(3), title="moons · deep_relu")


def test_it_moves_repeats_for_ever_and_rests_at_the_end(inline):
    picture, frames, durations = opened(inline)
    assert len(frames) >= 8
    assert picture.info["loop"] == 0
    assert durations[-1] > 1000 > durations[1]
    assert np.abs(frames[0] - frames[-1]).mean() > 1


def test_it_moves_smoothly(inline):
    _, frames, _ = opened(inline)
    steps = [np.abs(one - other).mean() for one, other in pairwise(frames)]
    assert max(steps) < 0.5 * np.abs(frames[0] - frames[-1]).mean()


@pytest.mark.parametrize(("C", "T"), [(2, 24), (10, 24), (20, 24)])
@pytest.mark.parametrize("theme", THEMES)
def test_an_inline_one_is_small_and_a_large_one_larger(C, T, theme, snapshots, rows, names, extent):
    options = {"classes": names(C), "points": rows(C, N=2000), "theme": theme, "title": "a title"}
    small = animation(snapshots(C, T, R=60), extent, **options)
    assert len(small) <= INLINE_BYTES
    large = animation(snapshots(C, 3, R=60), extent, **options, inline=False)
    assert opened(large)[0].size > opened(small)[0].size


@pytest.mark.parametrize("theme", THEMES)
def test_it_has_the_colours_of_the_other_figures(theme, snapshots, names, extent):
    _, frames, _ = opened(animation(snapshots(2), extent, classes=names(2), theme=theme))
    for c in range(2):
        colour = 255 * np.array(to_rgb(THEMES[theme].class_colour(c)))
        assert np.abs(frames[-1] - colour).max(axis=2).min() < 12
    np.testing.assert_allclose(frames[-1][0, 0], 255 * np.array(to_rgb(THEMES[theme].paper)), atol=6)


def test_drawn_again_it_is_the_same_bytes(inline, snapshots, rows, names, extent):
    again = animation(snapshots(3, 8), extent, classes=names(3), points=rows(3), title="moons · deep_relu")
    assert again == inline


@pytest.mark.parametrize("extent", [(0, 1, 0, 500), (0, 3, 0, 1), (-1, 1, -1, 1)])
def test_any_window_of_long_names_and_titles_fits_the_page(extent, snapshots):
    classes = ["a class of a name that is much too long for it", "b"]
    picture, _, _ = opened(
        animation(snapshots(2, 2, R=12), extent, classes=classes, title="a long title " * 4)
    )
    assert picture.width < 1000


def test_a_single_snapshot_is_refused(snapshots, names, extent):
    with pytest.raises(ValueError, match="two snapshots or more, got 1"):
        animation(snapshots(2, 1), extent, classes=names(2))
