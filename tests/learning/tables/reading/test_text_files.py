"""Text: its encoding, and rows and fields of any length."""

import csv

import numpy as np
import pytest

from classification_assets.learning.tables.reading import text_files
from tests.learning.tables.people import people, split_of, table_of, write
from tests.learning.tables.small_files import good, lines, refused, used, written

pytestmark = pytest.mark.usefixtures("folder")


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


def test_a_field_that_never_ends_is_an_error_and_takes_no_memory(monkeypatch):
    monkeypatch.setattr(text_files, "LONGEST", 2**16)
    rows = lines()
    rows[3] = '41,"never closed' + "x" * 2**18
    refused(
        written("\n".join(rows)),
        r"a\.csv: a row is longer than 65,536 bytes; is a quotation mark not closed\?",
    )
    written('{"age": "' + "x" * 2**18 + '"}\n', "a.jsonl")
    refused("a.jsonl", "line 1 is longer than 65,536 characters")


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
