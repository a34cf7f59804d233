"""The recipe for tables: what it predicts, what it does with weights, rare classes and failures."""

import dataclasses

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from classification_assets import NeuralClassifier, load_classifier
from classification_assets.learning.artifacts import storage
from classification_assets.learning.figures.curves import curves
from classification_assets.learning.models import onnx_export
from classification_assets.learning.models.architectures import NAMED, Tabular
from classification_assets.learning.models.tabular import recipe
from classification_assets.learning.packed.options import Training
from classification_assets.learning.preparation.folds import Fold
from tests.learning.models.tabular.small_tables import drawn, fit, split_of


def test_probabilities_are_positive_and_sum_to_1(fitted, split):
    for p in (fitted.predict_proba(split.X * 100), fitted.validation_probabilities):
        np.testing.assert_allclose(p.sum(1), 1, atol=1e-5)
        assert p.min() > 0


def test_the_same_seed_gives_the_same_bytes_and_another_one_others(fitted, split):
    again, other = fit(split), fit(split, seed=1)
    assert again.state.keys() == fitted.state.keys()
    assert all(torch.equal(value, fitted.state[name]) for name, value in again.state.items())
    assert np.array_equal(again.validation_probabilities, fitted.validation_probabilities)
    assert not np.array_equal(other.predict_proba(split.X), fitted.predict_proba(split.X))


def test_a_stored_classifier_gives_the_same_probabilities_bit_for_bit(fitted, split, tmp_path):
    storage.save(fitted, tmp_path / "model.safetensors")
    loaded = storage.load(tmp_path / "model.safetensors")
    assert np.array_equal(loaded.predict_proba(split.X), fitted.predict_proba(split.X))
    assert np.array_equal(loaded.validation_probabilities, fitted.validation_probabilities)
    assert loaded.provenance == fitted.provenance


def test_the_table_of_options_and_the_curves_can_be_drawn(fitted):
    members = len(fitted.best_step)
    assert fitted.history["validation_loss"].shape == (len(fitted.history["step"]), members)
    assert set(fitted.best_step.tolist()) <= set(fitted.history["step"].tolist())
    assert "class_weight" in fitted.hyperparameters()["hyper-parameter"].to_list()
    curves(fitted.history, best_step=fitted.best_step, title="tabular")


def test_rows_of_the_test_fold_change_nothing(fitted, split):
    test = split.fold == Fold.TEST
    X = np.where(test[:, None], 1e6, split.X).astype(np.float32)
    again = fit(dataclasses.replace(split, X=X, y=np.where(test, 0, split.y)))
    assert all(torch.equal(value, fitted.state[name]) for name, value in again.state.items())


@pytest.mark.parametrize("rows", [4, 5, 20])
@pytest.mark.parametrize("n_features", [1, 5])
def test_few_rows_do(rows, n_features):
    fitted = fit(drawn(rows, n_features, 2))
    assert np.isfinite(fitted.predict_proba(np.zeros((3, n_features), np.float32))).all()


def test_a_table_without_a_validation_fold_has_no_validation_probabilities():
    split = split_of(np.random.default_rng(0).normal(size=(40, 2)), np.arange(40) % 2)
    fitted = fit(split)
    assert fitted.validation_probabilities.shape == (0, 2)
    assert np.isfinite(fitted.predict_proba(split.X)).all()


def test_one_row_alone_is_an_error():
    split = split_of(np.zeros((2, 1)), np.array([0, 1]), np.array([Fold.TRAIN, Fold.TEST]))
    with pytest.raises(ValueError, match="at least 2 rows to learn from, got 1"):
        fit(split)


def test_a_class_of_one_row_is_no_reason_to_doubt_the_others():
    split = drawn(150, n_classes=2)
    y = split.y.copy()
    y[np.flatnonzero(split.fold == Fold.TRAIN)[0]] = 2
    rare = split_of(split.X, y, split.fold)
    p, without = fit(rare).predict_proba(split.X), fit(split).predict_proba(split.X)
    assert p.shape == (150, 3)
    assert np.isfinite(p).all()
    np.testing.assert_allclose(p[:, :2].max(1).mean(), without.max(1).mean(), atol=0.1)


def test_every_class_with_a_single_row_can_be_learned_from():
    X = np.random.default_rng(0).normal(size=(20, 2))
    fitted = fit(split_of(X, np.arange(20)))
    assert np.isfinite(fitted.predict_proba(X.astype(np.float32))).all()


