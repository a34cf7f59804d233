"""A trained classifier: its blend of networks, where it comes from, and the course of its training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, partial
from html import escape
from importlib.metadata import version
from typing import Annotated, Any, Literal, Self

import numpy as np
import pandas as pd
import torch
from pydantic import BeforeValidator, Field
from torch import Tensor, nn

from classification_assets.learning.declaration import Declaration
from classification_assets.learning.models.architectures import AnyArchitecture, Architecture, Module
from classification_assets.learning.models.blend import Blend, members_disagreement
from classification_assets.learning.models.learned_rows import LearnedRows
from classification_assets.learning.packed.networks.linear import PackedQuadratic
from classification_assets.learning.packed.networks.members import PackedNetwork, select_members
from classification_assets.learning.packed.networks.vmap import VmapNetwork
from classification_assets.learning.packed.options import Training
from classification_assets.learning.packed.torch_state import begin_worker, threads, usual_state
from classification_assets.learning.preparation.preprocessing import Preprocessing
from classification_assets.learning.tables.labels import Labels
from classification_assets.learning.tables.source import Source

# Bytes of a layer of all members in one chunk of rows, and the fewest rows of a chunk: the layer stays in the cache,
# which is up to 4 times faster, and there is a chunk for each thread.
_CHUNK_BYTES, _CHUNK_ROWS = 2**20, 256


class Pack(Declaration):
    """A pack of a blend, as it is stored.

    Attributes
    ----------
    kind : str
        See `PackedNetwork.kind`.
    seeds : tuple of int
        The members' seeds; those whose training failed are not among them, and a linear model has none.
    """

    kind: Literal["networks", "linear"] = "networks"
    seeds: tuple[int, ...] = ()

    @property
    def members(self) -> int:
        """Number of members that predict: a linear model is one."""
        return 1 if self.kind == "linear" else len(self.seeds)


def _pack_of_seeds(value: Any) -> Any:
    # Models stored before packs had kinds list seeds alone, and a linear model as an empty list.
    if isinstance(value, list | tuple):
        return Pack(kind="networks" if value else "linear", seeds=tuple(value))
    return value


class Provenance(Declaration):
    """Everything that a classifier was made from; with the state it is all that is needed to use and to repeat it."""

    architecture: AnyArchitecture
    training: Training
    packs: tuple[Annotated[Pack, BeforeValidator(_pack_of_seeds)], ...]
    classes: Labels
    preprocessing: Preprocessing
    source: Source
    overridden: dict[str, Any]
    versions: dict[str, str]
    sizes: dict[str, int] = Field({})
    """Fields that the architecture left open, with the values that these rows gave them."""
    note: str = Field("", exclude_if=lambda note: not note)
    """A clause about how it was chosen, for wherever its scores stand beside others'."""

    @property
    def built(self) -> Architecture:
        """The architecture with the sizes that it had on these rows."""
        return self.architecture.replaced(**self.sizes)

    @property
    def members(self) -> int:
        """Number of members that predict: networks and linear models."""
        return sum(pack.members for pack in self.packs)

    @staticmethod
    def current_versions() -> dict[str, str]:
        """Versions of the packages on which the numbers depend."""
        return dict(_versions())


@cache
def _versions() -> dict[str, str]:
    # Each is read from a file, which takes as long as a small fit.
    return {name: version(name) for name in ("torch", "numpy", "scikit-learn", "classification-assets")}


