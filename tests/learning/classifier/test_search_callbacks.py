"""Callbacks are told of a packed search what they are told of scikit-learn's own."""

from collections import Counter

import numpy as np
import pytest
from scipy.stats import loguniform
from sklearn.datasets import make_moons
from sklearn.exceptions import FitFailedWarning
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import HalvingRandomSearchCV, RandomizedSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from classification_assets import NeuralClassifier, PackedSearchCV

pytest.importorskip("sklearn.callback", reason="callbacks came with scikit-learn 1.9")

NETWORK = NeuralClassifier({"hidden": [4]}, members=1, max_epochs=4, random_state=0, verbose=False)
RATES = {"learning_rate": loguniform(1e-3, 1e-1)}
OPTIONS = {"cv": 3, "n_jobs": 1, "random_state": 0}


class Noted:
    """Keeps what it is told."""

    def __init__(self):
        self.told = []

    def setup(self, estimator, context):
        self.told.append(("setup", context.task_name, None))

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None, metadata=None):
        self.told.append(("begin", place_of(context), rows_of(X, y, metadata)))

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, metadata=None):
        self.told.append(("end", place_of(context), rows_of(X, y, metadata)))

    def teardown(self, estimator, context):
        self.told.append(("teardown", context.task_name, None))


def place_of(context):
    """The task's names and numbers from the whole fit down, and how many parts it has."""
    parts = context.max_subtasks
    place = ()
    while context is not None:
        place, context = ((context.task_name, context.task_id), *place), context.parent
    return place, parts


def rows_of(X, y, metadata):
    weights = None if metadata is None else float(metadata["sample_weight"].sum())
    return None if X is None else (X.shape, float(X.sum()), int(y.sum()), weights)


@pytest.fixture(scope="module")
def rows():
    return make_moons(120, noise=0.25, random_state=0)


def told(search, rows, **params):
    noted = Noted()
    search.set_callbacks(noted).fit(*rows, **params)
    return noted.told


@pytest.mark.parametrize("refit", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_each_fit_has_the_place_and_the_rows_that_it_has_in_scikit_learns_search(rows, refit, weighted):
    params = {"sample_weight": np.linspace(1, 2, len(rows[1]))} if weighted else {}
    ours, theirs = (
        told(kind(NETWORK, RATES, n_iter=3, refit=refit, **OPTIONS), rows, **params)
        for kind in (PackedSearchCV, RandomizedSearchCV)
    )
    assert Counter(ours) == Counter(theirs)
    assert len(ours) == 2 + 2 * (2 + refit + 3 * 3)


def test_rounds_of_halving_are_tasks(rows):
    ours = told(PackedSearchCV(NETWORK, RATES, n_iter=4, halving=2, min_epochs=1, **OPTIONS), rows)
    search = HalvingRandomSearchCV(
        NETWORK,
        RATES,
        n_candidates=4,
        factor=2,
        resource="max_epochs",
        min_resources=1,
        max_resources=4,
        **OPTIONS,
    )
    theirs = told(search, rows)
    assert Counter(place for _, place, _ in ours) == Counter(place for _, place, _ in theirs)
    assert Counter(name for _, (place, *_), _ in ours if (name := place[-1][0]) == "halving-iteration") == {
        "halving-iteration": 2 * 3
    }


def test_a_task_ends_after_its_parts(rows):
    open_tasks = []
    for what, place, _ in told(PackedSearchCV(NETWORK, RATES, n_iter=2, **OPTIONS), rows):
        if what == "begin":
            open_tasks.append(place)
        elif what == "end":
            assert open_tasks.pop() == place
    assert open_tasks == []


@pytest.mark.filterwarnings("ignore:One or more of the test scores are non-finite")
def test_fits_that_fail_are_told_too_and_callbacks_are_taken_down(rows):
    X, y = rows
    order = np.argsort(y, kind="stable")
    one_class = [(order[:40], order[60:]), (order[20:100], order[:20])]
    kinds = (PackedSearchCV, RandomizedSearchCV)
    searches = [kind(NETWORK, RATES, **OPTIONS | {"n_iter": 2, "cv": one_class}) for kind in kinds]
    with pytest.warns(FitFailedWarning, match="2 fits failed"):
        ours, theirs = (told(search, rows) for search in searches)
    assert Counter(ours) == Counter(theirs)

    noted = Noted()
    with pytest.raises(ValueError, match="labels of two classes"):
        searches[0].set_params(error_score="raise").set_callbacks(noted).fit(X, y)
    assert noted.told[-1][0] == "teardown"


def test_fits_that_scikit_learn_does_are_told(rows):
    space = {"neuralclassifier__learning_rate": [0.01, 0.1]}
    pipeline = make_pipeline(StandardScaler(), NETWORK)
    ours, theirs = (
        told(kind(pipeline, space, n_iter=2, **OPTIONS), rows)
        for kind in (PackedSearchCV, RandomizedSearchCV)
    )
    assert Counter(ours) == Counter(theirs)
