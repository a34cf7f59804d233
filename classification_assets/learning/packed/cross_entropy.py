"""The cross-entropy of soft targets, and its gradient, in one pass. Shapes: K members, C classes, B rows."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor


def cross_entropy(logits: Tensor, target: Tensor, weighted: bool) -> tuple[Tensor, Tensor]:
    """Members' losses (K,), and the gradient with respect to the logits (K, C, B)."""
    rows = _number(logits.shape[2], logits.device)
    log_p = logits.log_softmax(1)
    loss = (log_p * target).sum((1, 2)).neg_().div_(rows)
    p = log_p.exp_()
    if weighted:
        p.mul_(target.sum(1, keepdim=True))
    return loss, p.sub_(target).div_(rows)


@lru_cache(maxsize=8)
def _number(number: int, device: torch.device) -> Tensor:
    """A number as a tensor: PyTorch takes longer to make one of it than to divide by it."""
    return torch.tensor(number, dtype=torch.float32, device=device)
