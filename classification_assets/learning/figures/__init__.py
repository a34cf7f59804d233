"""Figures: arrays in, a matplotlib `Figure` out, one function for each kind."""

from classification_assets.learning.figures.animation import animation
from classification_assets.learning.figures.architecture_effect import Shapes, architecture_effect
from classification_assets.learning.figures.boundary import boundary
from classification_assets.learning.figures.boundary_matrix import boundary_matrix
from classification_assets.learning.figures.canvas.points import Points
from classification_assets.learning.figures.confusion import confusion
from classification_assets.learning.figures.critical_difference import critical_difference
from classification_assets.learning.figures.curves import curves
from classification_assets.learning.figures.drift import drift_bars
from classification_assets.learning.figures.evolution import Snapshot, evolution
from classification_assets.learning.figures.forest import Scores, forest
from classification_assets.learning.figures.gallery import Cell, gallery
from classification_assets.learning.figures.reliability import reliability
from classification_assets.learning.figures.roc_pr import roc_pr
from classification_assets.learning.figures.scatter import scatter

__all__ = [
    "Cell",
    "Points",
    "Scores",
    "Shapes",
    "Snapshot",
    "animation",
    "architecture_effect",
    "boundary",
    "boundary_matrix",
    "confusion",
    "critical_difference",
    "curves",
    "drift_bars",
    "evolution",
    "forest",
    "gallery",
    "reliability",
    "roc_pr",
    "scatter",
]
