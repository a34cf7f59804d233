"""A person opens a report in a browser, without any server, and prints it."""

import base64
import io

import pytest
from PIL import Image


@pytest.fixture
def opened(chromium, trained):
    """The report of moons_small, opened from its file."""
    chromium.get_log("browser")
    chromium.get((trained.artifacts / "moons_small" / "report.html").as_uri())
    return chromium


def test_a_report_opens_from_its_file_without_a_complaint(opened):
    assert opened.title == "moons_small"
    assert opened.get_log("browser") == []
    assert opened.execute_script("return performance.getEntriesByType('resource').length") == 0


def test_every_picture_of_a_report_is_shown(opened):
    pictures = opened.execute_script(
        "return [...document.images].map(image => [image.alt, image.complete, image.naturalWidth])"
    )
    assert len(pictures) >= 5 * 3
    assert [alt for alt, complete, width in pictures if not complete or width < 300] == []


def test_a_report_is_read_without_scrolling_sideways(opened):
    overflowing = opened.execute_script(
        "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert overflowing <= 0


def test_the_sections_of_a_report_are_reached_by_its_links(opened):
    targets = opened.execute_script(
        "return [...document.querySelectorAll('nav a')].map(a => document.querySelector(a.hash) !== null)"
    )
    assert len(targets) >= 8
    assert all(targets)


def test_a_report_prints(opened):
    pdf = base64.b64decode(opened.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"])
    assert pdf.startswith(b"%PDF")
    # The pictures are in it.
    assert len(pdf) > 100_000


def test_a_report_looks_like_a_page(opened):
    shot = Image.open(io.BytesIO(opened.get_screenshot_as_png())).convert("L")
    assert shot.getextrema() == (pytest.approx(27, abs=40), 255)
