"""What people really have in their files: a clear error before any work, or a way to go on that loses nothing."""

import csv
import gzip
import io
import json
import os
import zipfile
from pathlib import Path

import fsspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from classification_assets.learning.preparation.folds import Folds
from classification_assets.learning.preparation.profile import Profile
from classification_assets.learning.preparation.requirements import refuse_unfit
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.tables.datasets import TableFile
from classification_assets.learning.tables.reading import csv_files as delimited
from classification_assets.learning.tables.reading import json_lines, local_files
from classification_assets.learning.tables.reading import text_files as text
from classification_assets.learning.tables.table import Table


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def good(n=60):
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "age": rng.normal(40, 9, n).round(1),
            "town": rng.choice(["Oslo", "Rome"], n),
            "label": np.arange(n) % 2,
        }
    )


def lines(n=60):
    return good(n).to_csv(index=False).splitlines()


def written(content, path="a.csv"):
    data = content.encode() if isinstance(content, str) else content
    Path(path).write_bytes(data)
    return path


def used(path, **declared):
    """The table, as the data-set asset takes it."""
    table = Table.of(TableFile(path=path, **declared))
    refuse_unfit(table, Folds())
    return table


def refused(path, words, **declared):
    with pytest.raises(ValueError, match=words):
        used(path, **declared)


# Files


@pytest.mark.parametrize("path", ["a.csv", "a.jsonl", "a.parquet", "a.csv.gz"])
def test_an_empty_file_is_named(path):
    refused(written("", path), rf"{path}: is empty; a table has a header and rows")


def test_an_archive_of_nothing_is_empty_too():
    refused(
        written(gzip.compress(b""), "a.csv.gz"), r"a\.csv\.gz: the first line must hold the columns' names"
    )


@pytest.mark.parametrize("text", ["age,label\n", "age,label", "age,label\r\n\r\n"])
def test_a_header_alone_has_no_rows(text):
    refused(written(text), r"a\.csv: there is a header, but no rows below it")


def test_a_parquet_file_without_rows_is_named():
    good(0).to_parquet("a.parquet")
    refused("a.parquet", r"a\.parquet: there are columns, but no rows")


def test_another_encoding_is_told_with_the_line_and_goes_once_it_is_declared():
    text = "\n".join(lines()).replace("Oslo", "Zürich")
    written(text.encode("latin-1"))
    line = next(number for number, row in enumerate(lines(), start=1) if "Oslo" in row)
    refused("a.csv", rf"a\.csv: line {line} is not utf-8: byte b'\\xfc' near offset \d+; .*encoding: latin-1")
    assert "Zürich" in set(used("a.csv", encoding="latin-1").frame["town"])


def test_a_header_in_another_encoding_is_told_too():
    written("größe,label\n1,2\n".encode("latin-1"))
    refused("a.csv", r"line 1 is not utf-8: byte b'\\xf6'")


def test_utf_16_is_recognized():
    written("\n".join(lines()).encode("utf-16"))
    refused("a.csv", "is UTF-16, not utf-8: say encoding: utf-16")
    assert used("a.csv", encoding="utf-16").rows.n_rows == 60


def test_a_byte_order_mark_is_no_part_of_a_name():
    written("\n".join(lines()).encode("utf-8-sig"))
    assert used("a.csv").rows.names == ["age", "town", "label"]


def test_a_byte_order_mark_before_a_quotation_mark_is_no_part_of_a_name():
    text = good().to_csv(index=False, quoting=csv.QUOTE_ALL)
    assert used(written(b"\xef\xbb\xbf" + text.encode())).features == ("age", "town")


def test_a_byte_order_mark_before_json_is_no_part_of_it():
    content = good().to_json(orient="records", lines=True)
    assert used(written(b"\xef\xbb\xbf" + content.encode(), "a.jsonl")).features == ("age", "town")


def test_text_that_is_not_the_utf_16_it_is_said_to_be_is_named():
    refused(written("\n".join(lines())), r"a\.csv: is not utf-16: .*BOM", encoding="utf-16")


@pytest.mark.parametrize(
    ("extra", "count", "advice"),
    [(",more", 4, "holds ',' must be quoted"), ("", 2, "missing needs its ',' too")],
)
def test_a_row_with_too_many_or_too_few_values_is_named_by_its_line(extra, count, advice):
    rows = lines()
    rows[7] = rows[7] + extra if extra else rows[7].rpartition(",")[0]
    refused(written("\n".join(rows)), rf"a\.csv: line 8 has {count} values, the header 3: .*{advice}")


def test_columns_of_the_same_name_are_named():
    rows = ["age,town,age", *lines()[1:]]
    refused(
        written("\n".join(rows)),
        r"a\.csv: columns must have different names, however: 'age' is there 2 times",
    )
    table = pa.table([[1.0, 2.0], [3.0, 4.0]], names=["age", "age"])
    pq.write_table(table, "a.parquet")
    refused("a.parquet", "'age' is there 2 times")