@dataclass(frozen=True)
class FittedModel:
    """A fitted classifier: its state, its provenance, and the course of its training.

    Attributes
    ----------
    state : dict of str to Tensor
        `Blend.state_dict()`.
    provenance : Provenance
    history : dict of str to array
        See `TrainingResult.history`; the columns are all K members, failed ones too.
    best_step : array (K,)
        -1 for a member whose training failed.
    validation_probabilities : array (V, C)
        Probabilities of the validation fold's rows, by networks that were not trained on them.
    checkpoints : mapping of int to state
        The state of the pack's first members at some steps, from 0 to the end; read from a file only when
        asked for.
    module : callable, optional
        The class of a person's own network; a file never brings code with it.
    learned : LearnedRows, optional
        The rows that it has learned from, where it was trained on rows that have keys.
    """

    state: dict[str, Tensor]
    provenance: Provenance
    history: dict[str, np.ndarray]
    best_step: np.ndarray
    validation_probabilities: np.ndarray
    checkpoints: Mapping[int, dict[str, Tensor]] = field(default_factory=dict)
    module: Callable[..., nn.Module] | None = None
    learned: LearnedRows | None = None

    def __getstate__(self) -> dict[str, Any]:
        # The networks are made of the state, and would hold every number a second time.
        return {name: value for name, value in self.__dict__.items() if name != "blend"}

    def __repr__(self) -> str:
        provenance = self.provenance
        return (
            f"{type(self).__name__}({provenance.architecture.name}: {provenance.members} members, "
            f"{len(provenance.preprocessing.columns)} columns, {len(provenance.classes)} classes, "
            f"{len(self.history['step'])} epochs)"
        )

    @cached_property
    @usual_state()
    def blend(self) -> Blend:
        """The network, on the CPU, ready to predict.

        Raises
        ------
        ValueError
            If the architecture is a person's own class and `module` was not given, or the weights, of another state
            of this project or of that class, do not fit its networks.
        """
        blend = Blend([self._network(pack) for pack in self.provenance.packs])
        try:
            blend.load_state_dict(self.state)
        except RuntimeError as error:
            reason = " ".join(str(error).split())
            raise ValueError(
                f"the weights of {self.provenance.architecture.name} do not fit the networks that it is now; "
                f"train it again ({reason})"
            ) from error
        return blend.eval().requires_grad_(False)

    def _network(self, pack: Pack) -> PackedNetwork:
        seeds = pack.seeds
        kept = np.flatnonzero(self.best_step >= 0).tolist()[: len(seeds)]
        architecture = self.provenance.built.of_members(kept)
        n_features, n_classes = self.provenance.preprocessing.width, len(self.provenance.classes)
        if pack.kind == "linear":
            return PackedQuadratic(n_features, n_classes)
        if not isinstance(architecture, Module):
            return architecture.build(n_features, n_classes, seeds)
        if self.module is None:
            raise ValueError(
                f"architecture {architecture.name!r} is a class of its own ({architecture.path}), and loading "
                "never imports what a file names: pass the class, as in load_classifier(path, module=...)"
            )
        return VmapNetwork(partial(self.module, **architecture.arguments), n_features, n_classes, seeds)

    def using(self, architecture: Architecture) -> Self:
        """The same, with the class of a person's own network that a declaration names."""
        return replace(self, module=architecture.network_class())

    def noting(self, overridden: dict[str, Any], note: str = "") -> Self:
        """The same, its provenance saying what a run set otherwise than declared, the data's part included."""
        of_dataset = {f"dataset.{field}": value for field, value in self.provenance.source.overridden.items()}
        noted = {"overridden": of_dataset | overridden, "note": note}
        return replace(self, provenance=self.provenance.model_copy(update=noted))

    def predicts_as(self, other: FittedModel) -> bool:
        """Whether another one has the same provenance and networks, to the last bit."""
        return (
            self.provenance == other.provenance
            and self.state.keys() == other.state.keys()
            and all(torch.equal(tensor, other.state[name]) for name, tensor in self.state.items())
        )

    def summary(self) -> dict[str, float]:
        """The figures of the training that are followed over time."""
        kept = self.best_step >= 0
        return {
            "validation_loss": float(np.nanmin(self.history["validation_loss"][:, kept], axis=0).mean()),
            "best_step": float(np.median(self.best_step[kept])),
            "temperature": float(self.state["temperatures"].mean()),
            "members": int(kept.sum()),
            "failed": int((~kept).sum()),
        }

    def hyperparameters(self) -> pd.DataFrame:
        """Architecture and training as used, for reading."""
        provenance = self.provenance
        architecture = provenance.built
        used = architecture.model_dump(mode="json", exclude={"training", "device", "name"})
        used |= provenance.training.model_dump(mode="json", exclude=set(architecture.ignores))
        return pd.DataFrame({"hyper-parameter": list(used), "value": [str(value) for value in used.values()]})

    def _repr_html_(self) -> str:
        """Shown by a notebook: what it is, how its training went, and architecture and training as used."""
        figures = pd.DataFrame(
            {"": list(self.summary()), "value": [f"{v:.4g}" for v in self.summary().values()]}
        )
        tables = [frame.to_html(index=False) for frame in (figures, self.hyperparameters())]
        return f"<p><code>{escape(repr(self))}</code></p>" + "".join(tables)

    def predict_proba(self, X: np.ndarray, device: str = "cpu") -> np.ndarray:
        """Class probabilities (N, C) of rows X (N, D) in their own units."""
        return self._probabilities(self.blend, X, device)

    def probabilities_at(self, step: int, X: np.ndarray, device: str = "cpu") -> np.ndarray:
        """Class probabilities (N, C) of rows X (N, D) as they were at a checkpoint, at the final temperature.

        Raises
        ------
        KeyError
            If no state of that step was kept.
        """
        return self.as_of(step)(X, device)

    @usual_state()
    def as_of(self, step: int) -> Callable[..., np.ndarray]:
        """The same as a function of X and the device, for those who ask of one checkpoint more than once."""
        if step not in self.checkpoints:
            known = ", ".join(map(str, self.checkpoints)) or "none"
            raise KeyError(f"no checkpoint of step {step}; there are: {known}")
        state = self.checkpoints[step]
        held = len(next(iter(state.values())))
        # Not a network of its own, for each of which initial weights would be drawn.
        network = select_members(self.blend.networks()[0], torch.arange(held))
        network.load_state_dict(state)
        blend = Blend([network], temperatures=self.state["temperatures"]).eval().requires_grad_(False)
        return lambda X, device="cpu": self._probabilities(blend, X, device)

    def member_predictions(
        self, X: np.ndarray, device: str = "cpu", rows: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Predictions of the blend and of its members for X (N, D), from one forward pass.

        Parameters
        ----------
        rows : array (n,) of indices, ascending, optional
            The rows of which members' probabilities are returned; those of all, the default, may not fit into memory.

        Returns
        -------
        probabilities (N, C), the members' disagreement (N,), see `members_disagreement`, and every member's
        probabilities of those rows (M, n, C)
        """
        blend = self.blend

        def predict(logits: list[Tensor], start: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            members = blend.members(logits).cpu().numpy()
            disagreement = members_disagreement(members)
            if rows is not None:
                first, last = np.searchsorted(rows, (start, start + members.shape[1]))
                members = members[:, rows[first:last] - start]
            return blend.blended(logits).cpu().numpy(), disagreement, members

        blended, disagreement, members = zip(*self._map_chunks(blend, X, device, predict), strict=True)
        return np.concatenate(blended), np.concatenate(disagreement), np.concatenate(members, axis=1)

    def _probabilities(self, blend: Blend, X: np.ndarray, device: str) -> np.ndarray:
        return np.concatenate(
            self._map_chunks(blend, X, device, lambda logits, _: blend.blended(logits).cpu().numpy())
        )

    @usual_state()
    def _map_chunks(
        self, blend: Blend, X: np.ndarray, device: str, predict: Callable[[list[Tensor], int], Any]
    ) -> list[Any]:
        """The results of `predict`, called for each chunk with the packs' logits and the number of its first row.

        On a CPU each thread takes chunks of its own: threads that share a small product wait for one another
        longer than they compute.
        """
        blend.to(device)
        size = max(_CHUNK_ROWS, _CHUNK_BYTES // (4 * max(pack.values_a_row for pack in blend.networks())))

        def one(start: int) -> Any:
            features = self.provenance.preprocessing.features(X[start : start + size])
            with torch.inference_mode():
                return predict(blend.logits(torch.from_numpy(features).to(device)), start)

        starts = range(0, max(len(X), 1), size)
        # A person's own module lends its code to one call at a time.
        alone = any(pack.one_call_at_a_time for pack in blend.networks())
        with threads() as number:
            if alone or device != "cpu" or number == 1 or len(starts) == 1:
                return [one(start) for start in starts]
            with ThreadPoolExecutor(number, initializer=begin_worker, initargs=(1,)) as pool:
                return list(pool.map(one, starts))
