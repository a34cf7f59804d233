"""Series of whole numbers come back as they were, in fewer bytes where they change little."""

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from classification_assets.learning.artifacts.series import compressed, restored

TYPES = st.sampled_from([np.dtype(np.int8), np.dtype(np.int16)])


@given(TYPES.flatmap(lambda dtype: arrays(dtype, array_shapes(min_side=0, max_side=5))))
def test_what_is_compressed_is_restored(series):
    again = restored(compressed(series), series.dtype, series.shape)
    assert again.dtype == series.dtype
    np.testing.assert_array_equal(again, series)


def test_the_largest_differences_are_none_too_large():
    series = np.array([[-128], [127], [-128]], np.int8)
    np.testing.assert_array_equal(restored(compressed(series), series.dtype, series.shape), series)


def test_small_differences_take_half_the_bytes():
    rng = np.random.default_rng(0)
    series = np.cumsum(rng.integers(-3, 4, (16, 1000)), axis=0).astype(np.int16)
    assert len(compressed(series)) < 0.3 * series.nbytes


@pytest.mark.parametrize(("content", "error"), [(b"none", zlib.error), (zlib.compress(b"abc"), ValueError)])
def test_what_is_no_such_series_is_refused(content, error):
    with pytest.raises(error):
        restored(content, np.dtype(np.int16), (2, 3))
