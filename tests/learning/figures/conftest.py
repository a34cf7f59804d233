"""Arrays to draw, an example of every kind of figure, and what can be found out about one."""

import io
from functools import cache

import numpy as np
import pytest

from classification_assets.learning.evaluation.scoring import evaluate
from classification_assets.learning.figures.architecture_effect import Shapes, architecture_effect
from classification_assets.learning.figures.boundary import boundary
from classification_assets.learning.figures.boundary_matrix import boundary_matrix
from classification_assets.learning.figures.canvas.points import Points
from classification_assets.learning.figures.confusion import confusion
from classification_assets.learning.figures.critical_difference import critical_difference
from classification_assets.learning.figures.curves import curves
from classification_assets.learning.figures.evolution import Snapshot, evolution
from classification_assets.learning.figures.forest import Scores, forest
from classification_assets.learning.figures.gallery import Cell, gallery
from classification_assets.learning.figures.reliability import reliability
from classification_assets.learning.figures.roc_pr import roc_pr
from classification_assets.learning.figures.scatter import scatter
from classification_assets.learning.models.architectures import MLP
from tests.learning.figures import sweep_examples

EXTENT = (-2.0, 2.0, -2.0, 2.0)


@pytest.fixture(scope="session")
def extent():
    return EXTENT


@pytest.fixture(scope="session")
def sectors():
    return _sectors


def _sectors(C, R=40, sharpness=3.0, turned=0.3):
    """A softmax of linear scores: C equal sectors round the origin, (R, R, C)."""
    x, y = np.meshgrid(np.linspace(-2, 2, R), np.linspace(-2, 2, R))
    angle = 2 * np.pi * np.arange(C) / C + turned
    score = sharpness * (x[..., None] * np.cos(angle) + y[..., None] * np.sin(angle))
    share = np.exp(score - score.max(axis=2, keepdims=True))
    return share / share.sum(axis=2, keepdims=True)


@pytest.fixture(scope="session")
def rows():
    return _rows


def _rows(C, N=60, seed=1):
    """N rows of C classes in all folds, about a tenth of them misclassified."""
    rng = np.random.default_rng(seed)
    return Points(
        rng.uniform(-1.9, 1.9, (N, 2)), rng.integers(0, C, N), rng.integers(0, 3, N), rng.random(N) < 0.1
    )


@pytest.fixture(scope="session")
def names():
    return _names


def _names(C):
    return [f"class {c}" for c in range(C)]


@pytest.fixture(scope="session")
def predicted():
    return _predicted


