"""The shipped code location: what it holds, how it is loaded, and what loading costs."""

import subprocess
import sys

import dagster as dg
import pytest

from classification_assets.definitions import defs, everything
from classification_assets.execution.executor import ENVIRONMENT, executor

ARCHITECTURES = ("linear", "shallow_relu", "deep_relu", "deep_tanh", "regularized")
EXPERIMENTS = {
    **dict.fromkeys(("blobs", "moons_small", "circles", "spirals"), ARCHITECTURES),
    **dict.fromkeys(("digits", "wine"), (*ARCHITECTURES, "tabular")),
    "moons": (*ARCHITECTURES, "tuned"),
}


@pytest.fixture(scope="module")
def shipped() -> dg.Definitions:
    return defs()


def test_every_shipped_experiment_has_its_architectures(shipped):
    keys = {key.to_user_string() for key in shipped.resolve_asset_graph().get_all_asset_keys()}
    expected = {"comparison/leaderboard", "comparison/gallery", "comparison/report"}
    for experiment, architectures in EXPERIMENTS.items():
        expected |= {
            f"{experiment}/{name}"
            for name in ("dataset", "split", "leaderboard", "champion", "effect", "report")
        }
        expected |= {f"{experiment}/sweep"} if "tuned" in architectures else set()
        for architecture in architectures:
            kinds = {"model", "evaluation", "surface", "boundary", "evolution"}
            # What tabular keeps of its training are candidates, not snapshots.
            kinds -= {"evolution"} if architecture == "tabular" else set()
            expected |= {f"{experiment}/{architecture}/{kind}" for kind in kinds}
    assert keys == expected


def test_there_is_one_job_for_all_and_none_for_experiments_that_do_not_retrain_themselves(shipped):
    jobs = {job.name for job in shipped.resolve_all_job_defs()}
    assert {name for name in jobs if not name.startswith("__")} == {"train_everything"}


def test_the_schedule_is_daily_and_off_by_default(shipped):
    schedule = shipped.resolve_schedule_def("retraining")
    assert schedule.cron_schedule == "0 2 * * *"
    assert schedule.default_status == dg.DefaultScheduleStatus.STOPPED


def test_loading_the_code_location_imports_nothing_heavy():
    code = (
        "import sys, classification_assets.definitions as d; d.defs();"
        "heavy = ('torch', 'sklearn', 'pandas', 'matplotlib', 'scipy', 'numpy', 'upath', 'fsspec');"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("choice", ["in_process", "multiprocess"])
def test_what_executes_a_runs_steps_is_read_from_the_environment(monkeypatch, choice):
    monkeypatch.setenv(ENVIRONMENT, choice)
    chosen = everything.__wrapped__().executor
    assert chosen.config_schema.as_field().default_value == {choice: {}}


def test_an_executor_that_is_neither_is_refused():
    with pytest.raises(ValueError, match="auto, in_process or multiprocess, got 'celery'"):
        executor("celery")
