"""An artifact is published whole or not at all, whatever happens to the process that writes it."""

import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from classification_assets.learning.artifacts.storage import load, save, stage


@pytest.fixture
def frame():
    return pd.DataFrame({"name": ["a", "ü", "c"], "n": [1, 2, 3]})


def test_a_stored_artifact_leaves_nothing_else_in_its_folder(frame, tmp_path):
    save(frame, tmp_path / "frame.parquet")
    assert [path.name for path in tmp_path.iterdir()] == ["frame.parquet"]


def test_a_staged_artifact_is_not_published_yet(frame, tmp_path):
    save(frame, tmp_path / "frame.parquet")
    staged = stage(frame.assign(n=0), tmp_path / "frame.parquet")
    pd.testing.assert_frame_equal(load(tmp_path / "frame.parquet"), frame)
    staged.publish()
    pd.testing.assert_frame_equal(load(tmp_path / "frame.parquet"), frame.assign(n=0))


NURSERY = """
import os
import sys

import numpy as np
import pandas as pd
from classification_assets.learning.artifacts import storage

path = sys.argv[1]
for _ in sys.stdin:
    child = os.fork()
    if child == 0:
        generation = 0
        while True:
            generation += 1
            noise = np.random.default_rng(generation).random(200_000)
            storage.save(pd.DataFrame({"generation": generation, "noise": noise}), path)
    print(child, flush=True)
    os.waitpid(child, 0)
    print("reaped", flush=True)
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """A folder in which twelve processes were killed while they stored an artifact again and again.

    The artifact's path; whether it could be read whole after each kill; partial files seen; what the next run left.
    """
    path = tmp_path_factory.mktemp("killed") / "big.parquet"
    save(pd.DataFrame({"generation": 0, "noise": np.zeros(200_000)}), path)
    snapshots, whole, partial = random.Random(0), [], 0
    command = [sys.executable, "-c", NURSERY, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as nursery:
        for _ in range(12):
            nursery.stdin.write("\n")
            nursery.stdin.flush()
            child = int(nursery.stdout.readline())
            time.sleep(0.04 + 0.08 * snapshots.random())
            os.kill(child, signal.SIGKILL)
            nursery.stdout.readline()
            frame = load(path)
            whole.append(len(frame) == 200_000 and frame["generation"].nunique() == 1)
            partial += len(list(path.parent.glob(".partial-*")))
        nursery.stdin.close()
    save(pd.DataFrame({"generation": [1]}), path)
    return whole, partial, sorted(file.name for file in path.parent.iterdir())


def test_a_killed_process_leaves_the_last_good_artifact(killed):
    whole, _, _ = killed
    assert whole == [True] * 12


def test_a_later_run_removes_what_killed_ones_left_half_written(killed):
    _, partial, left = killed
    assert partial > 0
    assert left == ["big.parquet"]


def test_what_a_running_process_is_still_writing_is_left_alone(frame, tmp_path):
    theirs = tmp_path / f".partial-frame-{os.getppid()}-0123abcd.parquet"
    theirs.touch()
    save(frame, tmp_path / "frame.parquet")
    assert theirs.exists()


def test_what_was_left_of_another_artifact_is_not_touched(frame, tmp_path):
    other = tmp_path / ".partial-other-999999999-0123abcd.parquet"
    other.touch()
    save(frame, tmp_path / "frame.parquet")
    assert other.exists()


def test_two_writers_of_one_artifact_do_not_meet(frame, tmp_path):
    path = tmp_path / "frame.parquet"
    one, other = stage(frame, path), stage(frame.assign(n=0), path)
    other.publish()
    one.publish()
    pd.testing.assert_frame_equal(load(path), frame)
