"""The pipeline in fresh processes: what it costs beside the imports that its work needs."""

import json
import os
import shutil
import sysconfig
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import dagster as dg
import pytest

from classification_assets.executor import ENVIRONMENT as EXECUTOR
from tests.benchmarks.measure import WHOLE, Contender, Reach, Row, command, duration, python

ROOT = Path(__file__).resolve().parents[2]
DAGSTER = Path(sysconfig.get_path("scripts")) / "dagster"
EXPERIMENTS = ("blobs", "moons", "circles", "spirals")
ARCHITECTURES = ("linear", "shallow_relu", "deep_relu", "deep_tanh", "regularized")
CATALOGUE = " or ".join(f"group:{name}" for name in EXPERIMENTS)
MODEL = "moons/linear/model"

LOAD = "import classification_assets.definitions as location; location.defs()"
LIBRARIES = "import dagster, torch, sklearn, pandas, matplotlib.pyplot"
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


@dataclass(frozen=True)
class Catalogue:
    """Everything materialized in one process, and the best seconds of that and of the imports, in turns."""

    home: Path
    seconds: float
    libraries: float

    def report(self, report: Callable[..., None], work: str, seconds: float, reach: Reach) -> None:
        name = "importing dagster, torch, sklearn, pandas, pyplot"
        ratio = seconds / self.libraries
        report(Row(work, name, duration(seconds), duration(self.libraries), ratio, reach))


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory) -> Catalogue:
    homes = {}
    libraries = []
    for _ in range(2):
        libraries.append(_seconds(lambda: python(LIBRARIES)))
        home = _new_home(tmp_path_factory.mktemp("catalogue") / "home")
        homes[_seconds(partial(_materialize, home, CATALOGUE))] = home
    return Catalogue(homes[min(homes)], min(homes), min(libraries))


def _seconds(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _recorded_seconds(home: Path) -> float:
    """Seconds of training and drawing that the assets themselves recorded, `…_seconds` in their metadata."""
    total = 0.0
    with dg.DagsterInstance.from_config(str(home)) as instance:
        for key in instance.all_asset_keys():
            event = instance.get_latest_materialization_event(key)
            metadata = event.asset_materialization.metadata if event and event.asset_materialization else {}
            total += sum(float(value.value) for name, value in metadata.items() if name.endswith("_seconds"))
    return total


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


def test_the_catalogue_takes_a_few_times_its_imports(benchmark, report, catalogue):
    seconds = benchmark.pedantic(lambda: catalogue.seconds)
    catalogue.report(report, "4 × 5 architectures, one process", seconds, Reach(most=6))


def test_beside_training_and_drawing_the_catalogue_costs_little(benchmark, report, catalogue):
    recorded = benchmark.pedantic(lambda: _recorded_seconds(catalogue.home))
    rest = catalogue.seconds - recorded
    catalogue.report(report, "the same, less recorded training and drawing", rest, Reach(most=4))


def test_a_process_a_step_uses_every_core(benchmark, report, catalogue, tmp_path):
    seconds = benchmark.pedantic(
        lambda: _seconds(
            lambda: _materialize(_new_home(tmp_path / "home"), CATALOGUE, executor="multiprocess")
        )
    )
    work = f"4 × 5 architectures, forked steps on {os.cpu_count()} cores"
    speed = catalogue.seconds / seconds
    report(Row(work, "one process", duration(seconds), duration(catalogue.seconds), speed, Reach()))


@pytest.mark.skipif(not WHOLE, reason="takes many minutes: BENCHMARK_WHOLE=1 runs it")
def test_the_catalogue_is_10_times_faster_than_a_process_and_a_network_a_step(
    benchmark, report, catalogue, tmp_path
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
    seconds = benchmark.pedantic(lambda: catalogue.seconds)
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
