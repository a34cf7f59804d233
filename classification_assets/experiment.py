"""Experiment: what a person may declare in a `defs.yaml`, with the rules that hold between its parts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pydantic import Field, field_validator, model_validator

from classification_assets.figure_files import FigureFiles
from classification_assets.learning.declaration import Declaration, Name, field_error, points_within
from classification_assets.learning.device import DeviceName
from classification_assets.learning.drift.rule import DriftRule
from classification_assets.learning.evaluation.bounds import Bounds, Metric
from classification_assets.learning.evaluation.promotion_rule import PromotionRule
from classification_assets.learning.evaluation.view import View
from classification_assets.learning.models.architectures import (
    MLP,
    SHIPPED,
    Architecture,
    ArchitectureChoice,
    Module,
)
from classification_assets.learning.packed.options import Training
from classification_assets.learning.preparation.folds import Folds
from classification_assets.learning.preparation.gates import Gates
from classification_assets.learning.sweeps.sweep import Sweep
from classification_assets.learning.sweeps.tuned import TUNED, OtherTraining, Tuned
from classification_assets.learning.tables.datasets import (
    AnyDataset,
    GeneratedDataset,
    TableFile,
    UnlabelledFile,
)
from classification_assets.retrain import Retrain

if TYPE_CHECKING:
    from classification_assets.learning.models.fitted import FittedModel

RESERVED = ("comparison", "tuned")
"""Names of experiments that the project keeps for itself."""

TAKEN = (
    "table",
    "dataset",
    "drift",
    "split",
    "leaderboard",
    "effect",
    "champion",
    "sweep",
    "rows",
    "predictions",
    "report",
)
"""Names of an experiment's own assets, which no architecture may bear."""


class Experiment(Declaration):
    """One data set and the architectures that are tried on it."""

    dataset: AnyDataset = Field(description="Where the rows come from; `kind` says how.")
    split: Folds = Field(Folds(), description="Shares of the rows for validation and test.")
    training: Training = Field(Training(), description="Training options; an architecture may set its own.")
    architectures: tuple[ArchitectureChoice, ...] = Field(
        tuple(SHIPPED.values()),
        description="Shipped architectures by name, or declarations; default: all that are shipped.",
    )
    sweep: Sweep | None = Field(
        None,
        description="Hyper-parameters that are searched: {space: {depth: [1, 2], width: [8, 32]}}; the best are those "
        "of one more architecture, tuned.",
        json_schema_extra=points_within,
    )
    drift: DriftRule = Field(
        DriftRule(), description="When new rows are said to differ from those of the champion."
    )
    gates: Gates = Field(
        Gates(), description="What a new version of a table must not do, or it is not learned from."
    )
    metric: Metric = Field("log_loss", description="What orders the leaderboard, on the validation fold.")
    checks: Bounds = Field(
        Bounds(), description="What every model's test scores must lie within: {accuracy: {min: 0.9}}."
    )
    view: View = Field(View(), description="Which plane of the features the boundary figures show.")
    figures: FigureFiles = Field(
        FigureFiles(), description="In which formats figures are stored: {svg: true} for SVG, too."
    )
    predict: UnlabelledFile | None = Field(
        None, description="Rows without labels, predicted by the champion: {path: new.csv}."
    )
    promotion: PromotionRule = Field(
        PromotionRule(), description="When the architecture that leads takes the champion's place."
    )
    retrain: Retrain = Field(Retrain(), description="When it is trained again: {schedule: 0 3 * * *}.")
    device: DeviceName = Field("auto", description="Where it trains: auto, cpu, cuda, cuda:N or mps.")
    resample: bool = Field(False, description="The schedule draws fresh rows of the same problem each time.")

    @model_validator(mode="before")
    @classmethod
    def _no_templates(cls, value: Any) -> Any:
        for where, text in _strings(value):
            if "{{" in text or "{%" in text:
                raise ValueError(
                    f"{where}: the template {text!r} would not be resolved here; write the value itself "
                    "(device, storage, cron and time zone are read from environment variables, see the README)"
                )
        return value

    @model_validator(mode="after")
    def _parts_fit_together(self) -> Experiment:
        for architecture in self.architectures:
            architecture.trained_with(self.training)
        if self.tuned is not None:
            self._check_sweep(self.tuned)
        if isinstance(self.dataset, GeneratedDataset):
            try:
                self.split.sizes(self.dataset.n_samples, self.dataset.n_classes)
            except ValueError as error:
                raise field_error(type(self), "split", str(error), self.split) from error
            try:
                self.view.check([f"x{feature}" for feature in range(1, self.dataset.n_features + 1)])
            except ValueError as error:
                raise field_error(type(self), "view", str(error), self.view.plane) from error
        if self.retrain.on_drift and not self.table_paths:
            raise field_error(
                type(self),
                "retrain",
                "on_drift: only a table in a file is compared with an earlier one",
                True,
            )
        if not isinstance(self.dataset, GeneratedDataset) and self.resample:
            raise field_error(type(self), "resample", "only a generated data set can draw fresh rows", True)
        return self

    def _check_sweep(self, tuned: Tuned) -> None:
        """Refuse what a sweep cannot be made of.

        Raises
        ------
        pydantic.ValidationError
            Of the field that is wrong.
        """
        if any(architecture.name == TUNED for architecture in self.architectures):
            message = f"{TUNED!r} is the architecture that the sweep finds; choose another name"
            raise field_error(type(self), "architectures", message, TUNED)
        fixed = tuned.sweep.architecture
        training = fixed.trained_with(self.training)
        searched = tuned.sweep.space.parameters()
        values = {"dropout": fixed.dropout} | {name: getattr(training, name) for name in OtherTraining.fixed}
        for name, value in values.items():
            if isinstance(value, tuple) and name not in searched:
                message = (
                    f"{name} must be one number, which all configurations share, or be searched "
                    f"(space: {{{name}: [...]}}), got one number a member: {list(value)}"
                )
                raise field_error(type(self), "sweep", message, value)

    @field_validator("architectures")
    @classmethod
    def _names_differ(cls, architectures: tuple[Architecture, ...]) -> tuple[Architecture, ...]:
        counts = Counter(architecture.name for architecture in architectures)
        if not counts:
            raise ValueError("there must be at least one architecture; left out, all shipped ones are tried")
        if twice := [name for name, count in counts.items() if count > 1]:
            raise ValueError(f"{twice[0]!r} is there {counts[twice[0]]} times; names must differ")
        if taken := [name for name in counts if name in TAKEN]:
            raise ValueError(f"{taken[0]!r} is the name of an asset; choose another name")
        return architectures

    @cached_property
    def tuned(self) -> Tuned | None:
        """The architecture that the sweep finds, with the metric by which it is found; None without a sweep."""
        if self.sweep is None:
            return None
        fixed = self.sweep.architecture
        sweep = self.sweep.replaced(
            metric=self.sweep.metric or self.metric, architecture=fixed.replaced(device="auto")
        )
        return Tuned(sweep=sweep, device=fixed.device)

    @property
    def tried(self) -> tuple[Architecture, ...]:
        """The architectures that are declared and, where there is a sweep, the one that it finds."""
        return self.architectures if self.tuned is None else (*self.architectures, self.tuned)

    @property
    def table_paths(self) -> tuple[str, ...]:
        """Where the files lie whose rows are learned from; none where rows come from elsewhere."""
        if not isinstance(self.dataset, TableFile):
            return ()
        return (self.dataset.path, *([self.dataset.test] if self.dataset.test else []))

    def named(self, name: str) -> NamedExperiment:
        """The experiment under its name.

        Raises
        ------
        ValueError
            If the name is reserved or not `[a-z0-9_]+`.
        """
        if name in RESERVED:
            raise ValueError(
                f"the name {name!r} is reserved ({', '.join(RESERVED)} are the project's own); "
                "rename the experiment's folder"
            )
        return NamedExperiment(
            **{field: getattr(self, field) for field in type(self).model_fields}, name=name
        )


