"""A large table goes through data set and split in batches: memory follows the encoded rows, not the file."""

import subprocess
import sys

import pytest

PROGRAM = """
import io, sys, threading, time
from pathlib import Path
import numpy as np, pyarrow as pa, pyarrow.compute as pc, pyarrow.csv, pyarrow.parquet as pq
import sklearn.model_selection, sklearn.tree
from classification_assets.learning.artifacts import storage
from classification_assets.learning.preparation import checks
from classification_assets.learning.preparation.profile import Profile
from classification_assets.learning.figures import displays
from classification_assets.learning.tables.datasets import TableFile
from classification_assets.learning.preparation.folds import Folds
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.tables.table import Table

FEATURES, BATCH, folder, ending = 30, 50_000, Path(sys.argv[1]), sys.argv[2]
TYPES = [pa.float32()] * FEATURES
if ending == "parquet":
    TYPES[-3:] = [pa.timestamp("us", "Europe/Zurich"), pa.decimal128(22, 3), pa.dictionary(pa.int32(), pa.string())]

def typed(numbers, type):
    if pa.types.is_float32(type):
        return pa.array(numbers)
    whole = pa.array((numbers * 1e6).astype(np.int64))
    if pa.types.is_dictionary(type):
        return pc.bit_wise_and(whole, 1023).cast(pa.string()).dictionary_encode()
    return pc.multiply(whole, 86_400).cast(type) if pa.types.is_timestamp(type) else whole.cast(type)

def resident():
    (line,) = [line for line in open("/proc/self/status") if line.startswith("VmRSS")]
    return int(line.split()[1]) * 1024

def watch():
    while True:
        peak[0] = max(peak[0], resident())
        time.sleep(0.002)

def written(n_rows):
    path, rng = folder / f"{n_rows}.{ending}", np.random.default_rng(0)
    schema = pa.schema([(f"x{number}", type) for number, type in enumerate(TYPES)] + [("label", pa.int64())])

    def batch():
        X = rng.normal(size=(FEATURES, BATCH)).astype(np.float32)
        return pa.table([*map(typed, X, TYPES), (X[0] > X[1]).astype(np.int64)], schema=schema)

    if ending == "parquet":
        with pq.ParquetWriter(path, schema) as writer:
            for _ in range(n_rows // BATCH):
                writer.write_table(batch())
    else:  # the same lines again and again: they are only read
        text = io.BytesIO()
        pa.csv.write_csv(batch(), text)
        header, _, lines = text.getvalue().partition(b"\\n")
        with path.open("wb") as file:
            file.write(header + b"\\n")
            for _ in range(n_rows // BATCH):
                file.write(lines)
    return path

def through(path):
    table = Table.of(TableFile(path=str(path)))
    if ending == "csv":
        return  # what follows reads its rows as it reads Parquet
    profile = Profile.of(table)
    for check in (*checks.dataset_checks(), *checks.table_checks()):
        check.judge(profile)
    displays.rows(table, "rows")
    storage.save(table, folder / "dataset.parquet")
    del table
    split = Split.of(storage.load(folder / "dataset.parquet"), Folds())
    displays.folds(split, "folds")
    storage.save(split, folder / "split.parquet")

peak = [0]
threading.Thread(target=watch, daemon=True).start()
peaks = []
sizes = [int(size) for size in sys.argv[3:]]
for n_rows in sizes:
    path = written(n_rows)
    peak[0] = 0
    through(path)
    peaks.append(peak[0])
print((peaks[1] - peaks[0]) / ((sizes[1] - sizes[0]) * FEATURES * 4))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
@pytest.mark.parametrize(("ending", "sizes"), [("parquet", (100_000, 800_000)), ("csv", (300_000, 800_000))])
def test_each_row_more_takes_less_than_twice_its_encoded_size(ending, sizes, tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, str(tmp_path), ending, *map(str, sizes)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert float(done.stdout) < 2
