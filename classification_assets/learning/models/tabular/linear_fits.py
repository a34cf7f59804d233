"""Linear models of inner folds: multinomial logistic regression, fitted to its optimum at several penalties.

Where columns are correlated, a few hundred steps of stochastic gradient descent stay far from that optimum.

Objective and solver are those of scikit-learn's `LogisticRegression`, and so is the result. Its class is not used: what
instruments scikit-learn's estimators, such as MLflow's autologging, would take each fit for the model of the person who
calls, log it, and take 30 times longer.

Shapes: S penalties, M members, n rows, D features, C classes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import cache
from threading import Lock
from typing import Any

import numpy as np
import torch
from scipy.optimize import minimize
from threadpoolctl import ThreadpoolController
from torch import Tensor
from torch.nn import functional as F

from classification_assets.learning.packed.torch_state import threads

STRENGTHS = (0.01, 0.1, 1.0, 10.0)
"""Factors on the rows' loss against half the sum of the squared weights: scikit-learn's ``C``."""

_SOLVER = {"maxiter": 100, "maxls": 50, "gtol": 1e-3, "ftol": 64 * np.finfo(float).eps}

_Objective = Callable[[np.ndarray], tuple[float, np.ndarray]]
"""Value and gradient at some parameters, without the penalty."""


def linear_fits(
    X: np.ndarray, y: np.ndarray, weights: Sequence[np.ndarray], n_classes: int
) -> tuple[Tensor, Tensor]:
    """Weights (S, M, D, C) and biases (S, M, C) of logits, float32.

    Parameters
    ----------
    X : array (n, D)
    y : array (n,)
        Class codes, of two classes at least.
    weights : sequence of M arrays (n,)
        Each row's weight for a member, 0 if it must not see the row; some are above 0.
    """
    classes, code = np.unique(y, return_inverse=True)
    weight = np.zeros((len(STRENGTHS), len(weights), X.shape[1], n_classes), np.float32)
    bias = np.zeros((len(STRENGTHS), len(weights), n_classes), np.float32)
    with_ones = np.concatenate([X, np.ones((len(X), 1))], 1, dtype=np.float64)
    with threads(1), _ONE_THREAD:
        for member, counts in enumerate(weights):
            seen = np.flatnonzero(counts)
            share = torch.from_numpy(counts[seen] / counts.sum())
            rows, codes = torch.from_numpy(with_ones[seen]), torch.from_numpy(code[seen])
            objective = (_of_two if len(classes) == 2 else _of_several)(rows, codes, share, len(classes))
            # Each fit starts from the stronger penalty's, never from another member's, which knows rows that this
            # member must not see.
            found = np.zeros(with_ones.shape[1] * (1 if len(classes) == 2 else len(classes)))
            for strength, C in enumerate(STRENGTHS):
                found = _minimum(objective, found, 1 / (C * counts.sum()), with_ones.shape[1])
                logits = _for_each_class(found.reshape(with_ones.shape[1], -1))
                weight[strength, member][:, classes] = logits[:-1]
                bias[strength, member, classes] = logits[-1]
    return torch.from_numpy(weight), torch.from_numpy(bias)


def _minimum(objective: _Objective, start: np.ndarray, penalty: float, n_rows: int) -> np.ndarray:
    """The parameters with the lowest objective and penalty; the last of `n_rows` rows of parameters is the bias."""
    penalized = len(start) - len(start) // n_rows

    def with_penalty(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = objective(parameters)
        some = parameters[:penalized]
        gradient[:penalized] += penalty * some
        return value + penalty / 2 * float(some @ some), gradient

    return minimize(with_penalty, start, method="L-BFGS-B", jac=True, options=_SOLVER).x


def _of_two(rows: Tensor, code: Tensor, share: Tensor, n_classes: int) -> _Objective:
    """The mean log loss of one logit, that of the second class."""
    second, back = code.double(), rows.t()

    def objective(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        logit = torch.mv(rows, torch.from_numpy(parameters))
        value = float((F.softplus(logit, threshold=40) - second * logit) @ share)
        return value, torch.mv(back, logit.sigmoid_().sub_(second).mul_(share)).numpy()

    return objective


def _of_several(rows: Tensor, code: Tensor, share: Tensor, n_classes: int) -> _Objective:
    """The mean log loss of a logit a class; parameters are (D + 1, C), the bias last."""
    label, back, of_row = code.unsqueeze(1), rows.t(), share.unsqueeze(1)
    shares = torch.zeros(len(rows), n_classes, dtype=torch.float64, device="cpu").scatter_(1, label, of_row)

    def objective(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        log_p = torch.mm(rows, torch.from_numpy(parameters).view(-1, n_classes)).log_softmax(1)
        value = -float(log_p.gather(1, label).squeeze(1) @ share)
        return value, torch.mm(back, log_p.exp_().mul_(of_row).sub_(shares)).view(-1).numpy()

    return objective


def _for_each_class(logits: np.ndarray) -> np.ndarray:
    """Parameters (D + 1, C) of each class's logit; of two classes there is one logit, the difference of ours."""
    return logits if logits.shape[1] > 1 else np.concatenate([-logits, logits], 1) / 2


class _OneThreadOfBlas:
    """The solver's products are tiny: waking a second thread for each takes 20 times longer than computing it.

    The number is the process's: of several fits at one time the first takes it, and the last gives it back.
    """

    def __init__(self) -> None:
        self.lock, self.count, self.limit = Lock(), 0, ExitStack()

    def __enter__(self) -> None:
        with self.lock:
            if not self.count:
                self.limit.enter_context(_blas().limit(limits=1))
            self.count += 1

    def __exit__(self, *error: object) -> None:
        with self.lock:
            self.count -= 1
            if not self.count:
                self.limit.close()


_ONE_THREAD = _OneThreadOfBlas()


@cache
def _blas() -> Any:
    # Looking for the libraries takes longer than a fit of few rows.
    return ThreadpoolController().select(user_api="blas")
