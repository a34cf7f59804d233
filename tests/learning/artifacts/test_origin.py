"""What an artifact was made of: in its file, without influence on its version, and what is refused for it."""

import io

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

from classification_assets.learning.artifacts.origin import MisfitError, Origin, refuse_misfits
from classification_assets.learning.artifacts.storage import load, origin_of, save, stage

ORIGIN = Origin(
    inputs={"moons/split": "a" * 64},
    ancestors={"moons/dataset": "b" * 64},
    run="run-1",
    code_version="c" * 16,
)


@pytest.fixture
def values(fitted, split, evaluation, surface, table):
    figure = Figure(figsize=(2, 2))
    figure.add_subplot().plot([1, 2], [3, 4])
    return {
        "table.parquet": table,
        "split.parquet": split,
        "evaluation.parquet": evaluation,
        "surface.parquet": surface,
        "frame.parquet": pd.DataFrame({"a": [1, 2]}),
        "model.safetensors": fitted,
        "figure.png": figure,
    }


@pytest.mark.parametrize(
    "name",
    [
        "table.parquet",
        "split.parquet",
        "evaluation.parquet",
        "surface.parquet",
        "frame.parquet",
        "model.safetensors",
        "figure.png",
    ],
)
def test_every_file_says_its_version_and_what_it_was_made_of(values, tmp_path, name):
    value = values[name]
    staged = stage(value, tmp_path / name, origin=ORIGIN)
    staged.publish()
    found = origin_of(tmp_path / name)
    assert found == ORIGIN.versioned(staged.version)
    load(tmp_path / name)
    # Another run, other inputs: the same content has the same version.
    other = stage(value, tmp_path / f"other_{name}", origin=Origin(run="run-2"))
    assert other.version == staged.version == save(value, tmp_path / f"third_{name}")


def test_another_content_is_another_version(tmp_path, split):
    first = save(split, tmp_path / "a.parquet")
    split.fold[0] += 1
    try:
        assert save(split, tmp_path / "a.parquet") != first
    finally:
        split.fold[0] -= 1
    assert save(pd.DataFrame({"a": [1]}), tmp_path / "b.parquet") != save(
        pd.DataFrame({"b": [1]}), tmp_path / "b.parquet"
    )


def test_a_stored_split_is_the_same_split(tmp_path, split):
    save(split, tmp_path / "split.parquet")
    found = load(tmp_path / "split.parquet")
    np.testing.assert_array_equal(found.keys, split.keys)
    assert found.identity == split.identity
    assert found.folds == split.folds


def test_a_figure_that_says_its_origin_is_still_a_png(values, tmp_path):
    stage(values["figure.png"], tmp_path / "a.png", origin=ORIGIN).publish()
    Image.open(io.BytesIO(load(tmp_path / "a.png"))).load()


def test_a_file_that_says_nothing_has_no_origin(tmp_path):
    save(pd.DataFrame({"a": [1]}), tmp_path / "a.parquet")
    assert origin_of(tmp_path / "a.parquet") is None
    assert origin_of(tmp_path / "there_is_none.parquet") is None


def made(version, **inputs):
    """An artifact's origin; an underscore stands for the slash of a key."""
    return Origin(version=version, inputs={key.replace("_", "/"): value for key, value in inputs.items()})


STORED = {
    "e/dataset": made("d2"),
    "e/split": made("s2", e_dataset="d2"),
    "e/model": made("m1", e_split="s1"),
    "e/evaluation": made("v1", e_split="s1", e_model="m1"),
    "e/surface": made("f2", e_split="s2", e_model="m1"),
}


def refused(target, *inputs, free=()):
    with pytest.raises(MisfitError) as caught:
        refuse_misfits(target, {key: STORED.get(key) for key in inputs}, STORED.get, free)
    return str(caught.value)


def test_what_was_made_of_another_version_of_a_second_input_is_refused_with_the_command():
    said = refused("e/boundary", "e/evaluation", "e/surface", "e/split")
    assert "e/evaluation was made of another e/split than the one that is there" in said
    assert "in this order, e/model, e/evaluation, e/surface, e/boundary:" in said
    assert said.endswith('key:"e/surface" or key:"e/boundary"\'')


def test_two_inputs_that_were_made_of_different_versions_of_a_third_artifact_are_refused():
    said = refused("e/leaderboard", "e/evaluation", "e/surface")
    assert "e/evaluation and e/surface were made of different versions of e/split" in said
    assert "in this order, e/model, e/evaluation, e/surface, e/leaderboard:" in said


def test_what_may_be_older_is_not_refused():
    refuse_misfits(
        "e/evaluation", {key: STORED[key] for key in ("e/model", "e/split")}, STORED.get, ["e/model"]
    )


def test_what_does_not_say_what_it_was_made_of_is_refused():
    assert "e/unknown was stored by an earlier version" in refused("e/report", "e/split", "e/unknown")


def test_ancestors_are_handed_on_but_for_those_of_older_inputs():
    origin = Origin.of_inputs({key: STORED[key] for key in ("e/model", "e/split")}, free=["e/model"])
    assert origin.inputs == {"e/model": "m1", "e/split": "s2"}
    assert origin.ancestors == {"e/dataset": "d2"}
    later = Origin.of_inputs({"e/evaluation": origin.versioned("v2")})
    assert later.made_of == {"e/evaluation": "v2", "e/model": "m1", "e/split": "s2", "e/dataset": "d2"}
