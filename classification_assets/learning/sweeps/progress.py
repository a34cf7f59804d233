"""Progress of a sweep: how many networks are trained, the best score so far, and the time left."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite

from classification_assets.learning.models.progress import Reporter


class SweepProgress(Reporter):
    """Called after each pack; see `Reporter`.

    Parameters
    ----------
    title : str
        Name of the experiment.
    metric : str
        In which the best score is told.
    log, bar
        See `Reporter`.
    """

    unit = "epoch"

    def __init__(
        self,
        title: str,
        metric: str,
        log: Callable[[str], None] | None = None,
        bar: bool | None = None,
    ) -> None:
        super().__init__(title, log, bar)
        self.metric = metric

    def __call__(self, networks: int, epochs: int, planned: int, best: float) -> None:
        """Say how many networks have begun, how far all are, and the best score so far, NaN if there is none."""
        if not self.is_heard or not epochs:
            return
        best_so_far = {f"best {self.metric}": best} if isfinite(best) else {}
        self.report(epochs, planned, best_so_far, f"{networks:,} networks")
