"""Training in halves, with the same numbers, of packs that are too large for the memory."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

import torch
from torch import Tensor

from classification_assets.learning.packed.training import TrainingResult

log = logging.getLogger(__name__)

T = TypeVar("T")


def in_halves(
    train_some: Callable[[Sequence[int]], TrainingResult], members: Sequence[int], together: int = 1
) -> TrainingResult:
    """Train members in one pass, or in parts, whose results are joined: see `in_parts`."""
    parts = in_parts(train_some, members, together)
    return parts[0] if len(parts) == 1 else joined(parts)


def in_parts(
    train_some: Callable[[Sequence[int]], T],
    members: Sequence[int],
    together: int = 1,
    *,
    one: str = "one network",
) -> list[T]:
    """Train members in one pass; if the memory does not hold them, one half after the other, and so on.

    Members are independent of what they are packed with, so a split pack gives the numbers of the whole one
    (but for random layers of a person's own module, which draw from one stream a pack).

    Parameters
    ----------
    train_some : callable
        Called with some of the members; trains them in one pass.
    members : sequence of K ints
    together : int
        Length of the runs of members that stop together: a run is halved only if it does not fit alone.
    one : str
        What a member is, for a message.

    Returns
    -------
    list
        The results of the parts, in the order of the members.

    Raises
    ------
    MemoryError
        If not even one member alone fits.
    """
    try:
        return [train_some(members)]
    except (RuntimeError, MemoryError) as error:
        if not _is_out_of_memory(error):
            raise
        reason = (str(error) or type(error).__name__).splitlines()[0]
    # Out of the handler the traceback is gone, and with it what held the memory.
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if len(members) == 1:
        raise MemoryError(
            f"{one} alone does not fit into the memory ({reason}); "
            "a smaller batch_size or narrower hidden layers need less"
        )
    log.warning(
        "out of memory with %d networks in one pass; they are trained in two halves (%s)",
        len(members),
        reason,
    )
    middle = len(members) // 2
    if len(members) > together:
        middle = max(together, middle // together * together)
    halves = (members[:middle], members[middle:])
    return [part for half in halves for part in in_parts(train_some, half, together, one=one)]


def joined(parts: Sequence[TrainingResult]) -> TrainingResult:
    """The result of members trained in parts, as if they had been one pack."""
    longest = max((part.history["step"] for part in parts), key=len)
    history = {
        name: torch.cat([_filled(part.history[name], len(longest)) for part in parts], 1)
        for name in parts[0].history
        if name != "step"
    }
    return TrainingResult(
        state=_joined_states([part.state for part in parts]),
        best_step=torch.cat([part.best_step for part in parts]),
        history={"step": longest} | history,
        checkpoints={
            step: _joined_states([part.checkpoints[step] for part in parts]) for step in parts[0].checkpoints
        },
    )


def _joined_states(states: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    return {name: torch.cat([state[name] for state in states]) for name in states[0]}


def _filled(history: Tensor, epochs: int) -> Tensor:
    """(E', K) to (E, K): a part that was finished earlier has no numbers after."""
    rest = history.new_full((epochs - len(history), *history.shape[1:]), torch.nan)
    return torch.cat([history, rest])


def _is_out_of_memory(error: Exception) -> bool:
    """Whether an error says that the memory did not suffice."""
    # PyTorch's allocator on the CPU raises a RuntimeError with nothing but its text to tell it by.
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or "can't allocate memory" in str(error)
