"""Files that are no table, larger than they say, or changed while they are read."""

import gzip
import io
import os
import zipfile
from pathlib import Path

import fsspec
import pytest

from classification_assets.learning.tables.datasets import TableFile
from classification_assets.learning.tables.reading import csv_files, local_files
from classification_assets.learning.tables.table import Table
from tests.learning.tables.small_files import good, lines, refused, written

pytestmark = pytest.mark.usefixtures("folder")


@pytest.mark.parametrize("path", ["a.csv", "a.jsonl", "a.parquet", "a.csv.gz"])
def test_an_empty_file_is_named(path):
    refused(written("", path), rf"{path}: is empty; a table has a header and rows")


def test_an_archive_of_nothing_is_empty_too():
    refused(
        written(gzip.compress(b""), "a.csv.gz"), r"a\.csv\.gz: the first line must hold the columns' names"
    )


def test_a_parquet_file_without_rows_is_named():
    good(0).to_parquet("a.parquet")
    refused("a.parquet", r"a\.parquet: there are columns, but no rows")


@pytest.mark.parametrize(
    ("path", "content", "words"),
    [
        ("a.csv", b"PK\x03\x04 and so on", "is a zip or a spreadsheet, not text; export the sheet as CSV"),
        ("a.csv", b"age,label\n\0\0\0", "holds bytes of value 0, so it is no text"),
        ("a.xlsx", b"PK\x03\x04", "the ending does not say what it is"),
        ("a.parquet", b"PAR1 and then nothing", r"a\.parquet: is no Parquet file, or a damaged one"),
        ("a.csv.gz", b"age,label\n1,2\n", r"a\.csv\.gz: is damaged, or not compressed as its ending says"),
        ("a.csv.zst", b"age,label\n1,2\n", "is damaged, or not compressed"),
        ("a.csv.xz", b"age,label\n1,2\n", "is damaged, or not compressed"),
        ("a.csv.zip", b"age,label\n1,2\n", "is damaged, or not compressed"),
        ("a.csv.gz", gzip.compress(b"age,label\n" * 1000, mtime=0)[:-20], "is damaged, or not compressed"),
        ("a.jsonl", b'{"age": 1}\n{"age": }\n', r"a\.jsonl: line 2 is no JSON: .*\{\"age\": \}"),
        (
            "a.jsonl",
            b'{"age": 1}\n[1, 2]\n',
            r"line 2 must be an object with a value a column, got '\[1, 2\]",
        ),
        ("a.jsonl", b'{"age": [1]}\n', r"line 1: 'age' must be one value, got \[1\]"),
        ("a.jsonl", b'[{"age": 1},\n{"age": 2}]\n', r"a\.jsonl: is one JSON array.*lines=True"),
        (
            "a.jsonl",
            b'{"age": 1}\n{"age": 2, "b": 0, "age": 3}\n',
            r"a\.jsonl: line 2: 'age' is there 2 times: '\{",
        ),
        ("a.jsonl", b"\n\n", r"a\.jsonl: holds no rows; each line is an object"),
    ],
)
def test_what_is_no_table_is_named(path, content, words):
    refused(written(content, path), words)


def test_the_files_of_a_folder_must_agree():
    Path("parts").mkdir()
    good().to_parquet("parts/1.parquet")
    good().assign(age="old").to_parquet("parts/2.parquet")
    refused("parts", r"2\.parquet: column 'age' holds .*string, and double in .*1\.parquet")
    good().drop(columns="label").to_parquet("parts/2.parquet")
    refused("parts", r"2\.parquet: .*'label'")


def test_a_folder_of_partitions_is_refused_since_their_key_would_be_lost():
    Path("parts/town=Oslo").mkdir(parents=True)
    good().to_parquet("parts/town=Oslo/1.parquet")
    refused("parts", "lies in a folder named key=value, whose key is not in the file")


def test_a_zip_bomb_is_stopped_before_it_fills_the_disk(monkeypatch):
    monkeypatch.setattr(local_files, "LEAST_LIMIT", 2**20)
    bomb = b"age,label\n" + b"0,0\n" * 2**22
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", bomb)
    for path, content in (("a.csv.gz", gzip.compress(bomb)), ("a.csv.zip", packed.getvalue())):
        refused(
            written(content, path), rf"{path}: unpacks to more than 200 times its size, which no table does"
        )


def test_what_is_larger_than_the_disk_is_refused(monkeypatch):
    monkeypatch.setattr(local_files.shutil, "disk_usage", lambda folder: type("", (), {"free": 100})())
    refused(
        written(gzip.compress("\n".join(lines()).encode()), "a.csv.gz"), "needs more room than the 100 bytes"
    )


def test_a_file_that_changes_while_it_is_read_is_told(monkeypatch):
    written("\n".join(lines()))
    open_csv = csv_files.pa.csv.open_csv

    def read_and_change(*arguments):
        Path("a.csv").write_text("\n".join(lines(70)))
        return open_csv(*arguments)

    monkeypatch.setattr(csv_files.pa.csv, "open_csv", read_and_change)
    refused("a.csv", r"a\.csv: changed while it was read; nothing was stored: run again when it is complete")


@pytest.mark.parametrize("replaced", [True, False])
def test_a_parquet_file_that_changes_between_batches_is_told(replaced):
    good().to_parquet("a.parquet")
    table = Table.of(TableFile(path="a.parquet"))
    good(70).to_parquet("b.parquet" if replaced else "a.parquet")
    if replaced:
        os.replace("b.parquet", "a.parquet")
    with pytest.raises(ValueError, match=r"a\.parquet: changed while it was read|damaged|invalid"):
        table.labels()


def test_a_url_that_changes_is_told(monkeypatch):
    def put(n):
        with fsspec.open("memory://changing/a.csv", "wb") as opened:
            opened.write(good(n).to_csv(index=False).encode())

    put(60)
    open_csv = csv_files.pa.csv.open_csv
    monkeypatch.setattr(csv_files.pa.csv, "open_csv", lambda *arguments: (put(70), open_csv(*arguments))[1])
    refused("memory://changing/a.csv", "changed while it was read")
