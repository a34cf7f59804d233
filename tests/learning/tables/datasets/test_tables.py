"""Tables of one's own: every format reads alike, columns have roles, and what is read is known by its content."""

import datetime as dt
import gzip
import os
import zipfile
from decimal import Decimal
from pathlib import Path

import fsspec
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import TypeAdapter, ValidationError

from classification_assets.learning.artifacts.storage import load, save
from classification_assets.learning.preparation.checks import labels_complete
from classification_assets.learning.preparation.folds import Fold, Folds
from classification_assets.learning.preparation.profile import Profile
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.tables import rows
from classification_assets.learning.tables.datasets import AnyDataset, ShippedTable, TableFunction
from classification_assets.learning.tables.reading import json_lines
from classification_assets.learning.tables.reading import text_files as text
from classification_assets.learning.tables.reading.location import ENVIRONMENT
from classification_assets.learning.tables.table import Table
from tests.learning.tables.people import people, split_of, table_of, write

pytestmark = pytest.mark.usefixtures("folder")

any_dataset = TypeAdapter(AnyDataset)


# Formats


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
    monkeypatch.setattr(text, "LONGEST", 2**10)
    large = table_of(name, **declared)
    assert isinstance(small.rows, rows.MemoryRows) or test
    assert isinstance(large.rows, rows.ParquetRows) or test
    assert large.rows.schema == small.rows.schema
    pd.testing.assert_frame_equal(large.frame, small.frame)


def test_a_late_word_among_numbers_is_found_in_a_large_text_too(monkeypatch):
    monkeypatch.setattr(rows, "HELD_BYTES", 1000)
    monkeypatch.setattr(text, "LONGEST", 2**10)
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


def test_separator_encoding_and_words_for_missing_can_be_declared():
    people().astype(object).fillna("unknown").to_csv("a.csv", index=False, sep=";", encoding="latin-1")
    found = split_of("a.csv", id="id", separator=";", encoding="latin-1", missing=["unknown"])
    np.testing.assert_array_equal(found.X, split_of(write("b.csv"), id="id").X)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_a_byte_order_mark_is_no_part_of_the_first_name(name, encoding, folder):
    written = (folder / write(name)).read_text("utf-8")
    (folder / name).write_bytes(("\ufeff" * (encoding != "utf-16") + written).encode(encoding))
    assert table_of(name, id="id", encoding=encoding).rows.names == list(people())


def test_what_words_mean():
    with open("a.csv", "w") as opened:
        opened.write("zip, n,x,flag,day,at,word,label\n")
        for row in range(40):
            opened.write(
                f"0{row % 3}12, +{row},{row}.5e1,{'TRUE' if row % 2 else 'false'},2024-02-0{1 + row % 9},"
                f"2024-02-29T12:30:00Z, x{row % 2} ,{'01' if row % 2 else '02'}\n"
            )
    types = {field.name: str(field.type) for field in table_of("a.csv").rows.schema}
    assert types == {
        "zip": "string",
        "n": "int64",
        "x": "double",
        "flag": "bool",
        "day": "date32[day]",
        "at": "timestamp[us]",
        "word": "string",
        "label": "string",
    }
    frame = table_of("a.csv").frame
    assert frame["zip"][0] == "0012"
    assert frame["word"].unique().tolist() == ["x0", "x1"]
    assert frame["label"].unique().tolist() == ["02", "01"]


def test_json_lines_may_leave_out_what_is_missing():
    with open("a.jsonl", "w") as opened:
        opened.writelines(f'{{"x": {row}, "label": "{"ab"[row % 2]}"}}\n' for row in range(30))
        opened.write('{"x": 1.5, "label": "a", "new": "seen once"}\n\n')
    frame = table_of("a.jsonl").frame
    assert frame["x"].tolist() == [*range(30), 1.5]
    assert frame["new"].notna().sum() == 1


# Labels


