"""PackedSearchCV fails where scikit-learn's search does, and in the same way."""

import warnings

import numpy as np
import pytest
from scipy.stats import loguniform
from sklearn.datasets import make_moons
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import KFold, RandomizedSearchCV

from classification_assets import NeuralClassifier, PackedSearchCV
from classification_assets.learning.classifier.search_fits import SearchFits

NETWORK = NeuralClassifier({"hidden": [4]}, members=1, max_epochs=4, random_state=0, verbose=False)
RATES = {"learning_rate": loguniform(1e-3, 1e-1)}


@pytest.fixture(scope="module")
def rows():
    return make_moons(120, noise=0.25, random_state=0)


def options(**changes):
    return {"n_iter": 3, "cv": 3, "n_jobs": 1, "random_state": 0} | changes


def both(rows, space, estimator=NETWORK, **changes):
    """What ours and scikit-learn's search do: the table, or the error."""
    found = []
    for search in (PackedSearchCV, RandomizedSearchCV):
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            try:
                result = search(estimator, space, **options(**changes)).fit(*rows).cv_results_
            except (ValueError, FloatingPointError) as error:
                result = error
        found.append((result, {warning.category for warning in warned}))
    return found


@pytest.mark.parametrize("error_score", [np.nan, 0.5, "raise"])
def test_a_fold_of_one_class_is_a_failed_fit_and_the_others_go_on(rows, error_score):
    X, y = rows
    order = np.argsort(np.where(np.arange(len(y)) < 20, 0, y), kind="stable")
    folds = [(order[:40][y[order[:40]] == 0], order[60:]), (order[40:], order[:40])]
    (ours, our_warnings), (theirs, their_warnings) = both((X, y), RATES, cv=folds, error_score=error_score)
    if error_score == "raise":
        assert type(ours) is type(theirs)
        assert str(ours) == str(theirs)
        return
    assert FitFailedWarning in our_warnings & their_warnings
    np.testing.assert_array_equal(ours["split0_test_score"], theirs["split0_test_score"])
    np.testing.assert_array_equal(np.isnan(ours["split1_test_score"]), np.isnan(theirs["split1_test_score"]))
    assert np.isfinite(ours["split1_test_score"]).all()


def test_folds_that_all_have_one_class_are_an_error_that_says_so(rows):
    X, y = rows
    order = np.argsort(y, kind="stable")
    (ours, _), (theirs, _) = both((X[order], y[order]), RATES, cv=KFold(2))
    for error in (ours, theirs):
        assert "All the 6 fits failed" in str(error)
        assert "labels of two classes or more are needed, but y holds 1 class" in str(error)


@pytest.mark.parametrize("rates", [[1e38], [0.01, 1e38]])
def test_a_network_that_diverges_is_raised_if_errors_are_to_be(rows, rates):
    (ours, _), _ = both(rows, {"learning_rate": rates}, n_iter=len(rates), error_score="raise")
    assert isinstance(ours, FloatingPointError)
    assert "stopped being finite" in str(ours)


def test_no_folds_are_an_error_in_scikit_learns_words(rows):
    (ours, _), (theirs, _) = both(rows, RATES, cv=[])
    assert str(ours) == str(theirs)
    assert "No fits were performed" in str(ours)


def test_halving_by_several_scores_needs_one_that_decides_before_anything_is_trained(rows, monkeypatch):
    monkeypatch.setattr(SearchFits, "results", lambda *given: pytest.fail("trained"))
    search = PackedSearchCV(
        NETWORK, RATES, **options(halving=2, min_epochs=1, scoring=["accuracy", "neg_log_loss"], refit=False)
    )
    with pytest.raises(ValueError, match="needs refit to name the one that decides, got refit=False"):
        search.fit(*rows)


def test_rows_that_a_mask_chooses_are_counted(rows):
    X, y = rows
    mask = np.arange(len(y)) % 3 == 0
    found = PackedSearchCV(NETWORK, RATES, **options(cv=[(~mask, mask)])).fit(X, y)
    assert np.isfinite(found.cv_results_["mean_test_score"]).all()


def test_without_labels_every_fit_fails_and_says_so(rows):
    (ours, _), (theirs, _) = both((rows[0], None), RATES)
    assert type(ours) is type(theirs)
    assert str(ours).splitlines()[-1].endswith("requires y to be passed, but the target y is None.")