def test_a_hundred_classes_do():
    split = drawn(400, n_features=8, n_classes=100)
    assert fit(split).predict_proba(split.X).shape == (400, 100)


def correlated(n_rows=300, n_features=12, seed=0):
    """Two classes that a plane parts, seen through columns that are nearly copies of each other."""
    rng = np.random.default_rng(seed)
    y = np.arange(n_rows) % 2
    Z = rng.normal(size=(n_rows, n_features)) + y[:, None] * rng.normal(size=n_features)
    mixed = Z @ (np.ones((n_features, n_features)) * 3 + rng.normal(size=(n_features, n_features)))
    return split_of(mixed, y, np.where(rng.random(n_rows) < 0.5, Fold.TEST, Fold.TRAIN).astype(np.int8))


def test_where_the_truth_is_linear_no_network_is_in_the_way():
    split = correlated()
    fitted = fit(split)
    test = split.fold == Fold.TEST
    features = fitted.provenance.preprocessing.features(split.X)
    own = LogisticRegression().fit(features[~test], split.y[~test]).predict_proba(features[test])
    ours = fitted.predict_proba(split.X[test])
    assert log_loss(split.y[test], ours) < log_loss(split.y[test], own) + 0.01
    assert "linear" in [pack.kind for pack in fitted.provenance.packs]


def nested(n_rows=300, n_features=4, seed=0):
    """One cloud within another, which a quadratic form parts."""
    rng = np.random.default_rng(seed)
    y = np.arange(n_rows) % 2
    X = rng.normal(size=(n_rows, n_features)) * (1 + 2 * y)[:, None]
    return split_of(X, y, np.where(rng.random(n_rows) < 0.5, Fold.TEST, Fold.TRAIN).astype(np.int8))


def test_of_few_columns_products_are_columns_too():
    split = nested()
    fitted = fit(split)
    test = split.fold == Fold.TEST
    X = split.X[test].astype(float)
    odds = np.square(X).sum(1) * (1 / 2 - 1 / 18) - 4 * np.log(3)
    best = log_loss(split.y[test], 1 / (1 + np.exp(-odds)))
    assert "linear" in [pack.kind for pack in fitted.provenance.packs]
    assert log_loss(split.y[test], fitted.predict_proba(split.X[test])) < best + 0.03


@pytest.mark.parametrize("drawn", [correlated, nested])
def test_linear_models_in_the_blend_are_stored_and_exported_like_any_network(drawn, tmp_path):
    onnx = pytest.importorskip("onnxruntime")
    split = drawn()
    fitted = fit(split)
    content = onnx_export.exported(fitted).content
    served = onnx.InferenceSession(content).run(None, {"X": split.X})[0]
    np.testing.assert_allclose(served, fitted.predict_proba(split.X), atol=1e-5)
    storage.save(fitted, tmp_path / "model.safetensors")
    loaded = storage.load(tmp_path / "model.safetensors")
    assert np.array_equal(loaded.predict_proba(split.X), fitted.predict_proba(split.X))


def imbalanced(n_rows=1500, every=100):
    rng = np.random.default_rng(0)
    y = (np.arange(n_rows) % every == 0).astype(int)
    X = rng.normal(size=(n_rows, 2)) + 1.5 * y[:, None]
    return split_of(X, y)


def test_rare_classes_keep_their_share_unless_classes_are_balanced():
    split = imbalanced()
    plain = fit(split)
    balanced = fit(split, Tabular(kind="tabular", class_weight="balanced"))
    assert plain.predict_proba(split.X)[:, 1].mean() == pytest.approx(0.01, abs=0.02)
    assert balanced.predict_proba(split.X)[:, 1].mean() > 0.2


def test_a_row_without_weight_is_as_good_as_none():
    split = drawn(300)
    ignored = np.random.default_rng(0).random(300) < 0.5
    weight = (~ignored).astype(np.float32)
    one = fit(dataclasses.replace(split, weight=weight))
    other = fit(
        dataclasses.replace(
            split, weight=weight, X=np.where(ignored[:, None], 1.0, split.X).astype(np.float32)
        )
    )
    np.testing.assert_allclose(one.predict_proba(split.X), other.predict_proba(split.X), atol=1e-5)


def test_only_ratios_of_row_weights_count(fitted, split):
    seven = fit(dataclasses.replace(split, weight=np.full(len(split.y), 7, np.float32)))
    np.testing.assert_allclose(seven.predict_proba(split.X), fitted.predict_proba(split.X), atol=1e-4)


