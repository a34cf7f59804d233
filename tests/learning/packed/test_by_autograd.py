"""Precision and compiling: faster where the hardware has it, and the same training to the precision asked for."""

import shutil

import numpy as np
import pytest
import torch
from torch import nn

from classification_assets.learning.models.architectures import MLP, Module, Tabular
from classification_assets.learning.packed.by_autograd import Compiled
from classification_assets.learning.packed.flat import FlatParameters
from classification_assets.learning.packed.gradients import gradient_for
from classification_assets.learning.packed.networks.layers import PackedMLP
from classification_assets.learning.packed.networks.tabular import Kind, PackedTabular
from classification_assets.learning.packed.networks.vmap import VmapNetwork
from classification_assets.learning.packed.options import Training
from classification_assets.learning.packed.training import train

SEEDS = [5, 1, 4, 0]
EVERYTHING = Training(
    members=4,
    max_epochs=12,
    batch_size=16,
    learning_rate=0.03,
    patience=2,
    label_smoothing=0.05,
    input_noise=0.1,
    mixup=0.3,
)
MLPS = {
    "batch norm": MLP(hidden=(8, 8), dropout=0.2, normalization="batch"),
    "layer norm": MLP(hidden=(8, 8), dropout=0.2, normalization="layer", residual=True, activation="gelu"),
}
K, D, C, B = 3, 4, 5, 12

needs_a_compiler = pytest.mark.skipif(shutil.which("g++") is None, reason="this machine has no C++ compiler")


class Own(nn.Module):
    """A person's own network."""

    def __init__(self, n_features, n_classes):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(n_features, 6), nn.Tanh(), nn.Linear(6, n_classes))

    def forward(self, x):
        return self.layers(x)


def packed_tabular():
    network = PackedTabular(D, C, range(K), waves=7, hidden=6)
    rows = torch.randn(200, D, generator=torch.Generator().manual_seed(0))
    network.start([Kind("dense", "dense", 0.3), Kind("axis", "axis", 0.3), Kind("ramp", "ramp")], rows)
    return network


NETWORKS = {
    "MLP": lambda: PackedMLP(D, C, range(K), hidden=(6, 6), dropout=0.2, normalization="batch"),
    "tabular": packed_tabular,
    "a person's own": lambda: VmapNetwork(Own, D, C, range(K)),
}


def gradients(network, **options):
    """Losses of three steps without an optimizer, and the last one's gradients."""
    flat = FlatParameters(network.train())
    gradient = gradient_for(network, flat, **options)
    x = torch.randn(K, D, B, generator=torch.Generator().manual_seed(1))
    target = torch.rand(K, C, B, generator=torch.Generator().manual_seed(2)).softmax(1)
    return [gradient(x, target).clone() for _ in range(3)], flat.gradients


@pytest.fixture(scope="session")
def trained(moons):
    """Trains four members on the moons."""

    def trained(architecture, training=EVERYTHING, seeds=SEEDS, network=None):
        network = network or architecture.build(2, 2, seeds)
        return train(network, moons.X, moons.y, moons.train, moons.validation, training, seeds, n_classes=2)

    return trained


def everything_in(result):
    return [*result.state.values(), result.best_step, *result.history.values()]


# Precision


@pytest.mark.parametrize("name", MLPS)
def test_training_in_bfloat16_is_close_to_float32_and_not_the_same(trained, name):
    plain = trained(MLPS[name])
    half = trained(MLPS[name], EVERYTHING.replaced(precision="bfloat16"))
    epochs = min(len(plain.history["step"]), len(half.history["step"]), 3)
    for losses in ("train_loss", "validation_loss"):
        here, there = half.history[losses][:epochs], plain.history[losses][:epochs]
        torch.testing.assert_close(here, there, rtol=0, atol=0.02)
        assert not torch.equal(here, there)
    assert all(value.isfinite().all() for value in half.state.values())
    assert {value.dtype for value in half.state.values()} == {torch.float32}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_gradient_in_bfloat16_is_float32_and_close(name):
    losses, exact = gradients(NETWORKS[name]())
    halves, ours = gradients(NETWORKS[name](), precision="bfloat16")
    torch.testing.assert_close(halves, losses, rtol=0.02, atol=0.02)
    for one, other in zip(ours, exact, strict=True):
        assert one.dtype == torch.float32
        assert (one - other).norm() <= 0.05 * other.norm() + 1e-3


def test_in_bfloat16_too_a_member_alone_is_the_member_of_a_pack(trained):
    training = EVERYTHING.replaced(precision="bfloat16")
    pack, alone = trained(MLPS["batch norm"], training), trained(MLPS["batch norm"], training, SEEDS[1:2])
    for name, value in alone.state.items():
        torch.testing.assert_close(value[0], pack.state[name][1], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "architecture",
    [
        MLP(hidden=(8,)),
        Tabular(name="tabular", kind="tabular"),
        Module(name="own", kind="module", path="tests.learning.packed.test_by_autograd:Own"),
    ],
    ids=["mlp", "tabular", "module"],
)
def test_what_was_trained_in_bfloat16_predicts_in_float32(fit, split, architecture):
    fitted = fit(architecture, precision="bfloat16")
    probabilities = fitted.predict_proba(split.X)
    assert probabilities.dtype == fitted.validation_probabilities.dtype == np.float32
    assert {value.dtype for value in fitted.state.values() if value.is_floating_point()} == {torch.float32}
    assert np.abs(probabilities - fit(architecture).predict_proba(split.X)).mean() < 0.03
    assert fitted.provenance.training.precision == "bfloat16"


def test_tf32_changes_nothing_on_a_cpu(trained):
    plain = trained(MLPS["batch norm"])
    tf32 = trained(MLPS["batch norm"], EVERYTHING.replaced(precision="tf32"))
    assert all(
        torch.equal(one.nan_to_num(), other.nan_to_num())
        for one, other in zip(everything_in(plain), everything_in(tf32), strict=True)
    )


# Compiling


@needs_a_compiler
@pytest.mark.parametrize("name", NETWORKS)
def test_a_compiled_gradient_has_the_same_numbers(name):
    network = NETWORKS[name]()
    assert isinstance(gradient_for(network, FlatParameters(network), compile=True), Compiled)
    torch.testing.assert_close(
        gradients(NETWORKS[name](), compile=True), gradients(NETWORKS[name]()), rtol=1e-4, atol=1e-6
    )


@needs_a_compiler
def test_a_compiled_training_has_the_same_numbers(trained):
    architecture, training = MLPS["batch norm"], EVERYTHING.replaced(compile=True)
    network = architecture.build(2, 2, SEEDS)
    plain, compiled = trained(architecture), trained(architecture, training, network=network)
    # Members that stopped stay with the compiled pack, but are heard of no more.
    for one, other in zip(everything_in(compiled), everything_in(plain), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4, equal_nan=True)
    x = torch.ones(4, 16, 2)
    network.train()
    assert not torch.equal(network(x), network(x))


def test_without_a_compiler_the_error_says_what_is_missing(trained, monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(
        RuntimeError, match=r"training\.compile is true.*C\+\+ compiler.*'no-such-compiler'.*compile: false"
    ):
        trained(MLPS["batch norm"], EVERYTHING.replaced(compile=True))
