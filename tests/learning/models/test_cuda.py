"""Trainings on CUDA; on a machine without it these tests are skipped."""

import numpy as np
import pytest
import torch

from classification_assets.learning.models.architectures import MLP, Tabular
from classification_assets.learning.models.fit import fit
from classification_assets.learning.packed.options import Training
from classification_assets.learning.packed.training import train

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA")

TRAINING = Training(
    members=4, max_epochs=12, batch_size=16, learning_rate=0.03, patience=2, input_noise=0.1, mixup=0.3
)
ARCHITECTURES = {
    "mlp": MLP(hidden=(16, 16), dropout=0.2, normalization="batch"),
    "tabular": Tabular(name="tabular", kind="tabular"),
}


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("compile", [False, True])
@pytest.mark.parametrize("precision", ["float32", "tf32", "bfloat16"])
def test_what_is_trained_on_cuda_predicts_what_is_trained_on_the_cpu(split, name, compile, precision):
    architecture = ARCHITECTURES[name]
    there = TRAINING.replaced(precision=precision, compile=compile)
    fitted = fit(architecture, split, there, "cuda")
    expected = fit(architecture, split, TRAINING, "cpu").predict_proba(split.X)
    probabilities = fitted.predict_proba(split.X)
    assert probabilities.dtype == np.float32
    assert np.abs(probabilities - expected).mean() < 0.03


@pytest.mark.parametrize("fails", [False, True])
def test_tf32_is_the_precision_of_products_in_training_alone(moons, fails):
    seen = []

    class Watched(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.network = MLP(hidden=(4,)).build(2, 2, TRAINING.seeds)

        def forward(self, x):
            seen.append((self.training, torch.get_float32_matmul_precision()))
            if fails:
                raise ArithmeticError("on purpose")
            return self.network(x)

    before = torch.get_float32_matmul_precision()
    device = torch.device("cuda")
    rows = (moons.X.to(device), moons.y.to(device), moons.train, moons.validation)
    training = TRAINING.replaced(precision="tf32")
    try:
        train(Watched().to(device), *rows, training, training.seeds, n_classes=2)
    except ArithmeticError:
        assert fails
    expected = {(True, "high")} if fails else {(True, "high"), (False, before)}
    assert set(seen) == expected
    assert torch.get_float32_matmul_precision() == before