@pytest.mark.parametrize(
    "labels",
    [
        ["no", "yes"],
        [3, 7],
        [False, True],
        [1.0, 2.0],
        [dt.date(2020, 1, 1), dt.date(2021, 5, 4)],
        [dt.datetime(2020, 1, 1, 12), dt.datetime(2021, 5, 4, 6, 30)],
    ],
)
def test_labels_come_back_as_they_were_after_storing_too(labels, tmp_path):
    column = [labels[row % 2] for row in range(60)]
    pq.write_table(pa.table({"x": np.arange(60.0), "label": column}), "a.parquet")
    split = split_of("a.parquet")
    save(split, tmp_path / "split.parquet")
    again = load(tmp_path / "split.parquet")
    for classes in (split.classes, again.classes):
        assert classes == labels
        assert [type(label) for label in classes] == [type(label) for label in labels]
    assert [split.classes[code] for code in split.y] == column


def test_rows_without_a_label_are_left_out_and_counted():
    frame = people()
    frame.loc[[2, 9], "label"] = None
    for name in ("a.csv", "a.parquet"):
        table = table_of(write(name, frame), id="id")
        assert table.rows.n_rows == 118
        assert table.source["without_label"] == 2
        assert "p002" not in table.frame["id"].tolist()
        assert Split.of(table, Folds()).X.shape == (118, 5)


def test_a_class_whose_name_says_that_it_is_missing_is_told_and_can_be_kept():
    frame = people().assign(label=["low", "none", "high"] * 40)
    table = table_of(write("a.csv", frame), id="id")
    passed, sentence = labels_complete(Profile.of(table))
    assert not passed
    assert sentence.startswith("40 of 120 rows have no label and were left out; these words say that")
    assert "None none; if one is a class, list only the others in the YAML (missing: [''])" in sentence
    assert table_of("a.csv", id="id", missing=[""]).labels()[0] == ["high", "low", "none"]
    frame.loc[frame["label"] == "none", "label"] = None
    assert labels_complete(Profile.of(table_of(write("a.parquet", frame), id="id")))[1].endswith(
        "were left out"
    )


@pytest.mark.parametrize("name", ["a.csv.parquet", "parts.csv"])
def test_words_for_missing_are_told_where_the_file_has_some_whatever_its_name(name, folder):
    frame = people()
    frame.loc[2, "label"] = None
    os.rename(write("b.csv", frame), "a.data")
    assert "these words say" in labels_complete(Profile.of(table_of("a.data", id="id", format="csv")))[1]
    if name == "parts.csv":
        (folder / name).mkdir()
        frame.to_parquet(folder / name / "1.parquet")
    else:
        frame.to_parquet(name)
    assert (
        labels_complete(Profile.of(table_of(name, id="id")))[1]
        == "1 of 120 rows have no label and were left out"
    )


# Roles


def test_columns_with_a_role_are_no_features():
    frame = people().assign(w=1.5, clinic=np.arange(120) % 30, noise=0)
    split = split_of(write("a.csv", frame), id="id", weight="w", group="clinic", drop=["noise"])
    assert split.preprocessing.names == ("age", "town", "member", "since", "children")
    assert (split.weight == 1.5).all()
    clinic = frame["clinic"].to_numpy()
    assert not set(clinic[split.rows(Fold.TRAIN)]) & set(clinic[split.rows(Fold.TEST)])


def test_the_features_may_be_named():
    assert split_of(write("a.csv"), features=["town", "age"]).preprocessing.names == ("town", "age")


def test_the_newest_rows_test_where_a_column_holds_the_time():
    split = split_of(write("a.csv"), id="id", time="since")
    assert (np.diff(split.fold) >= 0).all()
    assert (np.diff(split.timestamp) >= 0).all()
    assert "since" not in split.preprocessing.names


