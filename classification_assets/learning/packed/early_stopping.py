"""Early stopping of each member of a pack by its own validation rows, and the best state of each.

Shapes: K members, N rows, D features, C classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from classification_assets.learning.packed.batches import BLOCK_BYTES, RowSource


class MemberStates:
    """A state a member, kept beside the pack and for all K members, whoever has left."""

    def __init__(self, network: nn.Module, n_members: int) -> None:
        self.full = {name: value.clone() for name, value in network.state_dict().items()}
        self.pack = {name: value.clone() for name, value in self.full.items()}
        self.active = torch.arange(n_members, device=next(iter(self.full.values())).device)

    def take(self, network: nn.Module, chosen: Tensor) -> None:
        """Take over the states of the members of the pack that are chosen (K,) bool."""
        for name, value in network.state_dict().items():
            own = self.pack[name]
            torch.where(chosen.view(-1, *[1] * (value.ndim - 1)), value, own, out=own)

    def compact(self, keep: Tensor) -> None:
        """Follow the pack, of which the members `keep` stay."""
        self._scatter()
        self.pack = {name: value[keep] for name, value in self.pack.items()}
        self.active = self.active[keep]

    def of_all(self) -> dict[str, Tensor]:
        """The states of all K members."""
        self._scatter()
        return {name: value.clone() for name, value in self.full.items()}

    def of_first(
        self, n_members: int, network: nn.Module | None = None, running: Tensor | None = None
    ) -> dict[str, Tensor]:
        """The states of the first members; of those of a network's pack that are running (K',) bool, its own."""
        pack = self.pack
        if network is not None and running is not None:
            pack = {
                name: torch.where(running.view(-1, *[1] * (value.ndim - 1)), value, pack[name])
                for name, value in network.state_dict().items()
            }
        n_all, here = len(next(iter(self.full.values()))), self.active < n_members
        if len(self.active) == n_all:
            return {name: value[:n_members].clone() for name, value in pack.items()}
        self._scatter()
        states = {name: value[:n_members].clone() for name, value in self.full.items()}
        for name, value in pack.items():
            states[name][self.active[here]] = value[here]
        return states

    def _scatter(self) -> None:
        for name, value in self.pack.items():
            self.full[name][self.active] = value


class ValidationFold:
    """Scores a packed network on each member's validation rows, in chunks of bounded size."""

    def __init__(self, X: RowSource, y: Tensor, rows: Sequence[np.ndarray], weight: Tensor | None) -> None:
        shared = all(own is rows[0] for own in rows)
        longest = max(len(own) for own in rows)
        index = np.zeros((1 if shared else len(rows), longest), np.int64)
        counts = np.zeros(index.shape, np.float32)
        for position, own in enumerate(rows[: len(index)]):
            index[position, : len(own)] = own
            counts[position, : len(own)] = 1
        self.n_members, self.X, self.y = len(rows), X, y
        self.index = torch.from_numpy(index).to(X.device)
        self.counts = torch.from_numpy(counts).to(X.device)
        if weight is not None:
            self.counts = self.counts * weight[self.index]

    @property
    def empty(self) -> bool:
        return self.index.shape[1] == 0

    @torch.no_grad()
    def score(self, network: nn.Module, n_classes: int) -> tuple[Tensor, Tensor]:
        """Each member's mean log loss and accuracy, (K,) and (K,); NaN on an empty fold."""
        network.eval()
        K = self.n_members
        loss, right = torch.zeros(K, device=self.X.device), torch.zeros(K, device=self.X.device)
        chunk = max(1, BLOCK_BYTES // (4 * K * (self.X.shape[1] + 4 * n_classes)))
        for index, counts in zip(self.index.split(chunk, 1), self.counts.split(chunk, 1), strict=True):
            x = self.X[index].transpose(1, 2).contiguous().expand(K, -1, -1)
            logits = network(x.transpose(1, 2)).transpose(1, 2)
            target = self.y[index].unsqueeze(1).expand(K, -1, -1)
            chosen = logits.gather(1, target).squeeze(1)
            loss += ((logits.logsumexp(1) - chosen) * counts).sum(1)
            # argmax over so short an axis is slow; the label has the largest logit if none is larger.
            right += ((chosen >= logits.amax(1)) * counts).sum(1)
        total = self.counts.sum(1)
        return loss / total, right / total

    def selected(self, keep: Tensor) -> ValidationFold:
        chosen = object.__new__(ValidationFold)
        chosen.__dict__.update(self.__dict__, n_members=len(keep))
        if len(self.index) > 1:
            chosen.index, chosen.counts = self.index[keep], self.counts[keep]
        return chosen
