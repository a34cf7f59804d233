"""The work that is compared, and the ways to do it: ours and the peers', same network, data, epochs, batches."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from sklearn.datasets import make_moons
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits
from torch import nn

from classification_assets.learning.models.architectures import MLP
from classification_assets.learning.models.fit import fit
from classification_assets.learning.models.fitted import FittedModel
from classification_assets.learning.packed.options import Training
from classification_assets.learning.preparation.folds import Fold
from classification_assets.learning.preparation.split import Split
from tests.benchmarks.measure import Accuracy, Contender

PEERS = ("MLPClassifier", "plain PyTorch", "skorch", "Lightning")


@dataclass(frozen=True)
class Work:
    """Rows to learn from, rows to test on, and how one network is trained on them."""

    X: np.ndarray
    y: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray
    hidden: tuple[int, ...] = (16, 16)
    epochs: int = 40
    batch_size: int = 32
    learning_rate: float = 0.01

    @classmethod
    def moons(cls, n_rows: int = 750, **options: Any) -> Work:
        """Standardized beforehand: only ours does that inside of `fit`."""
        X, y = make_moons(n_rows + 2000, noise=0.25, random_state=0)
        X = StandardScaler().fit_transform(X).astype(np.float32)
        return cls(X[:n_rows], y[:n_rows], X[n_rows:], y[n_rows:], **options)

    @classmethod
    def clusters(cls, n_rows: int, n_features: int, n_classes: int, **options: Any) -> Work:
        """Overlapping Gaussian classes in many dimensions."""
        rng = np.random.default_rng(0)
        y = rng.integers(n_classes, size=n_rows + 2000)
        X = rng.standard_normal((len(y), n_features), np.float32)
        X += (0.5 * rng.standard_normal((n_classes, n_features), np.float32))[y]
        return cls(X[:n_rows], y[:n_rows], X[n_rows:], y[n_rows:], **options)

    @property
    def arithmetic(self) -> float:
        """Floating-point operations in the products of one network's training."""
        sizes = [n_in * n_out for n_in, n_out in zip(self.widths, self.widths[1:], strict=False)]
        # Outputs, gradients of weights, gradients of inputs; of the first layer's inputs nobody needs one.
        steps = self.epochs * round(len(self.X) / self.batch_size)
        return 2.0 * steps * self.batch_size * (3 * sum(sizes) - sizes[0])

    @property
    def widths(self) -> list[int]:
        return [self.X.shape[1], *self.hidden, int(self.y.max()) + 1]

    def training(self, members: int, **options: Any) -> Training:
        """Plain Adam, as the peers have it, unless the options say otherwise."""
        plain = {"weight_decay": 0.0, "schedule": "constant", "early_stopping": False}
        given = plain | options
        return Training(
            members=members,
            max_epochs=given.pop("max_epochs", self.epochs),
            batch_size=self.batch_size,
            learning_rate=given.pop("learning_rate", self.learning_rate),
            **given,
        )


def fit_ours(
    work: Work,
    training: Training,
    *,
    validation: tuple[np.ndarray, np.ndarray] | None = None,
    threads: int | None = 1,
    device: str = "cpu",
    **architecture: Any,
) -> FittedModel:
    """All that `NeuralClassifier.fit` does once it has its folds."""
    X, y = work.X, work.y
    fold = np.full(len(y), Fold.TRAIN, np.int8)
    if validation is not None:
        X, y = np.concatenate([X, validation[0]]), np.concatenate([y, validation[1]])
        fold = np.concatenate([fold, np.full(len(validation[1]), Fold.VALIDATION, np.int8)])
    split = Split.of_arrays(X, y, fold, names=[f"x{index}" for index in range(X.shape[1])])
    network = MLP(hidden=work.hidden, **architecture)
    return fit(network, split, training, device, threads=threads)


def ours(
    work: Work, members: int, *, threads: int | None = 1, device: str = "cpu", **options: Any
) -> Contender:
    """A pack; its accuracy is the mean over members, since the peers are single networks."""
    architecture = {name: options.pop(name) for name in ("dropout", "normalization") if name in options}
    validation = options.pop("validation", None)
    training = work.training(members, **options)

    def run() -> Accuracy:
        fitted = fit_ours(
            work, training, validation=validation, threads=threads, device=device, **architecture
        )
        return lambda: float((fitted.member_predictions(work.X_test)[2].argmax(2) == work.y_test).mean())

    return Contender(run, members)


