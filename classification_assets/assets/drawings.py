"""Drawings: every stored figure of the declared experiments, and how it is drawn again from stored artifacts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import dagster as dg

from classification_assets.assets import boundary, effect, evolution, shown
from classification_assets.assets.comparison import ALL, gallery_inputs
from classification_assets.assets.keys import COMPARISON, Key, as_text, inputs_of, key_of
from classification_assets.assets.leaderboard import draw_scores
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
    compared = isinstance(experiment.dataset, TableFile | TableFunction)
    kinds = ["dataset", *(["drift"] if compared else []), "split", *(["sweep"] if experiment.tuned else [])]
    for kind in kinds:
        yield from _kept(kind, key_of(experiment, kind), experiment.name)
    ranked = inputs_of(experiment, ["leaderboard", "evaluations"])
    yield Drawing(key_of(experiment, "leaderboard"), "scores", partial(draw_scores, experiment), ranked)
    if experiment.has_effect:
        shapes = inputs_of(experiment, effect.INPUTS)
        yield Drawing(key_of(experiment, "effect"), "effect", partial(effect.draw_effect, experiment), shapes)


def _of_architecture(experiment: NamedExperiment, architecture: Architecture) -> Iterator[Drawing]:
    for kind in ("model", "evaluation"):
        yield from _kept(kind, key_of(experiment, kind, architecture), experiment.title_of(architecture))
    yield Drawing(
        key_of(experiment, "boundary", architecture),
        "boundary",
        partial(boundary.draw_boundary, experiment, architecture),
        inputs_of(experiment, boundary.INPUTS, architecture),
    )
    if architecture.keeps_snapshots:
        yield Drawing(
            key_of(experiment, "evolution", architecture),
            "evolution",
            partial(evolution.draw_evolution, experiment, architecture),
            inputs_of(experiment, evolution.INPUTS, architecture),
        )


def _of_comparison(experiments: Sequence[NamedExperiment]) -> Iterator[Drawing]:
    from classification_assets.learning.figures import boundary_displays, displays

    ranked = [COMPARISON, "leaderboard"]
    ranks = partial(displays.average_ranks, title=ALL)
    yield Drawing(ranked, "critical_difference", ranks, {"comparison": ranked})
    yield Drawing(
        [COMPARISON, "gallery"],
        "gallery",
        boundary_displays.boundary_gallery,
        gallery_inputs(experiments),
    )


def _kept(kind: str, key: Key, title: str) -> Iterator[Drawing]:
    """The figures beside an artifact that are drawn from it alone."""
    from classification_assets.learning.figures import displays

    for name, draw in displays.KEPT[kind].items():

        def drawn(artifact: Any, draw: Callable[..., Figure] = draw) -> Figure:
            return draw(artifact, title)

        yield Drawing(key, shown.file_name(name), drawn, {"artifact": key})
