"""Attempts at what a storage elsewhere may do a moment later. Light to import."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from upath import UPath

T = TypeVar("T")
WAITS = (0.1, 1.0, 4.0)
"""Seconds between the attempts at one call."""

PERMANENT = (FileNotFoundError, FileExistsError, IsADirectoryError, NotADirectoryError, PermissionError)
"""Errors of the operating system that come again."""


def is_local(path: UPath) -> bool:
    return path.protocol in ("", "file", "local")


def is_of_storage(error: BaseException) -> bool:
    """Whether an error says that a file could not be opened or reached; else it is about what is in the file."""
    # PyArrow's about a damaged file are plain ones without a number, and those of networks seldom have one.
    return isinstance(error, ConnectionError | TimeoutError) or (
        isinstance(error, OSError) and error.errno is not None
    )


def reached(path: UPath, call: Callable[[], T]) -> T:
    """The result of a call about a file or folder, which is tried several times if that is elsewhere.

    Raises
    ------
    OSError
        If it failed each time; of a file elsewhere it names the path.
    """
    if is_local(path):
        return call()
    for wait in (*WAITS, None):
        try:
            return call()
        except OSError as error:
            if isinstance(error, PERMANENT) or not is_of_storage(error):
                raise
            if wait is None:
                number = error.errno or errno.EIO
                raise OSError(
                    number, f"{path} could not be reached: {error or os.strerror(number)}"
                ) from error
        time.sleep(wait)
    raise AssertionError  # the last attempt has returned or raised
