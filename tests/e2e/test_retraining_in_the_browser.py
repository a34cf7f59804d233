"""Retraining at the web UI: a failed run goes on, a new champion and its history, a way back, a schedule, a gate.

The tests are one story, and each goes on where the one before it has ended.
"""

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.page import Page, button
from tests.e2e.processes import Project, Server, copied_source
from tests.e2e.visits import deliver, visits

SENSOR = "retrain_visits_on_change"
SCHEDULE = "retraining"
SUCCESS, FAILURE = "//*[normalize-space()='Success']", "//*[normalize-space()='Failure']"


@dataclass(frozen=True)
class Clinic:
    """A server that retrains on a table, and the files that are delivered to it."""

    server: Server
    table: Path
    new_rows: Path


@pytest.fixture(scope="module")
def clinic(serving, tmp_path_factory):
    """The experiment visits, of which nothing is made yet; in the rows to predict a column is missing."""
    folder = tmp_path_factory.mktemp("clinic")
    table, new_rows = folder / "visits.csv", folder / "new.csv"
    declared = {
        "dataset": {"kind": "table", "path": str(table), "target": "outcome", "id": "visit"},
        "training": {"members": 2, "max_epochs": 60, "learning_rate": 0.02, "batch_size": 32},
        "architectures": [{"name": "net", "hidden": [16]}],
        "predict": {"path": str(new_rows)},
        "retrain": {"on_change": True, "every": 1},
    }
    deliver(visits(600), table)
    deliver(rows_to_predict().drop(columns="dose"), new_rows)
    project = Project.new(folder / "home", copied_source(folder, visits=declared))
    with serving(project, CLASSIFICATION_ASSETS_CRON="* * * * *") as server:
        server.wait_until_loaded()
        yield Clinic(server, table, new_rows)


@pytest.fixture
def page(chromium, clinic, tmp_path):
    return Page(chromium, clinic.server, tmp_path)


def rows_to_predict():
    return visits(5000).tail(20).drop(columns="outcome")


def text(content):
    return f"//*[contains(normalize-space(text()), '{content}')]"


def menu_beside(label):
    """The arrow beside a button, which opens a menu."""
    return f"{button(label)}/ancestor::*[count(.//button) > 1][1]//button[not(normalize-space())]"


def open_run(page, *told):
    """Open the page of the newest run in whose row, on the page of all runs, something is told."""
    page.open("/runs")
    row = "//*[contains(@class, 'RunsFeedRow')]" + "".join(f"[contains(., '{part}')]" for part in told)
    page.click(f"{row}{button('View')}", until=button("Re-execute all (*)"))


def switch(page, name, on):
    """Switch a sensor or schedule on the page "Automation"."""
    page.open("/automation")
    toggle = f"//*[text()='{name}']/ancestor::*[count(.//input) = 2][1]//label[contains(@class, 'Switch')]"
    color = f"{toggle}//*[local-name()='rect'][contains(@fill, '-{'checked' if on else 'unchecked'})')]"
    page.click(toggle, until=color)


def newest(key):
    """What the page of an asset says of its latest materialization, by the name of the metadata."""
    return f"//tr[td[1][normalize-space()='{key}']]/td[3]"


def test_a_failed_run_goes_on_from_where_it_failed(page, clinic):
    open_run(page, "it was never trained to its end")
    first = page.driver.current_url
    switch(page, SENSOR, on=False)  # it would request the predictions alone, once again
    page.driver.get(first)
    page.see(FAILURE)
    page.see(text("Errored (1)"))
    page.see(text("visits__predictions"))
    deliver(rows_to_predict(), clinic.new_rows)
    page.click(menu_beside("Re-execute all (*)"), until=button("From failure"))
    page.click(button("From failure"), until=text("Re-executions (1)"))
    page.see(SUCCESS)
    assert page.driver.current_url != first
    page.see(text("Succeeded (1)"))


def test_a_changed_table_is_trained_on_and_its_model_takes_the_champions_place(page, clinic):
    switch(page, SENSOR, on=True)
    deliver(visits(1500, noise=0.2), clinic.table)
    open_run(page, "its table has changed")
    page.see(SUCCESS)
    page.open("/assets/visits/champion")
    page.see(f"{newest('decision')}[.='promoted']")
    page.see(f"{newest('champion')}[.='v0002, net']")


def test_the_champions_page_tells_who_was_champion_when_and_why(page):
    page.open("/assets/visits/champion")
    history = newest("who was champion when")
    page.see(f"{history}//td[contains(., 'the first champion')]")
    page.see(f"{history}//td[contains(., 'really better')]")


def test_a_champion_is_rolled_back_in_the_launchpad(page):
    page.open("/assets/visits/champion")
    page.click(menu_beside("Materialize"), until=button("Open launchpad"))
    page.click(button("Open launchpad"), until="//*[contains(@class, 'CodeMirror-code')]")
    by_hand = '{ops: {visits__champion: {config: {action: roll_back, because: "doctors ask for it"}}}}'
    page.write("//*[contains(@class, 'CodeMirror-code')]", by_hand)
    page.see(text("No errors"))
    page.click(f"//*[@role='dialog']{button('Materialize')}", until=button("Re-execute all (*)"))
    page.see(SUCCESS)
    page.open("/assets/visits/champion")
    page.see(f"{newest('decision')}[.='rolled back']")
    page.see(f"{newest('champion')}[.='v0001, net']")


def test_the_schedule_is_switched_on_and_launches_a_run_in_its_minute(page):
    switch(page, SCHEDULE, on=True)
    page.click(f"//a[.//*[text()='{SCHEDULE}']]", until=text("Next tick"))
    page.see(text("1 run requested"))
    switch(page, SCHEDULE, on=False)
    open_run(page, SCHEDULE, "Success")


def test_a_table_without_a_column_is_refused_by_a_gate_that_says_so(page, clinic):
    deliver(visits(1600, noise=0.2).drop(columns="dose"), clinic.table)
    open_run(page, "its table has changed", "Failure")
    page.open("/assets/visits/dataset?view=checks")
    gate = "//*[text()='same_columns']/ancestor::*[contains(., 'Succeeded') or contains(., 'Failed')][1]"
    page.click(
        f"{gate}[contains(., 'Failed')]",
        until=text("columns changed since the accepted version: dose (gone)"),
    )
    page.see("//*[normalize-space()='Evaluation result']/following::*[normalize-space()='Failed']")
