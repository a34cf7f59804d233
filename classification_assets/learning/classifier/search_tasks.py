"""Tasks of a packed search: scikit-learn's callbacks are told of each one, as they are of those of its own searches."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sklearn.base import BaseEstimator

try:
    from sklearn.callback import with_callbacks
except ImportError:  # before scikit-learn 1.9 there are no callbacks

    def with_callbacks(method: Any) -> Any:
        """The method as it is."""
        return method


class Task:
    """A task that has begun; a context of scikit-learn's callbacks, if it has such.

    Its `rows` are what callbacks are given of it: X, y and metadata, or functions that return these.
    """

    def __init__(self, search: BaseEstimator, context: Any, rows: dict[str, Any]) -> None:
        self.search, self.context, self.rows = search, context, rows
        if context is not None:
            context.call_on_fit_task_begin(estimator=search, **rows)

    @classmethod
    def fit(cls, search: Any, parts: int, **rows: Any) -> Task:
        """The fit of a search, which has so many parts. Call it in a method that is decorated by `with_callbacks`."""
        begin = getattr(search, "_init_callback_context", None)
        return cls(search, None if begin is None else begin(max_subtasks=parts), rows)

    def end(self) -> None:
        """Tell that it has ended well."""
        if self.context is not None:
            self.context.call_on_fit_task_end(estimator=self.search, **self.rows)

    @contextmanager
    def part(self, name: str, parts: int = 0, *, numbered: bool = False, **rows: Any) -> Iterator[Task]:
        """A part of it, of `parts` of its own: `numbered` ones may begin and end in any order, the others in turn."""
        context = self.context
        if context is not None:
            context = context.subcontext(name, max_subtasks=parts, sequential_subtasks=not numbered)
        own = Task(self.search, context, rows)
        yield own
        own.end()

    def done(self, name: str, number: int, **rows: Any) -> None:
        """A numbered part of it has begun and ended: how far one of many that are trained at once is nobody knows."""
        if self.context is not None:
            Task(self.search, self.context.subcontext(name, task_id=number), rows).end()
