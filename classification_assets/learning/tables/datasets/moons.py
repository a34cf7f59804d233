"""Two half circles that reach into each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from classification_assets.learning.tables.datasets.dataset import GeneratedDataset, Noise

if TYPE_CHECKING:
    import numpy as np


class Moons(GeneratedDataset):
    """scikit-learn's `make_moons`."""

    n_classes: ClassVar[int] = 2
    n_features: ClassVar[int] = 2

    kind: Literal["moons"] = Field("moons", description="Two half circles that reach into each other.")
    noise: Noise = 0.25

    def posterior(self, X: np.ndarray) -> np.ndarray:
        from classification_assets.learning.tables.datasets.curves import (
            curve_posterior,
            lower_moon,
            upper_moon,
        )

        return curve_posterior(X, (upper_moon, lower_moon), self.class_priors, self.noise)

    def _draw(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        from sklearn.datasets import make_moons

        return make_moons(self.class_sizes, noise=self.noise, random_state=seed)
