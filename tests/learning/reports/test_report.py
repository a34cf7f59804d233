"""A report is one page that needs nothing else, and says what was trained on what and what came of it."""

import io
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from classification_assets.learning.evaluation.bounds import Bounds
from classification_assets.learning.evaluation.checks import evaluation_checks, leaderboard_checks
from classification_assets.learning.evaluation.comparison import comparison
from classification_assets.learning.evaluation.leaderboard import leaderboard
from classification_assets.learning.evaluation.scoring import evaluate
from classification_assets.learning.figures.canvas.png_text import with_text
from classification_assets.learning.models.architectures import MLP
from classification_assets.learning.models.checks import model_checks
from classification_assets.learning.preparation.folds import Fold
from classification_assets.learning.reports.rendering import as_table
from classification_assets.learning.reports.report import (
    Chapter,
    CheckResult,
    comparison_report,
    experiment_report,
)


def png(colour="red"):
    buffer = io.BytesIO()
    Image.new("RGB", (20, 10), colour).save(buffer, format="png")
    return buffer.getvalue()


class Reader(HTMLParser):
    """Collects the text, the pictures and everything that a browser would fetch."""

    def __init__(self):
        super().__init__()
        self.text, self.sources, self.open, self.scripts = [], [], [], 0

    def handle_starttag(self, tag, attrs):
        told = dict(attrs)
        self.sources += [told[name] for name in ("src", "href", "data", "action") if told.get(name)]
        self.scripts += tag == "script"
        if tag not in ("meta", "link", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def read(page):
    reader = Reader()
    reader.feed(page.html)
    assert reader.open == []
    return reader, " ".join(" ".join(reader.text).split())


@pytest.fixture(scope="module")
def parts(fit, split, evaluation, fitted):
    """Two architectures' results on the moons."""
    linear = fit(MLP(name="linear", hidden=()))
    evaluations = {"narrow": evaluation, "linear": evaluate(linear, split)}
    return {"narrow": fitted, "linear": linear}, evaluations, leaderboard(evaluations)


@pytest.fixture
def report(parts, split):
    models, evaluations, board = parts

    def report(made=None, on=split, of=("narrow", "linear"), **options):
        chapters = {
            name: Chapter(
                models[name],
                evaluations[name],
                [
                    *CheckResult.all(model_checks(), models[name]),
                    *CheckResult.all(evaluation_checks(Bounds()), evaluations[name]),
                ],
                {"boundary": png()},
                made or {},
            )
            for name in of
        }
        checks = CheckResult.all(leaderboard_checks(["linear"]), board)
        options = {"pictures": {"scores": png("blue")}, "data_pictures": {"rows": png("green")}} | options
        return experiment_report(
            "moons", {"dataset": {"kind": "moons"}}, on, board, chapters, checks=checks, **options
        )

    return report


def test_a_report_fetches_nothing_and_runs_nothing(report):
    reader, _ = read(report())
    assert reader.scripts == 0
    assert all(source.startswith(("data:", "#")) for source in reader.sources)
    assert not re.search(r"@import|url\(", report().html)


def test_a_report_says_what_was_trained_on_what_with_which_result(report, parts):
    _, text = read(report({"made": "2026-11-25", "device": "cpu"}))
    _, evaluations, board = parts
    assert board.sentence() in text
    for name in evaluations:
        score = evaluations[name].score(Fold.TEST, "accuracy")
        assert f"{score['value']:.3f}" in text
        assert f"test accuracy ({score['low']:.3f}–{score['high']:.3f})" in text
    assert "made: 2026-11-25 · device: cpu" in text
    for words in ("82", "kind moons", "dataset:", "torch", "beats baseline", "near optimal", "converged"):
        assert words in text


def test_chapters_come_in_the_leaderboards_order(report, parts):
    html = report().html
    order = parts[2].board["architecture"].tolist()
    places = [html.index(f'<h2 id="{name}">') for name in order]
    assert places == sorted(places)


def test_what_an_older_leaderboard_ranks_has_no_chapter_where_it_is_no_longer_declared(report):
    html = report(of=("linear",)).html
    assert '<h2 id="linear">' in html
    assert '<h2 id="narrow">' not in html


def test_every_picture_is_in_the_page(report):
    reader, _ = read(report())
    pictures = [source for source in reader.sources if source.startswith("data:image/png")]
    assert len(pictures) == 4


def test_when_it_was_made_is_told_and_does_not_change_the_version(report):
    first, second = report({"made": "today"}), report({"made": "tomorrow"})
    assert first.html != second.html
    assert first.version == second.version


def test_of_which_run_a_picture_is_does_not_change_the_version(report):
    few = io.BytesIO()
    Image.open(io.BytesIO(png("black"))).quantize(2).save(few, format="png")
    told = with_text(few.getvalue(), "classification_assets.origin", "run 1")
    assert report(pictures={"scores": told}).version == report(pictures={"scores": few.getvalue()}).version


def test_another_result_changes_the_version(report):
    assert report().version != report(pictures={"scores": png("black")}).version


def test_names_that_look_like_html_stay_text(report, split, parts):
    import dataclasses

    strange = dataclasses.replace(split, classes=["<script>alert(1)</script>", "a & b"])
    page = report(on=strange)
    reader, text = read(page)
    assert reader.scripts == 0
    assert "<script>alert(1)</script>" in text
    assert "a & b" in text


@pytest.fixture
def compared(parts):
    """The page over two experiments, both with the same results."""
    models, evaluations, board = parts
    checks = {
        f"one · {name}": [
            *CheckResult.all(model_checks(), models[name]),
            *CheckResult.all(evaluation_checks(Bounds()), evaluations[name]),
        ]
        for name in models
    }

    def compared(found=checks):
        return comparison_report(
            comparison({"one": board, "other_one": board}),
            {"one": board, "other_one": board},
            {"one": evaluations, "other_one": evaluations},
            checks=found,
            pictures={"gallery": png()},
            rank_pictures={},
            links={"one": "../one/report.html"},
        )

    return compared


def test_a_comparison_tells_every_experiments_result(compared, parts):
    board = parts[2]
    about = comparison({"one": board, "other": board}).about
    reader, text = read(compared())
    assert reader.scripts == 0
    assert text.count(board.sentence()) == 2
    assert f"{about['critical_difference']:.2f}" in text
    assert np.isfinite(about["p_value"])
    assert [source for source in reader.sources if not source.startswith("data:")] == ["../one/report.html"]


def test_a_comparison_tells_of_the_checks_that_did_not_pass_alone(compared):
    found = {
        "one · narrow": [
            CheckResult("converged", False, "it still falls"),
            CheckResult("calibrated", True, "it is"),
        ],
        "one · linear": [CheckResult("converged", True, "it does")],
    }
    _, text = read(compared(found))
    assert re.search(r"1 of 3\. .* one · narrow converged : it still falls", text)
    assert "it is" not in text
    assert "one · linear" not in text
    assert "0 of 1." in read(compared({"one": [CheckResult("converged", True, "it does")]}))[1]


def test_a_comparison_has_every_architectures_f1_of_each_class(compared, parts):
    _, evaluations, board = parts
    order = board.board["architecture"].tolist()
    _, text = read(compared())
    assert text.count(f"class {' '.join(order)} test rows") == 2
    scores = np.column_stack([evaluations[name].class_table()["f1"] for name in order])
    for label, row in zip(("0", "1"), scores, strict=True):
        assert f"{label} {' '.join(f'{value:.3f}' for value in row)}" in text


def test_an_architecture_may_be_called_as_a_column_of_the_table_is(parts):
    evaluations = parts[1]
    named = leaderboard({"class": evaluations["narrow"]})
    page = comparison_report(
        comparison({"one": named}),
        {"one": named},
        {"one": {"class": evaluations["narrow"]}},
        checks={},
        pictures={},
        rank_pictures={},
    )
    f1 = evaluations["narrow"].class_table()["f1"]
    assert f"class class test rows 0 {f1[0]:.3f}" in read(page)[1]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([1.0, 0.98765, float("nan")], ["1.0000", "0.9877", ""]),
        ([2.14, 3.0, 2.5], ["2.14", "3.00", "2.50"]),
        ([412.0, 413.0], ["412", "413"]),
        ([-0.00001, 0.25], ["-1e-05", "0.2500"]),
        ([1234.5, 0.01], ["1234", "0.0100"]),
        ([float("nan"), 0.0], ["", "0"]),
    ],
)
def test_numbers_of_a_column_have_as_many_decimals_as_tell_all_of_them(values, told):
    table = as_table(pd.DataFrame({"name": "x", "score": values}))
    assert re.findall(r"<td>([^x<]*)</td>", table) == told