class NamedExperiment(Experiment):
    """An experiment and the name of its folder, under which its assets appear."""

    name: Name

    def all_declared(self) -> list[Declaration | str]:
        """Everything that decides the experiment's results; how they are shown (`view`) does not."""
        trainings = [part for pair in self.trainings() for part in pair]
        return [self.dataset, self.split, *trainings, self.metric]

    def title_of(self, architecture: Architecture) -> str:
        """The line above a picture of one architecture."""
        return f"{self.name} · {architecture.name}"

    def shaped(self) -> list[MLP]:
        """The declared architectures that have a depth, a width and an activation; the sweep's is found later."""
        return [architecture for architecture in self.architectures if isinstance(architecture, MLP)]

    def with_network_class(self, fitted: FittedModel) -> FittedModel:
        """A stored model, with the class of a person's own network, as its architecture is declared now.

        Raises
        ------
        ValueError
            If the model is of such a class, and its architecture is not declared any more.
        """
        stored = fitted.provenance.architecture
        if not isinstance(stored, Module):
            return fitted
        declared = next((own for own in self.architectures if own.name == stored.name), None)
        if not isinstance(declared, Module):
            raise ValueError(
                f"{self.name}: the architecture {stored.name!r}, a class of its own ({stored.path}), is not declared "
                "any more"
            )
        return fitted.using(declared)

    @property
    def has_effect(self) -> bool:
        """Whether there are shapes to compare."""
        return len(self.shaped()) + (self.tuned is not None) > 1

    def trainings(self) -> Iterator[tuple[Architecture, Training]]:
        """Each architecture with the options it is trained with."""
        for architecture in self.tried:
            yield architecture, architecture.trained_with(self.training)


def _strings(value: Any, where: str = "attributes") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _strings(inner, f"{where}.{key}")
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _strings(inner, f"{where}.{index}")
