"""Arms that wind around each other, one for each class."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from classification_assets.learning.tables.datasets.dataset import GeneratedDataset, Noise

if TYPE_CHECKING:
    import numpy as np

    from classification_assets.learning.tables.datasets.curves import Curve


class Spirals(GeneratedDataset):
    """Archimedean spirals with Gaussian noise, each turned against the last by the same angle."""

    n_features: ClassVar[int] = 2

    kind: Literal["spirals"] = Field("spirals", description="Arms that wind around each other.")
    # The best possible accuracy is 0.988; one layer of 16 units stays near 0.7, two of 64 come near 0.97.
    noise: Noise = 0.04
    arms: int = Field(3, ge=2, le=100, description="Number of arms: each is a class.")
    turns: float = Field(1.5, ge=0, le=20, description="How often an arm winds around the middle.")

    @property
    def n_classes(self) -> int:
        return self.arms

    def posterior(self, X: np.ndarray) -> np.ndarray:
        from classification_assets.learning.tables.datasets.curves import curve_posterior

        return curve_posterior(X, self._curves, self.class_priors, self.noise)

    @property
    def _curves(self) -> list[Curve]:
        from classification_assets.learning.tables.datasets.curves import arm

        return [partial(arm, self.turns, label / self.arms) for label in range(self.arms)]

    def _draw(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        import numpy as np

        rng = np.random.default_rng(seed)
        points = [curve(rng.random(size)) for curve, size in zip(self._curves, self.class_sizes, strict=True)]
        label = np.repeat(np.arange(self.arms), self.class_sizes)
        order = rng.permutation(self.n_samples)
        X = np.concatenate(points)[order] + rng.normal(scale=self.noise, size=(self.n_samples, 2))
        return X, label[order]
