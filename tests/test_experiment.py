"""Declarations of experiments, and the rules between their parts."""

import json

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from classification_assets.experiment import Experiment
from classification_assets.learning.models.architectures import SHIPPED

MOONS = {"kind": "moons"}
SWEEP = {"space": {"depth": [1, 2], "learning_rate": {"low": 0.001, "high": 0.1, "log": True}}}


def test_a_data_set_alone_is_a_complete_experiment():
    experiment = Experiment.model_validate({"dataset": MOONS})
    assert [architecture.name for architecture in experiment.architectures] == list(SHIPPED)
    assert experiment.training.members == 8
    assert experiment.device == "auto"
    assert not experiment.resample


def test_architectures_are_shipped_names_or_declarations():
    experiment = Experiment.model_validate(
        {
            "dataset": MOONS,
            "architectures": ["linear", {"name": "wide", "hidden": [128, 128], "activation": "gelu"}],
        }
    )
    linear, wide = experiment.architectures
    assert linear == SHIPPED["linear"]
    assert wide.hidden == (128, 128)


def test_an_architecture_is_trained_with_the_experiments_options_and_its_own_on_top():
    experiment = Experiment.model_validate(
        {
            "dataset": MOONS,
            "training": {"members": 3, "learning_rate": 0.5},
            "architectures": ["linear", {"name": "slow", "training": {"learning_rate": 0.001}}],
        }
    ).named("moons")
    (_, shared), (_, own) = experiment.trainings()
    assert (shared.learning_rate, own.learning_rate, own.members) == (0.5, 0.001, 3)


@pytest.mark.parametrize(
    ("attributes", "where", "words"),
    [
        ({"dataset": {"kind": "moon"}}, ("dataset",), "'blobs', 'moons', 'circles', 'spirals'"),
        (
            {"dataset": {"path": "a.csv"}},
            ("dataset",),
            "one kind (blobs, moons, circles, spirals, table, python, sklearn)",
        ),
        ({"dataset": "a.csv"}, ("dataset",), "{kind: table, path: rows.csv}, got 'a.csv'"),
        (
            {"dataset": {"kind": "table", "path": "a.csv", "drop": "x"}},
            ("dataset", "table", "drop"),
            "a list is needed, as in [x], got 'x'",
        ),
        ({"dataset": MOONS, "architectures": "linear"}, ("architectures",), "as in [linear], got"),
        ({"dataset": {"kind": "moons", "noise": 0}}, ("dataset", "moons", "noise"), "greater than 0"),
        ({"dataset": {"kind": "moons", "n_samples": -5}}, ("dataset", "moons", "n_samples"), "greater than"),
        (
            {"dataset": {"kind": "moons", "n_samples": 1}},
            ("dataset", "moons", "n_samples"),
            "fewer rows than classes",
        ),
        ({"dataset": MOONS, "trainin": {}}, ("trainin",), "did you mean 'training'"),
        ({"dataset": MOONS, "split": {"validation": 0.6, "test": 0.5}}, ("split",), "rows to train on"),
        (
            {"dataset": {"kind": "moons", "n_samples": 20}, "split": {"test": 0.01}},
            ("split",),
            "test fold would have 0",
        ),
        ({"dataset": MOONS, "architectures": ["deep_rel"]}, ("architectures", 0), "shipped are linear"),
        ({"dataset": MOONS, "architectures": []}, ("architectures",), "at least one"),
        (
            {"dataset": MOONS, "architectures": ["linear", "linear"]},
            ("architectures",),
            "'linear' is there 2 times",
        ),
        ({"dataset": MOONS, "architectures": [{"name": "split"}]}, ("architectures",), "name of an asset"),
        (
            {"dataset": MOONS, "architectures": [{"name": "a", "activation": "rlu"}]},
            ("architectures", 0, "mlp", "activation"),
            "'relu', 'leaky_relu', 'gelu', 'silu' or 'tanh'",
        ),
        (
            {"dataset": MOONS, "architectures": [{"name": "a", "hidden": [8, 0]}]},
            ("architectures", 0, "mlp", "hidden", 1),
            "greater than or equal to 1",
        ),
        (
            {"dataset": MOONS, "architectures": [{"name": "a", "kind": "cnn"}]},
            ("architectures", 0),
            "'mlp', 'module'",
        ),
        (
            {"dataset": MOONS, "architectures": [{"name": "../up"}]},
            ("architectures", 0, "mlp", "name"),
            "[a-z0-9_]+",
        ),
        (
            {"dataset": MOONS, "training": {"learning_rate": -1}},
            ("training", "learning_rate"),
            "must be above 0",
        ),
        (
            {"dataset": MOONS, "training": {"members": 0}},
            ("training", "members"),
            "greater than or equal to 1",
        ),
        (
            {"dataset": MOONS, "view": {"plane": ["x1", "x3"]}},
            ("view",),
            "names the feature 'x3', which there is not; features are x1, x2",
        ),
        ({"dataset": MOONS, "device": "gpu"}, ("device",), "auto, cpu, cuda, cuda:N or mps"),
        ({"dataset": MOONS, "sweep": {}}, ("sweep", "space"), "required"),
        ({"dataset": MOONS, "sweep": {"space": {}}}, ("sweep", "space"), "at least one hyper-parameter"),
        (
            {"dataset": MOONS, "sweep": {"space": {"momentum": [0.9]}}},
            ("sweep", "space", "momentum"),
            "no such field; known are: depth, width",
        ),
        (
            {"dataset": MOONS, "sweep": {"space": {"hidden": [[8]], "depth": [1]}}},
            ("sweep", "space", "hidden"),
            "instead of depth and width",
        ),
        (
            {"dataset": MOONS, "sweep": {"space": {"hidden": [[8], [4, 8]], "residual": [True]}}},
            ("sweep", "space"),
            "residual needs hidden layers of one width, got hidden [4, 8]",
        ),
        (
            {"dataset": MOONS, "sweep": SWEEP | {"networks": 0}},
            ("sweep", "networks"),
            "greater than or equal",
        ),
        ({"dataset": MOONS, "sweep": SWEEP | {"seconds": 0}}, ("sweep", "seconds"), "greater than 0"),
        ({"dataset": MOONS, "sweep": SWEEP | {"metric": "auc"}}, ("sweep", "metric"), "'log_loss', 'brier"),
        (
            {"dataset": MOONS, "sweep": SWEEP, "architectures": [{"name": "tuned"}]},
            ("architectures",),
            "'tuned' is the architecture that the sweep finds",
        ),
        (
            {"dataset": MOONS, "sweep": SWEEP, "training": {"members": 2, "weight_decay": [0.1, 0.2]}},
            ("sweep",),
            "weight_decay must be one number, which all configurations share, or be searched",
        ),
        (
            {"dataset": MOONS, "sweep": SWEEP | {"architecture": {"kind": "tabular"}}},
            ("sweep", "architecture", "kind"),
            "'mlp'",
        ),
        (
            {"dataset": {"kind": "moons", "noise": "{{ env.NOISE }}"}},
            (),
            "attributes.dataset.noise: the template",
        ),
    ],
)
def test_a_mistake_is_reported_of_its_field_and_says_what_would_be_right(attributes, where, words):
    with pytest.raises(ValidationError) as caught:
        Experiment.model_validate(attributes)
    (problem,) = caught.value.errors()
    assert problem["loc"] == where
    assert words in problem["msg"]


