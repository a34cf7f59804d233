"""`dagster dev`: what the web UI asks for, runs launched from it, the schedule, and marks of what is stale."""

from types import SimpleNamespace

import pytest

from tests.e2e.processes import copied_source, declare

ARCHITECTURES = ("linear", "shallow_relu", "deep_relu", "deep_tanh", "regularized")


def names_of(experiment, architectures=ARCHITECTURES):
    """The assets of an experiment."""
    own = {
        f"{experiment}/{name}" for name in ("dataset", "split", "leaderboard", "champion", "effect", "report")
    }
    return own | {
        f"{experiment}/{architecture}/{name}"
        for architecture in architectures
        for name in ("model", "evaluation", "surface", "boundary", "evolution")
        if (architecture, name) != ("tabular", "evolution")
    }


COMPARISON = {"comparison/leaderboard", "comparison/gallery", "comparison/report"}
EVERYTHING = COMPARISON.union(
    *map(names_of, ("blobs", "circles", "moons_small", "spirals")),
    names_of("moons", (*ARCHITECTURES, "tuned")) | {"moons/sweep"},
    names_of("digits", (*ARCHITECTURES, "tabular")),
    names_of("wine", (*ARCHITECTURES, "tabular")),
)

SCHEDULE = """query ($selector: ScheduleSelector!) { scheduleOrError(scheduleSelector: $selector) {
    __typename ... on Schedule { id cronSchedule executionTimezone scheduleState { id status } } } }"""
START = """mutation ($selector: ScheduleSelector!) { startSchedule(scheduleSelector: $selector) {
    __typename ... on PythonError { message } ... on ScheduleStateResult { scheduleState { status } } } }"""
STOP = """mutation ($id: String!) { stopRunningSchedule(id: $id) {
    __typename ... on PythonError { message } ... on ScheduleStateResult { scheduleState { status } } } }"""


def schedule_of(server):
    return server.ask(SCHEDULE, selector=server.selector(scheduleName="retraining"))


def start(server):
    started = server.ask(START, selector=server.selector(scheduleName="retraining"))
    return started["scheduleState"]["status"]


def stop(server):
    stopped = server.ask(STOP, id=schedule_of(server)["scheduleState"]["id"])
    return stopped["scheduleState"]["status"]


@pytest.fixture(scope="module")
def shown(server):
    """Fields of every asset that the UI shows before it is asked to do anything."""
    return server.assets(
        "groupName description kinds tags { key value } metadataEntries { label ... on TextMetadataEntry { text } }"
    )


def test_every_asset_is_shown(shown):
    assert EVERYTHING - set(shown) == set()


def test_an_experiment_is_a_group(shown):
    assert {name: shown[name]["groupName"] for name in EVERYTHING} == {
        name: name.split("/")[0] for name in EVERYTHING
    }


def test_every_asset_says_what_it_is(shown):
    assert [name for name, asset in shown.items() if not (asset["description"] or "").strip()] == []


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("moons/dataset", {"scikitlearn", "parquet"}),
        ("moons/linear/model", {"pytorch"}),
        ("moons/linear/boundary", {"matplotlib", "png"}),
    ],
)
def test_an_assets_kinds_are_shown(shown, name, kinds):
    assert set(shown[name]["kinds"]) >= kinds


def test_every_asset_is_tagged_with_its_device(shown):
    tags = {name: {tag["key"]: tag["value"] for tag in asset["tags"]} for name, asset in shown.items()}
    assert {name: tag.get("classification_assets/device") for name, tag in tags.items()} == dict.fromkeys(
        shown, "auto"
    )


def test_every_asset_tells_its_device_before_any_run(shown):
    metadata = {
        name: {entry["label"]: entry.get("text") for entry in asset["metadataEntries"]}
        for name, asset in shown.items()
    }
    assert {name: entries.get("device") for name, entries in metadata.items()} == dict.fromkeys(shown, "auto")


def test_the_schedule_is_off_until_someone_switches_it_on(server):
    assert schedule_of(server)["scheduleState"]["status"] == "STOPPED"


def test_the_schedule_is_due_once_a_day(server):
    schedule = schedule_of(server)
    assert (schedule["cronSchedule"], schedule["executionTimezone"]) == ("0 2 * * *", "UTC")


def test_the_schedule_is_switched_on_and_off_again(server):
    assert (start(server), stop(server)) == ("RUNNING", "STOPPED")


DECLARED = {
    "dataset": {"kind": "moons", "n_samples": 200, "noise": 0.2},
    "training": {"members": 2, "max_epochs": 5},
    "architectures": ["linear", {"name": "narrow", "hidden": [4]}],
}


