"""The posterior of points on curves with Gaussian noise: moons, circles and spirals are all that.

The density of a class is an integral over its curve's parameter. Composite Gauss-Legendre quadrature makes
it a mixture of Gaussians; unlike evenly spaced nodes, it is good beyond a curve's ends too.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np

from classification_assets.learning.tables.datasets.mixtures import mixture_posterior

Curve = Callable[[np.ndarray], np.ndarray]
"""Maps parameters (T,) in [0, 1] to points (T, D)."""

# Ten nodes integrate a Gaussian over four of its standard deviations to a relative 1e-8.
NODES_PER_PANEL = 10
NOISES_PER_PANEL = 4
# Seen from r radii away an arc's integrand is narrower than the noise by sqrt(r), which matters where the
# noise is wide; there nodes cost nothing.
FEWEST_PANELS = 8
# Reached where the noise is below 1/2000 of a curve's length; the class of the nearest curve then gets
# everything, from the nodes as from the integral.
MOST_PANELS = 500


def curve_posterior(X: np.ndarray, curves: Sequence[Curve], priors: np.ndarray, noise: float) -> np.ndarray:
    """Class probabilities where class c is a point of curve c, its parameter uniform in [0, 1], plus noise.

    Parameters
    ----------
    X : (N, D)
    curves : C curves
    priors : (C,)
    noise : float
        Standard deviation of the isotropic Gaussian noise.

    Returns
    -------
    (N, C) float64
    """
    quadratures = [quadrature(curve, noise) for curve in curves]
    weights = np.zeros((sum(len(nodes) for nodes, _ in quadratures), len(curves)))
    start = 0
    for label, (nodes, weight) in enumerate(quadratures):
        weights[start : start + len(nodes), label] = priors[label] * weight
        start += len(nodes)
    return mixture_posterior(X, np.concatenate([nodes for nodes, _ in quadratures]), weights, noise)


def quadrature(curve: Curve, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """Nodes (M, D) on the curve and their weights (M,), fine enough for a Gaussian of this width.

    The weights sum to 1.
    """
    steps = np.diff(curve(np.linspace(0, 1, 1001)), axis=0)
    # The length, if the point moved at its highest speed all the time: no panel is longer than the others.
    length = 1000 * float(np.linalg.norm(steps, axis=1).max())
    panels = max(FEWEST_PANELS, math.ceil(min(length / (NOISES_PER_PANEL * noise), MOST_PANELS)))
    offset, weight = np.polynomial.legendre.leggauss(NODES_PER_PANEL)
    t = (np.arange(panels)[:, None] + (offset + 1) / 2) / panels
    return curve(t.ravel()), np.tile(weight / (2 * panels), panels)


def upper_moon(t: np.ndarray) -> np.ndarray:
    """Points (T, 2) of class 0, as `make_moons` places them."""
    return np.column_stack([np.cos(np.pi * t), np.sin(np.pi * t)])


def lower_moon(t: np.ndarray) -> np.ndarray:
    """Points (T, 2) of class 1."""
    return [1.0, 0.5] - upper_moon(t)


def circle(radius: float, t: np.ndarray) -> np.ndarray:
    """Points (T, 2) of the circle around the origin."""
    return radius * np.column_stack([np.cos(2 * np.pi * t), np.sin(2 * np.pi * t)])


def arm(turns: float, rotation: float, t: np.ndarray) -> np.ndarray:
    """Points (T, 2) of an arm, from near the middle out to radius 1.

    The squared radius grows evenly with `t`, so rows are as dense outside as inside.
    """
    innermost = 0.1
    radius = np.sqrt(innermost**2 + (1 - innermost**2) * t)
    angle = 2 * np.pi * (turns * (radius - innermost) / (1 - innermost) + rotation)
    return radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
