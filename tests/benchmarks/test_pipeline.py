"""The pipeline in fresh processes: against an earlier build, and beside the imports that its work needs."""

import json
import os
import shutil
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from classification_assets.execution.executor import ENVIRONMENT as EXECUTOR
from tests.benchmarks import builds
from tests.benchmarks.builds import Kept
from tests.benchmarks.measure import WHOLE, Contender, Reach, Row, command, duration, python
from tests.e2e.processes import DAGSTER, ROOT, Project

EXPERIMENTS = ("blobs", "moons", "circles", "spirals")
ARCHITECTURES = ("linear", "shallow_relu", "deep_relu", "deep_tanh", "regularized")
CATALOGUE = " or ".join(f"group:{name}" for name in EXPERIMENTS)
MODEL = "moons/linear/model"

LOAD = "import classification_assets.definitions as location; location.defs()"
SELECTION = os.environ.get("BENCHMARK_SELECTION", "*")
"""What both builds materialize: a smaller selection shows whether the comparison itself works."""

# Writes down, in their order, the modules that a command of Dagster's has imported at its end.
RECORDING = """
import atexit, json, sys
from pathlib import Path
from dagster._cli import main
file = Path(sys.argv.pop(1))
atexit.register(lambda: file.write_text(json.dumps([*sys.modules])))
main()
"""
NEEDED = """
import contextlib, importlib, json, sys
from pathlib import Path
for name in json.loads(Path(sys.argv[1]).read_text()):
    # Some are made by others under names of no file.
    with contextlib.suppress(ImportError):
        importlib.import_module(name)
"""
HEAVY = ("torch", "sklearn", "pandas", "matplotlib.pyplot")

SPAWNING = """
from pathlib import Path
import dagster as dg
import classification_assets
from classification_assets.resources.torch_device import TorchDevice
from classification_assets.resources.artifact_store import ArtifactStore

@dg.definitions
def defs():
    return dg.Definitions.merge(
        dg.load_from_defs_folder(path_within_project=Path(classification_assets.__file__).parent),
        dg.Definitions(
            resources={"device": TorchDevice(device="auto"), "artifacts": ArtifactStore(folder="")},
            executor=dg.multiprocess_executor,
        ),
    )
"""


def _process(code: str) -> Contender:
    return Contender(lambda: print(python(code), end=""))


def _materialize(
    home: Path,
    selection: str,
    *options: str,
    module: str = "classification_assets.definitions",
    executor: str = "in_process",
) -> None:
    """Dagster's command line, on an instance of its own."""
    arguments = [*_arguments(selection, module), *options]
    command([str(DAGSTER), *arguments], {**_variables(home), EXECUTOR: executor})


def _arguments(selection: str, module: str = "classification_assets.definitions") -> list[str]:
    return ["asset", "materialize", "-m", module, "--select", selection]


def _variables(home: Path) -> dict[str, str]:
    return {"DAGSTER_HOME": str(home), "PYTHONPATH": f"{ROOT}:{home}", EXECUTOR: "in_process"}


def _new_home(folder: Path) -> Path:
    folder.mkdir(parents=True)
    shutil.copy(ROOT / ".dagster" / "dagster.yaml", folder)
    return folder


@pytest.fixture(scope="module")
def generated_seconds(tmp_path_factory) -> float:
    """The best seconds of two of materializing the generated experiments in one process."""
    homes = [_new_home(tmp_path_factory.mktemp("catalogue") / "home") for _ in range(2)]
    return min(_seconds(partial(_materialize, home, CATALOGUE)) for home in homes)


