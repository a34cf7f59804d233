"""The 2-D window onto feature space that boundary figures look through.

A network has D features and a page has two axes: this file decides which plane is drawn, and moves
points from the page to the features and back. Rows have no gaps here, and categories are codes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from classification_assets.learning.evaluation.view import View
from classification_assets.learning.preparation.folds import Fold

if TYPE_CHECKING:
    from classification_assets.learning.preparation.split import Split

PADDING = 0.07
# Seeds of its own: the same numbers as a split drawn with seed 0 would sort the rows by fold.
JITTER_SEED = 5_318_008
ROWS_FOR_COMPONENTS = 50_000
ROWS_FOR_IMPORTANCE = 2_000
ROUNDING = 1e-9
"""Share of the variance below which a component may be what float32 rounds off."""
MOST_ROWS = 200_000
"""Rows that decide which planes are drawn; of a larger table evenly spaced ones, since copies of all would not fit."""

_CHUNK = 2**16


@dataclass(frozen=True, eq=False)
class Plane:
    """An affine plane in feature space, in the features' own units.

    It is spanned by two features, or by the first two principal components of the standardized rows; a single
    feature makes a strip whose height means nothing.

    Attributes
    ----------
    extent : (x0, x1, y0, y1), the window that is drawn
    names : labels of the two axes; an empty label marks an axis that means nothing
    note : what a reader must know about the plane, or ""
    origin : (D,), the point at the plane's (0, 0)
    basis : (2, D), the step in feature space for a unit along each axis
    coordinates : (D, 2), from feature space (less the origin) to the two axes

    Examples
    --------
    >>> plane = Plane.of(np.array([[0.0, 1.0], [2.0, 5.0]]), ["width", "height"])
    >>> plane.grid(3).shape
    (9, 2)
    """

    extent: tuple[float, float, float, float]
    names: tuple[str, str]
    note: str
    origin: np.ndarray
    basis: np.ndarray
    coordinates: np.ndarray

    @classmethod
    def of(cls, X: np.ndarray, names: Sequence[str], held: Sequence[int] = ()) -> Plane:
        """The plane for rows X (N, D) without missing values; `names` are the D features' names.

        Two features are the plane; of more it is that of the principal components, see `of_components`.
        """
        X = _checked(X, names)
        return cls.of_pair(X, names, (0, 1)) if X.shape[1] == 2 else cls.of_components(X, names, held)

    @classmethod
    def _strip(cls, X: np.ndarray, names: Sequence[str]) -> Plane:
        return cls(
            extent=(*window(X[:, 0]), -1.0, 1.0),
            names=(str(names[0]), ""),
            note="one feature; the height of a point means nothing",
            origin=np.zeros(1),
            basis=np.array([[1.0], [0.0]]),
            coordinates=np.array([[1.0, 0.0]]),
        )

    @classmethod
    def of_pair(cls, X: np.ndarray, names: Sequence[str], pair: tuple[int, int]) -> Plane:
        """The plane of two of D features, given by their places; the others are at their median."""
        X, D = _checked(X, names), len(names)
        first, second = pair
        # A value that there is: between two categories there is nothing.
        origin = np.quantile(X, 0.5, axis=0, method="lower")
        origin[[first, second]] = 0.0
        basis = np.zeros((2, D))
        basis[0, first] = basis[1, second] = 1.0
        others = {2: "", 3: "the other feature is at its median; rows are projected"}
        return cls(
            extent=(*window(X[:, first]), *window(X[:, second])),
            names=(str(names[first]), str(names[second])),
            note=others.get(D, f"the other {D - 2} features are at their median; rows are projected"),
            origin=origin,
            basis=basis,
            coordinates=basis.T,
        )

    @classmethod
    def of_components(cls, X: np.ndarray, names: Sequence[str], held: Sequence[int] = ()) -> Plane:
        """The plane of the first two principal components of the standardized rows.

        Features `held`, by their places, stay at their median if two others are left: between two categories, or
        through the weeks of a date, a plane would only show stripes.
        """
        from sklearn.decomposition import PCA

        X = _checked(X, names)
        if X.shape[1] == 1:
            return cls._strip(X, names)
        held = list(held) if X.shape[1] - len(held) >= 2 else []
        mean = X.mean(axis=0)
        # Rounding leaves a constant feature a tiny spread, which standardizing would blow up.
        scale = np.where(np.ptp(X, axis=0) > 0, X.std(axis=0), np.inf)
        scale[held] = np.inf
        mean[held] = np.quantile(X[:, held], 0.5, axis=0, method="lower")
        Z = (X[:: -(-len(X) // ROWS_FOR_COMPONENTS)] - mean) / scale
        with np.errstate(invalid="ignore", divide="ignore"):
            pca = PCA(n_components=2).fit(Z if len(Z) > 1 else np.repeat(Z, 2, axis=0))
        share = np.nan_to_num(pca.explained_variance_ratio_)
        components = np.asarray(pca.components_)
        # What is left of features that say the same is rounding, and no place of a row.
        seen = components * (share > ROUNDING)[:, None]
        coordinates = ((X - mean) / scale) @ seen.T
        return cls(
            extent=(*window(coordinates[:, 0]), *window(coordinates[:, 1])),
            names=(
                f"PC 1 ({100 * share[0]:.0f} % of variance)",
                f"PC 2 ({100 * share[1]:.0f} % of variance)",
            ),
            note=(
                f"plane of the first two principal components of {X.shape[1] - len(held)} features; "
                + {0: "", 1: "the category or date is at its median; "}.get(
                    len(held), f"the {len(held)} categories and dates are at their median; "
                )
                + "rows are projected onto it"
            ),
            origin=mean,
            basis=components * np.where(np.isfinite(scale), scale, 0.0),
            coordinates=seen.T / scale[:, None],
        )

    def grid(self, resolution: int, points: np.ndarray | None = None) -> np.ndarray:
        """The window's points in own units, (R*R, D) float32; or those of them with some indices (n,), (n, D).

        The outermost points lie on the window's edge; y is the outer, ascending index, so results
        reshaped to (R, R, C) fit `imshow(origin="lower")`.
        """
        if resolution < 2:
            raise ValueError(f"resolution must be at least 2, got {resolution}")
        x0, x1, y0, y1 = self.extent
        across = np.linspace(x0, x1, resolution)[:, None] * self.basis[0]
        up = self.origin + np.linspace(y0, y1, resolution)[:, None] * self.basis[1]
        if points is None:
            return (up[:, None] + across).astype(np.float32).reshape(resolution**2, -1)
        row, column = np.divmod(points, resolution)
        return (up[row] + across[column]).astype(np.float32)

    def project(self, X: np.ndarray) -> np.ndarray:
        """Rows X (N, D) as points on the page, (N, 2). A single feature gets a fixed jitter as height."""
        X, page = np.asarray(X), np.empty((len(X), 2))
        for start in range(0, len(X), _CHUNK):
            part = slice(start, start + _CHUNK)
            page[part] = (X[part] - self.origin) @ self.coordinates
        if len(self.origin) == 1:
            page[:, 1] = np.random.default_rng(JITTER_SEED).uniform(-0.7, 0.7, len(page))
        return page


def planes(
    X: np.ndarray, y: np.ndarray, names: Sequence[str], view: View, held: Sequence[int] = ()
) -> list[Plane]:
    """The planes that a view shows of training rows X (N, D) with class codes y (N,): one, or those of a matrix.

    A matrix has the pairs (1, 2), (1, 3), (2, 3)... of the features in the order of their importance.

    Which features of a matrix are the most important is found once for all architectures: by the mean decrease
    in impurity of extremely randomized trees (Geurts et al. 2006) on at most 2,000 rows, which also see features
    that tell classes apart only together.

    Raises
    ------
    ValueError
        If the view names a feature that there is not.
    """
    view.check(names)
    match view.plane:
        case (str(), str()) as pair:
            return [Plane.of_pair(X, names, (names.index(pair[0]), names.index(pair[1])))]
        case "pca":
            return [Plane.of_components(X, names, held)]
        case "matrix" if len(names) > 2:
            chosen = _most_important(_checked(X, names), y, view.features)
            return [Plane.of_pair(X, names, pair) for pair in combinations(chosen, 2)]
        case _:
            return [Plane.of(X, names, held)]


def _most_important(X: np.ndarray, y: np.ndarray, n_features: int) -> list[int]:
    from sklearn.ensemble import ExtraTreesClassifier

    some = slice(None, None, -(-len(X) // ROWS_FOR_IMPORTANCE))
    candidates = min(X.shape[1], 32)
    forest = ExtraTreesClassifier(40, min_samples_leaf=3, max_features=candidates, random_state=0)
    importance = forest.fit(X[some].astype(np.float32), y[some]).feature_importances_
    return np.argsort(-importance, kind="stable")[:n_features].tolist()


def _checked(X: np.ndarray, names: Sequence[str]) -> np.ndarray:
    X = np.asarray(X, dtype=float)
    if X.ndim != 2 or 0 in X.shape or X.shape[1] != len(names):
        raise ValueError(
            f"X must be (N, D) with N, D > 0 and one name per feature, "
            f"got shape {X.shape} and {len(names)} names"
        )
    if not np.isfinite(X).all():
        raise ValueError(f"X must be finite, got {np.sum(~np.isfinite(X))} missing or infinite values")
    return X


def window(values: np.ndarray) -> tuple[float, float]:
    """The padded range of the values. A few far outliers do not shrink all other points to a dot."""
    low, high = np.quantile(values, [0.01, 0.99])
    reach = 1.5 * (high - low)
    # Without a spread inside the quantiles there is no bulk to protect.
    whole = (values.min(), values.max())
    low, high = (max(low - reach, whole[0]), min(high + reach, whole[1])) if reach > 0 else whole
    if high == low:
        # In float32, which a network reads, the window's ends must differ from its middle.
        half = max(0.5, 8 * float(np.spacing(np.float32(abs(low)))))
        return float(low - half), float(low + half)
    pad = PADDING * (high - low)
    return float(low - pad), float(high + pad)


def planes_of(split: Split, view: View) -> list[Plane]:
    """The planes that a view shows of a split; its training fold decides.

    Raises
    ------
    ValueError
        If the view names a feature that there is not.
    """
    train = split.rows(Fold.TRAIN)
    train = train[:: -(-len(train) // MOST_ROWS)]
    learned = split.preprocessing
    return planes(split.filled(train), split.y[train], list(learned.names), view, learned.discrete)
