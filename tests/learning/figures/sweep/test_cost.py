import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from classification_assets.learning.figures.sweep.cost import Cost, Worth, cost, front

NUMBERS = hnp.arrays(float, st.integers(1, 30), elements=st.integers(0, 9).map(float))


@given(st.data())
def test_the_front_is_what_no_other_beats_at_its_cost(data):
    spent = data.draw(NUMBERS)
    worth = data.draw(hnp.arrays(float, len(spent), elements=st.integers(0, 9).map(float)))
    found = set(front(spent, worth).tolist())
    for index in range(len(spent)):
        beaten = ((spent <= spent[index]) & (worth > worth[index])) | (
            (spent < spent[index]) & (worth >= worth[index])
        )
        equal = (spent == spent[index]) & (worth == worth[index])
        assert bool(beaten.any()) != bool(found & set(np.flatnonzero(equal).tolist()))
    assert (np.diff(worth[front(spent, worth)]) > 0).all()


def test_both_panels_of_a_score_have_one_axis_on_which_the_front_and_the_winner_are():
    rng = np.random.default_rng(0)
    loss = rng.uniform(0.2, 0.4, 50)
    loss[:3] = 9.0
    costs = [Cost("parameters", rng.uniform(10, 1e5, 50)), Cost("seconds", rng.uniform(0.1, 1, 50))]
    figure = cost([Worth("log loss", loss, True)], costs, winner=int(loss.argmin()))
    limits = {ax.get_ylim() for ax in figure.axes}
    assert len(limits) == 1
    low, high = limits.pop()
    assert low < loss.min() < high < 9
    assert any("worse ones beyond the axis: 3" in text.get_text().replace("\n", " ") for text in figure.texts)


def test_a_score_of_which_more_is_better_has_its_best_on_top():
    accuracy = np.linspace(0.5, 0.9, 20)
    figure = cost([Worth("accuracy", accuracy, False)], [Cost("parameters", np.arange(1, 21.0))])
    (stairs,) = [line for line in figure.axes[0].lines if line.get_drawstyle() == "steps-post"]
    assert (np.diff(stairs.get_ydata()) >= 0).all()
    assert stairs.get_ydata()[-1] == 0.9