def _predicted(C, N=400, sharpness=1.6, seed=0):
    """Calibrated probabilities (N, C) of a good classifier, and the labels (N,)."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, C, N)
    scores = rng.normal(size=(N, C))
    scores[np.arange(N), labels] += sharpness
    share = np.exp(sharpness * scores)
    return share / share.sum(1, keepdims=True), labels


@pytest.fixture(scope="session")
def snapshots():
    return _snapshots


def _snapshots(C, T=6, R=40):
    """T snapshots of a training that turns and sharpens the sectors."""
    part = np.linspace(0, 1, T)
    return [
        Snapshot(round(100 * p), _sectors(C, R, 0.3 + 3 * p, 0.3 + 0.5 * (1 - p)), float(1 - 0.8 * p))
        for p in part
    ]


def _cell(**options):
    return Cell(_sectors(3), EXTENT, _names(3), _rows(3), _sectors(3), **options)


def _curves(title, long, theme):
    step = np.arange(1, 21) * 10
    falling = np.exp(-step / 60)[:, None] + np.array([0.1, 0.2, 0.3])
    losses = {"train_loss": falling, "validation_loss": falling}
    history = {"step": step, **losses, "validation_accuracy": 1 - falling / 2}
    return curves(history, best_step=np.array([100, 150, -1]), title=title, theme=theme)


def _boundary(title, long, theme):
    return boundary(
        _sectors(3),
        EXTENT,
        classes=[name + long for name in _names(3)],
        points=_rows(3),
        truth=_sectors(3, R=30, sharpness=1.0),
        disagreement=np.linspace(0, 0.4, 1600).reshape(40, 40),
        title=title,
        note="a note" + long,
        names=("x" + long, "y" + long),
        theme=theme,
    )


def _boundary_matrix(title, long, theme):
    cells = {
        pair: _cell(disagreement=np.full((9, 9), 0.1 * index))
        for index, pair in enumerate([(0, 1), (0, 2), (1, 2)])
    }
    features = ["width" + long, "height", "depth"]
    classes = [name + long for name in _names(3)]
    return boundary_matrix(features, cells, classes=classes, title=title, note="a note" + long, theme=theme)


def _gallery(title, long, theme):
    cells = {("blobs", "linear" + long): _cell(score=0.9, winner=True)}
    return gallery(["moons" + long, "blobs"], ["linear" + long, "deep"], cells, title=title, theme=theme)


def _forest(title, long, theme):
    accuracy, loss = np.array([0.95, 0.93, 0.85]), np.array([0.13, 0.15, 0.4])
    scores = [
        Scores("accuracy", accuracy, accuracy - 0.02, accuracy + 0.01, accuracy - 0.01, accuracy / 200, 0.96),
        Scores("log loss", loss, loss - 0.02, loss + 0.03),
    ]
    names = ["deep" + long, "wide", "linear"]
    return forest(names, scores, winner=names[0], tied=[True, True, False], title=title, theme=theme)


def _architecture_effect(title, long, theme):
    value = np.array([0.85, 0.9, 0.95, 0.94])
    names = ["linear", "shallow", "deep", "tanh" + long]
    shapes = Shapes(
        names=names,
        parameters=np.array([6, 114, 8642, 8642]),
        depth=np.array([0, 2, 3, 3]),
        width=np.array([0, 8, 64, 64]),
        activation=["none", "relu", "relu", "tanh" + long],
        value=value,
        low=value - 0.02,
        high=value + 0.01,
    )
    cells = {name: _cell(score=value[index], winner=index == 2) for index, name in enumerate(names)}
    return architecture_effect(shapes, cells, title=title, theme=theme)


def _reliability(title, long, theme):
    probabilities, labels = _predicted(3)
    sharper = probabilities**2 / (probabilities**2).sum(1, keepdims=True)
    return reliability(probabilities, labels, before=sharper, title=title, theme=theme)


EXAMPLES = {
    "boundary": _boundary,
    "boundary_matrix": _boundary_matrix,
    "curves": _curves,
    "gallery": _gallery,
    "scatter": lambda title, long, theme: scatter(
        _rows(3), classes=[name + long for name in _names(3)], title=title, note="a note" + long, theme=theme
    ),
    "confusion": lambda title, long, theme: confusion(
        np.array([[9, 1, 0], [2, 7, 1], [0, 0, 0]]),
        [name + long for name in _names(3)],
        title=title,
        theme=theme,
    ),
    "reliability": _reliability,
    "roc_pr": lambda title, long, theme: roc_pr(
        *_predicted(3), classes=[name + long for name in _names(3)], title=title, theme=theme
    ),
    "forest": _forest,
    "critical_difference": lambda title, long, theme: critical_difference(
        ["deep" + long, "wide", "linear"],
        np.array([1.25, 1.75, 3.0]),
        [[0, 1], [2]],
        n_experiments=4,
        difference=0.9,
        title=title,
        theme=theme,
    ),
    "architecture_effect": _architecture_effect,
    "evolution": lambda title, long, theme: evolution(
        _snapshots(3),
        EXTENT,
        classes=[name + long for name in _names(3)],
        points=_rows(3),
        truth=_sectors(3),
        title=title,
        theme=theme,
    ),
    **sweep_examples.EXAMPLES,
}


@pytest.fixture(params=EXAMPLES)
def kind(request):
    """Every kind of figure, one after the other."""
    return request.param


@pytest.fixture(scope="session")
def draw():
    """A figure of that kind, drawn anew."""

    def draw(kind, theme="light", long=""):
        return EXAMPLES[kind](f"moons · deep_relu{long}\nsecond line{long}", long, theme)

    return draw


@pytest.fixture(scope="session")
def drawn(draw):
    """A figure of that kind to look at; drawing takes most of the time here."""
    return cache(draw)


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


@pytest.fixture(scope="session")
def evaluations(evaluation, fit, split):
    """Evaluations of the small ensemble and of a linear one."""
    linear = fit(MLP(name="linear", hidden=()))
    return {"narrow": evaluation, "linear": evaluate(linear, split)}
