"""Small trainings of packs, and how two of them are compared."""

import torch

from classification_assets.learning.models.architectures import MLP
from classification_assets.learning.packed.options import Training

SEEDS = [5, 1, 4, 0, 7, 2, 6, 3]

EVERYTHING = Training(
    members=8,
    max_epochs=25,
    batch_size=16,
    learning_rate=0.03,
    weight_decay=0.01,
    patience=2,
    label_smoothing=0.05,
    input_noise=0.1,
    mixup=0.3,
)

NETWORKS = {
    "batch norm": MLP(hidden=(8, 8), dropout=0.2, normalization="batch", residual=True, activation="gelu"),
    "layer norm": MLP(hidden=(8, 8), dropout=0.2, normalization="layer", residual=True),
}

PLAIN = MLP(hidden=(8,), activation="tanh")

SHORT = Training(members=3, max_epochs=6, batch_size=32, learning_rate=0.03, early_stopping=False)


def close(actual, expected, message=None):
    torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-5, equal_nan=True, msg=message)


def assert_same_member(here, k, there, j):
    """Member k of one training is member j of another: state, best step, and history as long as it ran."""
    assert here.best_step[k] == there.best_step[j]
    for name, value in here.state.items():
        close(value[k], there.state[name][j])
    epochs = min(len(here.history["step"]), len(there.history["step"]))
    for name in ("train_loss", "validation_loss", "validation_accuracy"):
        one, other = here.history[name][:, k], there.history[name][:, j]
        close(one[:epochs], other[:epochs])
        assert one[epochs:].isnan().all()
        assert other[epochs:].isnan().all()


def as_bytes(result):
    tensors = [*result.state.values(), result.best_step, *result.history.values()]
    return b"".join(tensor.numpy().tobytes() for tensor in tensors)


def epochs_run(result):
    return (~result.history["train_loss"].isnan()).sum(0)
