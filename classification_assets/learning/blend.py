"""A trained classifier: packs of networks and how their outputs become probabilities."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from importlib.metadata import version
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from pydantic import Field
from torch import Tensor, nn

from classification_assets.learning.architectures import AnyArchitecture, Architecture, Module, Training
from classification_assets.learning.declaration import Declaration
from classification_assets.learning.labels import Labels
from classification_assets.learning.packed import VmapNetwork
from classification_assets.learning.packed_tabular import PackedTabular
from classification_assets.learning.preprocessing import Preprocessing

# What a layer of all members gives at one time, and the fewest rows: it stays in the cache, which is up to 4 times
# faster, and there is a chunk for each thread.
_CHUNK_BYTES, _CHUNK_ROWS = 2**20, 256


class Blend(nn.Module):
    """Probabilities of P packs: p = Σ wᵢ softmax(mean over members of logits / Tᵢ), mixed with uniform by floor.

    Shape: features (N, D) to probabilities (N, C).

    Parameters
    ----------
    packs : sequence of P packed networks
    weights, temperatures : Tensor (P,), optional
        1 / P and 1 by default.
    floor : float
        Share of the uniform distribution.
    """

    def __init__(
        self,
        packs: Sequence[nn.Module],
        weights: Tensor | None = None,
        temperatures: Tensor | None = None,
        floor: float = 0.0,
    ) -> None:
        super().__init__()
        self.packs = nn.ModuleList(packs)
        self.weights: Tensor
        self.temperatures: Tensor
        self.floor: Tensor
        P = len(packs)
        self.register_buffer("weights", torch.full((P,), 1 / P) if weights is None else weights)
        self.register_buffer("temperatures", torch.ones(P) if temperatures is None else temperatures)
        self.register_buffer("floor", torch.tensor(float(floor)))

    def forward(self, X: Tensor) -> Tensor:
        return self.blended(self.logits(X))

    def member_probabilities(self, X: Tensor) -> Tensor:
        """Each member's calibrated probabilities, (N, D) to (M, N, C), M members in all."""
        return self.members(self.logits(X))

    def logits(self, X: Tensor) -> list[Tensor]:
        """Each pack's logits (K, N, C) for X (N, D): one forward pass for all that follows."""
        return [pack(X.expand(_members(pack), -1, -1)) for pack in self.packs]

    def blended(self, logits: list[Tensor]) -> Tensor:
        """Probabilities (N, C) from the packs' logits."""
        parts = [
            weight * (own.mean(0) / temperature).softmax(1)
            for own, weight, temperature in zip(logits, self.weights, self.temperatures, strict=True)
        ]
        blend = torch.stack(parts).sum(0)
        return (1 - self.floor) * blend + self.floor / blend.shape[1]

    def members(self, logits: list[Tensor]) -> Tensor:
        """Probabilities (M, N, C) of every member alone from the packs' logits."""
        return torch.cat(
            [
                (own / temperature).softmax(2)
                for own, temperature in zip(logits, self.temperatures, strict=True)
            ]
        )


def _members(pack: nn.Module) -> int:
    return next(pack.parameters()).shape[0]


def _values_a_row(pack: nn.Module) -> int:
    """What a layer gives at one time for each row: of all members, or where they follow one another, of one."""
    widest = max(parameter.shape[1] if parameter.ndim > 1 else 1 for parameter in pack.parameters())
    return widest if isinstance(pack, PackedTabular) else widest * _members(pack)


class Provenance(Declaration):
    """What a classifier was made from; with the state it is everything needed to use and to repeat it."""

    architecture: AnyArchitecture
    training: Training
    packs: tuple[tuple[int, ...], ...]
    """The seeds of each pack's members; those whose training failed are not among them. Where nothing is drawn, in
    a linear model that stands beside networks, there are none."""
    classes: Labels
    preprocessing: Preprocessing
    source: dict[str, Any]
    overridden: dict[str, Any]
    versions: dict[str, str]
    sizes: dict[str, int] = Field({})
    """Fields that the architecture left to the rows: other rows may make others of them."""

    @property
    def built(self) -> Architecture:
        """The architecture with the sizes that it had on these rows."""
        return self.architecture.replaced(**self.sizes)

    @property
    def members(self) -> int:
        """How many have a say: networks, and linear models beside them."""
        return sum(max(1, len(seeds)) for seeds in self.packs)

    @staticmethod
    def current_versions() -> dict[str, str]:
        """Of what decides the numbers."""
        return {name: version(name) for name in ("torch", "numpy", "scikit-learn", "classification-assets")}


