"""Every format is read alike, wherever it lies and however large it is."""

import gzip
import os
import zipfile
from pathlib import Path

import fsspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from classification_assets.learning.artifacts.storage import load, save
from classification_assets.learning.tables import rows
from classification_assets.learning.tables.reading import json_lines, text_files
from tests.learning.tables.people import people, split_of, table_of, write

pytestmark = pytest.mark.usefixtures("folder")


@pytest.mark.parametrize(
    "name",
    ["a.tsv", "a.parquet", "a.jsonl", "a.csv.gz", "a.csv.bz2", "a.csv.xz", "a.csv.zip", "a.jsonl.gz"],
)
def test_every_format_gives_what_csv_gives(name):
    expected, found = split_of(write("a.csv"), id="id"), split_of(write(name), id="id")
    np.testing.assert_array_equal(found.X, expected.X)
    np.testing.assert_array_equal(found.y, expected.y)
    assert found.preprocessing == expected.preprocessing
    assert found.classes == expected.classes == ["high", "low"]


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.csv.gz"])
@pytest.mark.parametrize("test", [None, "t.csv", "t.jsonl"])
def test_a_text_too_large_for_memory_gives_what_a_small_one_gives(name, test, monkeypatch):
    declared = {"id": "id", "test": test and write(test, people(30, seed=1))}
    small = table_of(write(name), **declared)
    monkeypatch.setattr(rows, "HELD_BYTES", 1000)
    monkeypatch.setattr(rows, "BATCH", 7)
    monkeypatch.setattr(json_lines, "LINES", 11)
    monkeypatch.setattr(text_files, "LONGEST", 2**10)
    large = table_of(name, **declared)
    assert isinstance(small.rows, rows.MemoryRows) or test
    assert isinstance(large.rows, rows.ParquetRows) or test
    assert large.rows.schema == small.rows.schema
    pd.testing.assert_frame_equal(large.frame, small.frame)


def test_a_late_word_among_numbers_is_found_in_a_large_text_too(monkeypatch):
    monkeypatch.setattr(rows, "HELD_BYTES", 1000)
    monkeypatch.setattr(text_files, "LONGEST", 2**10)
    frame = people().astype({"children": object})
    frame.loc[110, "children"] = "many"
    with pytest.raises(
        ValueError, match=r"a\.csv: column 'children' holds numbers, but not in row 110: 'many'"
    ):
        table_of(write("a.csv", frame))


def test_zstandard_is_read():
    write("a.csv")
    with pa.CompressedOutputStream("b.csv.zst", "zstd") as packed:
        packed.write(Path("a.csv").read_bytes())
    np.testing.assert_array_equal(split_of("b.csv.zst", id="id").X, split_of("a.csv", id="id").X)


def test_a_folder_of_parquet_files_is_read_in_the_order_of_names(folder):
    frame = people()
    (folder / "parts").mkdir()
    frame[70:].to_parquet("parts/2.parquet")
    frame[:70].to_parquet("parts/1.parquet")
    (folder / "parts" / "_SUCCESS").touch()
    assert table_of("parts").frame["id"].tolist() == frame["id"].tolist()


def test_a_url_is_read():
    with fsspec.open("memory://shop/a.csv.gz", "wb") as opened:
        opened.write(gzip.compress(people().to_csv(index=False).encode()))
    np.testing.assert_array_equal(
        split_of("memory://shop/a.csv.gz", id="id").X, split_of(write("a.csv"), id="id").X
    )


def test_a_folder_elsewhere_is_read(folder):
    people().to_parquet("a.parquet")
    with fsspec.open("memory://parts/1.parquet", "wb") as opened:
        opened.write(Path("a.parquet").read_bytes())
    np.testing.assert_array_equal(split_of("memory://parts", id="id").X, split_of("a.parquet", id="id").X)
    np.testing.assert_array_equal(
        split_of(f"file://{folder}/a.parquet", id="id").X, split_of("a.parquet", id="id").X
    )


def test_parquet_may_hold_views_of_words(folder):
    frame = people().assign(clinic=np.arange(120) // 4).astype({"clinic": str})
    table = pa.Table.from_pandas(frame.assign(raw=b"x"))
    views = {
        pa.string(): pa.string_view(),
        pa.large_string(): pa.string_view(),
        pa.binary(): pa.binary_view(),
    }
    schema = pa.schema([field.with_type(views.get(field.type, field.type)) for field in table.schema])
    pq.write_table(table.cast(schema), "v.parquet")
    assert pq.read_schema("v.parquet").field("label").type == pa.string_view()
    declared = {"id": "id", "group": "clinic"}
    found = split_of("v.parquet", drop=["raw"], **declared)
    expected = split_of(write("a.parquet", frame), **declared)
    np.testing.assert_array_equal(found.X, expected.X)
    assert found.classes == expected.classes
    save(table_of("v.parquet", drop=["raw"], **declared), folder / "dataset.parquet")
    assert load(folder / "dataset.parquet").frame["town"].equals(frame["town"])


def test_an_ending_that_says_nothing_needs_the_format(folder):
    os.rename(write("a.csv"), "a.data")
    with pytest.raises(ValueError, match=r"a\.data: the ending does not say what it is; known are \.csv"):
        table_of("a.data")
    assert table_of("a.data", format="csv").rows.n_rows == 120


def test_json_lines_may_leave_out_what_is_missing():
    with open("a.jsonl", "w") as opened:
        opened.writelines(f'{{"x": {row}, "label": "{"ab"[row % 2]}"}}\n' for row in range(30))
        opened.write('{"x": 1.5, "label": "a", "new": "seen once"}\n\n')
    frame = table_of("a.jsonl").frame
    assert frame["x"].tolist() == [*range(30), 1.5]
    assert frame["new"].notna().sum() == 1


def test_the_same_content_has_the_same_fingerprint_and_other_content_another():
    first = table_of(write("a.csv")).source.sha256
    os.utime("a.csv", (0, 0))
    assert table_of("a.csv").source.sha256 == first
    assert table_of(write("a.csv", people(seed=1))).source.sha256 != first


def test_zip_files_hold_one_table():
    with zipfile.ZipFile("a.csv.zip", "w") as archive:
        archive.writestr("1.csv", "a,b\n")
        archive.writestr("2.csv", "a,b\n")
    with pytest.raises(ValueError, match="a zip file must hold one file, got 2"):
        table_of("a.csv.zip")
