import io

import numpy as np
import pytest

from classification_assets.learning.figures import Points

EXTENT = (-2.0, 2.0, -2.0, 2.0)


@pytest.fixture(scope="session")
def extent():
    return EXTENT


@pytest.fixture(scope="session")
def sectors():
    """A softmax of linear scores: C equal sectors round the origin, (R, R, C)."""

    def make(C, R=40, sharpness=3.0):
        x, y = np.meshgrid(np.linspace(-2, 2, R), np.linspace(-2, 2, R))
        angle = 2 * np.pi * np.arange(C) / C + 0.3
        score = sharpness * (x[..., None] * np.cos(angle) + y[..., None] * np.sin(angle))
        share = np.exp(score - score.max(axis=2, keepdims=True))
        return share / share.sum(axis=2, keepdims=True)

    return make


@pytest.fixture(scope="session")
def rows():
    """N rows of C classes in all folds, about a tenth of them misclassified."""

    def make(C, N=60, seed=1):
        rng = np.random.default_rng(seed)
        return Points(
            rng.uniform(-1.9, 1.9, (N, 2)), rng.integers(0, C, N), rng.integers(0, 3, N), rng.random(N) < 0.1
        )

    return make


@pytest.fixture(scope="session")
def names():
    return lambda C: [f"class {c}" for c in range(C)]


@pytest.fixture(scope="session")
def saved():
    """The bytes of a figure."""

    def save(figure, kind="png", **options):
        buffer = io.BytesIO()
        metadata = {"Date": None} if kind == "svg" else None
        figure.savefig(buffer, format=kind, metadata=metadata, **options)
        return buffer.getvalue()

    return save


@pytest.fixture(scope="session")
def texts():
    """All that can be read on a figure."""
    from matplotlib.text import Text

    return lambda figure: [t.get_text() for t in figure.findobj(Text) if t.get_visible() and t.get_text()]
