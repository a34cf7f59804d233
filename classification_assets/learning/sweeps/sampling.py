"""Samplers: which configurations of a space are tried next."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import islice, product
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from classification_assets.learning.seeds import DRAWN
from classification_assets.learning.sweeps.space import Choices, Space, Value
from classification_assets.learning.sweeps.sweep import Sweep

if TYPE_CHECKING:
    import optuna

_TRIES = 1_000
"""Draws in a row that were there before, after which a space is taken to be used up."""

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
            return Listed(_grid(sweep.space))
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

    What was dropped is told as pruned, with its score until then. The study lives in memory: a sweep that goes on
    asks and tells the same again, in the same order.
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
            "tpe": lambda: optuna.samplers.TPESampler(seed=sweep.seed),
            "gp": lambda: optuna.samplers.GPSampler(seed=sweep.seed),
        }
        with _quiet():
            self.study = optuna.create_study(
                sampler=makers[sweep.sampler](), direction="minimize" if lower_is_better else "maximize"
            )
        self.space, self.trials = sweep.space, list[Any]()

    def ask(self, n: int) -> list[Values]:
        """The next n."""
        with _quiet():
            return [self._asked() for _ in range(n)]

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

    def _asked(self) -> Values:
        trial = self.study.ask()
        self.trials.append(trial)
        return _conditional(self.space, lambda name: _suggested(trial, name, self.space))


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
        if all(
            isinstance(choice, int | float) and not isinstance(choice, bool) for choice in parameter.choices
        ):
            return trial.suggest_categorical(name, parameter.choices)  # type: ignore[arg-type]
        # Optuna takes no lists as choices.
        index = trial.suggest_categorical(name, list(range(len(parameter.choices))))
        return parameter.choices[index]
    if whole:
        return trial.suggest_int(name, int(parameter.low), int(parameter.high), log=parameter.log)
    return trial.suggest_float(name, parameter.low, parameter.high, log=parameter.log)


def _random(space: Space, seed: int) -> Iterator[Values]:
    """Configurations drawn at random, each once; configuration k follows from the seed and k alone."""
    seen, draw, repeated = set[Any](), 0, 0
    while repeated < _TRIES:
        shares = np.random.default_rng([seed, DRAWN, draw]).random(len(Space.model_fields))
        of_name = dict(zip(Space.model_fields, shares.tolist(), strict=True))
        values = _conditional(space, lambda name, of_name=of_name: _at(space, name, of_name[name]))
        draw, key = draw + 1, tuple(values.items())
        if key in seen:
            repeated += 1
            continue
        seen.add(key)
        repeated = 0
        yield values


def _grid(space: Space) -> Iterator[Values]:
    """Every combination, once."""
    grids = {name: parameter.grid(name in Space.whole) for name, parameter in space.parameters().items()}
    seen = set[Any]()
    for combination in product(*(values or () for values in grids.values())):
        chosen = dict(zip(grids, combination, strict=True))
        values = _conditional(space, chosen.__getitem__)
        key = tuple(values.items())
        if key not in seen:
            seen.add(key)
            yield values


def _conditional(space: Space, value_of: Any) -> Values:
    """Values of the hyper-parameters that have a use, decided in the order of the space's fields."""
    values: dict[str, Value] = {}
    for name, parameter in space.parameters().items():
        if all(other in values and values[other] in wanted for other, wanted in parameter.when.items()):
            value = value_of(name)
            whole = name in Space.whole and value is not None
            values[name] = int(value) if whole else value
    return values


def _at(space: Space, name: str, share: float) -> Value:
    return space.parameters()[name].at(share, name in Space.whole)
