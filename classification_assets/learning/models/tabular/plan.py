"""The amount of training in the recipe for tables, which follows from the number of rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Plan:
    """The amount of training: twice the rows cost less than twice the time, on a table of any size.

    Attributes
    ----------
    folds, repeats : int
        Inner folds, and how many times the rows are dealt out to them.
    epoch_steps : int
        Mini-batches an epoch.
    batch_size, width : int
        Rows a mini-batch; units of each hidden layer.
    networks : int
        Networks in the blend, at most. A candidate adds as many as its kind has members, and each takes its time at
        prediction. Where rows are few, many narrow ones do better than few wide ones and take the same time.
    """

    folds: int
    repeats: int
    epoch_steps: int
    batch_size: int
    width: int
    networks: int

    @classmethod
    def of(cls, n_rows: int, width: int | None = None) -> Self:
        """The plan for a table of so many rows, with a declared width or the one that suits them."""
        few, larger = n_rows < 500, max(1.0, n_rows / 2000)
        width = width or (32 if few else 32 * round(2 * max(1.0, n_rows / 20_000) ** 0.25))
        return cls(
            folds=5 if n_rows < 50_000 else 4,
            repeats=2 if few else 1,
            epoch_steps=16 if few else round(45 * (n_rows / 2000) ** 0.4),
            batch_size=8 * round(4 * larger**0.5),
            width=width,
            networks=40 if few and width <= 32 else 20,
        )
