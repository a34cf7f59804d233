"""PackedSearchCV: scikit-learn's randomized search, whose networks are trained in packs, all folds together."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from math import ceil
from numbers import Integral
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import ParameterSampler, RandomizedSearchCV, check_cv
from sklearn.model_selection._search import _insert_error_scores, _warn_or_raise_about_fit_failures
from sklearn.utils import indexable
from sklearn.utils.validation import _check_method_params
from tqdm import tqdm

from classification_assets.learning.classifier.distributions import as_sampled
from classification_assets.learning.classifier.estimator import NeuralClassifier
from classification_assets.learning.classifier.options import (
    declared_architecture,
    declared_training,
    device_name,
    with_fields,
)
from classification_assets.learning.classifier.packed_fits import Ensemble, answers
from classification_assets.learning.classifier.search_folds import SearchFolds
from classification_assets.learning.classifier.search_tasks import Task, with_callbacks
from classification_assets.learning.device import resolve_device
from classification_assets.learning.models.architectures import MLP

PLAIN = frozenset({"hidden", "activation", "dropout", "normalization", "residual"})
"""Fields of an architecture that a search names without `architecture__`."""


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
        param_distributions: Mapping[str, Any] | Sequence[Mapping[str, Any]],
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
        if self._is_packed(candidates):
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
        rungs = self._rungs()
        scorers, refit_metric = self._get_scorers()
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
        out: list[dict[str, Any]] = []
        tried: list[dict[str, Any]] = []
        more: dict[str, list[int]] = defaultdict(list)
        left, halves = candidates, self.halving is not None
        parts = len(rungs) if halves else len(left) * self.n_splits_
        with task.part("search", parts, numbered=not halves) as search:
            for rung, epochs in enumerate(rungs):
                fits = len(left) * self.n_splits_
                part = (
                    search.part("halving-iteration", fits, numbered=True) if halves else nullcontext(search)
                )
                with part as fitting:
                    out += self._evaluated(folds, left, epochs, seed, fitting)
                tried += left
                if halves:
                    more["iter"] += [rung] * len(left)
                    more["n_resources"] += [epochs] * len(left)
                if not out:
                    # In scikit-learn's words.
                    raise ValueError(
                        "No fits were performed. Was the CV iterator empty? Were there no candidates?"
                    )
                _warn_or_raise_about_fit_failures(out, self.error_score)
                if callable(self.scoring):
                    _insert_error_scores(out, self.error_score)
                results = self._format_results(tried, self.n_splits_, out, more)
                self.multimetric_ = isinstance(out[0]["test_scores"], dict)
                if callable(self.scoring) and self.multimetric_:
                    self._check_refit_for_multimetric(out[0]["test_scores"])
                    refit_metric = self.refit
                if epochs != rungs[-1]:
                    best = self._best_of(results, refit_metric, rung)
                    left = [tried[index] for index in best[: ceil(len(left) / (self.halving or 1))]]
        self._keep_best(results, refit_metric)
        if self.refit:
            with task.part("refit-with-best-params", **whole):
                started = time.time()
                self.best_estimator_ = self._with(self.best_params_).fit(X, y, **routed.estimator.fit)
                self.refit_time_ = time.time() - started
            if hasattr(self.best_estimator_, "feature_names_in_"):
                self.feature_names_in_ = self.best_estimator_.feature_names_in_
        self.scorer_ = getattr(scorers, "_scorers", scorers)
        self.cv_results_ = results
        task.end()
        return self

    def _evaluated(
        self, folds: SearchFolds, candidates: list[dict[str, Any]], epochs: int, seed: int, task: Task
    ) -> list[dict[str, Any]]:
        """Results of each candidate and fold after so many epochs, in the words of scikit-learn's searches."""
        wanted, numbers, places = list[Ensemble](), list[int](), list[tuple[int, int]]()
        refused: dict[tuple[int, int], str] = {}

        def refuse(index: int, which: Iterable[int], error: Exception) -> None:
            if self.error_score == "raise":
                raise error
            refused.update({(index, fold): f"{type(error).__name__}: {error}" for fold in which})

        for index, candidate in enumerate(candidates):
            try:
                estimator = self._with(candidate)
                own_seed = seed if estimator.random_state is None else estimator.seed()
                if "max_epochs" not in candidate:
                    estimator.set_params(max_epochs=epochs)
                architecture = declared_architecture(estimator.architecture)
                assert isinstance(architecture, MLP)  # else the search is scikit-learn's
                training = architecture.trained_with(declared_training(estimator, own_seed))
            except (ValueError, TypeError) as error:
                refuse(index, range(len(folds.folds)), error)
                continue
            for fold in range(len(folds.folds)):
                try:
                    number = folds.number(estimator, fold, own_seed)
                except (ValueError, TypeError) as error:
                    # Such as a fold of one class: others may have two.
                    refuse(index, [fold], error)
                    continue
                places.append((index, fold))
                numbers.append(number)
                wanted.append(Ensemble(architecture, training, number))

        def told_of(index: int, fold: int) -> None:
            number = index * len(folds.folds) + fold
            task.done("candidate-split-evaluation", number, **folds.learned(fold))

        for place in refused:
            told_of(*place)
        device = resolve_device(device_name(self.estimator.device), "auto").name
        with tqdm(total=len(wanted), unit="fit", disable=not self.verbose, leave=False) as bar:

            def trained(pack: list[int]) -> None:
                bar.update(len(pack))
                for number in pack:
                    told_of(*places[number])

            found = answers(wanted, folds.rows, device, self.n_jobs, trained) if wanted else []
        given = iter(zip(numbers, found, strict=True))
        told = []
        for index in range(len(candidates)):
            for fold in range(len(folds.folds)):
                failed = refused.get((index, fold))
                number, answer = next(given) if failed is None else (0, failed)
                told.append(folds.scored(fold, number, answer))
        return told

    def _sampled(self) -> ParameterSampler:
        given = self.param_distributions
        dicts = [given] if isinstance(given, Mapping) else given
        return ParameterSampler(list(map(as_sampled, dicts)), self.n_iter, random_state=self.random_state)

    def _with(self, candidate: Mapping[str, Any]) -> Any:
        """The estimator with a candidate's parameters."""
        own = clone(dict(candidate), safe=False)
        if not isinstance(self.estimator, NeuralClassifier):
            return clone(self.estimator).set_params(**own)
        params = self.estimator.get_params(deep=False)
        nested = {
            name.removeprefix("architecture__"): _listed(name, own.pop(name))
            for name in list(own)
            if name in PLAIN or name.startswith("architecture__")
        }
        if unknown := [name for name in own if name not in params]:
            # In scikit-learn's words.
            return clone(self.estimator).set_params(**{unknown[0]: own[unknown[0]]})
        changed = clone(params, safe=False) | own
        if nested:
            architecture = changed["architecture"]
            if PLAIN & nested.keys() and not isinstance(declared_architecture(architecture), MLP):
                architecture = {}
            changed["architecture"] = with_fields(architecture, nested)
        return type(self.estimator)(**changed)

    def _is_packed(self, candidates: Sequence[Mapping[str, Any]]) -> bool:
        """Whether all candidates are plain networks; one that cannot be used at all is found when it is tried."""
        if not isinstance(self.estimator, NeuralClassifier):
            return False
        for candidate in candidates:
            try:
                architecture = declared_architecture(self._with(candidate).architecture)
            except (ValueError, TypeError):
                continue
            if not isinstance(architecture, MLP):
                return False
        return True

    def _rungs(self) -> list[int]:
        """Epochs of each round."""
        most = self.estimator.max_epochs
        if self.halving is None:
            return [most]
        if self.halving < 2:
            raise ValueError(f"halving must be at least 2, or None, got {self.halving}")
        if not 1 <= self.min_epochs <= most:
            raise ValueError(
                f"min_epochs must be from 1 to the estimator's max_epochs ({most}), got {self.min_epochs}"
            )
        dicts = (
            [self.param_distributions]
            if isinstance(self.param_distributions, Mapping)
            else (self.param_distributions)
        )
        if any("max_epochs" in each for each in dicts):
            raise ValueError("halving sets max_epochs itself; leave max_epochs out of param_distributions")
        rungs, epochs = [], self.min_epochs
        while epochs < most:
            rungs.append(epochs)
            epochs *= self.halving
        return [*rungs, most]

    def _best_of(self, results: Mapping[str, Any], metric: Any, rung: int) -> list[int]:
        """Indices of a round's candidates, the best first."""
        name = f"rank_test_{metric}"
        if name not in results:
            raise self._undecided()
        ranks = results[name]
        return sorted(np.flatnonzero(np.asarray(results["iter"]) == rung).tolist(), key=lambda at: ranks[at])

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


def _listed(name: str, value: Any) -> Any:
    """A value as an architecture takes it: units of hidden layers may be one number, as in scikit-learn."""
    return [int(value)] if name.endswith("hidden") and isinstance(value, Integral) else value