def test_a_column_without_a_name_is_told():
    refused(written("a,,label\n1,2,3\n"), "every column needs a name, however: column 2 has none$")
    refused(written("a,label,\n1,2,\n"), r"column 3 has none \(does every line end with ','\? leave it out\)")


@pytest.mark.parametrize("separator", [None, ";"])
def test_a_line_for_excel_before_the_header_is_told(separator):
    path = written("sep=;\n" + "\n".join(lines()).replace(",", ";"))
    refused(
        path, "must hold the columns' names, however: 'sep=;', which only Excel reads", separator=separator
    )


def test_the_index_of_a_pandas_frame_is_no_feature():
    good().sort_values("label").to_parquet("a.parquet")
    assert "__index_level_0__" in pq.read_schema("a.parquet").names
    assert used("a.parquet").features == ("age", "town")
    refused(written(good().to_csv()), r"column 1 has none \(as pandas writes its index")


def test_names_that_are_the_projects_own_are_told():
    refused(written("__fold__,label\n1,2\n"), "no column may be named '__fold__': __fold__, __label__")


def test_another_separator_is_guessed_in_the_message():
    refused(written("\n".join(lines()).replace(",", ";")), "perhaps separator: ';' is right")


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
            r"line 2 must be an object with a value a column, however: '\[1, 2\]",
        ),
        ("a.jsonl", b'{"age": [1]}\n', r"line 1: 'age' must be one value, however: \[1\]"),
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
    refused("parts", r"2\.parquet: column 'age' holds .*string, in the first file double")
    good().drop(columns="town").to_parquet("parts/2.parquet")
    refused("parts", r"2\.parquet: there is no column 'town', which the first file has")


def test_a_folder_of_partitions_is_refused_since_their_key_would_be_lost():
    Path("parts/town=Oslo").mkdir(parents=True)
    good().to_parquet("parts/town=Oslo/1.parquet")
    refused("parts", "lies in a folder named key=value, whose key is not in the file")


# Size


def test_a_field_that_never_ends_is_an_error_and_takes_no_memory(monkeypatch):
    monkeypatch.setattr(text, "LONGEST", 2**16)
    rows = lines()
    rows[3] = '41,"never closed' + "x" * 2**18
    refused(
        written("\n".join(rows)),
        r"a\.csv: a row is longer than 65,536 bytes; is a quotation mark not closed\?",
    )
    written('{"age": "' + "x" * 2**18 + '"}\n', "a.jsonl")
    refused("a.jsonl", "line 1 is longer than 65,536 characters")


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


# Changes


def test_a_file_that_changes_while_it_is_read_is_told(monkeypatch):
    written("\n".join(lines()))
    open_csv = delimited.pa.csv.open_csv

    def read_and_change(*arguments):
        Path("a.csv").write_text("\n".join(lines(70)))
        return open_csv(*arguments)

    monkeypatch.setattr(delimited.pa.csv, "open_csv", read_and_change)
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
    open_csv = delimited.pa.csv.open_csv
    monkeypatch.setattr(delimited.pa.csv, "open_csv", lambda *arguments: (put(70), open_csv(*arguments))[1])
    refused("memory://changing/a.csv", "changed while it was read")


# Values


def test_a_column_without_any_value_serves_nothing_and_is_told():
    table = used(
        written("\n".join(f"{row}," if row != "age,town,label" else f"{row},none" for row in lines()))
    )
    split = Split.of(table, Folds())
    assert np.isnan(split.X[:, 2]).all()
    assert np.isfinite(split.preprocessing.features(split.X)).all()
    assert Profile.of(table).constant == ["none"]


@pytest.mark.parametrize("value", ["inf", "-Infinity", "1e999"])
def test_an_infinite_value_is_named_with_column_and_row(value):
    rows = lines()
    rows[6] = f"{value},{rows[6].partition(',')[2]}"
    refused(
        written("\n".join(rows)),
        r"a\.csv: every feature must be a finite number, however: column 'age', row 5: -?inf .*leave it empty",
    )


def test_a_word_among_numbers_is_named_and_may_be_declared_missing():
    rows = lines()
    rows[6] = f"unknown,{rows[6].partition(',')[2]}"
    refused(
        written("\n".join(rows)),
        r"column 'age' holds numbers, but not in row 5: 'unknown'.*missing: \[unknown\]",
    )
    assert used("a.csv", missing=["unknown"]).frame["age"].isna().sum() == 1


def test_an_empty_word_is_missing_whatever_else_is():
    rows = lines()
    rows[6], rows[7] = (
        f"{word},{row.partition(',')[2]}" for word, row in zip(["", "unknown"], rows[6:8], strict=True)
    )
    table = used(written("\n".join(rows)), missing=["unknown"])
    assert table.kinds()["age"] == "numeric"
    assert table.frame["age"].isna().sum() == 2


@pytest.mark.parametrize("number", ["{},5", "1,{}00", "-1.{}00,25", "{},000.5"])
def test_numbers_with_a_comma_are_not_taken_for_words(number):
    frame = good().assign(width=[number.format(1 + row % 9) for row in range(60)])
    frame.loc[3, "width"] = "7"
    path = written(frame.to_csv(index=False))
    refused(path, "column 'width' holds numbers with a comma, such as .*columns: {width: categorical}")
    refused(
        path, "column 'width' holds numbers with a comma, such as .*thousands$", columns={"width": "numeric"}
    )
    assert used(path, columns={"width": "categorical"}).kinds()["width"] == "categorical"


