"""Stored sweeps: every value comes back, and how long it took has no influence on the version."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from classification_assets.learning.artifacts.storage import load, save
from tests.learning.sweeps.invented import invented


@pytest.fixture
def again(tmp_path):
    """What a sweep's result is after it was stored and loaded."""

    def again(result):
        save(result, tmp_path / "sweep.parquet")
        return load(tmp_path / "sweep.parquet")

    return again


def test_every_network_and_finalist_comes_back_with_its_types(again):
    result = invented()
    read = again(result)
    pd.testing.assert_frame_equal(read.networks, result.networks)
    pd.testing.assert_frame_equal(read.finalists, result.finalists)


def test_the_summary_comes_back_to_the_last_bit(again):
    result = invented()
    assert again(result).summary == result.summary


@pytest.mark.parametrize("stopped", ["", "of 60 seconds"])
def test_words_about_the_end_come_back(again, stopped):
    result = invented()
    told = dataclasses.replace(result, summary=dataclasses.replace(result.summary, stopped=stopped))
    assert again(told).summary.stopped == stopped


def test_thumbnails_come_back_as_they_were(again):
    result = invented()
    read = again(result).thumbnails
    for field in dataclasses.fields(read):
        before, after = getattr(result.thumbnails, field.name), getattr(read, field.name)
        if isinstance(before, np.ndarray):
            assert after.dtype == before.dtype
            np.testing.assert_array_equal(after, before)
        else:
            assert after == before


def test_a_sweep_without_a_plane_has_no_thumbnails(again):
    assert again(dataclasses.replace(invented(), thumbnails=None)).thumbnails is None


def test_a_full_batch_among_others_comes_back_as_a_gap(again):
    result = invented(3)
    networks = result.networks.assign(batch_size=pd.Series([64, None, 32], dtype=object))
    read = again(dataclasses.replace(result, networks=networks)).networks
    assert read["batch_size"].isna().tolist() == [False, True, False]


def test_a_sweep_that_took_longer_has_the_same_version(tmp_path):
    result = invented()
    slower = dataclasses.replace(
        result,
        networks=result.networks.assign(seconds=9.0),
        summary=dataclasses.replace(result.summary, seconds=99.0),
    )
    better = dataclasses.replace(result, networks=result.networks.assign(score=0.1))
    versions = [save(each, tmp_path / "sweep.parquet") for each in (result, slower, better)]
    assert versions[0] == versions[1]
    assert versions[0] != versions[2]
    assert load(tmp_path / "sweep.parquet").summary.seconds == 1.25
