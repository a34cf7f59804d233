"""A large table: what training takes beside it, and how its time grows with the rows.

Each measurement is a process of its own, for a peak of memory is a process's.
"""

import json
import os

from tests.benchmarks.measure import Clock, Reach, growth, python

ROWS = [50_000, 500_000, int(os.environ.get("BENCHMARK_ROWS", "5_000_000"))]
FEATURES, MEMBERS = 20, 8

ONE_EPOCH = f"""
import json, sys, time
import numpy as np
from classification_assets.learning.models.fit import fit
from classification_assets.learning.models.architectures import MLP
from classification_assets.learning.packed.options import Training
from classification_assets.learning.preparation.split import Split

def split(n_rows):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_rows, {FEATURES}), np.float32)
    y = (X[:, 0] + X[:, 1] > 0).astype(np.int64)
    fold = (rng.integers(20, size=n_rows, dtype=np.int8) == 0).astype(np.int8)
    return Split.of_arrays(X, y, fold, names=[f"x{{index}}" for index in range({FEATURES})])

def fit(rows):
    training = Training(members={MEMBERS}, max_epochs=1, batch_size=1024)
    fit(MLP(hidden=(32, 32)), rows, training)

def peak():
    # Not ru_maxrss, which a process inherits from the one that started it.
    (line,) = [line for line in open("/proc/self/status") if line.startswith("VmHWM")]
    return 1024 * int(line.split()[1])

fit(split(5_000))
before = peak()
rows = split(int(sys.argv[1]))
started = time.perf_counter()
fit(rows)
print(json.dumps([time.perf_counter() - started, peak() - before]))
"""


def test_one_epoch_of_a_large_table_takes_linear_time_and_little_memory(benchmark, report):
    def measure() -> tuple[Clock, int]:
        clock, bytes_above = Clock(), 0
        for n_rows in ROWS:
            for _ in range(3 if n_rows < 1_000_000 else 1):
                seconds, bytes_above = json.loads(python(ONE_EPOCH, str(n_rows)))
                clock.note(str(n_rows), seconds, None)
        return clock, bytes_above

    clock, peak = benchmark.pedantic(measure)
    seconds = [clock.seconds[str(n_rows)] for n_rows in ROWS]
    benchmark.extra_info.update(rows_seconds=dict(zip(ROWS, seconds, strict=True)), peak_bytes=peak)
    work = f"one epoch of {ROWS[-1]:,} × {FEATURES}, {MEMBERS} members"
    report(*growth(work, "time", ROWS, FEATURES, seconds, peak, Reach(most=2.5)))
