"""A person at the web UI: looking around, materializing by a click, and looking at the picture."""

import time

import pytest

from tests.e2e.page import Page, button


@pytest.fixture
def page(chromium, server, tmp_path):
    page = Page(chromium, server, tmp_path)
    yield page
    page.leave()


def test_a_first_visit_is_not_covered_by_a_dialog(page):
    page.open("/")
    page.see("//*[normalize-space()='Timeline']")
    time.sleep(2)  # Dagster's own dialog comes a second after the page
    assert page.dialogs == []


def test_the_lineage_shows_the_experiments(page):
    page.open("/asset-groups")
    for experiment in ("blobs", "circles", "comparison", "digits", "moons", "moons_small", "spirals", "wine"):
        page.see(f"//*[text()='{experiment}']")


def test_an_asset_is_materialized_by_a_click(page):
    page.open("/assets/moons_small/linear/boundary")
    page.click(button("Materialize"), until=button("View"))
    page.click(button("View"), until="//*[normalize-space()='Success']")


def test_a_sweep_shows_what_was_found_in_words_and_pictures(page):
    run = page.server.launch("moons/dataset", "moons/split", "moons/sweep")
    page.server.wait_until("the sweep ends", lambda: page.server.run_status(run) in ("SUCCESS", "FAILURE"))
    page.open("/assets/moons/sweep")
    page.see("//*[contains(text(), '64 configurations were tried in')]")
    picture = page.see("//img[@alt='learning curves']")
    page.server.wait_until("the picture is drawn", lambda: picture.get_property("complete"))
    assert picture.get_property("naturalWidth") > 300


def test_a_boundary_is_shown_as_a_picture(page):
    page.open("/assets/moons_small/linear/boundary")
    picture = page.see("//img[@alt='decision boundary']")
    page.server.wait_until("the picture is drawn", lambda: picture.get_property("complete"))
    assert picture.get_property("naturalWidth") > 300
