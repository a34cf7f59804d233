import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from classification_assets.learning.figures.canvas.gif import gif

SHAPE = (7, 23)


def shown(content):
    """What a reader shows: frames, RGB, and how long each one is shown."""
    picture = Image.open(io.BytesIO(content))
    frames, durations = [], []
    for index in range(picture.n_frames):
        picture.seek(index)
        frames.append(np.asarray(picture.convert("RGB")))
        durations.append(picture.info["duration"])
    return frames, durations


@st.composite
def animations(draw):
    palette = draw(arrays(np.uint8, (draw(st.integers(1, 255)), 3), unique=False))
    first = draw(arrays(np.uint8, SHAPE, elements=st.integers(0, len(palette) - 1)))
    frames = [first]
    for _ in range(draw(st.integers(0, 3))):
        changed = draw(arrays(bool, SHAPE))
        other = draw(arrays(np.uint8, SHAPE, elements=st.integers(0, len(palette) - 1)))
        frames.append(np.where(changed, other, frames[-1]))
    return frames, palette


@settings(deadline=None)
@given(animations())
def test_a_reader_shows_every_pixel_of_every_frame_that_differs(animation):
    frames, palette = animation
    differ = [True, *((one != other).any() for one, other in zip(frames[1:], frames, strict=False))]
    found, _ = shown(gif(frames, palette, [100] * len(frames)))
    expected = [palette[frame] for frame, new in zip(frames, differ, strict=True) if new]
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_frame_in_which_nothing_changes_makes_the_one_before_last_longer():
    first, second = np.zeros(SHAPE, np.uint8), np.ones(SHAPE, np.uint8)
    _, durations = shown(gif([first, second, second, first], np.eye(3, dtype=np.uint8), [700, 80, 80, 2600]))
    assert durations == [700, 160, 2600]


def test_it_repeats_for_ever():
    frames = [np.zeros(SHAPE, np.uint8), np.ones(SHAPE, np.uint8)]
    assert Image.open(io.BytesIO(gif(frames, np.eye(3, dtype=np.uint8), [100, 100]))).info["loop"] == 0


@pytest.mark.parametrize("colours", [0, 256])
def test_a_palette_that_leaves_no_number_for_what_stands_still_is_refused(colours):
    with pytest.raises(ValueError, match=f"1 to 255 colours, got {colours}"):
        gif([np.zeros(SHAPE, np.uint8)], np.zeros((colours, 3), np.uint8), [100])


def test_without_frames_there_is_none():
    with pytest.raises(ValueError, match="needs frames, got none"):
        gif([], np.zeros((2, 3), np.uint8), [])
