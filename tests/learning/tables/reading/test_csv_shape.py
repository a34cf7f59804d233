"""Files whose lines are not what a table's usually are: read where that can be meant in one way only, and told."""

import pandas as pd
import pytest

from classification_assets.learning.models.predictions import check_file
from classification_assets.learning.preparation.checks import read_as_meant
from classification_assets.learning.preparation.folds import Folds
from classification_assets.learning.preparation.profile import Profile
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.tables.datasets import UnlabelledFile
from tests.learning.tables.people import table_of
from tests.learning.tables.small_files import good, refused, used, written

pytestmark = pytest.mark.usefixtures("folder")

FRAME = good().assign(shop=list("xyz") * 20)[["age", "town", "shop", "label"]]
HEAD, *BODY = FRAME.to_csv(index=False).splitlines()
NUMBERED = [f"{number},{line}" for number, line in enumerate(BODY, start=1)]

READ = {
    "lines end with a comma": ([HEAD, *(f"{line}," for line in BODY)], "lines end with ','"),
    "the header, too": ([f"{line}," for line in [HEAD, *BODY]], "lines end with ','"),
    "with several": ([f"{line},,," for line in [HEAD, *BODY]], "lines end with ','"),
    "the header alone": ([f"{HEAD},", *BODY], "lines end with ','"),
    "row names": ([HEAD, *NUMBERED], "a value more than the header: row names, such as '1'"),
    "an index": ([f",{HEAD}", *NUMBERED], "the first column has no name: row names"),
    "names of R": (
        [HEAD, *(f'"Mazda {line}'.replace(",", '",', 1) for line in NUMBERED)],
        "such as 'Mazda 1'",
    ),
    "a comment": (
        ["# exported in March", HEAD, *BODY],
        "line 1 stands before the header: '# exported in March'",
    ),
    "a comment with commas": (["# exported, in March", HEAD, *BODY], "line 1 stands before the header"),
    "another separator": (["|1x3 Cross validator", HEAD, *BODY], "line 1 stands before the header"),
    "a title": (["Report,,,", ",,,", HEAD, *BODY], "line 2 stands before the header: ',,,'"),
    "a quoted title": (['"Report,\nof March"', HEAD, *BODY], "line 1 stands before the header"),
    "blank lines": (["", "", HEAD, *BODY[:9], "", *BODY[9:]], ""),
}


@pytest.mark.parametrize("shape", READ)
def test_what_is_sure_is_read_and_told(shape):
    lines, note = READ[shape]
    table = used(written("\n".join(lines) + "\n"))
    assert table.features == ("age", "town", "shop")
    pd.testing.assert_frame_equal(table.frame[list(FRAME.columns)], FRAME)
    assert note in "; ".join(table.source.notes)
    assert bool(table.source.notes) == bool(note)
    passed, told = read_as_meant(Profile.of(table))
    assert passed
    assert note in told


@pytest.mark.parametrize(
    ("lines", "seen"),
    [
        ([HEAD, *BODY[:9], BODY[9] + ","], r"line 11 has 5 values, the header 4: .*some lines end with ','"),
        (
            [HEAD, *(f"{line}," for line in BODY), BODY[0] + ",9"],
            r"line 2 has 5 values.*or a value stands there",
        ),
        (
            [HEAD, *(f"{line}," for line in 4 * BODY), BODY[0] + ",9"],
            r"lines end with ',', but in some .*'9'",
        ),
        ([HEAD, *BODY[:3], "# more", *BODY], r"line 5 has 1 values, the header 4: '# more'; .*comment: '#'"),
        (
            ["40,Oslo,x,0", *BODY],
            r"no column 'label'.*line 1 is rather a row.*'40,Oslo,x,0'.*header: false, names: ",
        ),
        (
            ["0,Oslo,x,0", *BODY],
            r"line 1 is rather a row than a header: '0,Oslo,x,0'.*header: false, names: \[<4",
        ),
        (["By,Ann,,", HEAD, *BODY], r"column 3 has none in line 1, 'By,Ann,,'.*line 2, 'age.*skip_rows: 1"),
        (
            ["Report", "1,2,3,4", *BODY],
            r"line 1 has one value, 'Report', and line 2 has 4.*skip_rows: 1\).*header: false",
        ),
        (
            ["By,Ann", HEAD, *BODY],
            r"line 2 has 4 values, the header 2: .*line 1, 'By,Ann', is no header.*skip_rows: 1\)",
        ),
    ],
)
def test_what_is_not_sure_is_refused_with_what_was_seen_and_what_to_declare(lines, seen):
    refused(written("\n".join(lines)), seen)


def test_a_header_may_be_numbers_and_a_name_may_begin_like_a_comment():
    frame = FRAME.rename(columns={"age": "2023", "town": "2024"})
    assert used(written(frame.to_csv(index=False))).features == ("2023", "2024", "shop")
    assert used(written("#" + FRAME.to_csv(index=False))).features == ("#age", "town", "shop")


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_lines_before_the_header_are_declared_and_comments_may_be_anywhere(ending, encoding):
    lines = ["By,Ann,,", "% one", HEAD, *BODY[:9], "% two", *BODY[9:]]
    path = written(ending.join(lines).encode(encoding))
    table = used(path, skip_rows=1, comment="%", encoding=encoding)
    pd.testing.assert_frame_equal(table.frame, FRAME)


def test_without_a_header_columns_are_named_or_numbered():
    path = written("\n".join(BODY))
    pd.testing.assert_frame_equal(used(path, header=False, names=list(FRAME)).frame, FRAME)
    assert used(path, header=False, target="column_4").features == ("column_1", "column_2", "column_3")
    refused(path, "line 1 has 4 values, .*but names lists 2: a, label", header=False, names=["a", "label"])
    with pytest.raises(
        ValueError, match=r"a header names the columns; say that there is none \(header: false\)"
    ):
        table_of(path, names=list(FRAME))


def test_rows_to_predict_are_written_alike_unless_they_say_otherwise():
    learned = Split.of(
        used(written("\n".join(["% one", *BODY])), header=False, comment="%", names=list(FRAME)), Folds()
    )
    written("\n".join(BODY), "alike.csv")
    written(FRAME.drop(columns="label").to_csv(index_label="x"), "named.csv")
    assert check_file(learned, UnlabelledFile(path="alike.csv")) == 60
    new = UnlabelledFile(path="named.csv", header=True)
    assert check_file(learned, new) == 60
