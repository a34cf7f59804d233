import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from classification_assets.learning.sweeps.places import places, rung_epochs
from tests.learning.sweeps.made_up import made_up


def test_rungs_are_the_epochs_after_which_configurations_were_judged(halved):
    assert rung_epochs(halved) == (5, 15, 40)


@settings(max_examples=20, deadline=None)
@given(n=st.integers(4, 60), metric=st.sampled_from(["log_loss", "accuracy"]))
def test_places_are_ranks_with_the_winner_first_and_the_failed_last(n, metric):
    result = made_up(n, metric=metric)
    place, states = places(result), result.configurations()["state"].to_numpy()
    assert place.shape == (n,)
    assert np.all((place > 0) & (place < 1))
    if (states == "finished").any():
        assert place.argmax() == result.summary.winner
        assert (states == "failed").sum() == 0 or place[states == "failed"].max() < place[
            states != "failed"
        ].min()
    assert len(np.unique(place[states == "failed"])) <= 1


def test_who_went_on_by_mistake_and_lost_is_not_above_who_was_better_at_the_common_rung(sweep):
    result = sweep(12, failing=9.0)
    frame = result.networks
    first = np.array([curve[4] for curve in frame["curve"]])
    worst, best_dropped = int(first.argmax()), int(frame.index[frame["state"] == "dropped"][0])
    frame.loc[worst, ["rung", "epochs", "state"]] = [1, 15, "dropped"]
    frame.at[worst, "curve"] = [*frame.at[worst, "curve"], *[99.0] * 10]
    place = places(result)
    assert place[worst] < place[best_dropped]
    assert place[worst] == place.min()


def test_a_dropped_configuration_with_the_lower_score_is_not_above_one_that_was_trained_longer(sweep):
    result = sweep(30, failing=9.0)
    frame = result.networks
    dropped = frame.index[frame["state"] == "dropped"]
    frame.loc[dropped, "score"] = 0.0
    place = places(result)
    assert place[frame["state"] == "finished"].min() > place[dropped].max()


def test_configurations_of_several_networks_are_ranked_by_their_mean(sweep):
    one = sweep(20)
    worse = one.networks.assign(
        seed=99,
        curve=[[loss + 1 for loss in curve] for curve in one.networks["curve"]],
        score=one.networks["score"] + 1,
    )
    both = type(one)(pd.concat([one.networks, worse]), one.finalists, one.summary)
    np.testing.assert_allclose(places(both), places(one))


def test_where_all_failed_all_are_equal(sweep):
    assert set(places(sweep(10, failing=0.0))) == {0.5}
