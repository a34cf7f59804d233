"""A header and rows: names that differ, as many values a row as names."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.learning.tables.small_files import good, lines, refused, used, written

pytestmark = pytest.mark.usefixtures("folder")


@pytest.mark.parametrize("text", ["age,label\n", "age,label", "age,label\r\n\r\n"])
def test_a_header_alone_has_no_rows(text):
    refused(written(text), r"a\.csv: there is a header, but no rows below it")


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
        r"a\.csv: columns must have different names, but 'age' is there 2 times",
    )
    table = pa.table([[1.0, 2.0], [3.0, 4.0]], names=["age", "age"])
    pq.write_table(table, "a.parquet")
    refused("a.parquet", "'age' is there 2 times")


def test_a_column_without_a_name_is_told():
    refused(
        written("a,,label\n1,2,3\n"),
        "every column needs a name, but column 2 has none in line 1, 'a,,label'$",
    )
    refused(written("a,label,\n1,2,3\n"), "every column needs a name, but column 3 has none")


@pytest.mark.parametrize("separator", [None, ";"])
def test_a_line_for_excel_before_the_header_is_told(separator):
    path = written("sep=;\n" + "\n".join(lines()).replace(",", ";"))
    refused(path, "must hold the columns' names, got 'sep=;', which only Excel reads", separator=separator)


def test_the_index_of_a_pandas_frame_is_no_feature():
    good().sort_values("label").to_parquet("a.parquet")
    assert "__index_level_0__" in pq.read_schema("a.parquet").names
    assert used("a.parquet").features == ("age", "town")
    assert used(written(good().to_csv())).features == ("age", "town")


def test_names_that_are_the_projects_own_are_told():
    refused(written("__fold__,label\n1,2\n"), "no column may be named '__fold__': __fold__, __label__")


def test_another_separator_is_guessed_in_the_message():
    refused(written("\n".join(lines()).replace(",", ";")), "perhaps separator: ';' is right")
