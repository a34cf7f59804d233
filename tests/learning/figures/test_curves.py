import numpy as np
import pytest
from matplotlib.collections import PathCollection

from classification_assets.learning.figures.curves import curves


def history_of(K, E=30, left_at=()):
    """K members of which some leave early, as `train` records them."""
    step = 10 * np.arange(1, E + 1)
    loss = np.exp(-step / 80)[:, None] * np.linspace(0.8, 1.2, K) + 0.05
    columns = {"train_loss": loss, "validation_loss": loss + 0.1, "validation_accuracy": 1 - loss / 2}
    for column in columns.values():
        for member, epoch in left_at:
            column[epoch:, member] = np.nan
    return {"step": step, **columns}


def marked(ax):
    return np.concatenate([c.get_offsets() for c in ax.collections if isinstance(c, PathCollection)])


@pytest.mark.parametrize("K", [1, 8, 64])
def test_any_number_of_members_is_drawn(K, saved):
    figure = curves(history_of(K), best_step=np.full(K, 100), title="moons")
    assert len(figure.axes) == 2
    assert saved(figure).startswith(b"\x89PNG")


@pytest.mark.filterwarnings("error")
def test_members_that_left_and_histories_without_a_number_are_no_trouble(saved):
    left = curves(history_of(4, left_at=[(0, 3), (1, 10), (2, 29)]), best_step=np.array([20, 90, -1, 300]))
    nothing = curves(
        {name: column * np.nan if name != "step" else column for name, column in history_of(20).items()}
    )
    single = curves(history_of(3, E=1))
    for figure in (left, nothing, single):
        assert saved(figure)


def test_the_chosen_step_of_each_member_is_marked_on_its_own_curve():
    history = history_of(3)
    figure = curves(history, best_step=np.array([100, 200, -1]))
    loss, accuracy = map(marked, figure.axes)
    np.testing.assert_allclose(
        loss, [(100, history["validation_loss"][9, 0]), (200, history["validation_loss"][19, 1])]
    )
    np.testing.assert_allclose(accuracy[:, 1], history["validation_accuracy"][[9, 19], [0, 1]])


def test_losses_that_hardly_change_are_written_whole_at_their_axis():
    flat = history_of(2)
    flat = flat | {name: 0.693147 + 1e-5 * flat[name] for name in ("train_loss", "validation_loss")}
    loss = curves(flat).axes[0]
    assert all(label.get_text().startswith("0.693") for label in loss.get_yticklabels())


def test_failed_members_are_counted_at_the_foot(texts):
    assert "1 of 3 members failed: no chosen step" in texts(
        curves(history_of(3), best_step=np.array([100, 200, -1]))
    )
    assert not any("failed" in text for text in texts(curves(history_of(3))))


def test_the_median_ends_when_fewer_than_half_of_the_members_are_left():
    figure = curves(history_of(5, left_at=[(0, 10), (1, 10), (2, 10)]))
    longest = max(figure.axes[0].lines, key=lambda line: line.get_linewidth())
    assert longest.get_xdata().max() == 100


def test_a_loss_that_falls_by_orders_of_magnitude_gets_a_logarithmic_axis():
    wide = history_of(2)
    wide["train_loss"][0] = 50
    assert curves(wide).axes[0].get_yscale() == "log"
    assert curves(history_of(2)).axes[0].get_yscale() == "linear"
