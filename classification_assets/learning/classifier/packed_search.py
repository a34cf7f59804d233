"""PackedSearchCV: scikit-learn's randomized search, whose networks are trained in packs, all folds together."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping
from contextlib import nullcontext
from functools import partial
from math import ceil
from numbers import Integral
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import ParameterSampler, RandomizedSearchCV, check_cv
from sklearn.model_selection._search import _insert_error_scores, _warn_or_raise_about_fit_failures
from sklearn.utils import indexable
from sklearn.utils.validation import _check_method_params

from classification_assets.learning.classifier.search_candidates import (
    Distributions,
    all_plain,
    sampled,
    with_candidate,
)
from classification_assets.learning.classifier.search_fits import SearchFits
from classification_assets.learning.classifier.search_folds import SearchFolds
from classification_assets.learning.classifier.search_rounds import epochs_of_rounds
from classification_assets.learning.classifier.search_tasks import Task, with_callbacks


class PackedSearchCV(RandomizedSearchCV):
    """Randomized search over a `NeuralClassifier`'s hyper-parameters, many times faster than one fit after another.

    Networks of one shape are trained in one pass, whatever their learning rates, decays and augmentations, and
    whichever fold they belong to. All else is as in `sklearn.model_selection.RandomizedSearchCV`. An estimator that is
    not made of plain networks, a pipeline or `tabular`, is searched in scikit-learn's own way.

    Parameters
    ----------
    estimator : NeuralClassifier
        What is not searched. With ``members`` of 1, a candidate is one network.
    param_distributions : dict, or list of dicts
        Parameters of the estimator, and an architecture's `hidden`, `activation`, `dropout`, `normalization` and
        `residual` by these names: lists, and distributions of SciPy or Optuna.
    n_iter : int
        Candidates.
    scoring, refit, cv, error_score, return_train_score, pre_dispatch
        As in `RandomizedSearchCV`. A scorer may ask for predictions and probabilities of its rows.
    n_jobs : int or None
        Processes; None: as many as there are cores if there is enough to do.
    halving : int or None
        Only the best of so many candidates go on to so many times the epochs, as in scikit-learn's
        `HalvingRandomSearchCV` with ``resource="max_epochs"`` (Jamieson and Talwalkar 2016); `cv_results_` then has
        ``iter`` and ``n_resources``, too. None: every candidate has all its epochs.
    min_epochs : int
        Epochs of the first round of halving.
    verbose : int
        Above 0: show a bar.
    random_state : int, RandomState or None

    Attributes
    ----------
    cv_results_, best_estimator_, best_score_, best_params_, best_index_, scorer_, n_splits_, refit_time_, classes_
        As in `RandomizedSearchCV`; the time of a fit is its share of its pack's.

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from sklearn.datasets import make_moons
    >>> X, y = make_moons(300, noise=0.2, random_state=0)
    >>> search = PackedSearchCV(
    ...     NeuralClassifier({"hidden": [16]}, members=1, max_epochs=20, random_state=0),
    ...     {"hidden": [[8], [16], [16, 16]], "learning_rate": loguniform(1e-3, 1e-1)},
    ...     n_iter=20,
    ...     random_state=0,
    ... ).fit(X, y)
    >>> bool(search.best_score_ > 0.8)
    True
    """

    # Where it is public.
    __module__ = "classification_assets.learning.classifier"

    _parameter_constraints: dict[str, Any] = RandomizedSearchCV._parameter_constraints | {
        "halving": [Integral, None],
        "min_epochs": [Integral],
    }

    def __init__(
        self,
        estimator: BaseEstimator,
        param_distributions: Distributions,
        *,
        n_iter: int = 10,
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: Any = True,
        cv: Any = None,
        halving: int | None = None,
        min_epochs: int = 5,
        verbose: int = 0,
        pre_dispatch: Any = "2*n_jobs",
        random_state: Any = None,
        error_score: Any = np.nan,
        return_train_score: bool = False,
    ) -> None:
        super().__init__(
            estimator,
            param_distributions,
            n_iter=n_iter,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            random_state=random_state,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.halving = halving
        self.min_epochs = min_epochs

    def fit(self, X: Any, y: Any = None, **params: Any) -> Self:
        """Search on rows X (N, D) and labels y (N,), and fit the best candidate on all of them.

        Parameters
        ----------
        **params
            ``sample_weight`` (N,) for fitting, and ``groups`` (N,) for the folds.

        Raises
        ------
        ValueError
            If a parameter, the rows or the labels cannot be used, or every fit has failed.
        """
        self._validate_params()
        candidates = list(self._sampled())
        if all_plain(self.estimator, candidates):
            return self._fit_packed(X, y, params, candidates)
        if self.halving is not None:
            raise ValueError(
                "halving: only plain networks have epochs to halve, and some candidates are of another kind; leave "
                f"halving out, got {self.halving}"
            )
        return super().fit(X, y, **params)

    def _run_search(self, evaluate_candidates: Any, *, callback_ctx: Any = None) -> None:
        # Only where scikit-learn does the fits; as its own search, which takes no distributions of Optuna.
        candidates = self._sampled()
        if callback_ctx is None:  # before its version 1.9
            evaluate_candidates(candidates)
            return
        searching = callback_ctx.subcontext(
            task_name="search", max_subtasks=len(candidates) * self.n_splits_, sequential_subtasks=False
        ).call_on_fit_task_begin(estimator=self)
        evaluate_candidates(candidates, callback_ctx=searching)
        searching.call_on_fit_task_end(estimator=self)

    @with_callbacks
    def _fit_packed(self, X: Any, y: Any, params: dict[str, Any], candidates: list[dict[str, Any]]) -> Self:
        rounds = epochs_of_rounds(
            self.estimator.max_epochs, self.halving, self.min_epochs, self.param_distributions
        )
        scorers, metric = self._get_scorers()
        names = getattr(scorers, "_scorers", None)
        if self.halving is not None and names is not None and self.refit not in names:
            raise self._undecided()
        X, y = indexable(X, y)
        routed = self._get_routed_params_for_fit(_check_method_params(X, params=params))
        weight = routed.estimator.fit.get("sample_weight")
        whole = {"X": X, "y": y, "metadata": None if weight is None else {"sample_weight": weight}}
        task = Task.fit(self, 1 + (self.refit is not False), **whole)
        cv = check_cv(self.cv, y, classifier=True)
        self.n_splits_ = cv.get_n_splits(X, y, **routed.splitter.split)
        splits = list(cv.split(X, y, **routed.splitter.split))
        if len(splits) != self.n_splits_:
            raise ValueError(
                "cv.split and cv.get_n_splits return inconsistent results. "
                f"Expected {self.n_splits_} splits, got {len(splits)}"
            )
        folds = SearchFolds(
            X,
            y,
            splits,
            routed.estimator.fit,
            routed.scorer.score,
            scorers,
            self.error_score,
            self.return_train_score,
        )
        seed = clone(self.estimator).seed()
        fits = SearchFits(self.estimator, folds, seed, self.n_jobs, bar=self.verbose > 0)
        results, metric = self._searched(fits, candidates, rounds, metric, task)
        self._keep_best(results, metric)
        if self.refit:
            with task.part("refit-with-best-params", **whole):
                started = time.time()
                best = with_candidate(self.estimator, self.best_params_)
                self.best_estimator_ = best.fit(X, y, **routed.estimator.fit)
                self.refit_time_ = time.time() - started
            if hasattr(self.best_estimator_, "feature_names_in_"):
                self.feature_names_in_ = self.best_estimator_.feature_names_in_
        self.scorer_ = getattr(scorers, "_scorers", scorers)
        self.cv_results_ = results
        task.end()
        return self

    def _searched(
        self, fits: SearchFits, candidates: list[dict[str, Any]], rounds: list[int], metric: Any, task: Task
    ) -> tuple[dict[str, Any], Any]:
        """`cv_results_` of all rounds, and the metric that decides."""
        out: list[dict[str, Any]] = []
        tried: list[dict[str, Any]] = []
        more: dict[str, list[int]] = defaultdict(list)
        left, halves = candidates, self.halving is not None
        parts = len(rounds) if halves else len(left) * self.n_splits_
        with task.part("search", parts, numbered=not halves) as search:
            for number, epochs in enumerate(rounds):
                count = len(left) * self.n_splits_
                part = (
                    search.part("halving-iteration", count, numbered=True) if halves else nullcontext(search)
                )
                with part as fitting:
                    out += fits.results(left, epochs, partial(_tell, fitting, fits.folds))
                tried += left
                if halves:
                    more["iter"] += [number] * len(left)
                    more["n_resources"] += [epochs] * len(left)
                results, metric = self._told(tried, out, more, metric)
                if epochs != rounds[-1]:
                    best = self._best_of(results, metric, number)
                    left = [tried[index] for index in best[: ceil(len(left) / (self.halving or 1))]]
        return results, metric

    def _told(
        self, tried: list[dict[str, Any]], out: list[dict[str, Any]], more: dict[str, list[int]], metric: Any
    ) -> tuple[dict[str, Any], Any]:
        """`cv_results_` of what was tried until now, and the metric that decides, both in scikit-learn's words."""
        if not out:
            raise ValueError("No fits were performed. Was the CV iterator empty? Were there no candidates?")
        _warn_or_raise_about_fit_failures(out, self.error_score)
        if callable(self.scoring):
            _insert_error_scores(out, self.error_score)
        results = self._format_results(tried, self.n_splits_, out, more)
        self.multimetric_ = isinstance(out[0]["test_scores"], dict)
        if callable(self.scoring) and self.multimetric_:
            self._check_refit_for_multimetric(out[0]["test_scores"])
            metric = self.refit
        return results, metric

    def _sampled(self) -> ParameterSampler:
        return sampled(self.param_distributions, self.n_iter, self.random_state)

    def _best_of(self, results: Mapping[str, Any], metric: Any, number: int) -> list[int]:
        """Indices of a round's candidates, the best first."""
        name = f"rank_test_{metric}"
        if name not in results:
            raise self._undecided()
        ranks = results[name]
        return sorted(
            np.flatnonzero(np.asarray(results["iter"]) == number).tolist(), key=lambda at: ranks[at]
        )

    def _undecided(self) -> ValueError:
        return ValueError(
            f"halving with several scores needs refit to name the one that decides, got refit={self.refit!r}"
        )

    def _keep_best(self, results: Mapping[str, Any], metric: Any) -> None:
        if not self.refit and self.multimetric_:
            return
        if self.halving is None or callable(self.refit):
            self.best_index_ = self._select_best_index(self.refit, metric, results)
        else:
            self.best_index_ = self._best_of(results, metric, max(results["iter"]))[0]
        if not callable(self.refit):
            self.best_score_ = results[f"mean_test_{metric}"][self.best_index_]
        self.best_params_ = results["params"][self.best_index_]


def _tell(task: Task, folds: SearchFolds, number: int, fold: int) -> None:
    """Scikit-learn's callbacks are told of a fit of a round."""
    task.done("candidate-split-evaluation", number, **folds.learned(fold))
