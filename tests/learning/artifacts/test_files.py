"""Files that cannot be read are named: damaged ones, other programs', pickles."""

import json
import os
import pickle
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from classification_assets.learning.artifacts.files import HEADER, ArtifactError
from classification_assets.learning.artifacts.storage import load, save
from tests.learning.artifacts.kinds import every_readable_kind


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no artifact at .*absent\.parquet"):
        load(tmp_path / "absent.parquet")


def test_a_suffix_that_is_never_read_back_is_told_those_that_are(tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(ArtifactError, match=r"notes\.txt: .* ends in \.parquet, \.safetensors or \.png"):
        load(tmp_path / "notes.txt")


@every_readable_kind
@given(share=st.floats(0, 0.999))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_truncated_file_is_named_as_damaged(stored, kind, share):
    _, path = stored(kind)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(ArtifactError) as raised:
        load(path)
    assert str(raised.value).startswith(f"{path} is damaged, or not written by this project: ")


@pytest.mark.parametrize("kind", ["split", "fitted"])
@given(start=st.floats(0, 0.999), length=st.integers(1, 40), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_file_with_wrong_bytes_in_it_is_named_as_damaged_if_it_cannot_be_read(
    stored, kind, start, length, seed
):
    _, path = stored(kind)
    content = bytearray(path.read_bytes())
    first = int(start * len(content))
    content[first : first + length] = np.random.default_rng(seed).bytes(length)
    path.write_bytes(content)
    message = str(path)
    try:
        load(path)
    except ArtifactError as error:
        message = str(error)
    assert message.startswith(str(path))


@pytest.fixture
def foreign(tmp_path):
    """Writes a file that somebody else's program might have written."""

    def foreign(kind):
        path = tmp_path / kind.replace(" ", "_")
        table = pa.table({"a": [1]})
        match kind:
            case "plain.parquet":
                pq.write_table(table, path)
            case "newer.parquet":
                header = {HEADER: json.dumps({"format": "hologram"})}
                pq.write_table(table.replace_schema_metadata(header), path)
            case "list.parquet":
                pq.write_table(table.replace_schema_metadata({HEADER: "[]"}), path)
            case "incomplete.parquet":
                header = {HEADER: json.dumps({"format": "split", "classes": []})}
                pq.write_table(table.replace_schema_metadata(header), path)
            case "plain.safetensors":
                save_file({"weight": torch.zeros(2)}, path)
            case "newer.safetensors":
                header = {"format": "fitted", "provenance": {"quantized": True}}
                save_file({"weight": torch.zeros(2)}, path, metadata={HEADER: json.dumps(header)})
            case _:
                path.write_bytes(b"" if kind.startswith("empty") else b"%PDF-1.7 " * 100)
        return path

    return foreign


@pytest.mark.parametrize("suffix", [".parquet", ".safetensors"])
@pytest.mark.parametrize("kind", ["plain", "newer", "empty", "pdf"])
def test_a_file_of_somebody_elses_is_named(foreign, kind, suffix):
    path = foreign(kind + suffix)
    with pytest.raises(ArtifactError, match=path.name):
        load(path)


@pytest.mark.parametrize("kind", ["list", "incomplete"])
def test_a_header_that_is_none_of_ours_is_named(foreign, kind):
    with pytest.raises(ArtifactError, match=f"{kind}.parquet is damaged, or not written by this project"):
        load(foreign(f"{kind}.parquet"))


def test_a_format_that_is_not_known_yet_is_named(foreign):
    with pytest.raises(ArtifactError, match="unknown format 'hologram'; a newer version"):
        load(foreign("newer.parquet"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_not_called_damaged(frame, tmp_path):
    save(frame, tmp_path / "frame.parquet")
    (tmp_path / "frame.parquet").chmod(0)
    with pytest.raises(PermissionError):
        load(tmp_path / "frame.parquet")


class Bomb:
    """Whoever unpickles it leaves a mark."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


@pytest.mark.parametrize("suffix", [".parquet", ".safetensors"])
@pytest.mark.parametrize("write", [pickle.dump, torch.save], ids=["pickle", "torch"])
def test_a_pickle_is_refused_and_not_run(tmp_path, suffix, write):
    mark, path = tmp_path / "exploded", tmp_path / f"bomb{suffix}"
    with path.open("wb") as opened:
        write(Bomb(mark), opened)
    with pytest.raises(ArtifactError, match="bomb"):
        load(path)
    assert not mark.exists()
