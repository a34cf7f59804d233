"""Fits of one round of a search: each candidate on each fold, trained in packs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sklearn.base import BaseEstimator
from tqdm import tqdm

from classification_assets.learning.classifier.options import (
    declared_architecture,
    declared_training,
    device_name,
)
from classification_assets.learning.classifier.packed_fits import Answer, Ensemble, answers
from classification_assets.learning.classifier.search_candidates import with_candidate
from classification_assets.learning.classifier.search_folds import SearchFolds
from classification_assets.learning.device import resolve_device
from classification_assets.learning.models.architectures import MLP


class SearchFits:
    """The fits that all rounds of a search share.

    Parameters
    ----------
    estimator : NeuralClassifier
        What is not searched.
    folds : SearchFolds
    seed : int
        Of candidates that name none.
    n_jobs : int or None
        Processes.
    bar : bool
        Whether a bar is shown.
    """

    def __init__(
        self, estimator: BaseEstimator, folds: SearchFolds, seed: int, n_jobs: int | None, bar: bool
    ) -> None:
        self.estimator, self.folds, self.seed, self.n_jobs, self.bar = estimator, folds, seed, n_jobs, bar

    def results(
        self, candidates: Sequence[Mapping[str, Any]], epochs: int, done: Callable[[int, int], None]
    ) -> list[dict[str, Any]]:
        """Results of each candidate and fold after so many epochs, in the words of scikit-learn's searches.

        `done` is told each fit's number and fold, in the order in which they end.
        """
        count = len(self.folds.folds)
        wanted, numbers, places = list[Ensemble](), list[int](), list[tuple[int, int]]()
        told: dict[tuple[int, int], tuple[int, Answer | str]] = {}

        def refuse(index: int, which: Iterable[int], error: Exception) -> None:
            if self.folds.error_score == "raise":
                raise error
            for fold in which:
                told[index, fold] = (0, f"{type(error).__name__}: {error}")
                done(index * count + fold, fold)

        for index, candidate in enumerate(candidates):
            try:
                estimator = with_candidate(self.estimator, candidate)
                seed = self.seed if estimator.random_state is None else estimator.seed()
                if "max_epochs" not in candidate:
                    estimator.set_params(max_epochs=epochs)
                architecture = declared_architecture(estimator.architecture)
                assert isinstance(architecture, MLP)  # else the search is scikit-learn's
                training = architecture.trained_with(declared_training(estimator, seed))
            except (ValueError, TypeError) as error:
                refuse(index, range(count), error)
                continue
            for fold in range(count):
                try:
                    number = self.folds.number(estimator, fold, seed)
                except (ValueError, TypeError) as error:
                    # Such as a fold of one class: others may have two.
                    refuse(index, [fold], error)
                    continue
                places.append((index, fold))
                numbers.append(number)
                wanted.append(Ensemble(architecture, training, number))
        device = resolve_device(device_name(self.estimator.device), "auto").name
        with tqdm(total=len(wanted), unit="fit", disable=not self.bar, leave=False) as bar:

            def trained(pack: list[int]) -> None:
                bar.update(len(pack))
                for index, fold in (places[number] for number in pack):
                    done(index * count + fold, fold)

            found = answers(wanted, self.folds.rows, device, self.n_jobs, trained) if wanted else []
        told |= zip(places, zip(numbers, found, strict=True), strict=True)
        return [
            self.folds.scored(fold, *told[index, fold])
            for index in range(len(candidates))
            for fold in range(count)
        ]
