"""The shipped experiments reach what is possible, at their declared settings and with nothing tuned."""

from pathlib import Path

import pytest
import yaml

from classification_assets.experiment import Experiment, NamedExperiment
from classification_assets.learning.evaluation.leaderboard import leaderboard
from classification_assets.learning.evaluation.scoring import evaluate
from classification_assets.learning.models.fit import fit
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.sweeps.search import search
from classification_assets.learning.sweeps.tuned import Tuned
from classification_assets.learning.tables.table import Table

DEFS = Path(__file__).parents[1] / "classification_assets" / "defs"


def shipped(name: str) -> NamedExperiment:
    declared = yaml.safe_load((DEFS / name / "defs.yaml").read_text())
    return Experiment.model_validate(declared["attributes"]).named(name)


def board_of(experiment: NamedExperiment):
    split = Split.of(Table.of(experiment.dataset), experiment.split)
    evaluations = {}
    for architecture, training in experiment.trainings():
        used = architecture, training
        if isinstance(architecture, Tuned):
            used = architecture.found(search(architecture.sweep, split, training=training), training)
        evaluations[architecture.name] = evaluate(fit(used[0], split, used[1]), split)
    return leaderboard(evaluations).board


@pytest.mark.parametrize("name", ["blobs", "moons", "circles"])
def test_the_chosen_architecture_is_within_two_hundredths_of_the_best_possible_accuracy(name):
    chosen = board_of(shipped(name)).iloc[0]
    assert chosen["accuracy"] >= chosen["bayes_accuracy"] - 0.02


def test_what_the_sweep_of_moons_finds_is_as_good_as_the_best_that_was_thought_of():
    board = board_of(shipped("moons")).set_index("architecture")
    assert board.loc["tuned", "against_first"] in ("chosen", "tied", "better")


def test_spirals_are_told_apart():
    board = board_of(shipped("spirals"))
    assert board.iloc[0]["accuracy"] > 0.97
    assert board.set_index("architecture").loc["linear", "accuracy"] < 0.6


def test_regularization_helps_plainly_where_rows_are_few_and_noisy():
    board = board_of(shipped("moons_small")).set_index("architecture")
    assert board.loc["regularized", "log_loss"] < board.loc["deep_relu", "log_loss"] - 0.05
    assert board.loc["regularized", "accuracy"] >= board.loc["deep_relu", "accuracy"]


@pytest.mark.parametrize(("name", "accuracy"), [("digits", 0.96), ("wine", 0.93)])
def test_tables_of_many_features_are_learned(name, accuracy):
    board = board_of(shipped(name))
    assert board.iloc[0]["accuracy"] > accuracy