@pytest.mark.parametrize("day", ["{:02}.02.2024", "2/{}/2024 12:30", "{}-2-2024"])
def test_dates_with_the_year_at_the_end_are_not_taken_for_words(day):
    frame = good().assign(since=[day.format(1 + row % 28) for row in range(60)])
    path = written(frame.to_csv(index=False))
    refused(
        path,
        f"column 'since' holds dates such as '{day.format(1)}'; write the year first.*since: categorical",
    )
    assert used(path, columns={"since": "categorical"}).kinds()["since"] == "categorical"


def test_words_with_a_comma_in_some_are_words():
    frame = good().assign(rooms=["none", "12,14", "attic"] * 20)
    assert used(written(frame.to_csv(index=False))).kinds()["rooms"] == "categorical"


def test_a_word_among_the_numbers_of_json_is_named_as_in_csv():
    rows = good().to_json(orient="records", lines=True).splitlines()
    rows[5] = '{"age": "unknown", "town": "Rome", "label": 1}'
    path = written("\n".join(rows), "a.jsonl")
    refused(path, r"a\.jsonl: column 'age' holds numbers, but not in row 5: 'unknown'.*age: categorical")
    assert used(path, columns={"age": "categorical"}).kinds()["age"] == "categorical"


def test_json_of_several_types_in_a_column_becomes_words():
    rows = ['{"x": 1, "label": "a"}', '{"x": "one", "label": "b"}'] * 30
    assert set(used(written("\n".join(rows), "a.jsonl")).frame["x"]) == {"1", "one"}


@pytest.mark.parametrize("block", [2**15, 7])
@pytest.mark.parametrize("large", [2**60, 2**63, -(2**70)])
@pytest.mark.parametrize("other", [1, 1.5, None])
def test_whole_numbers_that_need_more_than_64_bits_are_numbers_in_json_too(monkeypatch, block, large, other):
    monkeypatch.setattr(json_lines, "LINES", block)
    values = [large if row in (3, 20) else other for row in range(60)]
    path = written(good().assign(x=pd.Series(values, dtype=object)).to_csv(index=False))
    rows = [json.dumps({"x": value, "label": row % 2}) for row, value in enumerate(values)]
    found = used(written("\n".join(rows), "a.jsonl"))
    assert found.kinds()["x"] == "numeric"
    pd.testing.assert_series_equal(found.frame["x"], used(path).frame["x"])


# Labels


def labelled(labels):
    return written(good(len(labels)).assign(label=labels).to_csv(index=False))


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (
            ["a"] * 60,
            r"a\.csv: column 'label': two classes or more are needed, however: all 60 rows have the label",
        ),
        (np.arange(60), "60 different numbers in 60 rows .*rather a quantity than classes"),
        ([f"c{row}" for row in range(60)], "every row has a label of its own"),
        (np.linspace(0, 1, 60), "Estimate it by regression"),
        ([f"c{row // 2}" for row in range(20_000)], "there are 10,000 classes, and at most 1,000"),
        (
            [f"c{row // 2}" for row in range(60)],
            "the validation fold would have 12 of 60 rows, fewer than the 30",
        ),
        ([None] * 60, "all 60 rows are without a label"),
    ],
)
def test_labels_that_are_no_classes_are_refused(labels, words):
    refused(labelled(labels), words)


@pytest.mark.parametrize("path", ["a.csv", "a.parquet"])
def test_many_numbers_may_be_declared_to_be_classes(path):
    frame = good(160).assign(label=np.arange(160) % 40)
    frame.to_parquet("a.parquet")
    frame.to_csv("a.csv", index=False)
    refused(path, r"rather a quantity than classes.*columns: \{<the target>: categorical\}")
    table = Table.of(TableFile(path=path, columns={"label": "categorical"}))
    refuse_unfit(table, Folds(validation=0.25, test=0.25))


@pytest.mark.parametrize("label", [np.inf, np.uint64(2**64 - 1)])
def test_a_number_that_could_not_be_stored_is_no_label(label):
    good().assign(label=np.array([1, label], type(label)).repeat(30)).to_parquet("a.parquet")
    refused("a.parquet", r"a.parquet: column 'label': a number that is a label is finite and below 2\^63")


@pytest.mark.parametrize("role", ["label", "pairs"])
def test_a_column_of_what_is_no_value_is_named(role):
    frame = good().assign(pairs=[[1, 2]] * 60)
    frame = frame if role == "pairs" else frame.assign(label=frame["pairs"]).drop(columns="pairs")
    frame.to_parquet("a.parquet")
    refused("a.parquet", f"a.parquet: column '{role}' holds list<")


def test_a_target_that_is_not_there_is_told_with_what_is():
    refused(
        written("\n".join(lines())),
        "target: there is no column 'Label'; did you mean 'label'",
        target="Label",
    )
