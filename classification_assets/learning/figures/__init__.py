"""Figures: arrays in, a matplotlib `Figure` out, one function for each kind."""

from classification_assets.learning.figures.boundary import boundary
from classification_assets.learning.figures.confusion import confusion
from classification_assets.learning.figures.curves import curves
from classification_assets.learning.figures.gallery import Cell, gallery
from classification_assets.learning.figures.points import Points
from classification_assets.learning.figures.scatter import scatter

__all__ = ["Cell", "Points", "boundary", "confusion", "curves", "gallery", "scatter"]
