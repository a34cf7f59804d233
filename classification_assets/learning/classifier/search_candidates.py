"""Candidates of a search: how they are drawn, and the estimator that each one stands for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral
from typing import Any

from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import ParameterSampler

from classification_assets.learning.classifier.distributions import as_sampled
from classification_assets.learning.classifier.estimator import NeuralClassifier
from classification_assets.learning.classifier.options import declared_architecture, with_fields
from classification_assets.learning.models.architectures import MLP

Distributions = Mapping[str, Any] | Sequence[Mapping[str, Any]]

PLAIN = frozenset({"hidden", "activation", "dropout", "normalization", "residual"})
"""Fields of an architecture that a search names without `architecture__`."""


def in_list(distributions: Distributions) -> Sequence[Mapping[str, Any]]:
    """The spaces that are searched, of which there may be one."""
    return [distributions] if isinstance(distributions, Mapping) else distributions


def sampled(distributions: Distributions, n_iter: int, random_state: Any) -> ParameterSampler:
    """So many candidates out of lists, and of distributions of SciPy or Optuna."""
    return ParameterSampler(list(map(as_sampled, in_list(distributions))), n_iter, random_state=random_state)


def with_candidate(estimator: BaseEstimator, candidate: Mapping[str, Any]) -> Any:
    """A copy of the estimator that has a candidate's parameters.

    Raises
    ------
    ValueError
        If it has no such parameter, or its architecture cannot have such a value.
    """
    own = clone(dict(candidate), safe=False)
    if not isinstance(estimator, NeuralClassifier):
        return clone(estimator).set_params(**own)
    params = estimator.get_params(deep=False)
    nested = {
        name.removeprefix("architecture__"): _listed(name, own.pop(name))
        for name in list(own)
        if name in PLAIN or name.startswith("architecture__")
    }
    if unknown := [name for name in own if name not in params]:
        # In scikit-learn's words.
        return clone(estimator).set_params(**{unknown[0]: own[unknown[0]]})
    changed = clone(params, safe=False) | own
    if nested:
        architecture = changed["architecture"]
        if PLAIN & nested.keys() and not isinstance(declared_architecture(architecture), MLP):
            architecture = {}
        changed["architecture"] = with_fields(architecture, nested)
    return type(estimator)(**changed)


def all_plain(estimator: BaseEstimator, candidates: Iterable[Mapping[str, Any]]) -> bool:
    """Whether all candidates are plain networks; one that cannot be used at all is found when it is tried."""
    if not isinstance(estimator, NeuralClassifier):
        return False
    for candidate in candidates:
        try:
            architecture = declared_architecture(with_candidate(estimator, candidate).architecture)
        except (ValueError, TypeError):
            continue
        if not isinstance(architecture, MLP):
            return False
    return True


def _listed(name: str, value: Any) -> Any:
    """A value as an architecture takes it: units of hidden layers may be one number, as in scikit-learn."""
    return [int(value)] if name.endswith("hidden") and isinstance(value, Integral) else value
