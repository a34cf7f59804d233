"""Samplers: which configurations of a space are tried next."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from classification_assets.learning.seeds import DRAWN
from classification_assets.learning.sweeps.space import Choices, Space, Value
from classification_assets.learning.sweeps.sweep import Sweep

if TYPE_CHECKING:
    import optuna

_TRIES = 1_000
"""Draws in a row that were there before, after which a space is taken to be used up."""

_TRIES_OF_OPTUNA = 5
"""Draws in a row, by one of Optuna's samplers, that were there before: it comes back to what was good, and another one
is drawn at random."""

Values = Mapping[str, Value]


class Sampler(Protocol):
    """Draws configurations in batches and may learn from their scores.

    Attributes
    ----------
    learns : bool
        Whether what it draws follows from what it was told.
    """

    learns: bool

    def ask(self, n: int) -> list[Values]:
        """Up to n new configurations; fewer only if there are no more."""
        ...

    def tell(self, index: int, score: float | None, epochs: int, dropped: bool) -> None:
        """Say how a configuration, counted from 0 as it was asked for, did in so many epochs; None: it diverged."""
        ...


def sampler_of(sweep: Sweep, lower_is_better: bool) -> Sampler:
    """The sampler that a sweep declares.

    Raises
    ------
    ImportError
        If it is one of Optuna's, which is not installed.
    """
    match sweep.sampler:
        case "random":
            return Listed(_random(sweep.space, sweep.seed))
        case "grid":
            return Listed(sweep.space.combinations())
        case _:
            return Optunas(sweep, lower_is_better)


class Listed:
    """Configurations that do not follow from scores."""

    learns = False

    def __init__(self, configurations: Iterator[Values]) -> None:
        self.configurations = configurations

    def ask(self, n: int) -> list[Values]:
        """The next n."""
        return list(islice(self.configurations, n))

    def tell(self, index: int, score: float | None, epochs: int, dropped: bool) -> None:
        """Nothing is learned."""


class Optunas:
    """One of Optuna's samplers, asked for many configurations at a time.

    Each configuration is drawn once. What was dropped is told as pruned, with its score until then; what was drawn
    before is told as failed, of which nothing is learned. The study lives in memory: a sweep that goes on asks and
    tells the same again, in the same order.
    """

    learns = True

    def __init__(self, sweep: Sweep, lower_is_better: bool) -> None:
        try:
            import optuna
        except ImportError as error:
            raise ImportError(
                f"sampler: {sweep.sampler} is one of Optuna's, which is not installed: "
                "pip install 'classification-assets[sweep]', or choose random or grid"
            ) from error
        makers = {
            "tpe": lambda: _tpe(sweep.seed),
            "gp": lambda: optuna.samplers.GPSampler(seed=sweep.seed),
        }
        with _quiet():
            self.study = optuna.create_study(
                sampler=makers[sweep.sampler](), direction="minimize" if lower_is_better else "maximize"
            )
        self.space, self.trials = sweep.space, list[Any]()
        self._drawn = set[Any]()
        self._others = _random(sweep.space, sweep.seed)

    def ask(self, n: int) -> list[Values]:
        """The next n."""
        from optuna.trial import TrialState

        from classification_assets.learning.packed.torch_state import threads

        found, repeated = list[Values](), 0
        # Gaussian processes are PyTorch's here, in whose small products threads wait for one another.
        with _quiet(), threads(1):
            while len(found) < n and (repeated < _TRIES_OF_OPTUNA or self._enqueued()):
                trial = self.study.ask()
                values = self._values(trial)
                if _key(values) in self._drawn:
                    self.study.tell(trial, state=TrialState.FAIL)
                    repeated += 1
                    continue
                repeated = 0
                self._drawn.add(_key(values))
                self.trials.append(trial)
                found.append(values)
        return found

    def tell(self, index: int, score: float | None, epochs: int, dropped: bool) -> None:
        """Tell the study."""
        from optuna.trial import TrialState

        trial = self.trials[index]
        with _quiet():
            if score is None:
                self.study.tell(trial, state=TrialState.FAIL)
            elif dropped:
                trial.report(score, epochs)
                self.study.tell(trial, state=TrialState.PRUNED)
            else:
                self.study.tell(trial, score)

    def _enqueued(self) -> bool:
        """Whether there was a configuration at random that is new, which the study then gives next."""
        new = next((values for values in self._others if _key(values) not in self._drawn), None)
        if new is None:
            return False
        self.study.enqueue_trial({name: _stored(self.space, name, value) for name, value in new.items()})
        return True

    def _values(self, trial: optuna.trial.Trial) -> Values:
        return _conditional(self.space, lambda name: _suggested(trial, name, self.space))


def _tpe(seed: int) -> optuna.samplers.BaseSampler:
    """Optuna's TPE, whose densities are estimated once for a batch, not for each configuration of it.

    Nothing is learned within a batch, since those that are being trained are not taken for bad ones.
    """
    import optuna

    class OfBatches(optuna.samplers.TPESampler):
        _known: dict[tuple[Any, ...], tuple[list[int], Any]]

        # A part of Optuna's own: in a version without it, draws are the same and take longer.
        def _build_parzen_estimator(
            self, study: optuna.Study, search_space: dict[str, Any], trials: list[Any], handle_below: bool
        ) -> Any:
            key, numbers = (handle_below, *search_space), [trial.number for trial in trials]
            known = self._known.get(key)
            if known is None or known[0] != numbers:
                own = super()._build_parzen_estimator(study, search_space, trials, handle_below)
                self._known[key] = known = numbers, own
            return known[1]

    sampler = OfBatches(seed=seed, constant_liar=False)
    sampler._known = {}
    return sampler


@contextmanager
def _quiet() -> Iterator[None]:
    """Optuna writes a line for each trial; ours are in the log of the sweep."""
    import optuna

    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(level)


def _suggested(trial: optuna.trial.Trial, name: str, space: Space) -> Value:
    parameter, whole = space.parameters()[name], name in Space.whole
    if isinstance(parameter, Choices):
        if _are_numbers(parameter):
            return trial.suggest_categorical(name, parameter.choices)  # type: ignore[arg-type]
        # Optuna takes no lists as choices.
        index = trial.suggest_categorical(name, list(range(len(parameter.choices))))
        return parameter.choices[index]
    if whole:
        return trial.suggest_int(name, int(parameter.low), int(parameter.high), log=parameter.log)
    return trial.suggest_float(name, parameter.low, parameter.high, log=parameter.log)


def _stored(space: Space, name: str, value: Value) -> Any:
    """A value as a trial of Optuna's holds it."""
    parameter = space.parameters()[name]
    if isinstance(parameter, Choices) and not _are_numbers(parameter):
        return parameter.choices.index(value)
    return value


