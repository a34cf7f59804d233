"""A thousand configurations: a sweep, and a search with scikit-learn's interface, against one fit after another.

The same space, rows, epochs, folds and cores. Peers try a part of the configurations, which are drawn alike, since all
of them would take minutes; BENCHMARK_WHOLE=1 has them try all. Halving is ours alone, and one row of each goes without.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator
from tempfile import TemporaryDirectory
from typing import Any

import joblib
import numpy as np
import optuna
import pytest
from scipy.stats import loguniform
from sklearn.model_selection import PredefinedSplit, RandomizedSearchCV, StratifiedKFold
from sklearn.neural_network import MLPClassifier

from classification_assets import NeuralClassifier, PackedSearchCV
from classification_assets.learning.preparation.folds import Fold
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.sweeps.search import search
from classification_assets.learning.sweeps.sweep import Sweep
from tests.benchmarks.measure import WHOLE, Accuracy, Contender, Reach, Row, duration, python
from tests.benchmarks.plain_loop import Trial
from tests.benchmarks.work import Work

CONFIGURATIONS, EPOCHS, CORES = 1_000, 40, 2
TRIED = CONFIGURATIONS if WHOLE else 24
TRIED_BY_RAY = CONFIGURATIONS if WHOLE else 100
"""Trials of Ray Tune: of few, ASHA would drop none."""

MOONS = Work.moons(750)
HIDDEN = [(8,), (16,), (16, 16), (32, 32)]
FOLD = np.repeat([-1, 0], [500, 250])
"""Rows that judge, where there are no folds."""


def swept(halving: int | None) -> Contender:
    """A sweep of the whole space."""
    sweep = Sweep.model_validate(
        {
            "networks": CONFIGURATIONS,
            "max_epochs": EPOCHS,
            "halving": halving,
            "space": {
                "hidden": HIDDEN,
                "activation": ["relu", "tanh"],
                "learning_rate": {"low": 1e-3, "high": 1e-1, "log": True},
                "weight_decay": {"low": 1e-5, "high": 1e-1, "log": True},
                "batch_size": [32, 64],
            },
        }
    )
    fold = np.where(FOLD < 0, Fold.TRAIN, Fold.VALIDATION).astype(np.int8)
    split = Split.of_arrays(MOONS.X, MOONS.y, fold, names=["x1", "x2"])

    def run() -> Accuracy:
        found = search(sweep, split, n_jobs=CORES)
        return lambda: found.summary.final_score

    return Contender(run, CONFIGURATIONS)


def packed(halving: int | None) -> Contender:
    """The same with folds and scikit-learn's interface."""
    network = NeuralClassifier(
        {"hidden": [16]}, members=1, max_epochs=EPOCHS, early_stopping=False, random_state=0, verbose=False
    )
    space = {
        "hidden": HIDDEN,
        "activation": ["relu", "tanh"],
        "learning_rate": loguniform(1e-3, 1e-1),
        "weight_decay": loguniform(1e-5, 1e-1),
        "batch_size": [32, 64],
    }

    def run() -> Accuracy:
        found = PackedSearchCV(
            network,
            space,
            n_iter=CONFIGURATIONS,
            cv=StratifiedKFold(5),
            scoring="neg_log_loss",
            halving=halving,
            n_jobs=CORES,
            random_state=0,
        ).fit(MOONS.X, MOONS.y)
        return lambda: -found.best_score_

    return Contender(run, CONFIGURATIONS)


def randomized(cv: Any) -> Contender:
    """Scikit-learn's search over its own network."""

    def run() -> Accuracy:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = RandomizedSearchCV(
                MLPClassifier(max_iter=EPOCHS, random_state=0),
                {
                    "hidden_layer_sizes": HIDDEN,
                    "activation": ["relu", "tanh"],
                    "learning_rate_init": loguniform(1e-3, 1e-1),
                    "alpha": loguniform(1e-5, 1e-1),
                    "batch_size": [32, 64],
                },
                n_iter=TRIED,
                cv=cv,
                scoring="neg_log_loss",
                n_jobs=CORES,
                random_state=0,
            ).fit(MOONS.X, MOONS.y)
        return lambda: -found.best_score_

    return Contender(run, TRIED)


def loss_of_a_trial(**configuration: Any) -> float:
    """One network as a tutorial trains it: its log loss on the rows that judge."""
    return Trial(MOONS.X, MOONS.y, FOLD == 0, **configuration).loss(EPOCHS)


def optuna_with_a_plain_loop() -> Contender:
    """Optuna's sampler, asked for as many trials at a time as there are cores."""

    def run() -> Accuracy:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=0))
        with joblib.Parallel(CORES) as parallel:
            for _ in range(0, TRIED, CORES):
                trials = [study.ask() for _ in range(CORES)]
                calls = [
                    joblib.delayed(loss_of_a_trial)(
                        hidden=HIDDEN[trial.suggest_int("hidden", 0, len(HIDDEN) - 1)],
                        activation=trial.suggest_categorical("activation", ["relu", "tanh"]),
                        rate=trial.suggest_float("rate", 1e-3, 1e-1, log=True),
                        decay=trial.suggest_float("decay", 1e-5, 1e-1, log=True),
                        batch=trial.suggest_categorical("batch", [32, 64]),
                    )
                    for trial in trials
                ]
                for trial, loss in zip(trials, parallel(calls), strict=True):
                    study.tell(trial, loss)
        return lambda: study.best_value

    return Contender(run, TRIED)


