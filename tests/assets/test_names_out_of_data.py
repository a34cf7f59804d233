"""Names of classes and columns that are markup, formulas and control characters: in every text they are but names."""

import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import dagster as dg
import numpy as np
import pandas as pd
import pytest

from classification_assets.experiment import Experiment

NAMES = [
    "<script>alert(1)</script>",
    "a|b",
    "`tick`",
    "$x^2$",
    "line\nbreak",
    "bell\x07\x1b[31m",
    '"><img src=x onerror=alert(1)>',
    "**bold** [link](javascript:x)",
    "]]>--><!--",
    "\ufffe &amp; \u202etfel",
]
TAGS = {"script", "img", "svg", "iframe"}


@pytest.fixture(scope="module")
def made(tmp_path_factory, materialize_into):
    """Everything of an experiment whose names are all of those; the run, and the folder."""
    folder = tmp_path_factory.mktemp("names")
    random = np.random.default_rng(0)
    frame = pd.DataFrame({name: random.normal(size=400) for name in NAMES})
    frame["words <b>"] = random.choice(NAMES[:4], 400)
    frame["the|target<b>"] = np.array(NAMES)[
        np.digitize(2 * frame[NAMES[0]] + frame[NAMES[4]], np.linspace(-3, 3, len(NAMES) - 1))
    ]
    frame.to_parquet(folder / "rows.parquet")
    frame.drop(columns="the|target<b>").head(60).to_parquet(folder / "new.parquet")
    experiment = Experiment.model_validate(
        {
            "dataset": {"kind": "table", "path": str(folder / "rows.parquet"), "target": "the|target<b>"},
            "predict": {"path": str(folder / "new.parquet")},
            "training": {"members": 2, "max_epochs": 40, "learning_rate": 0.03},
            "architectures": ["linear", {"name": "narrow", "hidden": [6]}],
            "figures": {"svg": True},
        }
    ).named("names")
    return materialize_into(folder / "artifacts", experiment), folder / "artifacts" / "names"


class Tags(HTMLParser):
    """All tags of a page, and attributes that are code."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.code: list[tuple[str, str | None]] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append(tag)
        self.code += [
            (name, value) for name, value in attrs if name.startswith("on") or "javascript:" in str(value)
        ]


def test_a_report_has_no_element_out_of_a_name(made):
    _, folder = made
    html = (folder / "report.html").read_text(encoding="utf-8")
    tags = Tags(html)
    assert "script" not in tags.found
    assert not tags.code
    assert html.count("<img ") == tags.found.count("img") == html.count('<img src="data:image/png;base64,')
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\ufffe]", html)


def test_every_svg_is_one(made):
    _, folder = made
    found = list(folder.rglob("*.svg"))
    assert found
    for path in found:
        tags = {element.tag.rpartition("}")[2] for element in ElementTree.parse(path).iter()}
        assert tags & TAGS <= {"svg"}, path
        assert not re.search(
            r"<script|onerror=[^\s]*>(?!.*-->)", re.sub("<!--.*?-->", "", path.read_text(), flags=re.S)
        )


def test_a_card_has_the_columns_of_its_tables_and_no_html(made):
    _, folder = made
    for path in folder.rglob("MODEL_CARD.md"):
        text = path.read_text(encoding="utf-8")
        tables = re.findall(r"(?:^\|.*\|\n)+", text, re.M)
        assert tables
        for table in tables:
            columns = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
            assert len(columns) == 1, table
        outside_code = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", text.replace("\\`", ""), flags=re.S)
        assert "<script" not in outside_code
        assert "<img" not in outside_code
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f\ufffe]", text)


def test_what_checks_say_is_one_line_that_can_be_printed(made):
    result, _ = made
    told = [evaluation.description for evaluation in result.get_asset_check_evaluations()]
    assert told
    assert not [sentence for sentence in told if not sentence.isprintable()]


def test_markdown_in_the_ui_is_our_own_pictures(made):
    result, _ = made
    for event in result.get_asset_materialization_events():
        for value in event.materialization.metadata.values():
            if isinstance(value, dg.MarkdownMetadataValue):
                assert re.fullmatch(
                    r"!\[[\w\s-]+\]\(data:image/(webp|gif);base64,[\w+/=]+\)", value.md_str
                ), value
