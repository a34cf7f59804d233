"""Drawings: every stored figure of the declared experiments, and how it is drawn again from stored artifacts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import dagster as dg

from classification_assets.assets import shown
from classification_assets.assets.comparison import ALL
from classification_assets.assets.effect import shapes
from classification_assets.assets.keys import (
    COMPARISON,
    Key,
    as_text,
    inputs_of,
    key_of,
    of_all_architectures,
    of_experiments,
)
from classification_assets.assets.step import flat_inputs, nested_inputs
from classification_assets.experiment import NamedExperiment
from classification_assets.learning.artifacts.origin import refuse_misfits
from classification_assets.learning.models.architectures import Architecture
from classification_assets.learning.tables.datasets import TableFile, TableFunction

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from classification_assets.resources.artifact_store import ArtifactStore


@dataclass(frozen=True)
class Drawing:
    """One stored figure.

    Attributes
    ----------
    asset : the key of the asset that stores it
    name : of its file, without the suffix
    draw : draws it from its inputs, given by name
    inputs : keys of the artifacts that it is drawn from
    """

    asset: Key
    name: str
    draw: Callable[..., Figure]
    inputs: Mapping[str, Key | Mapping[str, Key]]

    def drawn(self, store: ArtifactStore) -> Figure:
        """The figure, from what is stored now; nothing is trained or scored.

        Raises
        ------
        MissingArtifactError
            If an input has not been materialized.
        ArtifactError
            If the file of an input is damaged.
        MisfitError
            If the inputs were not made of one another.
        """
        flat = dict(flat_inputs(self.inputs))
        loaded = {argument: store.load(dg.AssetKey(list(key))) for argument, key in flat.items()}
        origins = {as_text(key): loaded[argument].origin for argument, key in flat.items()}
        refuse_misfits(as_text(self.asset), origins, store.origin_of)
        values = {argument: each.value for argument, each in loaded.items()}
        return self.draw(**nested_inputs(self.inputs, values))


def drawings(experiments: Sequence[NamedExperiment]) -> Iterator[Drawing]:
    """All figures of some experiments, and of the comparison over them."""
    for experiment in experiments:
        yield from _of_experiment(experiment)
        for architecture in experiment.tried:
            yield from _of_architecture(experiment, architecture)
    yield from _of_comparison(experiments)


def _of_experiment(experiment: NamedExperiment) -> Iterator[Drawing]:
    from classification_assets.learning.figures import boundary_displays, displays

    def scores(leaderboard, evaluations):
        return displays.score_intervals(leaderboard, evaluations, experiment.name)

    def effect(split, leaderboard, evaluations, surfaces):
        return boundary_displays.effect_of_architecture(
            shapes(experiment, evaluations),
            evaluations,
            surfaces,
            split,
            leaderboard.winner,
            experiment.name,
        )

    compared = isinstance(experiment.dataset, TableFile | TableFunction)
    kinds = ["dataset", *(["drift"] if compared else []), "split", *(["sweep"] if experiment.tuned else [])]
    for kind in kinds:
        yield from _kept(kind, key_of(experiment, kind), experiment.name)
    ranked = inputs_of(experiment, ["leaderboard", "evaluations"])
    yield Drawing(key_of(experiment, "leaderboard"), "scores", scores, ranked)
    if experiment.has_effect:
        compared_shapes = inputs_of(experiment, ["split", "leaderboard", "evaluations", "surfaces"])
        yield Drawing(key_of(experiment, "effect"), "effect", effect, compared_shapes)


def _of_architecture(experiment: NamedExperiment, architecture: Architecture) -> Iterator[Drawing]:
    from classification_assets.learning.figures import boundary_displays

    title, view = f"{experiment.name} · {architecture.name}", experiment.view

    def boundary(evaluation, surface, split):
        return boundary_displays.decision_boundary(evaluation, surface, split, title)

    def evolution(model, split):
        snapshots = boundary_displays.snapshots_of(model.using(architecture), split, view)
        return boundary_displays.boundary_evolution(snapshots, split, title, view)

    for kind in ("model", "evaluation"):
        yield from _kept(kind, key_of(experiment, kind, architecture), title)
    seen = inputs_of(experiment, ["evaluation", "surface", "split"], architecture)
    yield Drawing(key_of(experiment, "boundary", architecture), "boundary", boundary, seen)
    if architecture.keeps_snapshots:
        trained = inputs_of(experiment, ["model", "split"], architecture)
        yield Drawing(key_of(experiment, "evolution", architecture), "evolution", evolution, trained)


def _of_comparison(experiments: Sequence[NamedExperiment]) -> Iterator[Drawing]:
    from classification_assets.learning.figures import boundary_displays, displays

    ranked = [COMPARISON, "leaderboard"]
    ranks = partial(displays.average_ranks, title=ALL)
    yield Drawing(ranked, "critical_difference", ranks, {"comparison": ranked})
    yield Drawing(
        [COMPARISON, "gallery"],
        "gallery",
        boundary_displays.boundary_gallery,
        {
            "evaluations": of_all_architectures(experiments, "evaluation"),
            "surfaces": of_all_architectures(experiments, "surface"),
            "splits": of_experiments(experiments, "split"),
            "leaderboards": of_experiments(experiments, "leaderboard"),
        },
    )


def _kept(kind: str, key: Key, title: str) -> Iterator[Drawing]:
    """The figures beside an artifact that are drawn from it alone."""
    from classification_assets.learning.figures import displays
    from classification_assets.learning.figures.sweep import displays as sweep

    kept: Mapping[str, Callable[..., Figure]] = sweep.KEPT if kind == "sweep" else displays.KEPT[kind]
    for name, draw in kept.items():

        def drawn(artifact: Any, draw: Callable[..., Figure] = draw) -> Figure:
            return draw(artifact, title)

        yield Drawing(key, shown.file_name(name), drawn, {"artifact": key})
