"""Tables, declarations and models with something wrong in them: read, or refused in words, within bounds.

`FUZZ=1000 pytest tests/fuzzing` tries more of each.
"""

from __future__ import annotations

import os
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from classification_assets.component import experiment_definitions
from classification_assets.experiment import Experiment
from classification_assets.learning.artifacts.storage import load
from classification_assets.learning.models.fitted import FittedModel
from classification_assets.learning.preparation.folds import Folds
from classification_assets.learning.preparation.requirements import refuse_unfit
from classification_assets.learning.tables.datasets import TableFile
from classification_assets.learning.tables.table import Table
from tests.fuzzing import inputs

bounded_examples = settings(
    max_examples=int(os.environ.get("FUZZ", "40")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize="FUZZ" not in os.environ,
)
WHOLE = inputs.whole_tables()
EXPERIMENTS = inputs.whole_experiments()
MODELS = {name: inputs.whole_model(name) for name in ("mlp", "linear", "people_tabular")}


def read_or_refuse(folder, name, content, **declared):
    """Read a table to its end as the data-set asset does; nothing but a ValueError may come."""
    path = folder / name
    path.write_bytes(content)
    with inputs.bounded(), suppress(ValueError):
        table = Table.of(TableFile(path=str(path), target="label", **declared))
        refuse_unfit(table, Folds())
        table.labels()


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.csv.gz", "a.jsonl", "a.parquet", "a.csv.zip"])
@given(content=st.binary(max_size=300))
@bounded_examples
def test_bytes_of_any_kind(tmp_path, name, content):
    read_or_refuse(tmp_path, name, content)


@given(content=inputs.delimited(), separator=st.sampled_from([None, ",", ";", "\t", "|", " "]))
@bounded_examples
def test_delimited_text(tmp_path, content, separator):
    read_or_refuse(tmp_path, "a.csv", content, **({"separator": separator} if separator else {}))


@given(content=inputs.json_lines())
@bounded_examples
def test_json_lines(tmp_path, content):
    read_or_refuse(tmp_path, "a.jsonl", content)


@pytest.mark.parametrize("name", WHOLE)
@given(data=st.data())
@bounded_examples
def test_good_tables_with_wrong_bytes_in_them(tmp_path, name, data):
    read_or_refuse(tmp_path, name, data.draw(inputs.damaged(WHOLE[name])))


@pytest.mark.parametrize("index", range(len(EXPERIMENTS)))
@given(data=st.data())
@bounded_examples
def test_declarations(index, data):
    declared = data.draw(inputs.changed(EXPERIMENTS[index]))
    with inputs.bounded():
        try:
            experiment = Experiment.model_validate(declared).named("fuzzed")
        except ValueError:
            return
        experiment_definitions(experiment)


@given(value=inputs.json_values)
@bounded_examples
def test_declarations_that_are_none(value):
    with inputs.bounded(), suppress(ValueError):
        Experiment.model_validate(value)


@pytest.mark.parametrize("name", MODELS)
@given(data=st.data())
@bounded_examples
def test_models_whose_header_says_something_else(tmp_path, name, data):
    header, tensors = MODELS[name]
    path = tmp_path / "model.safetensors"
    path.write_bytes(inputs.model_file(data.draw(inputs.changed(header)), tensors))
    use(path)


@pytest.mark.parametrize("name", MODELS)
@given(data=st.data())
@bounded_examples
def test_models_with_wrong_bytes_in_them(tmp_path, name, data):
    path = tmp_path / "model.safetensors"
    path.write_bytes(data.draw(inputs.damaged((inputs.FROZEN / f"{name}.safetensors").read_bytes())))
    use(path)


def use(path):
    """Load a model and let it predict; nothing but a ValueError may come."""
    with inputs.bounded(), suppress(ValueError):
        model = load(path)
        assert isinstance(model, FittedModel)
        model.predict_proba(np.zeros((3, model.provenance.preprocessing.width), np.float32))
