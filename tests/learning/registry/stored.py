"""A small experiment as its artifacts lie in a storage, made without Dagster."""

from dataclasses import dataclass, field
from pathlib import Path

from upath import UPath

from classification_assets.learning.artifacts import storage
from classification_assets.learning.artifacts.origin import Origin
from classification_assets.learning.evaluation.leaderboard import leaderboard
from classification_assets.learning.evaluation.scoring import evaluate
from classification_assets.learning.models.architectures import MLP
from classification_assets.learning.models.fit import fit
from classification_assets.learning.packed.options import Training
from classification_assets.learning.preparation.folds import Folds
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.registry.challenger import Challenger
from classification_assets.learning.registry.registry import Registry
from classification_assets.learning.tables.datasets import Moons
from classification_assets.learning.tables.table import Table

NAME = "small"


@dataclass
class Stored:
    """The storage of an experiment of one architecture, in which each training replaces the one before."""

    root: Path
    origins: dict[str, Origin] = field(default_factory=dict)

    @property
    def registry(self) -> Registry:
        return Registry(UPath(self.root), NAME)

    @property
    def challenger(self) -> Challenger:
        return Challenger.stored(UPath(self.root), NAME)

    def train(
        self, table: Table | None = None, epochs: int = 20, seed: int = 0, split_seed: int = 0
    ) -> Challenger:
        """Store everything from the rows to the leaderboard."""
        table = table or Table.of(Moons(n_samples=400, noise=0.2))
        before = self._path("split")
        memory = storage.load_memory(before) if before.is_file() else None
        split = Split.of(table, Folds(seed=split_seed), memory)
        training = Training(members=2, max_epochs=epochs, seed=seed, learning_rate=0.03)
        model = fit(MLP(name="net", hidden=(8,)), split, training)
        evaluation = evaluate(model, split, table=table)
        self._save("dataset", table)
        self._save("split", split, "dataset")
        self._save("net/model", model, "split")
        self._save("net/evaluation", evaluation, "net/model", "split")
        self._save("leaderboard", leaderboard({"net": evaluation}), "net/evaluation")
        return self.challenger

    def _path(self, kind: str) -> Path:
        suffix = "safetensors" if kind.endswith("model") else "parquet"
        return self.root / NAME / f"{kind}.{suffix}"

    def _save(self, kind: str, value, *inputs: str) -> None:
        origin = Origin.of_inputs({f"{NAME}/{own}": self.origins[own] for own in inputs})
        version = storage.save(value, self._path(kind), origin)
        self.origins[kind] = origin.versioned(version)
