"""Early stopping of each member of a pack by its own validation rows, and the best state of each.

Shapes: K members in all, K' of them still in the pack, N rows, D features, C classes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from classification_assets.learning.packed.batches import BLOCK_BYTES, RowSource


class EarlyStopping:
    """Decides which members go on, and keeps the best state of each.

    Parameters
    ----------
    network : nn.Module
        The pack of all K members, at its start.
    last : int
        The step at which every member stops.
    patience : int, optional
        Steps without a better validation loss before a member stops. Without it nothing chooses a state: a member
        keeps the one that it leaves with.

    Attributes
    ----------
    active : Tensor (K',)
        Indices of the members in the pack.
    stopped : Tensor (K',) bool
        The mask of those that have stopped and leave with the next `select`.
    finished : bool
        True when training is over.
    best_loss, best_step : Tensor (K,)
        The lowest validation loss of each member, and the step of the state that it keeps.
    failed : Tensor (K,) bool
        The mask of members whose loss stopped being finite.
    states : MemberStates
        The state of each member at its best step.
    """

    def __init__(self, network: nn.Module, n_members: int, last: int, patience: int | None) -> None:
        self.last, self.patience = last, patience
        self.states = MemberStates(network, n_members)
        device = self.active.device
        self.stopped = torch.zeros(n_members, dtype=torch.bool, device=device)
        self.failed = torch.zeros(n_members, dtype=torch.bool, device=device)
        self.best_loss = torch.full((n_members,), math.inf, dtype=torch.float32, device=device)
        self.best_step = torch.full((n_members,), -1, dtype=torch.int64, device=device)
        self.n_stopped, self.finished = 0, False

    @property
    def active(self) -> Tensor:
        """Indices (K',) of the members in the pack."""
        return self.states.active

    @property
    def stopped_share(self) -> float:
        """The share of the members in the pack that have stopped."""
        return self.n_stopped / len(self.active)

    def update(
        self,
        network: nn.Module,
        step: int,
        train_loss: Tensor,
        validation_loss: Tensor | None,
        asked: Tensor | None = None,
    ) -> None:
        """Take an epoch's losses (K',) into account; `asked` (K,) bool are members to stop in any case."""
        active, running = self.active, ~self.stopped
        # The validation loss also tells of what the epoch's last step ruined.
        total = train_loss if validation_loss is None else train_loss + validation_loss
        broken = running & ~total.isfinite()
        self.failed[active[broken]] = True
        self.stopped |= broken
        better = running & ~broken
        if self.patience is not None and validation_loss is not None:
            better &= validation_loss < self.best_loss[active]
            self.best_loss[active] = torch.where(better, validation_loss, self.best_loss[active])
            self.best_step[active] = torch.where(better, step, self.best_step[active])
            self.stopped |= step - self.best_step[active] >= self.patience
        if asked is not None:
            self.stopped |= asked.to(active.device)[active]
        self.n_stopped = int(self.stopped.sum())
        self.finished = step == self.last or self.n_stopped == len(active)
        if self.patience is None:
            if not self.n_stopped and not self.finished:
                return
            better &= self.stopped | self.finished
            self.best_step[active] = torch.where(better, step, self.best_step[active])
        self.states.take(network, better)

    def select(self, keep: Tensor) -> None:
        """Follow the pack, in which only the members `keep` (K'',) of the K' stay."""
        self.states.select(keep)
        self.stopped = self.stopped[keep]
        self.n_stopped = 0

    def of_all(self, value: Tensor) -> Tensor:
        """Numbers of the pack's members (K',) as numbers of all K, on the CPU; NaN where a member has stopped."""
        running = ~self.stopped
        full = torch.full((len(self.failed),), math.nan, dtype=value.dtype, device=value.device)
        full[self.active[running]] = value[running]
        return full.cpu()


class MemberStates:
    """One state of each of the K members, kept apart from the pack, which members leave."""

    def __init__(self, network: nn.Module, n_members: int) -> None:
        self.full = {name: value.clone() for name, value in network.state_dict().items()}
        self.pack = {name: value.clone() for name, value in self.full.items()}
        self.active = torch.arange(n_members, device=next(iter(self.full.values())).device)

    def take(self, network: nn.Module, chosen: Tensor) -> None:
        """Take over the states of the members of the pack that are chosen (K',) bool."""
        for name, value in network.state_dict().items():
            state = self.pack[name]
            torch.where(chosen.view(-1, *[1] * (value.ndim - 1)), value, state, out=state)

    def select(self, keep: Tensor) -> None:
        """Follow the pack, in which only the members `keep` (K'',) of the K' stay."""
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
        """The kept states of the first members, but the network's own states of those that are running (K',) bool."""
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
        shared = all(its_rows is rows[0] for its_rows in rows)
        longest = max(map(len, rows))
        index = np.zeros((1 if shared else len(rows), longest), np.int64)
        counts = np.zeros(index.shape, np.float32)
        for member, its_rows in enumerate(rows[: len(index)]):
            index[member, : len(its_rows)] = its_rows
            counts[member, : len(its_rows)] = 1
        self.n_members, self.X, self.y = len(rows), X, y
        self.index = torch.from_numpy(index).to(X.device)
        self.counts = torch.from_numpy(counts).to(X.device)
        if weight is not None:
            self.counts = self.counts * weight[self.index]

    @property
    def empty(self) -> bool:
        """Whether there are no rows to validate on."""
        return self.index.shape[1] == 0

    @torch.no_grad()
    def score(self, network: nn.Module, n_classes: int) -> tuple[Tensor, Tensor]:
        """Each member's mean log loss and accuracy, (K,) and (K,); NaN on an empty fold."""
        network.eval()
        K = self.n_members
        loss, right = (torch.zeros(K, dtype=torch.float32, device=self.X.device) for _ in range(2))
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
        """The fold of the members `keep` (indices)."""
        chosen = object.__new__(ValidationFold)
        chosen.__dict__.update(self.__dict__, n_members=len(keep))
        if len(self.index) > 1:
            chosen.index, chosen.counts = self.index[keep], self.counts[keep]
        return chosen