@pytest.fixture(scope="module")
def copy(serving, trained, tmp_path_factory):
    """A copy of the source tree with one small experiment, everything materialized by its own `dagster dev`."""
    folder = tmp_path_factory.mktemp("copied")
    source = copied_source(folder, small=DECLARED)
    with serving(type(trained).new(folder / "home", source)) as server:
        server.wait_until_loaded()
        yield SimpleNamespace(source=source, server=server)


SMALL = names_of("small", ("linear", "narrow")) | COMPARISON


def everything_materialized(server):
    """Each asset's data version after a run of everything, which was launched as the UI does."""
    run = server.launch(*SMALL)
    assert server.wait_until_done(run) == "SUCCESS", server.told("the run failed")
    made = server.assets("dataVersion assetMaterializations(limit: 1) { runId }")
    assert {name: asset["assetMaterializations"] for name, asset in made.items()} == {
        name: [{"runId": run}] for name in SMALL
    }
    return {name: asset["dataVersion"] for name, asset in made.items()}


def test_a_copied_source_tree_is_the_one_that_is_loaded(copy):
    assert set(copy.server.assets("id")) == SMALL


@pytest.fixture(scope="module")
def twice(copy):
    """Data versions of everything, and again after nothing was changed."""
    return [everything_materialized(copy.server) for _ in range(2)]


def test_materializing_again_without_a_change_gives_the_same_data_versions(twice):
    first, second = twice
    assert None not in first.values()
    assert second == first


def stale(server):
    marks = server.assets("staleStatus staleCauses { reason key { path } }")
    return {name for name, asset in marks.items() if asset["staleStatus"] != "FRESH"}


def test_nothing_is_stale_after_a_run_of_everything(copy, twice):
    assert stale(copy.server) == set()


def test_a_changed_hyperparameter_marks_its_model_and_what_depends_on_it(copy, twice):
    linear, narrow = DECLARED["architectures"]
    declare(copy.source, "small", DECLARED | {"architectures": [linear, narrow | {"dropout": 0.1}]})
    copy.server.reload()
    model = {f"small/narrow/{name}" for name in ("model", "evaluation", "surface", "boundary", "evolution")}
    later = {f"small/{name}" for name in ("leaderboard", "champion", "effect", "report")}
    assert stale(copy.server) == model | later | COMPARISON


def test_a_changed_view_marks_figures_and_reports_and_no_score(copy, twice):
    declare(copy.source, "small", DECLARED | {"view": {"plane": ["x2", "x1"]}})
    copy.server.reload()
    figures = {
        f"small/{architecture}/{name}"
        for architecture in ("linear", "narrow")
        for name in ("surface", "boundary", "evolution")
    }
    later = {"small/effect", "small/report", "comparison/gallery", "comparison/report"}
    assert stale(copy.server) == figures | later


FAILURES = """query ($run: ID!) { runOrError(runId: $run) { ... on Run { eventConnection { events {
    ... on ExecutionStepFailureEvent { error { message causes { message } } } } } } } }"""


def failure(server, run):
    """What a failed step said, and what that was caused by."""
    events = server.ask(FAILURES, run=run)["eventConnection"]["events"]
    errors = [event["error"] for event in events if event.get("error")]
    return "\n".join(
        error["message"] + "".join(cause["message"] for cause in error["causes"]) for error in errors
    )


def test_marks_refusals_and_data_versions_tell_one_story(copy, twice):
    """After another split, whatever is refused alone is marked as stale, and a run of everything mends all of it."""
    server = copy.server
    declare(copy.source, "small", DECLARED | {"split": {"seed": 1}})
    server.reload()
    made = ("small/split", "small/narrow/evaluation")
    assert server.wait_until_done(server.launch(*made)) == "SUCCESS", server.told("the run failed")
    marked = stale(server)
    assert not marked & {"small/dataset", "small/split"}
    refused = {
        *(f"small/narrow/{name}" for name in ("boundary", "evolution")),
        *(f"small/{name}" for name in ("leaderboard", "effect", "report")),
        *(f"comparison/{name}" for name in ("gallery", "report")),
    }
    assert refused <= marked
    # A run takes ten seconds to begin; which assets are refused is tested without a server. Neither needs the other.
    run = server.launch("small/leaderboard", "small/narrow/boundary")
    assert server.wait_until_done(run) == "FAILURE"
    for key in ("small/leaderboard", "small/narrow/boundary"):
        assert f"{key} cannot be made of what is stored" in failure(server, run)
    versions = {name: asset["dataVersion"] for name, asset in server.assets("dataVersion").items()}
    assert versions["small/narrow/model"] == twice[1]["small/narrow/model"]
    assert versions["small/split"] != twice[1]["small/split"]
    # Of every other kind one alone is made, and is right: the rest of the matrix is tested without a server.
    run = server.launch("comparison/leaderboard", "small/linear/model")
    assert server.wait_until_done(run) == "SUCCESS", server.told("the run failed")
    assert "small/linear/model" not in stale(server)
    everything_materialized(server)
    assert stale(server) == set()
