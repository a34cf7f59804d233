import numpy as np
import pytest

from classification_assets.learning.figures.confusion import confusion


def test_a_cell_says_the_share_of_its_true_class_and_the_number_of_rows(texts):
    shown = texts(confusion(np.array([[30, 10], [0, 1200]]), ["yes", "no"]))
    assert {"75", "30", "25", "10", "100", "1,200"} <= set(shown)
    assert "0" not in shown


def test_a_share_too_small_to_round_to_a_percent_is_not_called_none(texts):
    assert "<1" in texts(confusion(np.array([[999, 1], [0, 5]]), ["yes", "no"]))


def test_numbers_of_rows_are_rounded_where_there_is_no_room_for_all_digits(texts):
    shown = texts(confusion(np.array([[99_999, 123_456], [999_600, 1_234_567]]), ["yes", "no"]))
    assert {"99,999", "123k", "1M", "1.23M"} <= set(shown)


def test_a_class_without_rows_has_an_empty_row(texts):
    shown = texts(confusion(np.array([[4, 0], [0, 0]]), ["yes", "no"]))
    assert shown.count("100") == 1
    assert "nan" not in " ".join(shown)


@pytest.mark.parametrize("C", [1, 2, 10, 20])
def test_numbers_fit_their_cells(C, names):
    figure = confusion(np.full((C, C), 1234), names(C))
    renderer = figure._get_renderer()
    panel = figure.axes[0].get_window_extent()
    for text in figure.axes[0].texts:
        if text.get_text() == "1,234":
            assert text.get_window_extent(renderer).width < panel.width / C


@pytest.mark.parametrize("C", [2, 20])
def test_the_axes_name_every_class(C, names, saved):
    figure = confusion(np.eye(C, dtype=int), names(C))
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == names(C)
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == names(C)
    assert saved(figure)


def test_a_matrix_that_does_not_fit_the_classes_is_refused():
    with pytest.raises(ValueError, match=r"must be \(2, 2\) for 2 classes, got \(3, 3\)"):
        confusion(np.eye(3), ["yes", "no"])
