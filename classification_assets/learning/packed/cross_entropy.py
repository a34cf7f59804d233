"""The cross-entropy of soft targets, and its gradient, in one pass. Shapes: K members, C classes, B rows."""

from __future__ import annotations

from torch import Tensor


def cross_entropy(logits: Tensor, target: Tensor, weighted: bool) -> tuple[Tensor, Tensor]:
    """Members' losses (K,), and the gradient with respect to the logits (K, C, B)."""
    B = logits.shape[2]
    log_p = logits.log_softmax(1)
    loss = (log_p * target).sum((1, 2)).div_(-B)
    p = log_p.exp_()
    if weighted:
        p.mul_(target.sum(1, keepdim=True))
    return loss, p.sub_(target).div_(B)
