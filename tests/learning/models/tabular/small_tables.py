"""Small tables for the recipe, and how it is fitted to them."""

import numpy as np

from classification_assets.learning.models.architectures import NAMED
from classification_assets.learning.models.fit import fit as train_model
from classification_assets.learning.packed.options import Training
from classification_assets.learning.preparation.folds import Fold
from classification_assets.learning.preparation.split import Split


def drawn(n_rows=120, n_features=3, n_classes=3, seed=0):
    """Overlapping clouds, every fifth row for validation and for test."""
    rng = np.random.default_rng(seed)
    y = np.arange(n_rows) % n_classes
    X = rng.normal(size=(n_rows, n_features)) + rng.normal(size=(n_classes, n_features))[y] * 1.5
    fold = np.array([Fold.TRAIN, Fold.TRAIN, Fold.TRAIN, Fold.VALIDATION, Fold.TEST], np.int8)
    return split_of(X, y, rng.permutation(np.resize(fold, n_rows)))


def split_of(X, y, fold=None, weight=None):
    fold = np.zeros(len(y), np.int8) if fold is None else fold
    names = [f"x{column}" for column in range(X.shape[1])]
    return Split.of_arrays(X.astype(np.float32), y, fold, names=names, weight=weight)


def fit(split, architecture=NAMED["tabular"], **options):
    training = architecture.trained_with(Training(**options))
    return train_model(architecture, split, training)
