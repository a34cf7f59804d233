"""Linear models of inner folds: multinomial logistic regression, fitted to its optimum at several penalties.

What a few hundred steps of stochastic gradient descent come near to only slowly where columns are correlated.

Shapes: S penalties, M members, n rows, D features, C classes.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import torch
from sklearn import config_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits
from torch import Tensor

STRENGTHS = (0.01, 0.1, 1.0, 10.0)
"""What the rows' loss is multiplied with beside half the sum of the squared weights: scikit-learn's ``C``."""

_TOLERANCE, _ITERATIONS = 1e-3, 100


def linear_fits(
    X: np.ndarray, y: np.ndarray, weights: Sequence[np.ndarray], n_classes: int
) -> tuple[Tensor, Tensor]:
    """Weights (S, M, D, C) and biases (S, M, C) of logits, float32.

    Parameters
    ----------
    X : array (n, D)
    y : array (n,)
        Of two classes at least.
    weights : sequence of M arrays (n,)
        What each row counts to a member, 0 if it must not see it; some are above 0.
    """
    classes = np.unique(y)
    weight = np.zeros((len(STRENGTHS), len(weights), X.shape[1], n_classes), np.float32)
    bias = np.zeros((len(STRENGTHS), len(weights), n_classes), np.float32)
    X = X.astype(np.float64)
    checked = config_context(assume_finite=True, skip_parameter_validation=True)
    with warnings.catch_warnings(), threadpool_limits(1), checked:
        warnings.simplefilter("ignore", ConvergenceWarning)
        for member, own in enumerate(weights):
            # Each fit starts from the stronger penalty's, never from another member's: it would bring along what
            # that one knows of rows which this one must not see.
            model = LogisticRegression(warm_start=True, tol=_TOLERANCE, max_iter=_ITERATIONS)
            for strength, C in enumerate(STRENGTHS):
                model.set_params(C=C).fit(X, y, own)
                weight[strength, member][:, classes] = _both(model.coef_).T
                bias[strength, member, classes] = _both(model.intercept_)
    return torch.from_numpy(weight), torch.from_numpy(bias)


def _both(of_second: np.ndarray) -> np.ndarray:
    """Of two classes scikit-learn has one logit, the difference of ours."""
    return of_second if len(of_second) > 1 else np.stack([-of_second[0], of_second[0]]) / 2
