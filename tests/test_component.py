"""From a folder with a `defs.yaml` to assets, by Dagster's own loading."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster.components.testing import create_defs_folder_sandbox

from classification_assets.component import EXAMPLE, ClassificationExperiment

TYPE = "classification_assets.ClassificationExperiment"
RESOURCES = {
    "device": dg.ResourceDefinition.none_resource(),
    "artifacts": dg.IOManagerDefinition.hardcoded_io_manager(dg.InMemoryIOManager()),
}


def load(files: dict[str, Any]) -> dg.Definitions:
    """Definitions of a folder of experiments, each path's `defs.yaml` holding the attributes given."""
    with create_defs_folder_sandbox() as sandbox:
        for path, attributes in files.items():
            sandbox.scaffold_component(
                component_cls=ClassificationExperiment,
                defs_path=path,
                defs_yaml_contents={"type": TYPE, "attributes": attributes},
            )
        with sandbox.build_all_defs() as definitions:
            return dg.Definitions.merge(definitions, dg.Definitions(resources=RESOURCES))


def message_of(error: BaseException) -> str:
    """The whole chain of an error, as a person sees it."""
    words = []
    while error is not None:
        words.append(str(error))
        error = error.__cause__ or error.__context__
    return "\n".join(words)


def test_an_experiment_becomes_the_assets_of_its_architectures_under_the_folders_name():
    definitions = load({"rings": {"dataset": {"kind": "circles"}, "architectures": ["linear"]}})
    assert {key.to_user_string() for key in definitions.resolve_asset_graph().get_all_asset_keys()} == {
        "rings/dataset",
        "rings/split",
        "rings/linear/model",
        "rings/linear/evaluation",
        "rings/linear/surface",
        "rings/linear/boundary",
        "rings/linear/evolution",
        "rings/leaderboard",
        "rings/champion",
        "rings/report",
    }


@pytest.mark.parametrize("retrain", [{"schedule": "0 3 * * *"}, {"on_change": True}])
def test_an_experiment_that_retrains_itself_has_a_job_of_its_own(retrain, tmp_path):
    rows = tmp_path / "rings.csv"
    rows.write_text("x,label\n1,a\n2,b\n")
    dataset = {"kind": "table", "path": str(rows), "target": "label"}
    declared = {"dataset": dataset, "architectures": ["linear"], "retrain": retrain}
    definitions = load({"rings": declared})
    assert definitions.resolve_job_def("train_rings").asset_layer.executable_asset_keys


def test_other_experiments_have_none_which_would_make_loading_slow():
    definitions = load({"rings": {"dataset": {"kind": "circles"}, "architectures": ["linear"]}})
    assert not list(definitions.jobs or [])


def test_every_asset_says_what_it_is_and_where_it_would_be_computed():
    definitions = load(
        {"rings": {"dataset": {"kind": "circles"}, "architectures": ["linear"], "device": "cuda:1"}}
    )
    for spec in definitions.resolve_all_asset_specs():
        assert spec.group_name == "rings"
        assert spec.description
        assert spec.kinds
        assert spec.tags["classification_assets/device"] == "cuda-1"
        assert spec.metadata["device"] == "cuda:1"


def test_an_architectures_device_comes_before_the_experiments():
    architecture = {"name": "far", "hidden": [4], "device": "mps"}
    definitions = load(
        {"rings": {"dataset": {"kind": "circles"}, "architectures": [architecture], "device": "cpu"}}
    )
    spec = {spec.key.to_user_string(): spec for spec in definitions.resolve_all_asset_specs()}
    assert spec["rings/far/model"].metadata["device"] == "mps"
    assert spec["rings/split"].metadata["device"] == "cpu"


def test_two_experiments_of_one_name_are_refused_and_both_files_named():
    moons = {"dataset": {"kind": "moons"}}
    with pytest.raises(Exception) as caught:  # noqa: PT011 (Dagster wraps it)
        load({"one/rings": moons, "two/rings": moons})
    assert "two experiments are named 'rings'" in message_of(caught.value)
    assert "one/rings/defs.yaml" in message_of(caught.value)
    assert "two/rings/defs.yaml" in message_of(caught.value)


@pytest.mark.parametrize(
    ("folder", "attributes", "words"),
    [
        ("rings", {"dataset": {"kind": "circles", "noise": -1}}, ["rings/defs.yaml:", "circles.noise", "-1"]),
        ("rings", {"dataset": {"kind": "ring"}}, ["rings/defs.yaml:", "attributes.dataset", "'ring'"]),
        (
            "rings",
            {"dataset": {"noise": 1}},
            ["rings/defs.yaml:", "attributes.dataset", "(blobs, moons, circles"],
        ),
        (
            "rings",
            {"dataset": {"kind": "table", "path": "a.csv", "drop": "x"}},
            ["rings/defs.yaml:", "table.drop", "a list is needed, as in [x]"],
        ),
        ("rings", None, ["rings/defs.yaml", "at least a dataset"]),
        ("comparison", {"dataset": {"kind": "circles"}}, ["comparison/defs.yaml", "reserved"]),
        ("Rings", {"dataset": {"kind": "circles"}}, ["Rings/defs.yaml", "[a-z0-9_]+", "'Rings'"]),
        (
            "rings",
            {"dataset": {"kind": "circles", "noise": "{{ env.N }}"}},
            ["rings/defs.yaml", "{{ env.N }}"],
        ),
    ],
)
def test_a_mistake_in_a_file_is_reported_with_file_field_and_value(folder, attributes, words):
    with pytest.raises(Exception) as caught:  # noqa: PT011 (Dagster wraps it)
        load({folder: attributes})
    assert [word for word in words if word not in message_of(caught.value)] == []


def test_the_scaffolded_example_is_a_complete_experiment():
    example = yaml.safe_load(EXAMPLE)
    assert example["type"] == TYPE
    definitions = load({"example": example["attributes"]})
    assert len(list(definitions.resolve_all_asset_specs())) == 6 + 3 * 5


def test_the_sweep_that_the_example_shows_is_one_that_can_be_declared():
    shown = yaml.safe_load(EXAMPLE.replace("\n  # ", "\n  "))["attributes"]
    declared = load({"example": shown}).resolve_asset_graph().get_all_asset_keys()
    assert {"example/sweep", "example/tuned/model"} <= {key.to_user_string() for key in declared}


def test_dg_scaffolds_the_example(tmp_path: Path):
    root = Path(__file__).parents[1]
    for name in ("pyproject.toml", "classification_assets"):
        source = root / name
        subprocess.run(["cp", "-r", source, tmp_path / name], check=True)
    command = [str(Path(sys.executable).parent / "dg"), "scaffold", "defs", TYPE, "mine"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "classification_assets/defs/mine/defs.yaml").read_text() == EXAMPLE
