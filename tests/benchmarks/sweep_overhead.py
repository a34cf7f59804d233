"""What a sweep costs beside training its networks, in a process of its own: what is drawn first takes longest."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from classification_assets.assets.shown import kept
from classification_assets.learning.artifacts.storage import stage
from classification_assets.learning.figures.sweep.displays import worth_drawing
from classification_assets.learning.preparation.folds import Folds
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.sweeps import pack_files, search
from classification_assets.learning.sweeps.draws import Draws
from classification_assets.learning.sweeps.lessons import lessons
from classification_assets.learning.sweeps.result import SweepResult
from classification_assets.learning.sweeps.sweep import Sweep
from classification_assets.learning.tables.datasets.moons import Moons
from classification_assets.learning.tables.table import Table

SPACE = {
    "depth": [1, 2, 3],
    "width": [8, 16, 32],
    "activation": ["relu", "tanh"],
    "learning_rate": {"low": 1e-3, "high": 0.3, "log": True},
    "weight_decay": {"low": 1e-5, "high": 0.3, "log": True},
    "dropout": {"low": 0.0, "high": 0.4},
    "batch_size": [32, 64],
}

Clock = Callable[[], float]


class Stopwatch:
    """Seconds of parts of a whole."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.seconds: dict[str, float] = {}

    @contextmanager
    def on(self, part: str) -> Iterator[None]:
        """Count what happens here as a part."""
        started = self.clock()
        try:
            yield
        finally:
            self.seconds[part] = self.seconds.get(part, 0.0) + self.clock() - started

    def counting(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, whose calls count as a part."""

        def counted(*arguments: Any, **options: Any) -> Any:
            with self.on(part):
                return function(*arguments, **options)

        return counted


COUNTED = [
    ("sampler", Draws, "more"),
    ("sampler", Draws, "tell"),
    ("journal", pack_files, "stored"),
    ("journal", pack_files, "write"),
    ("journal", search, "remove_packs"),
    ("figures", search, "thumbnails"),
]
"""Parts of a search that are not training: who has the function, and its name."""


def seconds_of_parts(networks: int, processes: int, sampler: str, clock: Clock) -> dict[str, float]:
    """Seconds of the sampler, the journal and the figures of a sweep on moons, and of the whole."""
    split = Split.of(Table.of(Moons(n_samples=1_000, noise=0.25)), Folds(validation=0.25, test=0.25))
    sweep = Sweep.model_validate({"networks": networks, "space": SPACE, "sampler": sampler})
    watch = Stopwatch(clock)
    with ExitStack() as entered:
        folder = Path(entered.enter_context(TemporaryDirectory(prefix="sweep-")))
        for part, owner, name in COUNTED:
            entered.enter_context(patch.object(owner, name, watch.counting(part, getattr(owner, name))))
        with watch.on("whole"):
            result = search.search(sweep, split, n_jobs=processes, folder=folder / "packs")
            with watch.on("figures"):
                _stored(result, folder)
    return watch.seconds


def _stored(result: SweepResult, folder: Path) -> None:
    """All that the asset shows and stores."""
    lessons(result)
    drawn: dict[str, Any] = {}
    kept(worth_drawing(result), drawn, result, "moons")
    stage(result, folder / "sweep.parquet", drawn).publish()


def main(networks: int, processes: int, sampler: str) -> None:
    """Write as JSON the seconds of this process, or of the wall clock where there are more of them."""
    clock = time.process_time if processes == 1 else time.perf_counter
    print(json.dumps(seconds_of_parts(networks, processes, sampler, clock)))
