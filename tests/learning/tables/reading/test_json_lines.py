"""JSON Lines has values of several types in a column, and numbers of any size."""

import json

import pandas as pd
import pytest

from classification_assets.learning.tables.reading import json_lines
from tests.learning.tables.small_files import good, refused, used, written

pytestmark = pytest.mark.usefixtures("folder")


def test_a_word_among_the_numbers_of_json_is_named_as_in_csv():
    rows = good().to_json(orient="records", lines=True).splitlines()
    rows[5] = '{"age": "old", "town": "Rome", "label": 1}'
    path = written("\n".join(rows), "a.jsonl")
    refused(
        path,
        r"a\.jsonl: column 'age' holds numbers, but not in row 5: 'old'.*null if it is not known, or say",
    )
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
