"""Base of data sets: they draw their rows and, if they are generated, know the truth behind them.

Declarations are read when the code location loads, so everything heavy is imported inside methods.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field, model_validator

from classification_assets.learning.declaration import Declaration, Seed, field_error
from classification_assets.learning.tables.roles import Roles

if TYPE_CHECKING:
    import numpy as np
    from pandas import DataFrame

    from classification_assets.learning.tables.rows import LoadedRows

Noise = Annotated[
    float,
    Field(gt=0, description="Standard deviation of the Gaussian noise, in the units of the features."),
]


class Dataset(Declaration):
    """A declared data set. A kind of data set is one class with a `kind` of its own."""

    @property
    def roles(self) -> Roles:
        """The roles of the columns."""
        return Roles(target="label")

    @abstractmethod
    def sample(self, seed: int | None = None) -> DataFrame:
        """Draw or read the rows.

        Parameters
        ----------
        seed : int, optional
            Of generated data: another seed gives other rows of the same problem. Default: the declared seed.

        Returns
        -------
        DataFrame
            N rows; of generated data the features `x1` to `xD` (float64) and `label` (int64, 0 to C - 1).
        """

    def read(self) -> LoadedRows:
        """The rows as typed columns; of files perhaps in batches."""
        from classification_assets.learning.tables.rows import LoadedRows, MemoryRows

        return LoadedRows(MemoryRows.of(self.sample()))

    def posterior(self, X: np.ndarray) -> np.ndarray | None:
        """Probability of each class given the features, or None where the truth is not known.

        Parameters
        ----------
        X : (N, D)
            Features in the data's own units.

        Returns
        -------
        (N, C) float64, or None
        """
        return None


class GeneratedDataset(Dataset):
    """A data set drawn from a known distribution, so that the best possible score is known too.

    Each kind also has `n_classes` and `n_features`: a field where one may choose it, else a constant.
    They are not properties here because pydantic warns of a field that shadows one.
    """

    n_samples: int = Field(1500, ge=1, le=10**8, description="Number of rows, at least one for each class.")
    noise: Noise
    seed: Seed = Field(0, description="Seed of the rows. Another seed gives other rows of the same problem.")

    if TYPE_CHECKING:

        @property
        def n_classes(self) -> int: ...

        @property
        def n_features(self) -> int: ...

    @property
    def class_sizes(self) -> tuple[int, ...]:
        """Rows of each class, (C,): as equal as possible, the first classes get what remains."""
        size, remainder = divmod(self.n_samples, self.n_classes)
        return tuple(size + (label < remainder) for label in range(self.n_classes))

    @property
    def class_priors(self) -> np.ndarray:
        """Share of each class, (C,). It is exact: the number of rows of a class is not random."""
        import numpy as np

        return np.array(self.class_sizes) / self.n_samples

    def sample(self, seed: int | None = None) -> DataFrame:
        from pandas import DataFrame

        X, label = self._draw(self.seed if seed is None else seed)
        frame = DataFrame(X, columns=[f"x{feature}" for feature in range(1, X.shape[1] + 1)])
        frame["label"] = label.astype("int64")
        return frame

    @abstractmethod
    def posterior(self, X: np.ndarray) -> np.ndarray: ...

    @abstractmethod
    def _draw(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Features (N, D) and labels (N,) in random order, with `class_sizes` rows of each class."""

    @model_validator(mode="after")
    def _has_rows_for_each_class(self) -> Self:
        if self.n_samples < self.n_classes:
            message = f"fewer rows than classes: there are {self.n_classes} classes, so n_samples must be at least that"
            raise field_error(type(self), "n_samples", message, self.n_samples)
        return self