def test_time_may_be_a_decimal_number():
    frame = people().assign(own=[Decimal(number) for number in range(120)])
    assert (np.diff(split_of(write("a.parquet", frame), id="id", time="own").fold) >= 0).all()


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        (
            {"target": "lable"},
            r"a\.csv: target: there is no column 'lable'; did you mean 'label'\? there are: 'id'",
        ),
        ({"drop": ["x"]}, r"drop: there is no column 'x'"),
        ({"columns": {"towns": "categorical"}}, r"columns: there is no column 'towns'; did you mean 'town'"),
        ({"weight": "w"}, r"weight: there is no column 'w'"),
        (
            {"drop": ["id", "age", "town", "member", "since", "children"]},
            "no column is left to predict 'label'",
        ),
        ({}, r"column 'id' looks like a name or free text.*drop: \[id\]"),
        (
            {"id": "id", "weight": "children", "group": "since", "columns": {"town": "numeric"}},
            "'town' holds numbers",
        ),
        ({"id": "id", "group": "member"}, r"a\.csv: rows of a group stay together.* 2 are there"),
    ],
)
def test_a_role_that_does_not_fit_the_table_is_told(declared, words):
    write("a.csv")
    with pytest.raises(ValueError, match=words):
        split_of("a.csv", **declared)


@pytest.mark.parametrize(
    ("declared", "field", "words"),
    [
        ({"group": "a", "time": "b"}, "time", "by `group` or by `time`, not by both"),
        ({"id": "label"}, "target", "the column 'label' has two roles"),
        ({"features": ["label"]}, "features", "the column 'label' has another role"),
        ({"features": ["x", "x"]}, "features", "the column 'x' is named twice"),
        ({"drop": ["x", "label"]}, "drop", "'label' is the target"),
        ({"test": "a.csv"}, "test", "the test fold's file is the table's own"),
        ({"columns": {"x": "word"}}, "columns", "'numeric', 'categorical', 'boolean' or 'date'"),
        ({"encoding": "utf-9"}, "encoding", "no encoding 'utf-9'"),
        ({"pathh": 1}, "pathh", "did you mean 'path'"),
    ],
)
def test_a_declaration_that_contradicts_itself_is_refused(declared, field, words):
    with pytest.raises(ValidationError) as raised:
        any_dataset.validate_python({"kind": "table", "path": "a.csv"} | declared)
    (error,) = raised.value.errors()
    assert field in error["loc"]
    assert words in error["msg"]


@pytest.mark.parametrize(
    ("value", "words"), [(-1.0, "row 4: a weight is a number not below 0"), (None, "row 4")]
)
def test_a_weight_that_is_none_is_named_with_its_row(value, words):
    frame = people().assign(w=1.0)
    frame.loc[4, "w"] = value
    with pytest.raises(ValueError, match=f"column 'w', {words}"):
        split_of(write("a.parquet", frame), id="id", weight="w")


@pytest.mark.parametrize(
    ("value", "words"),
    [("heavy", "a number, however: column 'w', row 0: 'heavy'"), (np.inf, "a finite number")],
)
def test_what_is_no_weight_is_called_one(value, words):
    frame = people().assign(w=["1"] * 120 if value == "heavy" else 1.0)
    frame.loc[0, "w"] = value
    with pytest.raises(ValueError, match=f"a.parquet: every weight must be {words}") as refused:
        split_of(write("a.parquet", frame), id="id", weight="w")
    assert "leave it empty" not in str(refused.value)


@pytest.mark.parametrize("role", ["group", "time"])
def test_a_group_or_time_that_is_missing_is_named_with_its_row(role):
    frame = people().assign(own=np.arange(120.0))
    frame.loc[6, "own"] = None
    with pytest.raises(ValueError, match=rf"a\.parquet: column 'own', row 6 has no {role}"):
        split_of(write("a.parquet", frame), id="id", **{role: "own"})


