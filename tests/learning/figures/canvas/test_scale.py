"""Logarithmic axes, by the labels that are drawn."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from classification_assets.learning.figures.canvas.scale import logarithmic


def labels(low, high, across=False, **options):
    """Labels that lie between two values."""
    ax = Figure(figsize=(4, 4)).add_subplot()
    axis = ax.xaxis if across else ax.yaxis
    logarithmic(axis, low, high, **options)
    (ax.set_xlim if across else ax.set_ylim)(low, high)
    ax.figure.draw_without_rendering()
    ticks = zip(axis.get_majorticklocs(), axis.get_ticklabels(), strict=True)
    return [label.get_text() for place, label in ticks if low <= place <= high]


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [
        (0.1, 0.5, ["0.1", "0.15", "0.2", "0.3", "0.4", "0.5"]),
        (0.1, 10, ["0.1", "0.2", "0.5", "1", "2", "5", "10"]),
        (0.001, 1, ["0.001", "0.003", "0.01", "0.03", "0.1", "0.3", "1"]),
    ],
)
def test_labels_are_round_numbers_and_the_closer_the_fewer_decades_there_are(low, high, told):
    assert labels(low, high) == told == labels(low, high, across=True)


@settings(deadline=None, max_examples=15)
@given(low=st.floats(-12, 3), decades=st.floats(0.5, 14), most=st.sampled_from([5, 8]))
def test_no_axis_is_crowded_and_none_is_without_a_label(low, decades, most):
    assert 1 <= len(labels(10**low, 10 ** (low + decades), most=most)) <= max(most + 2, decades + 1)


def test_numbers_are_written_as_is_said():
    assert labels(10, 1000, most=3, written=lambda value: f"{value:.0f} s") == ["10 s", "100 s", "1000 s"]