def _are_numbers(parameter: Choices) -> bool:
    return all(
        isinstance(choice, int | float) and not isinstance(choice, bool) for choice in parameter.choices
    )


def _random(space: Space, seed: int) -> Iterator[Values]:
    """Configurations drawn at random, each once; configuration k follows from the seed and k alone."""
    seen, draw, repeated = set[Any](), 0, 0
    while repeated < _TRIES:
        shares = np.random.default_rng([seed, DRAWN, draw]).random(len(Space.model_fields))
        of_name = dict(zip(Space.model_fields, shares.tolist(), strict=True))
        values = _conditional(space, partial(_at, space, of_name))
        draw, key = draw + 1, _key(values)
        if key in seen:
            repeated += 1
            continue
        seen.add(key)
        repeated = 0
        yield values


def _key(values: Values) -> tuple[Any, ...]:
    return tuple(values.items())


def _conditional(space: Space, value_of: Callable[[str], Value]) -> Values:
    """Values of the hyper-parameters that have a use, decided in the order of the space's fields."""
    values: dict[str, Value] = {}
    for name in space.parameters():
        if space.applies(name, values):
            values[name] = value_of(name)
    return values


def _at(space: Space, shares: Mapping[str, float], name: str) -> Value:
    return space.parameters()[name].at(shares[name], name in Space.whole)