def test_rows_are_named_as_the_table_counts_them_and_how_it_does_is_told():
    frame = people().astype({"children": float})
    frame.loc[20, "children"] = 1e39
    with pytest.raises(ValueError, match=r"row 80: 1e\+39 .*\(row 60 is the first of t\.csv\)"):
        split_of(write("a.csv", people(60)), id="id", test=write("t.csv", frame))
    frame.loc[:4, "label"] = None
    with pytest.raises(ValueError, match=r"row 15: 1e\+39 .*\(the 5 rows without a label are not counted\)"):
        split_of(write("a.csv", frame), id="id")
    with pytest.raises(ValueError, match="looks like a name") as refused:
        split_of(write("a.csv"))
    assert "counted" not in str(refused.value)


# Content


def test_the_same_content_has_the_same_fingerprint_and_other_content_another():
    first = table_of(write("a.csv")).source["sha256"]
    os.utime("a.csv", (0, 0))
    assert table_of("a.csv").source["sha256"] == first
    assert table_of(write("a.csv", people(seed=1))).source["sha256"] != first


def test_a_table_knows_no_truth():
    split = split_of(write("a.csv"), id="id")
    assert split.posterior(split.X) is None


# Where a table may lie


def test_an_absolute_path_is_read_wherever_it_is(folder, tmp_path_factory):
    there = tmp_path_factory.mktemp("elsewhere") / "a.csv"
    people().to_csv(there, index=False)
    assert table_of(there).rows.n_rows == 120


def test_a_relative_path_may_not_lead_out_and_the_message_says_how_to_mean_it(folder, tmp_path_factory):
    there = tmp_path_factory.mktemp("elsewhere") / "a.csv"
    people().to_csv(there, index=False)
    (folder / "link.csv").symlink_to(there)
    for path in (os.path.relpath(there), "link.csv"):
        with pytest.raises(
            ValueError, match=f"leads out of .*if it is meant, write the absolute path: {there}"
        ):
            table_of(path)


def test_where_folders_are_listed_nothing_outside_of_them_is_read(folder, monkeypatch):
    (folder / "data").mkdir()
    inside, outside = write("data/a.csv".replace("data/", "")), "b.csv"
    os.rename(inside, "data/a.csv")
    write(outside)
    monkeypatch.setenv(ENVIRONMENT, f"{folder / 'data'}, memory://shop")
    with fsspec.open("memory://shop/c.csv", "wb") as opened:
        opened.write(people().to_csv(index=False).encode())
    assert table_of("data/a.csv").rows.n_rows == 120
    assert table_of("memory://shop/c.csv").rows.n_rows == 120
    for path in (
        "b.csv",
        str(folder / "b.csv"),
        "memory://shop2/c.csv",
        "memory://shop/../x.csv",
        "data/../b.csv",
    ):
        with pytest.raises(ValueError, match=f"{ENVIRONMENT}"):
            table_of(path)


def test_what_is_not_there_or_no_file_is_named(folder):
    with pytest.raises(FileNotFoundError, match=r"b\.csv: there is no such file or folder"):
        table_of("b.csv")
    (folder / "empty").mkdir()
    with pytest.raises(ValueError, match="a folder is read if it holds Parquet files"):
        table_of("empty")
    os.mkfifo("pipe.csv")
    with pytest.raises(ValueError, match=r"pipe\.csv: is neither a file nor a folder"):
        table_of("pipe.csv")


# The other kinds


@pytest.mark.parametrize(
    ("name", "rows", "classes"),
    [
        ("iris", 150, ["setosa", "versicolor", "virginica"]),
        ("wine", 178, ["class_0", "class_1", "class_2"]),
        ("breast_cancer", 569, ["benign", "malignant"]),
        ("digits", 1797, list(range(10))),
    ],
)
def test_scikit_learns_tables_have_their_labels(name, rows, classes):
    split = Split.of(Table.of(any_dataset.validate_python({"kind": "sklearn", "name": name})), Folds())
    assert len(split.y) == rows
    assert split.classes == classes
    assert isinstance(ShippedTable(name=name).sample(), pd.DataFrame)