def _seconds(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def test_loading_the_code_location_imports_nothing_heavy(benchmark, report):
    code = f"{LOAD}; import json, sys; print(json.dumps([name for name in {HEAVY} if name in sys.modules]))"
    found = json.loads(benchmark.pedantic(lambda: python(code)))
    report(
        Row(
            "loading the code location: heavy imports",
            "none of " + ", ".join(HEAVY),
            ", ".join(found) or "none",
            "none",
            len(found),
            Reach(most=0),
        )
    )


def test_loading_the_code_location_costs_little_more_than_dagster(race):
    race(
        "loading the code location",
        _process(LOAD),
        "import dagster",
        _process("import dagster"),
        Reach(most=1.6),
        rounds=4,
    )


def test_a_small_model_is_materialized_in_the_time_of_its_imports(race, tmp_path):
    home = _new_home(tmp_path / "home")
    _materialize(home, 'key:"moons/dataset" or key:"moons/split"')
    modules = str(tmp_path / "modules.json")
    python(RECORDING, modules, *_arguments(MODEL), env=_variables(home))
    race(
        f"materializing {MODEL}",
        Contender(lambda: _materialize(home, MODEL)),
        "importing all that it imports",
        Contender(lambda: print(python(NEEDED, modules), end="")),
        Reach(most=1.5),
        rounds=2,
    )


@pytest.mark.skipif(not WHOLE, reason="takes many minutes: BENCHMARK_WHOLE=1 runs it")
def test_the_whole_catalogue_against_the_earlier_build(benchmark, report, earlier, tmp_path):
    ours, theirs = builds.project(tmp_path / "ours"), builds.project(tmp_path / "theirs", earlier)
    whole = Project.materializing(SELECTION)
    their_seconds = builds.run(theirs, *whole)
    seconds = benchmark.pedantic(lambda: builds.run(ours, *whole))
    kept, theirs_kept = Kept.of(ours), Kept.of(theirs)
    again = time.time()
    seconds_again = builds.run(ours, *whole)
    kept_again = Kept.of(ours, since=again)
    work = f"materializing {SELECTION}"

    def row(name: str, ours: float, theirs: float, told: Callable[[float], str], reach: Reach) -> Row:
        return Row(f"{work}: {name}", builds.EARLIER, told(ours), told(theirs), ours / theirs, reach)

    events, first = "{:,.0f}".format, "its first run"
    drawn, drawn_again = kept.drawn_seconds, kept_again.drawn_seconds
    report(
        row("wall time", seconds, their_seconds, duration, Reach(most=0.4)),
        row("event log", kept.log_bytes, theirs_kept.log_bytes, _megabytes, Reach(most=0.15)),
        row("artifacts", kept.artifact_bytes, theirs_kept.artifact_bytes, _megabytes, Reach(most=0.4)),
        row("events", kept.events, theirs_kept.events, events, Reach()),
        Row(
            "the same again",
            first,
            duration(seconds_again),
            duration(seconds),
            seconds_again / seconds,
            Reach(),
        ),
        Row(
            "the same again: drawing",
            first,
            duration(drawn_again),
            duration(drawn),
            drawn_again / drawn,
            Reach(),
        ),
    )


def _megabytes(size: float) -> str:
    return f"{size / 1e6:.1f} MB"


def test_workers_use_every_core(benchmark, report, generated_seconds, tmp_path):
    seconds = benchmark.pedantic(
        lambda: _seconds(
            lambda: _materialize(_new_home(tmp_path / "home"), CATALOGUE, executor="multiprocess")
        )
    )
    work = f"4 × 5 architectures, workers on {os.cpu_count()} cores"
    speed = generated_seconds / seconds
    report(Row(work, "one process", duration(seconds), duration(generated_seconds), speed, Reach()))


@pytest.mark.skipif(not WHOLE, reason="takes many minutes: BENCHMARK_WHOLE=1 runs it")
def test_the_catalogue_is_10_times_faster_than_a_process_and_a_network_a_step(
    benchmark, report, generated_seconds, tmp_path
):
    """The peer trains one network where ours trains eight, and is not charged for the other seven."""
    home = _new_home(tmp_path / "home")
    (home / "spawning.py").write_text(SPAWNING)
    ops = {
        f"{experiment}__{architecture}__model": {"config": {"members": 1}}
        for experiment in EXPERIMENTS
        for architecture in ARCHITECTURES
    }
    config = json.dumps({"ops": ops})
    theirs = _seconds(lambda: _materialize(home, CATALOGUE, "--config-json", config, module="spawning"))
    seconds = benchmark.pedantic(lambda: generated_seconds)
    report(
        Row(
            "4 × 5 architectures of 8 networks",
            "Dagster's spawning executor, 1 network each",
            duration(seconds),
            duration(theirs),
            theirs / seconds,
            Reach(10),
        )
    )
