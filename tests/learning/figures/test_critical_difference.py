import numpy as np
import pytest

from classification_assets.learning.figures.critical_difference import critical_difference


def bars(figure):
    """The stretches of ranks that thick lines join."""
    thick = [line for line in figure.axes[0].lines if line.get_linewidth() > 3]
    return sorted(tuple(np.round(line.get_xdata(), 6).tolist()) for line in thick)


def test_a_bar_joins_each_group_and_none_that_lies_in_another():
    figure = critical_difference(
        ["a", "b", "c", "d"],
        np.array([1.2, 1.8, 3.1, 3.9]),
        [[0, 1], [0, 1, 2], [2], [2, 3]],
        n_experiments=5,
    )
    assert bars(figure) == [(1.2, 3.1), (3.1, 3.9)]


def test_where_all_differ_there_is_no_bar_and_none_is_explained(texts):
    figure = critical_difference(["a", "b"], np.array([1.0, 2.0]), [[0], [1]], n_experiments=9)
    assert not bars(figure)
    assert "average rank over 9 experiments, 1 is best" in texts(figure)


@pytest.mark.parametrize("A", [1, 2, 3, 10, 20])
def test_every_architecture_is_named_with_its_rank_and_names_do_not_overlap(A, texts):
    ranks = np.linspace(1, max(A, 2), A)
    figure = critical_difference([f"net {i}" for i in range(A)], ranks, [], n_experiments=3)
    shown = texts(figure)
    for index, rank in enumerate(ranks):
        assert {f"net {index}  {rank:.2f}", f"{rank:.2f}  net {index}"} & set(shown)
    renderer = figure._get_renderer()
    boxes = [text.get_window_extent(renderer) for text in figure.axes[0].texts]
    assert not any(one.overlaps(other) for i, one in enumerate(boxes) for other in boxes[:i])


def test_the_critical_difference_is_a_ruler_of_its_length(texts):
    figure = critical_difference(
        ["a", "b", "c"], np.array([1.0, 2.0, 3.0]), [], n_experiments=3, difference=1.25
    )
    assert "critical difference 1.25" in texts(figure)
    assert any(np.ptp(line.get_xdata()) == pytest.approx(1.25) for line in figure.axes[0].lines)
    longer = critical_difference(["a", "b"], np.array([1.0, 2.0]), [], n_experiments=3, difference=2.5)
    assert "critical difference 2.50 (beyond the axis)" in texts(longer)


def test_ranks_that_do_not_fit_the_names_are_refused():
    with pytest.raises(ValueError, match=r"must be \(2,\) for 2 names, got \(3,\)"):
        critical_difference(["a", "b"], np.ones(3), [], n_experiments=3)
