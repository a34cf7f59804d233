"""Retrains that are killed at random moments leave registry, pointer and artifacts consistent; SOAK=200 takes long."""

import os
import subprocess
import sys
from pathlib import Path

SOAK = Path(__file__).with_name("soak.py")


def test_retrains_that_are_killed_at_random_moments_leave_everything_consistent(tmp_path):
    command = [sys.executable, str(SOAK), str(tmp_path), os.environ.get("SOAK", "6")]
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("CLASSIFICATION_ASSETS_")
    }
    environment |= {"PYTHONPATH": str(SOAK.parents[2]), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:]
    print(done.stdout.splitlines()[-1])
