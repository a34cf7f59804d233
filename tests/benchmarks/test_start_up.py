"""Start-up: definitions validated, `dagster dev` until it answers, and a click until a model is trained."""

import time
from functools import partial

import dagster as dg

from tests.benchmarks import builds
from tests.benchmarks.measure import Reach, Row, duration
from tests.e2e.processes import ROOT, Project, served

MODEL = "moons/linear/model"

N_PLAIN = 60 * 26
PLAIN = """
import dagster as dg

def plain(index):
    @dg.asset(name=f"asset_{{index}}", deps=[f"asset_{{index - 1}}"] if index % 26 else [])
    def asset(): ...
    return asset

defs = dg.Definitions([plain(index) for index in range({})])
"""


def test_60_experiments_are_validated_in_a_time_that_grows_as_they_do(benchmark, report, earlier, tmp_path):
    plain = PLAIN.format(N_PLAIN)
    sources = {
        "ours, 60": builds.with_experiments(ROOT, tmp_path / "60", 60),
        "ours, 30": builds.with_experiments(ROOT, tmp_path / "30", 30),
        "ours, 1": builds.with_experiments(ROOT, tmp_path / "1", 1),
        "theirs, 60": builds.with_experiments(earlier, tmp_path / "theirs", 60),
        "plain": builds.of_code(tmp_path / "plain", plain),
    }
    projects = {name: builds.project(tmp_path / f"{name} home", source) for name, source in sources.items()}
    validate = {
        name: partial(builds.run, project, "definitions", "validate", "-w", "workspace.yaml")
        for name, project in projects.items()
    }
    found = benchmark.pedantic(lambda: builds.best(validate, 2))
    ours, half, one = found["ours, 60"], found["ours, 30"], found["ours, 1"]
    theirs, others = found["theirs, 60"], found["plain"]
    work, told = "60 experiments: dagster definitions validate", duration(ours)
    report(
        Row(work, builds.EARLIER, told, duration(theirs), ours / theirs, Reach(most=0.25)),
        Row(work, f"{N_PLAIN} assets of Dagster alone", told, duration(others), ours / others, Reach(most=2)),
        Row(
            f"{work}, less those of one",
            "30 experiments, less those of one",
            duration(ours - one),
            duration(half - one),
            (ours - one) / (half - one),
            Reach(most=2.3),
        ),
    )


def test_dagster_dev_answers_as_soon_as_with_an_empty_code_location(benchmark, report, tmp_path):
    empty = builds.of_code(tmp_path / "empty", "import dagster as dg\n\ndefs = dg.Definitions()\n")
    projects = {
        "ours": builds.project(tmp_path / "ours"),
        "empty": builds.project(tmp_path / "empty home", empty),
    }

    def answer(project: Project) -> float:
        started = time.perf_counter()
        with served(project) as server:
            server.wait_until_loaded()
            return time.perf_counter() - started

    starts = {name: partial(answer, project) for name, project in projects.items()}
    found = benchmark.pedantic(lambda: builds.best(starts, 3))
    ours, theirs = found["ours"], found["empty"]
    work = "dagster dev to the first answered query"
    report(
        Row(work, "an empty code location", duration(ours), duration(theirs), ours / theirs, Reach(most=1.3))
    )


def test_a_small_model_is_trained_soon_after_a_click(benchmark, report, earlier, tmp_path):
    """From the mutation that the UI sends to the step's success, as the event log says."""
    sources = {"ours": ROOT, "theirs": earlier}
    projects = {name: builds.project(tmp_path / name, source) for name, source in sources.items()}

    def click(project: Project) -> float:
        with served(project) as server:
            server.wait_until_loaded()
            clicked = time.time()
            run = server.launch(MODEL)
            assert server.wait_until_done(run) == "SUCCESS", server.told(run)
        with dg.DagsterInstance.from_config(str(project.home)) as instance:
            (success,) = instance.all_logs(run, of_type=dg.DagsterEventType.STEP_SUCCESS)
        return success.timestamp - clicked

    for project in projects.values():
        builds.run(project, *Project.materializing('key:"moons/dataset" or key:"moons/split"'))
    clicks = {name: partial(click, project) for name, project in projects.items()}
    found = benchmark.pedantic(lambda: builds.best(clicks, 3))
    ours, theirs = found["ours"], found["theirs"]
    report(
        Row(
            f"click to {MODEL}",
            builds.EARLIER,
            duration(ours),
            duration(theirs),
            ours / theirs,
            Reach(most=0.75),
        ),
        Row(f"click to {MODEL}", "8 s", duration(ours), "8 s", ours / 8, Reach(most=1)),
    )