def peer(name: str, work: Work, threads: int | None = 1) -> Contender:
    """One network, trained by someone else's code; skips the test where that is not installed."""
    fit = {
        "MLPClassifier": _scikit_learn,
        "plain PyTorch": _plain,
        "skorch": _skorch,
        "Lightning": _lightning,
    }[name](work)

    def run() -> Accuracy:
        with limited(threads), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            predict = fit()
        return lambda: float((predict(work.X_test) == work.y_test).mean())

    return Contender(run)


def installed_peers() -> list[str]:
    """Those of `PEERS` that can be imported here."""
    needs = {"skorch": "skorch", "Lightning": "lightning"}
    return [name for name in PEERS if name not in needs or find_spec(needs[name])]


@contextmanager
def limited(threads: int | None) -> Iterator[None]:
    """So many threads for NumPy and PyTorch; None leaves both as they are."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads or before)
    try:
        with threadpool_limits(threads):
            yield
    finally:
        torch.set_num_threads(before)


Predict = Callable[[np.ndarray], np.ndarray]


def _scikit_learn(work: Work) -> Callable[[], Predict]:
    def fit() -> Predict:
        return (
            MLPClassifier(
                work.hidden,
                solver="adam",
                alpha=0.0,
                batch_size=work.batch_size,
                learning_rate_init=work.learning_rate,
                max_iter=work.epochs,
                n_iter_no_change=work.epochs,
                tol=0.0,
                random_state=0,
            )
            .fit(work.X, work.y)
            .predict
        )

    return fit


def network_of(work: Work) -> nn.Sequential:
    """The same network in PyTorch's own layers."""
    layers: list[nn.Module] = []
    for n_in, n_out in zip(work.widths, work.widths[1:], strict=False):
        layers += [nn.Linear(n_in, n_out), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def _predict(network: nn.Module) -> Predict:
    return lambda X: network(torch.from_numpy(X)).argmax(1).numpy()


def _plain(work: Work) -> Callable[[], Predict]:
    """The loop that everyone writes, without a DataLoader, which would double its time."""

    def fit() -> Predict:
        torch.manual_seed(0)
        X, y, network = torch.from_numpy(work.X), torch.from_numpy(work.y), network_of(work)
        optimizer, loss_of = torch.optim.Adam(network.parameters(), work.learning_rate), nn.CrossEntropyLoss()
        for _ in range(work.epochs):
            total = 0.0
            for index in torch.randperm(len(X)).split(work.batch_size):
                optimizer.zero_grad()
                loss = loss_of(network(X[index]), y[index])
                loss.backward()
                optimizer.step()
                total += loss.item() * len(index)
        return _predict(network)

    return fit


def _skorch(work: Work) -> Callable[[], Predict]:
    import pytest

    skorch = pytest.importorskip("skorch", reason="skorch is not installed: pip install -e '.[bench]'")

    def fit() -> Predict:
        torch.manual_seed(0)
        return (
            skorch.NeuralNetClassifier(
                lambda: network_of(work),
                criterion=nn.CrossEntropyLoss,
                optimizer=torch.optim.Adam,
                lr=work.learning_rate,
                max_epochs=work.epochs,
                batch_size=work.batch_size,
                iterator_train__shuffle=True,
                train_split=None,
                verbose=0,
            )
            .fit(work.X, work.y)
            .predict
        )

    return fit


def _lightning(work: Work) -> Callable[[], Predict]:
    import logging

    import pytest
    from torch.utils.data import DataLoader, TensorDataset

    lightning = pytest.importorskip(
        "lightning", reason="lightning is not installed: pip install -e '.[bench]'"
    )
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)

    class Network(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.network, self.loss_of = network_of(work), nn.CrossEntropyLoss()

        def training_step(self, batch: Any, _: int) -> torch.Tensor:
            return self.loss_of(self.network(batch[0]), batch[1])

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.Adam(self.network.parameters(), work.learning_rate)

    def fit() -> Predict:
        torch.manual_seed(0)
        rows = TensorDataset(torch.from_numpy(work.X), torch.from_numpy(work.y))
        module = Network()
        lightning.Trainer(
            max_epochs=work.epochs,
            accelerator="cpu",
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        ).fit(module, DataLoader(rows, work.batch_size, shuffle=True))
        return _predict(module.network)

    return fit
