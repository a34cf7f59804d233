import numpy as np
import pytest

from classification_assets.learning.figures.architecture_effect import Shapes, architecture_effect
from classification_assets.learning.figures.gallery import Cell


def shapes_of(*hidden_and_activation):
    hidden = [hidden for hidden, _ in hidden_and_activation]
    A = len(hidden)
    value = np.linspace(0.8, 0.9, A)
    return Shapes(
        names=[f"net {index}" for index in range(A)],
        parameters=np.array([10 + sum(own) for own in hidden]),
        depth=np.array([len(own) for own in hidden]),
        width=np.array([max(own, default=0) for own in hidden]),
        activation=[activation for _, activation in hidden_and_activation],
        value=value,
        low=value - 0.01,
        high=value + 0.01,
    )


def lines(shapes, varied):
    return sorted(line.tolist() for line in shapes.lines(varied))


DEEPER = [((8,) * depth, "relu") for depth in range(1, 21)]
GRID = shapes_of(
    ((), "none"), ((8,), "relu"), ((8, 8), "relu"), ((64, 64), "relu"), ((64, 64), "tanh"), ((8, 8), "tanh")
)


def test_a_line_joins_what_differs_in_one_factor_alone():
    assert lines(GRID, "width") == [[2, 3], [5, 4]]
    assert lines(GRID, "depth") == [[0, 1, 2], [0, 3], [0, 4], [0, 5]]


def test_a_network_without_hidden_layers_is_on_no_line_of_widths():
    assert lines(shapes_of(((), "none"), ((8,), "relu")), "width") == []


def test_boundaries_are_shown_from_the_fewest_to_the_most_parameters(sectors, rows, names, extent, texts):
    cells = {name: Cell(sectors(3), extent, names(3), rows(3)) for name in GRID.names}
    figure = architecture_effect(GRID, cells)
    titles = [ax.get_title() for ax in figure.axes if ax.get_title()]
    order = np.argsort(GRID.parameters, kind="stable")
    assert titles == [GRID.names[index] for index in order]
    assert {"none", "relu", "tanh"} <= set(texts(figure))


@pytest.mark.parametrize("shapes", [GRID, shapes_of(((), "none")), shapes_of(*DEEPER)])
def test_it_is_drawn_with_and_without_boundaries(shapes, sectors, names, extent, saved):
    cell = Cell(sectors(20, R=12), extent, names(20))
    assert saved(architecture_effect(shapes, {}))
    assert saved(architecture_effect(shapes, {shapes.names[0]: cell}))


def test_columns_that_do_not_fit_the_names_are_refused():
    with pytest.raises(ValueError, match=r"low must be \(2,\) for 2 names, got \(1,\)"):
        Shapes(["a", "b"], *[np.ones(2)] * 3, ["x", "y"], np.ones(2), np.ones(1), np.ones(2))
