"""A model card says what the model is, how good, and how to use it, in a form that Hugging Face reads."""

import numpy as np
import pytest
import yaml

from classification_assets import load_classifier
from classification_assets.learning.artifacts import storage
from classification_assets.learning.preparation.folds import Fold
from classification_assets.learning.reports.model_card import model_card


def metadata(card):
    _, block, _ = card.split("---\n", 2)
    return yaml.safe_load(block)


def test_the_metadata_block_holds_the_scores_of_the_test_fold(fitted, evaluation):
    told = metadata(model_card(fitted, "moons/narrow", evaluation))
    assert told["pipeline_tag"] == "tabular-classification"
    (model,) = told["model-index"]
    assert model["name"] == "moons/narrow"
    (result,) = model["results"]
    scores = {metric["type"]: metric["value"] for metric in result["metrics"]}
    assert scores["log_loss"] == pytest.approx(evaluation.overall(Fold.TEST)["log_loss"], abs=1e-6)
    assert {"task", "dataset", "metrics"} <= set(result)


def test_a_card_without_an_evaluation_says_so(fitted):
    card = model_card(fitted, "moons/narrow")
    assert "model-index" not in metadata(card)
    assert "materialize the asset `moons/narrow/evaluation`" in card


def test_what_the_card_says_of_its_use_works(fitted, evaluation, split, tmp_path, monkeypatch):
    card = model_card(fitted, "moons/narrow", evaluation)
    code = card.split("```python\n")[1].split("```")[0]
    storage.save(fitted, tmp_path / "model.safetensors")
    monkeypatch.chdir(tmp_path)
    told = {"rows": split.X}
    exec(code, told)
    np.testing.assert_allclose(
        told["classifier"].predict_proba(split.X), load_classifier("model.safetensors").predict_proba(split.X)
    )


def test_strange_class_names_break_no_table(fit, split):
    import dataclasses

    from classification_assets.learning.evaluation.scoring import evaluate

    strange = dataclasses.replace(split, classes=["a|b", "c\nd"])
    fitted = fit(on=strange)
    card = model_card(fitted, "moons/narrow", evaluate(fitted, strange))
    rows = [line for line in card.splitlines() if line.startswith("| a\\|b |")]
    assert len(rows) == 1
    assert "| c d |" in card


def test_a_card_names_no_option_that_the_architecture_has_no_use_for(fit, split):
    from classification_assets.learning.models.architectures import NAMED

    card = model_card(fit(NAMED["tabular"]), "moons/tabular")
    assert "| patience |" not in card
    assert "| class_weight | none |" in card
    assert "inner cross-validation folds" in card
