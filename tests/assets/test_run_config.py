"""The form of what one run may set otherwise: made from declarations, and validated by them."""

import dagster as dg
import pytest

from classification_assets.assets.run_config import run_config, with_overrides
from classification_assets.learning.models.architectures import MLP, SHIPPED, Module
from classification_assets.learning.packed.options import Training
from classification_assets.learning.tables.datasets import Blobs, Moons, TableFile

MODEL = {"training": Training(learning_rate=0.02), "architecture": SHIPPED["deep_relu"]}


def form(declarations=MODEL, **changes):
    """A run's configuration as Dagster makes it: the changes, with all else as the form has it."""

    @dg.op(config_schema=run_config(declarations))
    def fill():
        pass

    @dg.job
    def job():
        fill()

    return dg.validate_run_config(job, {"ops": {"fill": {"config": changes}}})["ops"]["fill"]["config"]


def test_every_hyper_parameter_is_in_the_form_with_what_is_declared_as_its_default():
    filled = form()
    assert filled["learning_rate"] == 0.02
    assert filled["hidden"] == [64, 64, 64]
    assert filled["activation"] == "relu"
    assert filled["batch_size"] == 64
    assert filled["early_stopping"] is True
    assert filled["precision"] == "float32"
    assert filled["compile"] is False


def test_names_devices_and_places_of_code_are_not_in_the_form():
    own = {"architecture": Module(name="mine", kind="module", path="a:B", arguments={"x": 1})}
    assert form(own) == {}
    assert {"name", "kind", "device"} & set(form()) == set()


def test_what_is_left_as_declared_is_no_override():
    used, overridden = with_overrides(MODEL, form())
    assert used == MODEL
    assert overridden == {}


def test_only_what_differs_is_an_override():
    used, overridden = with_overrides(MODEL, form(learning_rate=0.5, hidden=[8], max_epochs=200))
    assert overridden == {"learning_rate": 0.5, "hidden": (8,)}
    assert used["training"].learning_rate == 0.5
    assert used["architecture"].hidden == (8,)
    assert used["architecture"].name == "deep_relu"


def test_full_batch_can_be_asked_for():
    used, overridden = with_overrides(MODEL, form(batch_size=None))
    assert overridden == {"batch_size": None}
    assert used["training"].batch_size is None


def test_one_number_a_member_stays_unless_a_plain_number_replaces_it():
    declared = {"training": Training(members=2, learning_rate=(0.1, 0.2))}
    assert with_overrides(declared, form(declared))[1] == {}
    assert with_overrides(declared, form(declared, learning_rate=0.3))[1] == {"learning_rate": 0.3}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"learning_rate": -1.0}, "run configuration of training: learning_rate: .*above 0.*-1.0"),
        ({"members": 0}, "run configuration of training: members: .*greater than or equal to 1.*0"),
        ({"hidden": [4, 0]}, "run configuration of architecture: hidden.1: .*greater than or equal to 1"),
        ({"dropout": 1.0}, "run configuration of architecture: dropout: .*below 1"),
    ],
)
def test_a_bad_value_is_refused_by_the_declarations_own_rule(change, words):
    with pytest.raises(ValueError, match=words):
        with_overrides(MODEL, form(**change))


def test_a_wrong_choice_is_refused_before_the_step():
    with pytest.raises(dg.DagsterInvalidConfigError, match="activation"):
        form(activation="rlu")


@pytest.mark.parametrize("dataset", [Moons(), Blobs(), Blobs(centers=[[0, 0], [2, 2]])])
def test_size_noise_and_seed_of_a_data_set_can_be_set(dataset):
    used, overridden = with_overrides(
        {"dataset": dataset}, form({"dataset": dataset}, n_samples=99, noise=0.7, seed=5)
    )
    assert overridden == {"n_samples": 99, "noise": 0.7, "seed": 5}
    assert (used["dataset"].n_samples, used["dataset"].noise, used["dataset"].seed) == (99, 0.7, 5)


def test_roles_of_a_tables_columns_can_be_set_and_its_place_cannot():
    declared = {"dataset": TableFile(path="a.csv", test="b.csv", drop=["x"])}
    filled = form(declared)
    assert not {"path", "test", "columns", "kind"} & set(filled)
    used, overridden = with_overrides(
        declared, form(declared, target="outcome", drop=["x", "y"], group="patient")
    )
    assert overridden == {"target": "outcome", "drop": ("x", "y"), "group": "patient"}
    assert used["dataset"].path == "a.csv"


def test_fields_of_one_assets_declarations_have_different_names():
    fields = [set(Training.model_fields) - {"seed"}, set(MLP.model_fields) - {"training"}]
    assert fields[0] & fields[1] == set()
