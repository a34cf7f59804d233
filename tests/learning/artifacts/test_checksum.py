"""A file that carries its checksum: a byte that has changed is noticed, and older files are read as they are."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from classification_assets.learning.artifacts import checksum
from classification_assets.learning.artifacts.checksum import opened_record, sealed_record
from classification_assets.learning.artifacts.files import ArtifactError
from classification_assets.learning.artifacts.storage import load, save
from tests.learning.artifacts.kinds import KINDS, every_kind

FROZEN = Path(__file__).parents[2] / "frozen"


@every_kind
@given(share=st.floats(0, 0.9999), wrong=st.integers(1, 255))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_one_wrong_byte_is_noticed_wherever_it_is(stored, kind, share, wrong):
    _, path = stored(kind)
    content = bytearray(path.read_bytes())
    content[int(share * len(content))] ^= wrong
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match=f"artifact{KINDS[kind]} is damaged"):
        load(path)


def test_one_wrong_byte_of_a_large_file_is_noticed(tmp_path):
    path = tmp_path / "large.parquet"
    save(pd.DataFrame(np.random.default_rng(0).random((200_000, 2)), columns=["a", "b"]), path)
    content = bytearray(path.read_bytes())
    assert len(content) > 2 * checksum._CHUNK
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match="CRC-32"):
        load(path)


def test_a_seal_across_two_chunks_is_that_of_the_whole(stored, monkeypatch):
    for size in range(1, 40):
        monkeypatch.setattr(checksum, "_CHUNK", size)
        _, path = stored("frame", f"frame_{size}")
        monkeypatch.undo()
        load(path)


def test_files_without_a_seal_are_read():
    content = (FROZEN / "moons_split.parquet").read_bytes()
    assert checksum.SEAL.encode() not in content
    load(FROZEN / "moons_split.parquet")


def test_words_that_look_like_a_seal_do_not_make_a_file_unreadable(tmp_path):
    frame = pd.DataFrame({f"{checksum.SEAL}0123abcd": [1]})
    save(frame, tmp_path / "frame.parquet")
    pd.testing.assert_frame_equal(load(tmp_path / "frame.parquet"), frame)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda own: st.lists(own, max_size=3) | st.dictionaries(st.text(), own, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text().filter(lambda name: name != checksum.FIELD), json_values))
def test_a_record_comes_back(content):
    assert opened_record(sealed_record(json.dumps(content))) == content


def test_a_record_with_another_value_is_refused():
    with pytest.raises(ValueError, match="its CRC-32 must be"):
        opened_record(sealed_record('{"version": 2}').replace("2", "3", 1))
    assert opened_record('{"version": 2}') == {"version": 2}
    with pytest.raises(ValueError, match="a JSON object, got list"):
        opened_record("[2]")
