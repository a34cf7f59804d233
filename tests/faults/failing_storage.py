"""A file system of fsspec in memory of which every tenth call fails, as on a bad network."""

from __future__ import annotations

import itertools
from typing import Any, ClassVar

import fsspec
from fsspec.implementations.memory import MemoryFileSystem

PROTOCOL = "tenth"


class TenthFails(MemoryFileSystem):
    """Files in memory; each tenth question, opening, reading or writing is a broken connection.

    Attributes
    ----------
    broken : bool
        Whether anything fails at all.
    """

    protocol = PROTOCOL
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]
    broken = False
    calls = itertools.count(1)
    failures = 0

    @classmethod
    def _called(cls) -> None:
        if cls.broken and next(cls.calls) % 10 == 0:
            cls.failures += 1
            raise (ConnectionError("the connection was closed"), OSError(5, "Input/output error"))[
                cls.failures % 2
            ]

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return super()._strip_protocol(path.replace(f"{PROTOCOL}://", "memory://"))

    def info(self, path: str, **options: Any) -> Any:
        self._called()
        return super().info(path, **options)

    def ls(self, path: str, detail: bool = True, **options: Any) -> Any:
        self._called()
        return super().ls(path, detail, **options)

    def _open(self, path: str, mode: str = "rb", **options: Any) -> Any:
        self._called()
        return super()._open(path, mode, **options)

    def cat_file(self, path: str, *arguments: Any, **options: Any) -> bytes:
        self._called()
        return super().cat_file(path, *arguments, **options)

    def pipe_file(self, path: str, value: bytes, *arguments: Any, **options: Any) -> None:
        self._called()
        super().pipe_file(path, value, *arguments, **options)

    def rm_file(self, path: str) -> None:
        self._called()
        super().rm_file(path)


def registered() -> type[TenthFails]:
    fsspec.register_implementation(PROTOCOL, TenthFails, clobber=True)
    return TenthFails
