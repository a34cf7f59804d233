"""PackedSearchCV is scikit-learn's randomized search, faster: the same interface, results and errors."""

import numpy as np
import optuna
import pandas as pd
import pytest
from scipy.stats import loguniform
from sklearn.base import clone, is_classifier
from sklearn.datasets import make_classification, make_moons
from sklearn.exceptions import FitFailedWarning, NotFittedError
from sklearn.metrics import accuracy_score, log_loss, make_scorer
from sklearn.model_selection import (
    GroupKFold,
    ParameterSampler,
    RandomizedSearchCV,
    StratifiedKFold,
    TimeSeriesSplit,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from classification_assets import NeuralClassifier, PackedSearchCV

NETWORK = NeuralClassifier({"hidden": [8]}, members=1, max_epochs=6, random_state=0, verbose=False)
SPACE = {
    "hidden": [[4], [8], [6, 6]],
    "activation": ["relu", "tanh"],
    "learning_rate": loguniform(1e-3, 1e-1),
    "weight_decay": loguniform(1e-5, 1e-1),
}

NOT_FINITE = pytest.mark.filterwarnings("ignore:One or more of the test scores are non-finite")


@pytest.fixture(scope="module")
def rows():
    return make_moons(160, noise=0.25, random_state=0)


def search(estimator=NETWORK, space=SPACE, **options):
    return PackedSearchCV(
        estimator, space, **{"n_iter": 6, "random_state": 0, "n_jobs": 1, "cv": 3} | options
    )


def test_scores_are_those_of_fits_one_by_one(rows):
    """A candidate's score is what cross-validation of the same estimator gives, but for the last bits of training."""
    found = search().fit(*rows)
    for candidate in range(6):
        estimator = clone(found.best_estimator_).set_params(
            **{
                f"architecture__{name}" if name in ("hidden", "activation") else name: value
                for name, value in found.cv_results_["params"][candidate].items()
            }
        )
        alone = cross_val_score(estimator, *rows, cv=3)
        packed = [found.cv_results_[f"split{fold}_test_score"][candidate] for fold in range(3)]
        np.testing.assert_allclose(packed, alone, atol=1.01 / 53)


def test_folds_of_other_sizes_are_trained_as_long_as_alone():
    X, y = make_moons(400, noise=0.25, random_state=0)
    folds = list(TimeSeriesSplit(3, test_size=100).split(X))
    rates = {"learning_rate": [0.003, 0.02]}
    found = search(space=rates, cv=folds, scoring="neg_log_loss", n_iter=2).fit(X, y)
    for candidate, options in enumerate(found.cv_results_["params"]):
        alone = cross_val_score(clone(NETWORK).set_params(**options), X, y, cv=folds, scoring="neg_log_loss")
        packed = [found.cv_results_[f"split{fold}_test_score"][candidate] for fold in range(3)]
        np.testing.assert_allclose(packed, alone, rtol=1e-3)


def test_the_table_has_the_columns_of_scikit_learns_own(rows):
    ours = search(return_train_score=True, scoring=["accuracy", "neg_log_loss"], refit="neg_log_loss").fit(
        *rows
    )
    space = {"learning_rate": SPACE["learning_rate"]}
    theirs = RandomizedSearchCV(
        clone(NETWORK),
        space,
        n_iter=2,
        cv=3,
        return_train_score=True,
        scoring=["accuracy", "neg_log_loss"],
        refit=False,
    ).fit(*rows)
    names = {f"param_{name}" for name in SPACE}
    assert set(ours.cv_results_) - names == set(theirs.cv_results_) - {"param_learning_rate"}
    for name, column in ours.cv_results_.items():
        assert len(column) == 6, name
        if name.startswith(("mean", "std", "split")):
            assert column.dtype == np.float64, name
        if name.startswith("rank"):
            assert column.dtype == np.int32, name
    assert ours.multimetric_
    assert ours.best_index_ == ours.cv_results_["rank_test_neg_log_loss"].argmin()
    assert ours.best_score_ == ours.cv_results_["mean_test_neg_log_loss"].max()
    assert (ours.cv_results_["mean_fit_time"] > 0).all()


def test_candidates_are_those_that_scikit_learn_draws(rows):
    found = search().fit(*rows)
    drawn = list(ParameterSampler(SPACE, 6, random_state=0))
    assert found.cv_results_["params"] == drawn
    assert found.best_params_ == drawn[found.best_index_]


def test_the_best_is_fitted_on_all_rows(rows):
    X, y = rows
    found = search().fit(X, y)
    assert is_classifier(found)
    assert found.classes_.tolist() == [0, 1]
    assert found.n_features_in_ == 2
    assert found.refit_time_ > 0
    np.testing.assert_array_equal(found.predict(X), found.best_estimator_.predict(X))
    assert found.predict_proba(X).shape == (160, 2)
    assert found.score(X, y) == pytest.approx(accuracy_score(y, found.predict(X)))
    assert list(found.best_estimator_.architecture["hidden"]) == found.best_params_["hidden"]


def test_without_refit_nothing_predicts(rows):
    found = search(refit=False).fit(*rows)
    assert found.best_params_
    assert not hasattr(found, "best_estimator_")
    with pytest.raises((NotFittedError, AttributeError)):
        found.predict(rows[0])


def test_the_same_again_and_with_other_processes(rows):
    first, again, spread = (search(n_jobs=jobs).fit(*rows) for jobs in (1, 1, 2))
    for other in (again, spread):
        np.testing.assert_array_equal(
            first.cv_results_["mean_test_score"], other.cv_results_["mean_test_score"]
        )
        assert first.best_params_ == other.best_params_


def test_halving_gives_epochs_to_the_best(rows):
    found = search(n_iter=9, halving=3, min_epochs=2).fit(*rows)
    rounds, epochs = found.cv_results_["iter"], found.cv_results_["n_resources"]
    assert rounds.tolist() == [0] * 9 + [1] * 3
    assert epochs.tolist() == [2] * 9 + [6] * 3
    assert rounds[found.best_index_] == 1
    first = found.cv_results_["mean_test_score"][:9]
    went_on = [found.cv_results_["params"][:9].index(params) for params in found.cv_results_["params"][9:]]
    assert min(first[went_on]) >= np.sort(first)[-3]
    assert found.best_estimator_.max_epochs == 6


def test_weights_and_groups_reach_fits_and_folds(rows):
    X, y = rows
    group = np.arange(160) // 4
    weight = np.random.default_rng(0).uniform(0.5, 2, 160)
    found = search(cv=GroupKFold(4)).fit(X, y, groups=group, sample_weight=weight)
    assert found.n_splits_ == 4
    plain = search(cv=GroupKFold(4)).fit(X, y, groups=group)
    assert not np.array_equal(found.cv_results_["mean_test_score"], plain.cv_results_["mean_test_score"])


def test_frames_words_and_gaps_are_searched_as_they_are_fitted():
    rng = np.random.default_rng(0)
    kind = rng.choice(["a", "b", None], 120)
    frame = pd.DataFrame(
        {"kind": kind, "size": np.where(rng.random(120) < 0.1, np.nan, rng.normal(size=120))}
    )
    label = np.where(kind == "a", "yes", "no")
    found = search(n_iter=3, scoring="roc_auc").fit(frame, label)
    assert found.feature_names_in_.tolist() == ["kind", "size"]
    assert found.best_score_ > 0.8
    assert found.classes_.tolist() == ["no", "yes"]


def test_several_classes_members_and_no_early_stopping():
    X, y = make_classification(150, 6, n_informative=4, n_classes=3, random_state=0)
    network = clone(NETWORK).set_params(members=3, early_stopping=False, batch_size=None)
    found = search(network, {"dropout": [0.0, 0.3], "learning_rate": [0.01, 0.03]}, n_iter=4).fit(X, y)
    assert found.best_score_ > 0.5
    assert len(found.best_estimator_.fitted_.best_step) == 3


@pytest.mark.parametrize(
    ("distribution", "drawn"),
    [
        (optuna.distributions.FloatDistribution(1e-3, 1e-1, log=True), lambda value: 1e-3 <= value <= 1e-1),
        (
            optuna.distributions.FloatDistribution(0.01, 0.05, step=0.01),
            lambda value: round(value * 100) in range(1, 6),
        ),
        (
            optuna.distributions.CategoricalDistribution([0.01, 0.02, 0.03]),
            lambda value: value in (0.01, 0.02, 0.03),
        ),
        (optuna.distributions.FloatDistribution(0.01, 0.02), lambda value: 0.01 <= value <= 0.02),
    ],
)
def test_distributions_of_optuna_are_taken(rows, distribution, drawn):
    found = search(space={"learning_rate": distribution}, n_iter=3, refit=False).fit(*rows)
    assert all(drawn(params["learning_rate"]) for params in found.cv_results_["params"])


def test_whole_numbers_of_optuna_are_whole(rows):
    space = {
        "hidden": optuna.distributions.IntDistribution(2, 8, log=True),
        "batch_size": optuna.distributions.IntDistribution(16, 64, step=16),
    }
    found = search(space=space, n_iter=5).fit(*rows)
    for params in found.cv_results_["params"]:
        assert 2 <= params["hidden"] <= 8
        assert params["batch_size"] in (16, 32, 48, 64)


def test_a_pipeline_is_searched_as_scikit_learn_does(rows):
    pipeline = make_pipeline(StandardScaler(), clone(NETWORK))
    found = search(pipeline, {"neuralclassifier__learning_rate": [0.01, 0.02]}, n_iter=2).fit(*rows)
    assert found.best_estimator_.named_steps["neuralclassifier"].learning_rate in (0.01, 0.02)
    with pytest.raises(ValueError, match="halving"):
        search(pipeline, {"neuralclassifier__learning_rate": [0.01, 0.02]}, n_iter=2, halving=3).fit(*rows)


def test_a_plain_network_takes_the_place_of_the_default_if_its_shape_is_searched(rows):
    found = search(NeuralClassifier(max_epochs=3, members=1), {"hidden": [[4], [8]]}, n_iter=2).fit(*rows)
    assert found.best_estimator_.architecture["hidden"] in ([4], [8])


@NOT_FINITE
def test_candidates_that_cannot_be_used_are_told_and_the_others_go_on(rows):
    with pytest.warns(FitFailedWarning, match="learning_rate"):
        found = search(space={"learning_rate": [-1.0, 0.02]}, n_iter=2).fit(*rows)
    assert found.best_params_ == {"learning_rate": 0.02}
    assert np.isnan(found.cv_results_["mean_test_score"]).sum() == 1
    with pytest.raises(ValueError, match="learning_rate"):
        search(space={"learning_rate": [-1.0, 0.02]}, n_iter=2, error_score="raise").fit(*rows)
    with pytest.raises(ValueError, match=r"All the .* fits failed"):
        search(space={"learning_rate": [-1.0, -2.0]}, n_iter=2).fit(*rows)


@NOT_FINITE
def test_a_network_that_diverges_is_a_failed_fit(rows):
    with pytest.warns(FitFailedWarning, match="stopped being finite"):
        found = search(space={"learning_rate": [1e36, 0.02]}, n_iter=2).fit(*rows)
    assert found.best_params_ == {"learning_rate": 0.02}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"halving": 1}, "halving must be at least 2"),
        (
            {"halving": 3, "min_epochs": 7},
            r"min_epochs must be from 1 to the estimator's max_epochs \(6\), got 7",
        ),
        ({"halving": 3, "space": {"max_epochs": [3, 4]}, "n_iter": 2}, "leave max_epochs out"),
        ({"space": {"kernel": [1, 2]}, "n_iter": 2}, "Invalid parameter 'kernel'"),
        ({"n_iter": 0}, "n_iter"),
        ({"scoring": "no_such_score"}, "no_such_score"),
        ({"cv": 1}, "n_splits"),
    ],
)
def test_what_cannot_be_searched_is_refused_before_training(rows, options, message):
    with pytest.raises(ValueError, match=message):
        search(**options).fit(*rows)


def test_custom_scorers_ask_for_predictions(rows):
    scorer = make_scorer(accuracy_score)
    one = search(scoring=scorer).fit(*rows)
    other = search(scoring=lambda estimator, X, y: float((estimator.predict(X) == y).mean())).fit(*rows)
    np.testing.assert_allclose(one.cv_results_["mean_test_score"], other.cv_results_["mean_test_score"])


def test_a_fold_that_stays_with_its_generator(rows):
    folds = StratifiedKFold(3, shuffle=True, random_state=1)
    listed = list(folds.split(*rows))
    one, other = search(cv=folds).fit(*rows), search(cv=listed).fit(*rows)
    np.testing.assert_array_equal(one.cv_results_["mean_test_score"], other.cv_results_["mean_test_score"])


def test_the_log_loss_is_scikit_learns(rows):
    def by_hand(estimator, X, y):
        return -log_loss(y, estimator.predict_proba(X))

    ours, theirs = search(scoring="neg_log_loss").fit(*rows), search(scoring=by_hand).fit(*rows)
    np.testing.assert_allclose(
        ours.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"], rtol=1e-12
    )
