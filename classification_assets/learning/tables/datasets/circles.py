"""A circle within a circle."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from classification_assets.learning.tables.datasets.dataset import GeneratedDataset, Noise

if TYPE_CHECKING:
    import numpy as np


class Circles(GeneratedDataset):
    """scikit-learn's `make_circles`: class 0 is the outer circle, of radius 1."""

    n_classes: ClassVar[int] = 2
    n_features: ClassVar[int] = 2

    kind: Literal["circles"] = Field("circles", description="A circle within a circle.")
    noise: Noise = 0.12
    factor: float = Field(0.5, ge=0, lt=1, description="Radius of the inner circle; the outer one's is 1.")

    def posterior(self, X: np.ndarray) -> np.ndarray:
        from classification_assets.learning.tables.datasets.curves import circle, curve_posterior

        curves = (partial(circle, 1.0), partial(circle, self.factor))
        return curve_posterior(X, curves, self.class_priors, self.noise)

    def _draw(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        from sklearn.datasets import make_circles

        return make_circles(self.class_sizes, noise=self.noise, factor=self.factor, random_state=seed)
