"""Memory of a sweep's result: its figures, tables and sentences all ask for the same, which is found once."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar
from weakref import WeakKeyDictionary

from classification_assets.learning.sweeps.result import SweepResult

T = TypeVar("T")


def remembered(find: Callable[[SweepResult], T]) -> Callable[[SweepResult], T]:
    """A function of a result that computes nothing twice; what it gives is shared, so nobody may change it."""
    known: WeakKeyDictionary[SweepResult, T] = WeakKeyDictionary()

    @wraps(find)
    def found(result: SweepResult) -> T:
        if result not in known:
            known[result] = find(result)
        return known[result]

    return found
