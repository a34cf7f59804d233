"""A sweep says how far it is: networks done, best score so far, time left."""

import time

import pytest

from classification_assets.learning.sweeps.progress import SweepProgress


@pytest.fixture
def lines(monkeypatch):
    """The lines that a sweep says whose packs of so many networks take so many seconds each."""

    def lines(packs, seconds, best=0.25):
        clock, told = [0.0], []
        monkeypatch.setattr(time, "monotonic", lambda: clock[0])
        progress = SweepProgress("moons · sweep", "log_loss", told.append, bar=False)
        for pack in range(1, packs + 1):
            clock[0] += seconds
            progress(4 * pack, 10 * pack, 10 * packs, best)
        progress.close()
        return told

    return lines


def test_a_line_says_networks_share_best_score_and_time_left(lines):
    assert lines(10, 4.0)[0] == ("moons · sweep: 4 networks, 10%, best log loss 0.2500, at most 36 s left")


def test_before_there_is_a_score_none_is_told(lines):
    assert lines(10, 4.0, float("nan"))[0] == "moons · sweep: 4 networks, 10%, at most 36 s left"


def test_a_sweep_of_less_than_three_seconds_says_nothing(lines):
    assert lines(20, 0.1) == []


def test_before_any_epoch_is_done_nothing_is_said(lines):
    told = []
    progress = SweepProgress("moons", "accuracy", told.append, bar=False)
    progress.spoken -= 60
    progress(0, 0, 10, float("nan"))
    assert told == []


def test_a_bar_counts_epochs(capsys):
    progress = SweepProgress("moons", "accuracy", bar=True)
    progress(8, 32, 64, 0.9)
    progress.bar.refresh()
    shown = capsys.readouterr().err
    progress.close()
    assert "32/64" in shown
    assert "best accuracy=0.900" in shown
