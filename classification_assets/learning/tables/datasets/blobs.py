"""Round Gaussian clouds around fixed centres, one for each class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from classification_assets.learning.declaration import Seed
from classification_assets.learning.tables.datasets.dataset import GeneratedDataset, Noise

if TYPE_CHECKING:
    import numpy as np

Point = tuple[float, ...]
NUMBERS_WITHOUT_CENTERS = {"n_classes": 5, "n_features": 2}


def _left_out() -> Any:
    return None


class Blobs(GeneratedDataset):
    """scikit-learn's `make_blobs` with centres that belong to the problem, not to the rows' seed.

    Examples
    --------
    >>> from classification_assets.learning.tables.datasets import Blobs
    >>> Blobs(centers=[[0, 0], [3, 0], [0, 3]], noise=0.8).n_classes
    3
    """

    kind: Literal["blobs"] = Field("blobs", description="Gaussian clouds, one for each class.")
    noise: Noise = 1.2
    centers: tuple[Point, ...] | None = Field(
        None,
        description="The centre of each class, a list of points. Default: drawn once from `centers_seed`.",
    )
    n_classes: int = Field(
        default_factory=_left_out,
        validate_default=True,
        ge=2,
        le=1000,
        description="Number of classes. Default: as many as there are `centers`, or 5.",
    )
    n_features: int = Field(
        default_factory=_left_out,
        validate_default=True,
        ge=1,
        le=1000,
        description="Number of features. Default: as many as `centers` have coordinates, or 2.",
    )
    # One centre amid four others, all apart: with the default noise the best possible accuracy is 0.90.
    centers_seed: Seed = Field(16, description="Seed of the centres where none are given.")
    center_box: tuple[float, float] = Field(
        (-4.0, 4.0), description="Lowest and highest coordinate of a centre that is drawn."
    )

    @property
    def class_centers(self) -> np.ndarray:
        """The centres, (C, D), given or drawn."""
        import numpy as np

        if self.centers is not None:
            return np.array(self.centers)
        return np.random.default_rng(self.centers_seed).uniform(
            *self.center_box, size=(self.n_classes, self.n_features)
        )

    def posterior(self, X: np.ndarray) -> np.ndarray:
        import numpy as np

        from classification_assets.learning.tables.datasets.mixtures import mixture_posterior

        return mixture_posterior(X, self.class_centers, np.diag(self.class_priors), self.noise)

    def _draw(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        from sklearn.datasets import make_blobs

        return make_blobs(
            self.class_sizes, centers=self.class_centers, cluster_std=self.noise, random_state=seed
        )

    @field_validator("centers")
    @classmethod
    def _centers_are_points(cls, centers: tuple[Point, ...] | None) -> tuple[Point, ...] | None:
        if centers is None:
            return None
        if len(centers) < 2:
            raise ValueError(f"there must be at least 2 centres, one for each class, got {len(centers)}")
        if not centers[0]:
            raise ValueError("a centre must have at least 1 coordinate, but centre 1 is []")
        for number, point in enumerate(centers, start=1):
            if len(point) != len(centers[0]):
                raise ValueError(
                    f"every centre must have as many coordinates as the first ({len(centers[0])}), "
                    f"but centre {number} is {list(point)}"
                )
        return centers

    @field_validator("n_classes", "n_features", mode="before")
    @classmethod
    def _centers_decide(cls, number: Any, info: ValidationInfo) -> Any:
        # It is not there if it is wrong itself.
        centers = info.data.get("centers")
        if centers is None:
            return NUMBERS_WITHOUT_CENTERS[str(info.field_name)] if number is None else number
        right = len(centers) if info.field_name == "n_classes" else len(centers[0])
        if number is not None and number != right:
            raise ValueError(
                f"`centers` has {len(centers)} points of {len(centers[0])} coordinates, "
                f"so {info.field_name} must be {right} or left out"
            )
        return right

    @field_validator("center_box")
    @classmethod
    def _box_is_not_empty(cls, box: tuple[float, float]) -> tuple[float, float]:
        if box[0] >= box[1]:
            raise ValueError("the first number, the lowest coordinate, must be below the second")
        return box