@dataclass(frozen=True)
class Fitted:
    """A fitted classifier: its state, how it came about, and what training showed.

    Attributes
    ----------
    state : dict of str to Tensor
        `Blend.state_dict()`.
    provenance : Provenance
    history : dict of str to array
        See `Trained.history`; the columns are all K members, failed ones too.
    best_step : array (K,)
        -1 for a member whose training failed.
    validation_probabilities : array (V, C)
        Of the validation fold's rows, by networks that were not trained on them.
    checkpoints : mapping of int to state
        The state of the pack's first members at some steps, from 0 to the end; read from a file only when
        asked for.
    module : callable, optional
        The class of a person's own network; a file never brings code with it.
    """

    state: dict[str, Tensor]
    provenance: Provenance
    history: dict[str, np.ndarray]
    best_step: np.ndarray
    validation_probabilities: np.ndarray
    checkpoints: Mapping[int, dict[str, Tensor]] = field(default_factory=dict)
    module: Callable[..., nn.Module] | None = None

    @cached_property
    def blend(self) -> Blend:
        """The network, on the CPU, ready to predict.

        Raises
        ------
        ValueError
            If the architecture is a person's own class and `module` was not given, or the weights, of another state
            of this project or of that class, do not fit its networks.
        """
        blend = Blend([self._network(seeds) for seeds in self.provenance.packs])
        try:
            blend.load_state_dict(self.state)
        except RuntimeError as error:
            reason = " ".join(str(error).split())
            raise ValueError(
                f"the weights of {self.provenance.architecture.name} do not fit the networks that it is now; "
                f"train it again ({reason})"
            ) from error
        return blend.eval().requires_grad_(False)

    def _network(self, seeds: Sequence[int]) -> nn.Module:
        kept = np.flatnonzero(self.best_step >= 0).tolist()[: len(seeds)]
        architecture = self.provenance.built.of_members(kept)
        n_features, n_classes = self.provenance.preprocessing.width, len(self.provenance.classes)
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

    def noting(self, overridden: dict[str, Any]) -> Self:
        """The same, its provenance saying what a run set otherwise than declared, the data's part included."""
        told = {
            f"dataset.{field}": value for field, value in self.provenance.source.get("overridden", {}).items()
        }
        return replace(self, provenance=self.provenance.model_copy(update={"overridden": told | overridden}))

    def summary(self) -> dict[str, float]:
        """What of the training is followed over time."""
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
        if step not in self.checkpoints:
            known = ", ".join(map(str, self.checkpoints)) or "none"
            raise KeyError(f"no checkpoint of step {step}; there are: {known}")
        state = self.checkpoints[step]
        held = len(next(iter(state.values())))
        network = self._network(self.provenance.packs[0][:held])
        network.load_state_dict(state)
        blend = Blend([network], temperatures=self.state["temperatures"])
        return self._probabilities(blend.eval().requires_grad_(False), X, device)

    def member_predictions(
        self, X: np.ndarray, device: str = "cpu", rows: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What the blend says of X (N, D) and what its members say, from one forward pass.

        Parameters
        ----------
        rows : array (n,) of indices, ascending, optional
            Whose members' probabilities are wanted: those of all rows may be too much to hold. Default: all.

        Returns
        -------
        probabilities (N, C), the members' disagreement (N,), see `members_disagreement`, and every member's
        probabilities of those rows (M, n, C)
        """
        blend = self.blend

        def of(logits: list[Tensor], start: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            members = blend.members(logits).cpu().numpy()
            disagreement = members_disagreement(members)
            if rows is not None:
                first, last = np.searchsorted(rows, (start, start + members.shape[1]))
                members = members[:, rows[first:last] - start]
            return blend.blended(logits).cpu().numpy(), disagreement, members

        blended, disagreement, members = zip(*self._of_chunks(blend, X, device, of), strict=True)
        return np.concatenate(blended), np.concatenate(disagreement), np.concatenate(members, axis=1)

    def _probabilities(self, blend: Blend, X: np.ndarray, device: str) -> np.ndarray:
        return np.concatenate(
            self._of_chunks(blend, X, device, lambda logits, _: blend.blended(logits).cpu().numpy())
        )

    def _of_chunks(
        self, blend: Blend, X: np.ndarray, device: str, of: Callable[[list[Tensor], int], Any]
    ) -> list[Any]:
        """What becomes of the packs' logits and the number of their first row, chunk by chunk.

        On a CPU each thread takes chunks of its own: threads that share a small product wait for one another
        longer than they compute.
        """
        blend.to(device)
        size = max(_CHUNK_ROWS, _CHUNK_BYTES // (4 * max(map(_values_a_row, blend.packs))))

        def one(start: int) -> Any:
            features = self.provenance.preprocessing.features(X[start : start + size])
            with torch.inference_mode():
                return of(blend.logits(torch.from_numpy(features).to(device)), start)

        starts, threads = range(0, max(len(X), 1), size), torch.get_num_threads()
        # A person's own module lends its code to one call at a time.
        alone = any(isinstance(pack, VmapNetwork) for pack in blend.packs)
        if alone or device != "cpu" or threads == 1 or len(starts) == 1:
            return [one(start) for start in starts]
        try:
            with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
                return list(pool.map(one, starts))
        finally:
            # The number is partly one of the whole process.
            torch.set_num_threads(threads)


def members_disagreement(members: np.ndarray) -> np.ndarray:
    """Mean over members (M, N, C) of the total variation distance to their mean: (N,) float32 in [0, 1]."""
    return (np.abs(members - members.mean(0)).sum(2) / 2).mean(0).astype(np.float32)