@pytest.mark.parametrize("name", ["comparison", "tuned", "My-moons", "../up", "", "a" * 61])
def test_a_reserved_or_unsafe_name_is_refused(name):
    with pytest.raises(ValueError, match=r"reserved|\[a-z0-9_\]\+"):
        Experiment.model_validate({"dataset": MOONS}).named(name)


def test_a_declaration_survives_json():
    experiment = Experiment.model_validate({"dataset": {"kind": "blobs", "centers": [[0, 0], [3, 1]]}})
    assert Experiment.model_validate(json.loads(experiment.model_dump_json())) == experiment


def test_with_a_sweep_there_is_one_architecture_more():
    declared = {"dataset": MOONS, "architectures": ["linear"], "metric": "accuracy", "sweep": SWEEP}
    experiment = Experiment.model_validate(declared).named("moons")
    assert [architecture.name for architecture, _ in experiment.trainings()] == ["linear", "tuned"]
    assert experiment.tuned.sweep.metric == "accuracy"
    assert experiment.has_effect
    assert (
        Experiment.model_validate(json.loads(experiment.model_dump_json(exclude={"name"}))).sweep is not None
    )


def test_without_a_sweep_an_architecture_may_be_called_as_the_one_that_it_would_find():
    declared = {"dataset": MOONS, "architectures": ["linear", {"name": "tuned"}]}
    experiment = Experiment.model_validate(declared)
    assert [architecture.name for architecture in experiment.tried] == ["linear", "tuned"]


def test_one_number_a_member_is_no_hindrance_to_a_sweep_that_searches_it():
    training = {"members": 2, "learning_rate": [0.1, 0.2], "batch_size": 32}
    experiment = Experiment.model_validate({"dataset": MOONS, "sweep": SWEEP, "training": training})
    *_, (_, options) = experiment.named("moons").trainings()
    assert (options.members, options.batch_size) == (2, 32)
    assert not isinstance(options.learning_rate, tuple)


@pytest.mark.parametrize(
    ("sweep", "where"),
    [
        ({"space": {"width": [8]}, "networks": "many"}, ["sweep", "networks"]),
        ({"space": {"width": [8]}, "sampler": "bohb"}, ["sweep", "sampler"]),
        ({"space": {"width": [8], "mixup": {"low": 0}}}, ["sweep", "space", "mixup"]),
        ({"space": {"width": {"choices": 8}}}, ["sweep", "space", "width", "choices"]),
        ({"space": {"momentum": [0.9]}}, ["sweep", "space"]),
    ],
)
def test_dg_check_yaml_points_at_the_field_of_a_sweep_that_is_wrong(sweep, where):
    schema = Draft202012Validator(Experiment.model_json_schema())
    (error,) = schema.iter_errors({"dataset": MOONS, "sweep": sweep})
    assert list(error.absolute_path) == where


@pytest.mark.parametrize(
    "sweep",
    [None, SWEEP, {"space": {"width": 8, "mixup": {"low": 0, "high": 1}, "dropout": {"choices": [0, 0.1]}}}],
)
def test_dg_check_yaml_finds_nothing_wrong_with_a_sweep_that_can_be_declared(sweep):
    Experiment.model_validate({"dataset": MOONS, "sweep": sweep})
    Draft202012Validator(Experiment.model_json_schema()).validate({"dataset": MOONS, "sweep": sweep})
