"""Folds of a search: rows prepared once for all candidates, and scores of their answers as scikit-learn tells them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import log_loss
from sklearn.model_selection._validation import _score
from sklearn.utils.metaestimators import _safe_split
from sklearn.utils.validation import _check_method_params, _num_samples

from classification_assets.learning.classifier.estimator import NeuralClassifier
from classification_assets.learning.classifier.packed_fits import Answer, Rows
from classification_assets.learning.classifier.preparing import prepared


class SearchFolds:
    """Rows of each fold of a search.

    Parameters
    ----------
    X, y
        As they were given to the search.
    folds : sequence of (train, test)
        Indices.
    fit_params, score_params : dict
        Of all rows, such as ``sample_weight`` (N,).
    scorers : callable
        Called as ``scorers(estimator, X, y)``.
    error_score
        As in `RandomizedSearchCV`.
    train_scores : bool
        Whether the training rows are scored, too.
    """

    def __init__(
        self,
        X: Any,
        y: Any,
        folds: Sequence[tuple[np.ndarray, np.ndarray]],
        fit_params: dict[str, Any],
        score_params: dict[str, Any],
        scorers: Any,
        error_score: Any,
        train_scores: bool,
    ) -> None:
        plain = NeuralClassifier()
        self.X, self.fit_params, self.score_params, self.folds = X, fit_params, score_params, list(folds)
        self.train = [_safe_split(plain, X, y, train) for train, _ in folds]
        self.test = [_safe_split(plain, X, y, test, train) for train, test in folds]
        self.scorers, self.error_score, self.train_scores = scorers, error_score, train_scores
        self.rows, self.classes = list[Rows](), list[np.ndarray]()
        self.known: dict[tuple[Any, ...], int] = {}

    def learned(self, fold: int) -> dict[str, Any]:
        """A fold as callbacks are told of it: its training rows, their labels, and weights if there are such."""
        X, y = self.train[fold]
        return {"X": X, "y": y, "metadata": partial(self._metadata, fold)}

    def _metadata(self, fold: int) -> dict[str, Any] | None:
        own = self._fit_params(fold)
        return {"sample_weight": own["sample_weight"]} if own.get("sample_weight") is not None else None

    def _fit_params(self, fold: int) -> dict[str, Any]:
        return dict(_check_method_params(self.X, params=self.fit_params, indices=self.folds[fold][0]))

    def number(self, estimator: NeuralClassifier, fold: int, seed: int) -> int:
        """The number of the `rows` of a fold, as an estimator prepares them."""
        key = (fold, estimator.validation_fraction, repr(estimator.class_weight), seed)
        if key not in self.known:
            X, y = self.train[fold]
            weight = self._fit_params(fold).get("sample_weight")
            split, classes = prepared(estimator, X, y, weight, seed)
            named = hasattr(estimator, "feature_names_in_")
            asked = [self.test[fold][0], *([X] if self.train_scores else [])]
            encoded = [estimator.encoded_by(split.preprocessing, named, part) for part in asked]
            self.known[key] = len(self.rows)
            self.rows.append(Rows.of(split, encoded))
            self.classes.append(classes)
        return self.known[key]

    def scored(self, fold: int, number: int, answer: Answer | str) -> dict[str, Any]:
        """The result of a fit, in the words of scikit-learn's searches; of one that has failed, a text says why."""
        told: dict[str, Any] = {
            "fit_error": None,
            "fit_time": 0.0 if isinstance(answer, str) else answer.seconds,
            "score_time": 0.0,
            "n_test_samples": _num_samples(self.test[fold][0]),
        }
        error = answer if isinstance(answer, str) else None
        if not isinstance(answer, str) and not answer.probabilities:
            diverged = "a network's loss stopped being finite; a lower learning_rate may help"
            if self.error_score == "raise":
                raise FloatingPointError(diverged)
            error = f"FloatingPointError: {diverged}"
        if error is not None:
            failed = self._failed()
            return (
                told
                | {"fit_error": error, "test_scores": failed}
                | ({"train_scores": failed} if self.train_scores else {})
            )
        assert isinstance(answer, Answer)
        started = time.perf_counter()
        parts = {"test_scores": (self.test[fold], self.folds[fold][1])}
        if self.train_scores:
            parts["train_scores"] = (self.train[fold], self.folds[fold][0])
        for (name, ((X, y), indices)), p in zip(parts.items(), answer.probabilities, strict=True):
            own = _check_method_params(self.X, params=self.score_params, indices=indices)
            score = None if own else _mean_log_loss(self.scorers, self.classes[number], y, p)
            if score is None:
                stand_in = Answered(self.classes[number], X, p)
                score = _score(stand_in, X, y, self.scorers, own, self.error_score)
            told[name] = score
            if name == "test_scores":
                told["score_time"] = time.perf_counter() - started
        return told

    def _failed(self) -> Any:
        names = getattr(self.scorers, "_scorers", None)
        if names is None:
            return self.error_score
        return dict.fromkeys(names, self.error_score)


def _mean_log_loss(scorer: Any, classes: np.ndarray, y: Any, p: np.ndarray) -> float | None:
    """The score of `neg_log_loss`, as scikit-learn computes it; None where it is another one, or not plain.

    Scikit-learn checks rows and labels anew each time, which for thousands of fits takes longer than training them.
    """
    if getattr(scorer, "_score_func", None) is not log_loss or getattr(scorer, "_kwargs", {}):
        return None
    labels = np.asarray(y)
    if not np.array_equal(np.unique(labels), classes):
        return None
    p = p.astype(np.float64)
    chosen = (p / p.sum(1, keepdims=True))[np.arange(len(p)), np.searchsorted(classes, labels)]
    eps = np.finfo(p.dtype).eps
    return float(scorer._sign * -np.log(np.clip(chosen, eps, 1 - eps)).mean())


class Answered(ClassifierMixin, BaseEstimator):
    """A fitted classifier that knows the probabilities of some rows: what a scorer asks.

    Parameters
    ----------
    classes : array (C,)
    X
        The rows (N, D), the very object.
    probabilities : array (N, C)
    """

    def __init__(self, classes: np.ndarray, X: Any, probabilities: np.ndarray) -> None:
        self.classes, self.X, self.probabilities = classes, X, probabilities
        self.classes_ = classes

    def predict_proba(self, X: Any) -> np.ndarray:
        """Class probabilities (N, C) float64; each row sums to 1.

        Raises
        ------
        ValueError
            If other rows are asked about: the network itself is gone.
        """
        if X is not self.X:
            raise ValueError("scoring: during a search only the rows of the fold can be asked about")
        p = self.probabilities.astype(np.float64)
        return p / p.sum(1, keepdims=True)

    def predict(self, X: Any) -> np.ndarray:
        """The most probable class (N,) of each row."""
        return self.classes_[self.predict_proba(X).argmax(1)]

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """As `NeuralClassifier.score`."""
        right = self.predict(X) == np.asarray(y)
        return float(np.average(right, weights=sample_weight))
