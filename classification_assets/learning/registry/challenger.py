"""The challenger: the architecture that leads a stored leaderboard, and the very artifacts that this was made of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from upath import UPath

from classification_assets.learning.artifacts import storage
from classification_assets.learning.artifacts.origin import MisfitError, Origin, making, remedy
from classification_assets.learning.evaluation.evaluation import Evaluation
from classification_assets.learning.evaluation.leaderboard import Leaderboard
from classification_assets.learning.models.fitted import FittedModel
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.tables.table import Table

_SUFFIXES = {"model": "safetensors"}


@dataclass(frozen=True)
class Challenger:
    """The first of a leaderboard; what it was made of is loaded when it is needed.

    Attributes
    ----------
    root : UPath
        The storage's root.
    experiment, architecture : str
    leaderboard : Leaderboard
    origin : Origin
        That of the leaderboard.
    """

    root: UPath
    experiment: str
    architecture: str
    leaderboard: Leaderboard
    origin: Origin

    @classmethod
    def stored(cls, root: UPath, experiment: str) -> Self:
        """The challenger of a stored leaderboard.

        Raises
        ------
        FileNotFoundError
            If there is no leaderboard.
        MisfitError
            If an earlier version of the project has stored it.
        """
        path = root / experiment / "leaderboard.parquet"
        leaderboard: Leaderboard = _stored(path, f"{experiment}/leaderboard")
        origin = storage.origin_of(path)
        if origin is None:
            raise MisfitError(
                f"{path} does not say of what it was made; materialize {experiment}/leaderboard again"
            )
        return cls(root, experiment, leaderboard.winner, leaderboard, origin)

    @property
    def model_version(self) -> str:
        """The version of the model's artifact."""
        return self.origin.made_of[f"{self.experiment}/{self.architecture}/model"]

    @property
    def data_version(self) -> str:
        """The version of the data set's artifact."""
        return self.origin.made_of[f"{self.experiment}/dataset"]

    @property
    def model_origin(self) -> Origin | None:
        """The origin of the model's artifact."""
        return self._origin_of(f"{self.experiment}/{self.architecture}/model")

    @cached_property
    def model(self) -> FittedModel:
        return self._loaded(f"{self.architecture}/model")

    @cached_property
    def evaluation(self) -> Evaluation:
        return self._loaded(f"{self.architecture}/evaluation")

    @cached_property
    def split(self) -> Split:
        return self._loaded("split")

    @cached_property
    def dataset(self) -> Table:
        return self._loaded("dataset")

    def _loaded(self, name: str) -> Any:
        """An artifact that the leaderboard was made of.

        Raises
        ------
        MisfitError
            If it has been made anew since, or is gone.
        """
        key = f"{self.experiment}/{name}"
        path = self._path(key)
        origin = self._origin_of(key)
        if origin is None or origin.version != self.origin.made_of.get(key):
            made = f"{self.experiment}/champion"
            found = "is gone" if origin is None else "is another one now"
            advice = remedy(made, [f"{self.experiment}/leaderboard"], self._origin_of)
            raise MisfitError(
                f"{made} cannot be decided: {key}, of which {self.experiment}/leaderboard was made, {found}. {advice}"
            )
        return _stored(path, key)

    def _path(self, key: str) -> UPath:
        *folders, kind = key.split("/")
        return self.root.joinpath(*folders, f"{kind}.{_SUFFIXES.get(kind, 'parquet')}")

    def _origin_of(self, key: str) -> Origin | None:
        try:
            return storage.origin_of(self._path(key))
        except storage.ArtifactError:
            return None


def _stored(path: UPath, key: str) -> Any:
    """An artifact, by its file and its key.

    Raises
    ------
    ArtifactError
        If it is damaged, with the command that makes it again.
    """
    try:
        return storage.load(path)
    except storage.ArtifactError as error:
        raise storage.ArtifactError(f"{error}. Materialize {key} again: {making(key)}") from error
