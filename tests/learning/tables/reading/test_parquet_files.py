"""A folder of Parquet files is one table where their schemas differ in what does not matter, and this is told."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from classification_assets.learning.preparation.checks import read_as_meant
from classification_assets.learning.preparation.profile import Profile
from classification_assets.learning.tables import rows
from tests.learning.tables.people import people, split_of, table_of

FRAME = people().assign(since=lambda frame: pd.to_datetime(frame["since"])).dropna().reset_index(drop=True)


@pytest.fixture(autouse=True)
def _parts(folder):
    Path("parts").mkdir()


def parts(*tables):
    """A folder in which each table is a file."""
    for number, table in enumerate(tables, start=1):
        pq.write_table(table, f"parts/{number}.parquet")
    return "parts"


def halves():
    table = pa.Table.from_pandas(FRAME)
    return table[:60], table[60:]


def retyped(table, **types):
    """A table some of whose columns are of another type."""
    return table.cast(
        pa.schema([field.with_type(types.get(field.name, field.type)) for field in table.schema])
    )


DIFFER = {
    "nothing": (lambda table: table, None),
    "order": (lambda table: table.select(table.schema.names[::-1]), None),
    "nullability": (
        lambda table: table.cast(pa.schema([field.with_nullable(False) for field in table.schema])),
        None,
    ),
    "metadata": (lambda table: table.replace_schema_metadata({"made": "elsewhere"}), None),
    "large words": (lambda table: retyped(table, town=pa.large_string()), None),
    "views": (lambda table: retyped(table, town=pa.string_view()), None),
    "dictionary": (lambda table: retyped(table, town=pa.dictionary(pa.int8(), pa.string())), None),
    "small numbers": (lambda table: retyped(table, children=pa.int8()), "int8 in .*2.parquet: read as int64"),
    "other numbers": (
        lambda table: retyped(table, children=pa.float64()),
        "double in .*2.parquet: read as double",
    ),
    "decimals": (lambda table: retyped(table, children=pa.decimal128(21, 2)), r"decimal.* read as double"),
    "time units": (
        lambda table: retyped(table, since=pa.timestamp("ms")),
        r"timestamp\[ms\].* as timestamp\[us\]",
    ),
    "days": (lambda table: retyped(table, since=pa.date32()), r"date32.* read as timestamp\[us\]"),
}


@pytest.mark.parametrize("how", DIFFER)
@pytest.mark.parametrize("first", [True, False])
def test_files_that_differ_in_what_does_not_matter_are_one_table(how, first):
    change, told = DIFFER[how]
    one, two = halves()
    table = table_of(parts(change(one), two) if first else parts(one, change(two)), id="id")
    read = table.frame[list(FRAME.columns)].assign(since=pd.to_datetime(table.frame["since"]))
    pd.testing.assert_frame_equal(read.astype({"town": str}), FRAME.astype({"town": str}), check_dtype=False)
    notes = "; ".join(table.source.notes)
    pd.testing.assert_series_equal(
        pd.Series([notes]).str.contains((told or "^$").replace("2.par", r"\d.par")), pd.Series([True])
    )
    assert read_as_meant(Profile.of(table))[1].startswith(notes)


@pytest.mark.parametrize("column", ["age", "town", "member", "since"])
@pytest.mark.parametrize("gap", [pa.null(), pa.float64(), pa.int32(), pa.string()])
@pytest.mark.parametrize("first", [True, False])
def test_a_column_without_a_value_in_one_file_is_what_it_is_in_the_others(column, gap, first):
    one, two = halves()
    values = pa.array(np.full(len(two), np.nan)) if gap == pa.float64() else pa.nulls(len(two), gap)
    empty = two.set_column(two.schema.names.index(column), column, values)
    kinds = {
        "age": "numeric",
        "town": "categorical",
        "member": "boolean",
        "since": "date",
        "children": "numeric",
    }
    table = table_of(parts(empty, one) if first else parts(one, empty), id="id")
    assert table.kinds() == kinds
    assert table.frame[column].isna().sum() == len(two)


@pytest.mark.parametrize("batch", [rows.BATCH, 7])
def test_a_new_column_is_missing_where_it_was_not_known(monkeypatch, batch):
    monkeypatch.setattr(rows, "BATCH", batch)
    one, two = halves()
    table = table_of(parts(one.drop_columns("age"), one.drop_columns("member"), two), id="id")
    assert len(table.rows.column("age")) == table.rows.n_rows == 60 + len(FRAME)
    assert table.rows.column("age").null_count == table.rows.column("member").null_count == 60
    assert [note.rpartition("/")[2] for note in table.source.notes] == ["2.parquet", "1.parquet"]
    assert table.source.notes[1].startswith("column 'age' is missing in ")


def test_the_folds_and_keys_of_files_that_agree_do_not_change_with_a_type():
    one, two = halves()
    same = split_of(parts(one, two), id="id")
    other = split_of(parts(one, retyped(two, children=pa.float64(), town=pa.large_string())), id="id")
    np.testing.assert_array_equal(other.X, same.X)
    np.testing.assert_array_equal(other.fold, same.fold)
    np.testing.assert_array_equal(other.keys, same.keys)


@pytest.mark.parametrize(
    ("column", "values", "told"),
    [
        ("age", pa.array(["old"] * 60), "'age' holds string, and double in"),
        ("town", pa.array(range(60)), "'town' holds int64, and large_string in"),
        ("member", pa.array(["yes"] * 60), "'member' holds string, and bool in"),
        ("since", pa.array([0] * 60, pa.timestamp("us", "UTC")), "tz=UTC.*, and timestamp"),
        ("age", pa.array([[1.0]] * 60), "'age' holds list<.*, and double in"),
    ],
)
def test_what_matters_is_refused_with_both_files_names(column, values, told):
    one, two = halves()
    index = two.schema.names.index(column)
    other = two.set_column(index, column, values[: len(two)])
    with pytest.raises(ValueError, match=rf"parts/2\.parquet: column .*{told}.*parts/1\.parquet; write both"):
        table_of(parts(one, other), id="id")


def test_a_file_without_labels_is_refused():
    one, two = halves()
    with pytest.raises(ValueError, match=r"1\.parquet: there is no column 'label', which .*2\.parquet has"):
        table_of(parts(one.drop_columns("label"), two), id="id")