def make(n=90, kind="pandas"):
    frame = people(n).drop(columns="id").rename(columns={"label": "outcome"})
    if kind == "categories of polars":
        return pl.from_pandas(frame).cast({"town": pl.Categorical, "outcome": pl.Enum(["low", "high"])})
    return {"pandas": frame, "polars": pl.from_pandas(frame), "arrow": pa.Table.from_pandas(frame)}[kind]


def gaps_among_the_categories():
    codes = pa.array([0, 1, 2] * 30, pa.int8())
    town = pa.DictionaryArray.from_arrays(codes, pa.array(["Oslo", None, "Rome"]))
    return pa.table({"town": town, "age": np.arange(90.0), "label": town.take(codes)})


def one_number():
    return 1


def one_column():
    return pl.Series([1, 2])


def complex_numbers():
    return pd.DataFrame({"x": [1j, 2j], "label": ["a", "b"]})


def intervals():
    return pd.DataFrame({"x": pd.cut(np.arange(60.0), 4), "label": ["a", "b"] * 30})


@pytest.fixture
def importable(folder, monkeypatch):
    """A module of a person's own, which makes what this file's functions make."""
    monkeypatch.setitem(__import__("sys").modules, "own_tables", __import__("types").ModuleType("own_tables"))
    module = __import__("own_tables")
    module.make, module.one_number, module.nothing = make, one_number, 3
    module.gaps_among_the_categories = gaps_among_the_categories
    module.one_column, module.complex_numbers, module.intervals = one_column, complex_numbers, intervals


@pytest.mark.parametrize("kind", ["pandas", "polars", "categories of polars", "arrow"])
def test_a_function_may_return_any_frame(kind, importable):
    declared = TableFunction(path="own_tables:make", target="outcome", arguments={"n": 80, "kind": kind})
    split = Split.of(Table.of(declared), Folds())
    assert split.X.shape == (80, 5)
    assert split.classes == ["high", "low"]


def test_a_value_may_be_missing_within_a_dictionary(importable, folder):
    table = Table.of(TableFunction(path="own_tables:gaps_among_the_categories"))
    assert table.source["without_label"] == 30
    assert table.rows.column("town").null_count == 0
    whole = Table.of(TableFunction(path="own_tables:gaps_among_the_categories", target="age"))
    assert whole.rows.column("town").null_count == 30
    save(whole, folder / "dataset.parquet")
    assert load(folder / "dataset.parquet").rows.column("town").null_count == 30


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("own_tables:one_number", "a pandas or polars frame or an Arrow table is needed, however: int"),
        ("own_tables:one_column", "a Series does not become a table"),
        (
            "own_tables:complex_numbers",
            "column 'x' holds values of several types, or of one that no table holds",
        ),
        ("own_tables:intervals", "own_tables:intervals: column 'x' holds extension<pandas.interval"),
        ("own_tables:nothing", "names 3, which cannot be called"),
        ("own_tables:lost", "names nothing"),
        ("no_such_module:make", "No module named 'no_such_module'"),
    ],
)
def test_a_function_that_gives_no_frame_is_named(path, words, importable):
    with pytest.raises(ValueError, match=words):
        Table.of(TableFunction(path=path)).kinds()


def test_an_import_path_that_is_none_is_refused():
    with pytest.raises(ValidationError, match=r"package\.module:name, however: 'make'"):
        TableFunction(path="make")


def test_zip_files_hold_one_table():
    with zipfile.ZipFile("a.csv.zip", "w") as archive:
        archive.writestr("1.csv", "a,b\n")
        archive.writestr("2.csv", "a,b\n")
    with pytest.raises(ValueError, match="a zip file must hold one file, however: 2"):
        table_of("a.csv.zip")