@pytest.fixture(scope="module")
def with_failures(split):
    """One of the kinds cannot be trained."""
    with pytest.MonkeyPatch.context() as patch:
        kinds = list(recipe.KINDS)
        kinds[1] = dataclasses.replace(kinds[1], learning_rate=1e38)
        patch.setattr(recipe, "KINDS", tuple(kinds))
        yield fit(split)


def test_members_that_failed_are_left_out(with_failures, split):
    failed = with_failures.best_step.reshape(len(recipe.KINDS), -1) < 0
    assert failed[1].all()
    assert not np.delete(failed, 1, axis=0).any()
    assert np.isfinite(with_failures.predict_proba(split.X)).all()
    assert with_failures.summary()["failed"] == failed.sum()


def test_a_classifier_that_members_failed_in_is_stored_like_any_other(with_failures, split, tmp_path):
    storage.save(with_failures, tmp_path / "model.safetensors")
    loaded = storage.load(tmp_path / "model.safetensors")
    assert np.array_equal(loaded.predict_proba(split.X), with_failures.predict_proba(split.X))


def test_when_no_member_can_be_trained_that_is_an_error(split):
    with pytest.raises(
        FloatingPointError, match=r"tabular: .* all \d+ networks .*lower learning_rate \(1e\+38\)"
    ):
        fit(split, learning_rate=1e38)


def test_options_for_each_member_are_refused_by_name():
    with pytest.raises(ValidationError, match="learning_rate"):
        NAMED["tabular"].trained_with(Training(members=2, learning_rate=(0.1, 0.2)))


def test_the_blend_has_no_more_networks_than_prediction_can_bear(fitted, split):
    n_rows = int((split.fold != Fold.TEST).sum())
    assert sum(len(pack.seeds) for pack in fitted.provenance.packs) <= recipe.Plan.of(n_rows).networks


def test_wide_networks_are_as_few_where_rows_are_few_as_elsewhere():
    networks = [recipe.Plan.of(300, width).networks for width in (None, 8, 32, 64)]
    assert networks == [40, 40, 40, recipe.Plan.of(3000).networks]


def test_a_declared_width_is_used_and_the_one_chosen_is_recorded(fitted, split):
    assert fitted.provenance.built.width == fitted.state["packs.0.weight2"].shape[1]
    narrow = fit(split, Tabular(kind="tabular", width=8))
    assert narrow.state["packs.0.weight2"].shape[1:] == (8, 8)


def test_the_plan_grows_less_than_the_rows():
    plans = [recipe.Plan.of(rows) for rows in (20, 499, 500, 2_000, 20_000, 200_000, 2_000_000)]
    work = [plan.epoch_steps * plan.batch_size for plan in plans]
    assert work == sorted(work)
    assert work[-1] / work[3] < 1000
    assert [plan.width for plan in plans] == sorted(plan.width for plan in plans)


@pytest.mark.parametrize("declared", [None, 8])
def test_what_was_opened_follows_the_rows_that_it_is_fitted_on_again(declared, monkeypatch, tmp_path):
    def plan(n_rows, width):
        return dataclasses.replace(plan_of(n_rows, width), width=16 if n_rows < 100 else 24)

    plan_of = recipe.Plan.of
    monkeypatch.setattr(recipe.Plan, "of", plan)
    few, more = drawn(80, n_classes=2), drawn(160, n_classes=2)
    tabular_of = Tabular(kind="tabular", width=declared)
    NeuralClassifier(tabular_of, random_state=0).fit_split(few).save(tmp_path / "model.safetensors")
    opened = load_classifier(tmp_path / "model.safetensors")
    assert opened.fitted_.provenance.built.width == (declared or 16)
    assert opened.fit_split(more).fitted_.provenance.built.width == (declared or 24)
    assert opened.architecture == tabular_of


def test_a_member_alone_gives_the_logits_that_it_gives_in_its_pack(fitted, split):
    from classification_assets.learning.packed.networks.members import select_members

    pack = fitted.blend.packs[0]
    X = torch.from_numpy(fitted.provenance.preprocessing.features(split.X))
    together = pack(X.expand(len(pack.seeds), -1, -1))
    alone = select_members(pack, torch.tensor([1]))(X.unsqueeze(0))
    torch.testing.assert_close(alone[0], together[1], rtol=1e-4, atol=1e-5)
