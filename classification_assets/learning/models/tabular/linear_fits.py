"""Linear models of inner folds: multinomial logistic regression, fitted to its optimum at several penalties.

Where columns are correlated, a few hundred steps of stochastic gradient descent stay far from that optimum.

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
"""Factors on the rows' loss against half the sum of the squared weights: scikit-learn's ``C``."""

_TOLERANCE, _ITERATIONS = 1e-3, 100


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
    classes = np.unique(y)
    weight = np.zeros((len(STRENGTHS), len(weights), X.shape[1], n_classes), np.float32)
    bias = np.zeros((len(STRENGTHS), len(weights), n_classes), np.float32)
    X = X.astype(np.float64)
    checked = config_context(assume_finite=True, skip_parameter_validation=True)
    with warnings.catch_warnings(), threadpool_limits(1), checked:
        warnings.simplefilter("ignore", ConvergenceWarning)
        for member, counts in enumerate(weights):
            # Each fit starts from the stronger penalty's, never from another member's, which knows rows that this
            # member must not see.
            model = LogisticRegression(warm_start=True, tol=_TOLERANCE, max_iter=_ITERATIONS)
            for strength, C in enumerate(STRENGTHS):
                model.set_params(C=C).fit(X, y, counts)
                weight[strength, member][:, classes] = _for_each_class(model.coef_).T
                bias[strength, member, classes] = _for_each_class(model.intercept_)
    return torch.from_numpy(weight), torch.from_numpy(bias)


def _for_each_class(coefficients: np.ndarray) -> np.ndarray:
    """Coefficients for each class; of two classes scikit-learn gives one logit, the difference of ours."""
    if len(coefficients) > 1:
        return coefficients
    return np.stack([-coefficients[0], coefficients[0]]) / 2