def ray_tune() -> Contender:
    """Ray Tune as its documentation advises: ASHA, with the rungs of ours, in processes that are used again."""
    from ray import tune
    from ray.tune.schedulers import ASHAScheduler

    rows = {"X": MOONS.X, "y": MOONS.y, "judges": FOLD == 0}
    rungs = [5, 15, EPOCHS]

    def trial(config: dict[str, Any]) -> None:
        # Told at the rungs alone: each report costs more than an epoch.
        for epoch, loss in zip(rungs, Trial(**rows, **config).losses(rungs), strict=True):
            tune.report({"loss": loss, "epoch": epoch})

    def run() -> Accuracy:
        space = {
            "hidden": tune.choice(HIDDEN),
            "activation": tune.choice(["relu", "tanh"]),
            "rate": tune.loguniform(1e-3, 1e-1),
            "decay": tune.loguniform(1e-5, 1e-1),
            "batch": tune.choice([32, 64]),
        }
        halving = ASHAScheduler("epoch", max_t=EPOCHS, grace_period=rungs[0], reduction_factor=3)
        with TemporaryDirectory(prefix="tune-") as folder:
            found = tune.Tuner(
                tune.with_resources(trial, {"cpu": 1}),
                param_space=space,
                tune_config=tune.TuneConfig(
                    metric="loss", mode="min", num_samples=TRIED_BY_RAY, scheduler=halving, reuse_actors=True
                ),
                run_config=tune.RunConfig(storage_path=folder, verbose=0),
            ).fit()
            assert not found.errors
            best = found.get_best_result(scope="all").metrics
        return lambda: best["loss"]

    return Contender(run, TRIED_BY_RAY)


@pytest.fixture
def ray() -> Iterator[None]:
    """Ray on as many cores as the others have; its own start counts for nobody."""
    ray = pytest.importorskip("ray")
    with TemporaryDirectory(prefix="ray-") as folder:
        ray.init(
            num_cpus=CORES,
            include_dashboard=False,
            object_store_memory=2**28,
            log_to_driver=False,
            _temp_dir=folder,
        )
        yield
        ray.shutdown()


HOLDOUT = "1,000 configurations, judged by 250 rows: a configuration"
PEERS: dict[str, Callable[[], Contender]] = {
    "RandomizedSearchCV": lambda: randomized(PredefinedSplit(FOLD)),
    "Optuna, plain PyTorch": optuna_with_a_plain_loop,
}


@pytest.mark.parametrize("name", PEERS)
def test_a_sweep_takes_a_fraction_of_the_time(race, name):
    race(f"{HOLDOUT}; halving", swept(3), name, PEERS[name](), Reach(25, aim=50), rounds=1)


@pytest.mark.usefixtures("ray")
def test_a_sweep_takes_a_fraction_of_the_time_of_ray_tune(race):
    race(f"{HOLDOUT}; halving", swept(3), "Ray Tune, ASHA", ray_tune(), Reach(25), rounds=1)


def test_a_sweep_without_halving(race):
    race(HOLDOUT, swept(None), "RandomizedSearchCV", PEERS["RandomizedSearchCV"](), Reach(), rounds=1)


@pytest.mark.parametrize("halving", [3, None])
def test_folds_are_members_of_the_pack(race, halving):
    name = "1,000 configurations in 5 folds" + ("; halving" if halving else "")
    reach = Reach(25) if halving else Reach()
    race(name, packed(halving), "RandomizedSearchCV", randomized(StratifiedKFold(5)), reach, rounds=1)


OVERHEAD = """
import sys
from tests.benchmarks.sweep_overhead import main
main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
"""


@pytest.mark.parametrize(
    ("networks", "processes", "sampler", "reach"),
    [
        (1_000, 1, "random", Reach(most=0.15)),
        (1_000, CORES, "random", Reach(most=0.15)),
        (1_000, 1, "tpe", Reach()),
        (64, 1, "random", Reach()),
    ],
)
def test_sampler_journal_and_figures_take_little_of_a_sweep(
    benchmark, report, networks, processes, sampler, reach
):
    arguments = OVERHEAD, str(networks), str(processes), sampler
    seconds = json.loads(benchmark.pedantic(lambda: python(*arguments)))
    whole = seconds.pop("whole")
    parts = ", ".join(f"{name} {duration(took)}" for name, took in sorted(seconds.items()))
    clock = "of the CPU" if processes == 1 else f"in {processes} processes"
    overhead = sum(seconds.values())
    report(
        Row(
            f"{networks:,} networks, {sampler}, {clock}: {parts}",
            "the whole sweep",
            duration(overhead),
            duration(whole),
            overhead / whole,
            reach,
        )
    )
