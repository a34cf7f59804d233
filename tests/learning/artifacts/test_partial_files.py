"""What a killed process has left unpublished is removed, what a running one is writing is not, on whatever host."""

import os
import subprocess
import sys
import time

import pandas as pd
import pytest

from classification_assets.learning.artifacts import partial_files
from classification_assets.learning.artifacts.partial_files import ABANDONED_AFTER, is_abandoned, partial_name
from classification_assets.learning.artifacts.storage import save


@pytest.fixture
def ended():
    """The number of a process that is no more."""
    done = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], check=True, capture_output=True, text=True
    )
    return int(done.stdout)


def left_by(folder, pid=None, host=None, age=0.0):
    """A file as a process, this one or another, of this host or another, leaves it."""
    parts = partial_name("model", ".parquet").split("-")
    parts[-3:-1] = [host or parts[-3], str(pid or parts[-2])]
    file = folder / "-".join(parts)
    file.write_bytes(b"half")
    then = time.time() - age
    os.utime(file, (then, then))
    return file


def test_a_file_of_this_process_is_being_written(tmp_path):
    assert not is_abandoned(left_by(tmp_path, age=10 * ABANDONED_AFTER))


def test_a_file_of_a_running_process_is_being_written(tmp_path):
    assert not is_abandoned(left_by(tmp_path, pid=os.getppid(), age=10 * ABANDONED_AFTER))


def test_a_file_of_a_process_that_is_no_more_is_abandoned(tmp_path, ended):
    assert is_abandoned(left_by(tmp_path, pid=ended))


def test_of_another_hosts_file_only_its_age_tells(tmp_path, ended):
    assert not is_abandoned(left_by(tmp_path, pid=ended, host="elsewhere"))
    assert not is_abandoned(left_by(tmp_path, pid=os.getpid(), host="elsewhere", age=ABANDONED_AFTER - 60))
    assert is_abandoned(left_by(tmp_path, pid=os.getpid(), host="elsewhere", age=ABANDONED_AFTER + 60))


def test_a_hosts_name_with_hyphens_and_dots_is_told_apart(tmp_path, monkeypatch, ended):
    monkeypatch.setattr(partial_files.socket, "gethostname", lambda: "my-laptop.local")
    file = left_by(tmp_path, pid=ended)
    assert is_abandoned(file)
    monkeypatch.setattr(partial_files.socket, "gethostname", lambda: "other")
    assert not is_abandoned(file)


def test_a_file_of_an_earlier_version_goes_by_its_age(tmp_path):
    file = tmp_path / ".partial-model-1-0a0b0c0d.parquet"
    file.write_bytes(b"half")
    assert not is_abandoned(file)
    os.utime(file, (0, 0))
    assert is_abandoned(file)


def test_storing_removes_what_was_abandoned_and_nothing_else(tmp_path, ended):
    gone, stays = left_by(tmp_path, pid=ended), left_by(tmp_path, pid=os.getppid())
    other = tmp_path / ".partial-models-x-1-0a0b0c0d.parquet"
    other.write_bytes(b"of another artifact")
    save(pd.DataFrame({"a": [1]}), tmp_path / "model.parquet")
    assert not gone.exists()
    assert stays.exists()
    assert other.exists()
