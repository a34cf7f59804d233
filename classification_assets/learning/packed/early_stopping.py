"""Early stopping of each member of a pack by its own validation rows, and the best state of each.

Shapes: K members in all, K' of them still in the pack, N rows, D features, C classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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
    active : array (K',)
        Indices of the members in the pack.
    stopped : array (K',) bool
        The mask of those that have stopped and leave with the next `select`.
    finished : bool
        True when training is over.
    best_loss, best_step : array (K,)
        The lowest validation loss of each member, and the step of the state that it keeps.
    failed : array (K,) bool
        The mask of members whose loss stopped being finite.
    states : MemberStates
        The state of each member at its best step.
    """

    def __init__(self, network: nn.Module, n_members: int, last: int, patience: int | None) -> None:
        self.last, self.patience = last, patience
        self.states = MemberStates(network, n_members)
        self.stopped = np.zeros(n_members, bool)
        self.failed = np.zeros(n_members, bool)
        self.best_loss = np.full(n_members, np.inf, np.float32)
        self.best_step = np.full(n_members, -1, np.int64)
        self.finished = False

    @property
    def active(self) -> np.ndarray:
        """Indices (K',) of the members in the pack."""
        return self.states.active

    @property
    def stopped_share(self) -> float:
        """The share of the members in the pack that have stopped."""
        return np.count_nonzero(self.stopped) / len(self.stopped)

    def update(
        self,
        step: int,
        train_loss: np.ndarray,
        validation_loss: np.ndarray | None,
        asked: np.ndarray | None = None,
    ) -> None:
        """Take an epoch's losses (K',) into account; `asked` (K,) bool are members to stop in any case."""
        active, running = self.active, ~self.stopped
        # The validation loss also tells of what the epoch's last step ruined.
        total = train_loss if validation_loss is None else train_loss + validation_loss
        broken = running & ~np.isfinite(total)
        self.failed[active[broken]] = True
        self.stopped |= broken
        better = running & ~broken
        if self.patience is not None and validation_loss is not None:
            better &= validation_loss < self.best_loss[active]
            self.best_loss[active[better]] = validation_loss[better]
            self.best_step[active[better]] = step
            self.stopped |= step - self.best_step[active] >= self.patience
        if asked is not None:
            self.stopped |= asked[active]
        self.finished = step == self.last or bool(self.stopped.all())
        if self.patience is None:
            better &= self.stopped | self.finished
            self.best_step[active[better]] = step
        if better.any():
            self.states.take(better)

    def select(self, network: nn.Module, keep: np.ndarray) -> None:
        """Follow the pack, now `network`, in which only the members `keep` (K'',) of the K' stay."""
        self.states.select(network, keep)
        self.stopped = self.stopped[keep]

    def of_all(self, value: np.ndarray) -> Tensor:
        """Numbers of the pack's members (K',) as numbers of all K, on the CPU; NaN where a member has stopped."""
        running = ~self.stopped
        full = np.full(len(self.failed), np.nan, value.dtype)
        full[self.active[running]] = value[running]
        return torch.from_numpy(full)


class MemberStates:
    """One state of each of the K members, kept apart from the pack, which members leave.

    The pack's own tensors are read, which training changes in place. What is kept is contiguous, which they need not
    be: files want it, and it decides how a product rounds.
    """

    def __init__(self, network: nn.Module, n_members: int) -> None:
        self.network = network.state_dict()
        self.full = {
            name: value.clone(memory_format=torch.contiguous_format) for name, value in self.network.items()
        }
        self.pack = {name: value.clone() for name, value in self.full.items()}
        self.active = np.arange(n_members)

    def take(self, chosen: np.ndarray) -> None:
        """Take over the states of the members of the pack that are chosen (K',) bool."""
        for state, value, mask in self._masked(chosen):
            torch.where(mask, value, state, out=state)

    def select(self, network: nn.Module, keep: np.ndarray) -> None:
        """Follow the pack, now `network`, in which only the members `keep` (K'',) of the K' stay."""
        self._scatter()
        self.network, self.active = network.state_dict(), self.active[keep]
        self.pack = {name: value[keep] for name, value in self.pack.items()}

    def of_all(self) -> dict[str, Tensor]:
        """The states of all K members."""
        self._scatter()
        return {name: value.clone() for name, value in self.full.items()}

    def of_first(self, n_members: int, running: np.ndarray | None = None) -> dict[str, Tensor]:
        """The kept states of the first members, but the network's own states of those that are running (K',) bool."""
        pack = self.pack
        if running is not None:
            states = [
                torch.where(mask, value, state).contiguous() for state, value, mask in self._masked(running)
            ]
            pack = dict(zip(self.pack, states, strict=True))
        n_all, here = len(next(iter(self.full.values()))), self.active < n_members
        if len(self.active) == n_all:
            return {name: value[:n_members].clone() for name, value in pack.items()}
        self._scatter()
        states_of_all = {name: value[:n_members].clone() for name, value in self.full.items()}
        for name, value in pack.items():
            states_of_all[name][self.active[here]] = value[here]
        return states_of_all

    def _masked(self, chosen: np.ndarray) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Each kept tensor, the network's own, and the mask (K', 1, ...) of the members that are chosen."""
        mask = torch.from_numpy(chosen).to(next(iter(self.pack.values())).device)
        for name, value in self.network.items():
            yield self.pack[name], value, mask.view(-1, *[1] * (value.ndim - 1))

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
        self.whole: tuple[Tensor, Tensor] | None = None
        """The rows laid out, where one chunk holds all: every epoch scores the same."""

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
        if self.whole is None and chunk >= self.index.shape[1]:
            self.whole = self._laid_out(self.index)
        for index, counts in zip(self.index.split(chunk, 1), self.counts.split(chunk, 1), strict=True):
            x, target = self.whole or self._laid_out(index)
            logits = network(x.expand(K, -1, -1).transpose(1, 2)).transpose(1, 2)
            chosen = logits.gather(1, target.expand(K, -1, -1)).squeeze(1)
            loss += ((logits.logsumexp(1) - chosen) * counts).sum(1)
            # argmax over so short an axis is slow; the label has the largest logit if none is larger.
            right += ((chosen >= logits.amax(1)) * counts).sum(1)
        total = self.counts.sum(1)
        return loss / total, right / total

    def _laid_out(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """Features (K or 1, D, n) and labels (K or 1, 1, n) of some rows."""
        return self.X[index].transpose(1, 2).contiguous(), self.y[index].unsqueeze(1)

    def selected(self, keep: Tensor) -> ValidationFold:
        """The fold of the members `keep` (indices)."""
        chosen = object.__new__(ValidationFold)
        chosen.__dict__.update(self.__dict__, n_members=len(keep))
        if len(self.index) > 1:
            chosen.index, chosen.counts, chosen.whole = self.index[keep], self.counts[keep], None
        return chosen
