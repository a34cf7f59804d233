"""Surfaces come back as good as figures need them: who wins everywhere, and by how much."""

import dataclasses

import numpy as np
import pandas as pd

from classification_assets.learning.artifacts.files import header_of
from classification_assets.learning.artifacts.parquet_frames import write_headed_frame
from classification_assets.learning.artifacts.storage import load, save
from classification_assets.learning.evaluation.surface import TINY


def test_surfaces_come_back_to_a_5000th(surface, tmp_path):
    save(surface, tmp_path / "surface.parquet")
    again = load(tmp_path / "surface.parquet")
    assert again.view == surface.view
    for name in ("probabilities", "disagreement"):
        there, here = getattr(surface, name), getattr(again, name)
        assert (here.shape, here.dtype) == (there.shape, np.float32)
        np.testing.assert_allclose(here, there, rtol=0, atol=2e-4)


def test_they_take_a_fifth_of_their_bytes_in_memory(surface, tmp_path):
    save(surface, tmp_path / "surface.parquet")
    size = (tmp_path / "surface.parquet").stat().st_size
    assert size < 0.2 * (surface.probabilities.nbytes + surface.disagreement.nbytes)


def test_who_wins_stays_however_closely(surface, tmp_path):
    p = surface.probabilities.copy()
    first = 0.5 + np.linspace(-1e-5, 1e-5, p[..., 0].size, dtype=np.float32).reshape(p.shape[:-1])
    close = dataclasses.replace(surface, probabilities=np.stack([first, 1 - first], -1))
    save(close, tmp_path / "surface.parquet")
    again = load(tmp_path / "surface.parquet").probabilities
    np.testing.assert_array_equal(again.argmax(-1), close.probabilities.argmax(-1))


def test_probabilities_of_none_and_one_come_back(surface, tmp_path):
    p = np.zeros_like(surface.probabilities)
    p[..., 1] = 1
    save(dataclasses.replace(surface, probabilities=p), tmp_path / "surface.parquet")
    again = load(tmp_path / "surface.parquet").probabilities
    np.testing.assert_allclose(again, p, rtol=0, atol=2 * TINY)


def test_surfaces_of_an_earlier_version_come_back_as_they_were(surface, tmp_path):
    P, R, _, C = surface.probabilities.shape
    columns = {f"p_{index}": column for index, column in enumerate(surface.probabilities.reshape(-1, C).T)}
    frame = pd.DataFrame(columns | {"disagreement": surface.disagreement.ravel()})
    header = header_of("surfaces", view=surface.view.model_dump(mode="json"), shape=[P, R, R, C])
    write_headed_frame(frame, header, tmp_path / "surface.parquet", None)
    again = load(tmp_path / "surface.parquet")
    np.testing.assert_array_equal(again.probabilities, surface.probabilities)
    np.testing.assert_array_equal(again.disagreement, surface.disagreement)
