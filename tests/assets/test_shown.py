"""Metadata that a person sees: previews of bounded size, readable tables, plottable numbers."""

import base64
import gc
import io

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

from classification_assets.assets import shown


def picture_in(metadata, name):
    encoded = metadata[name].value.removeprefix(f"![{name}](data:image/webp;base64,").removesuffix(")")
    return base64.b64decode(encoded)


@pytest.mark.parametrize("inches", [2, 8, 20])
def test_a_preview_stays_small_however_rich_the_figure_is(inches):
    figure = Figure(figsize=(inches, inches))
    figure.add_subplot().imshow(np.random.default_rng(0).random((300, 300, 3)))
    preview = picture_in(shown.figure(lambda: figure, "noise")[1], "noise")
    assert len(preview) < shown.PREVIEW_BYTES
    assert Image.open(io.BytesIO(preview)).format == "WEBP"


def test_a_figure_that_is_kept_is_shown_and_handed_on_under_its_name():
    figure, beside = Figure(figsize=(2, 2)), {}
    metadata = shown.kept({"Pretty low-noise": lambda: figure, "other": lambda: figure}, beside)
    assert beside == {"pretty_low_noise": figure, "other": figure}
    assert list(metadata)[:1] == ["Pretty low-noise"]
    assert set(metadata) == {"Pretty low-noise", "other", "draw_seconds"}


@pytest.mark.parametrize("collects", [True, False])
def test_garbage_is_looked_for_afterwards_as_before_also_where_drawing_fails(collects):
    def fails():
        raise ValueError("no such column")

    was = gc.isenabled()
    (gc.enable if collects else gc.disable)()
    try:
        with pytest.raises(ValueError, match="no such column"):
            shown.kept({"first": lambda: Figure(figsize=(2, 2)), "second": fails}, {})
        assert gc.isenabled() == collects
    finally:
        (gc.enable if was else gc.disable)()


def test_a_table_shows_rounded_numbers_and_every_row():
    frame = pd.DataFrame({"name": ["a", "b"], "score": [0.123456, np.nan], "rows": [1, 2]})
    records = shown.table(frame, "scores")["scores"].records
    assert [record.data for record in records] == [
        {"name": "a", "score": 0.1235, "rows": 1},
        {"name": "b", "score": None, "rows": 2},
    ]


def test_a_long_table_is_cut_and_says_so():
    metadata = shown.table(pd.DataFrame({"n": range(1_000)}), "numbers")
    assert list(metadata) == ["numbers (first 200 of 1000 rows)"]


def test_a_number_has_no_more_digits_than_one_reads():
    metadata = shown.scalars(
        {"accuracy": 0.9146666666666666, "kilobytes": 2542.564453125, "rows": 12345678.0}
    )
    assert [value.value for value in metadata.values()] == [0.914667, 2542.56, 12345678]


def test_numbers_keep_their_names_and_what_is_not_finite_is_left_out():
    metadata = shown.scalars({"accuracy": np.float64(0.5), "members": 8, "regret": float("nan")})
    assert {name: value.value for name, value in metadata.items()} == {"accuracy": 0.5, "members": 8}
