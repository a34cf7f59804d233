"""Properties of every kind of generated data."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pydantic import TypeAdapter, ValidationError

from classification_assets.learning.tables.datasets import AnyDataset, Blobs, Circles, Dataset, Moons, Spirals

KINDS = [Blobs, Moons, Circles, Spirals]
PROBLEMS = {
    "blobs": Blobs(),
    "blobs in 4 dimensions": Blobs(n_classes=7, n_features=4),
    "moons": Moons(),
    "wide moons": Moons(noise=1),
    "circles": Circles(),
    "close circles": Circles(factor=0.9, noise=0.05),
    "circle around a point": Circles(factor=0, noise=0.4),
    "spirals": Spirals(),
    "blurred spirals": Spirals(arms=4, noise=0.1, turns=0.75),
}
any_dataset = TypeAdapter(AnyDataset)
every_kind = pytest.mark.parametrize("kind", KINDS)
every_problem = pytest.mark.parametrize("dataset", list(PROBLEMS.values()), ids=list(PROBLEMS))


def features(frame):
    return frame.drop(columns="label").to_numpy()


@every_problem
def test_a_sample_has_numbered_features_and_labels(dataset):
    frame = dataset.sample()
    names = [f"x{feature}" for feature in range(1, dataset.n_features + 1)]
    assert list(frame.columns) == [*names, "label"]
    assert [str(dtype) for dtype in frame.dtypes] == ["float64"] * dataset.n_features + ["int64"]
    assert sorted(frame["label"].unique()) == list(range(dataset.n_classes))


@every_problem
@pytest.mark.parametrize("n_samples", [7, 100, 101])
def test_the_priors_are_the_shares_of_the_classes_in_the_rows(dataset, n_samples):
    dataset = dataset.replaced(n_samples=n_samples)
    counted = dataset.sample()["label"].value_counts(normalize=True).sort_index()
    np.testing.assert_allclose(dataset.class_priors, counted, rtol=1e-12)


@every_kind
def test_rows_come_in_random_order(kind):
    label = kind().sample()["label"].to_numpy()
    changes = (np.diff(label) != 0).mean()
    assert changes == pytest.approx(1 - 1 / kind().n_classes, abs=0.1)


@every_kind
def test_the_same_seed_gives_the_same_bytes(kind):
    assert features(kind(seed=3).sample()).tobytes() == features(kind().sample(seed=3)).tobytes()


@every_kind
def test_another_seed_gives_other_rows(kind):
    assert not np.isin(features(kind().sample()), features(kind().sample(seed=1))).any()


@every_kind
def test_another_seed_leaves_the_problem(kind):
    X = features(kind().sample())
    np.testing.assert_array_equal(kind().posterior(X), kind(seed=1).posterior(X))


@every_problem
def test_the_posterior_agrees_with_observed_frequencies(dataset):
    frame = dataset.replaced(n_samples=40_000).sample(seed=7)
    posterior = dataset.posterior(features(frame))
    for label in range(dataset.n_classes):
        expected, happened = posterior[:, label], frame["label"].to_numpy() == label
        group = np.digitize(expected, [0.01, 0.03, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.97, 0.99])
        for rows in (group == value for value in np.unique(group)):
            spread = np.sqrt((expected[rows] * (1 - expected[rows])).sum())
            # The 3 is for groups with next to no uncertainty, where the count is Poisson.
            assert abs(happened[rows].sum() - expected[rows].sum()) < 4.5 * spread + 3


@given(
    st.sampled_from(KINDS),
    st.floats(1e-9, 1e9),
    arrays(np.float64, (20, 2), elements=st.floats(-1000, 1000)),
)
@settings(max_examples=40, deadline=None)
def test_posteriors_are_finite_and_sum_to_one(kind, noise, X):
    posterior = kind(noise=noise).posterior(X)
    assert posterior.dtype == np.float64
    assert (posterior >= 0).all()
    np.testing.assert_allclose(posterior.sum(axis=1), 1, rtol=1e-12)


@every_kind
@pytest.mark.parametrize("noise", [5e-324, 1e-200, 1e200])
def test_no_noise_is_too_extreme_for_a_posterior(kind, noise):
    X = np.array([[0.0, 0.0], [1.0, 0.0], [1e3, -1e3], [1e100, 1e-100]])
    np.testing.assert_allclose(kind(noise=noise).posterior(X).sum(axis=1), 1, rtol=1e-12)


@every_problem
def test_where_noise_hides_everything_the_posterior_is_the_prior(dataset):
    dataset = dataset.replaced(noise=1e6, n_samples=dataset.n_classes + 1)
    assert dataset.class_priors[0] == 2 * dataset.class_priors[1]
    posterior = dataset.posterior(np.zeros((1, dataset.n_features)))
    np.testing.assert_allclose(posterior[0], dataset.class_priors, rtol=1e-6)


def test_a_posterior_of_no_rows_has_no_rows():
    assert Blobs().posterior(np.empty((0, 2))).shape == (0, 5)


def test_a_data_set_without_a_posterior_says_none():
    class Table(Dataset):
        def sample(self, seed=None): ...

    assert Table().posterior(np.zeros((1, 2))) is None


@pytest.mark.parametrize(
    ("kind", "accuracy"), [(Blobs, 0.9), (Moons, 0.944), (Circles, 0.981), (Spirals, 0.988)]
)
def test_the_defaults_are_as_hard_as_they_are_meant_to_be(kind, accuracy):
    X = features(kind(n_samples=20_000).sample())
    assert kind().posterior(X).max(axis=1).mean() == pytest.approx(accuracy, abs=0.004)


@every_problem
def test_a_declaration_survives_json(dataset):
    assert any_dataset.validate_python(dataset.model_dump(mode="json")) == dataset


@every_problem
def test_a_declaration_can_be_a_key(dataset):
    assert {dataset: "found"}[dataset.model_copy()] == "found"


@every_kind
@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("noise", 0, "greater than 0"),
        ("noise", -0.3, "greater than 0"),
        ("noise", float("inf"), "finite"),
        ("noise", float("nan"), "finite"),
        ("seed", -1, "greater than or equal to 0"),
        ("seed", 2**32, "less than 4294967296"),
        ("n_samples", 0, "greater than or equal to 1"),
        ("n_samples", 1, "fewer rows than classes: there are . classes"),
        ("noisy", 0.1, "there is no such field"),
    ],
)
def test_a_wrong_field_is_named_with_its_value(kind, field, value, message):
    with pytest.raises(ValidationError, match=message) as raised:
        kind.model_validate({field: value})
    (error,) = raised.value.errors()
    assert error["loc"] == (field,)
    assert error["input"] is value


@every_kind
def test_every_field_is_described(kind):
    assert all(field.description for field in kind.model_fields.values())


def test_a_kind_is_chosen_by_name():
    declared = {"kind": "spirals", "arms": 4}
    assert any_dataset.validate_python(declared) == Spirals(arms=4)


def test_an_unknown_kind_is_answered_with_the_known_ones():
    with pytest.raises(ValidationError, match="'blobs', 'moons', 'circles', 'spirals'"):
        any_dataset.validate_python({"kind": "swirls"})


def test_declaring_a_data_set_imports_nothing_heavy():
    program = "import sys, classification_assets.learning.tables.datasets; print(*sys.modules)"
    imported = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"sklearn", "pandas", "scipy", "torch", "matplotlib"} & set(imported.stdout.split())
