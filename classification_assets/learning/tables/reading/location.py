"""Where a declared table lies, and that it may be read: the files behind a path or URL."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.metadata import metadata
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from upath import UPath

ENVIRONMENT = "CLASSIFICATION_ASSETS_DATA"
"""Folders and URLs, separated by commas: if it is set, nothing outside of them is read."""

PARQUET = (".parquet", ".pq")
"""Endings of the files that are read out of a folder."""

LOCAL, WEB = ("", "file", "local"), ("http", "https")


def located(path: str) -> UPath:
    """The location that a declared path means.

    A relative path is taken from the folder in which the process runs, and may not lead out of it: who means a
    file elsewhere writes the absolute path, or a URL. Where `ENVIRONMENT` is set, every location must be below one
    of the folders it lists.

    Raises
    ------
    ValueError
        If the location is not allowed, or of a kind that needs a package which is not installed.
    """
    location = _opened(path)
    if location.protocol not in LOCAL:
        _refuse_outside(str(location), path)
        for outer in path.split("::")[1:]:
            located(outer)  # an archive lies somewhere too
        return location
    found = Path(location.path)
    if not found.is_absolute():
        here = Path.cwd().resolve()
        found = here / found
        if not found.resolve().is_relative_to(here):
            raise ValueError(
                f"{path}: leads out of {here}, the folder in which this runs; if it is meant, write the absolute "
                f"path: {found.resolve()}"
            )
    _refuse_outside(str(found.resolve()), path)
    return UPath(found)


def files_of(path: str, endings: Sequence[str]) -> list[UPath]:
    """The file at a location, or the files with such an ending in the folder there, in the order of their names.

    Raises
    ------
    FileNotFoundError
        If there is nothing.
    ValueError
        If it is no file, or a folder without such files.
    """
    location = located(path)
    if location.is_file():
        return [location]
    if not location.exists():
        raise FileNotFoundError(f"{path}: there is no such file or folder ({_why_not(location)})")
    if not location.is_dir():
        raise ValueError(f"{path}: is neither a file nor a folder")
    files = sorted((file for file in location.rglob("*") if file.is_file() and not _hidden(file)), key=str)
    if partition := [file for file in files if any("=" in part for part in _below(file, location))]:
        raise ValueError(
            f"{path}: {partition[0].name} lies in a folder named key=value, whose key is not in the file; write the "
            "table without partitions"
        )
    found = [file for file in files if file.name.endswith(tuple(endings))]
    if not found:
        raise ValueError(f"{path}: a folder is read if it holds Parquet files (*.parquet); there are none")
    return found


def name_of(file: UPath) -> str:
    """A file's name, which says of what format it is; of a web page's address, without the question behind it."""
    return PurePosixPath(urlsplit(str(file)).path).name if file.protocol in WEB else file.name


def _opened(path: str) -> UPath:
    try:
        location = UPath(os.path.expanduser(path))
        _ = location.fs
    except ImportError as error:
        protocol = path.split("://", maxsplit=1)[0]
        extras = metadata("fsspec").get_all("Provides-Extra") or []
        extra = next((name for name in (protocol, protocol.removesuffix("s")) if name in extras), None)
        command = f": pip install 'fsspec[{extra}]'" if extra else ""
        raise ValueError(f"{path}: {error}{command}") from error
    except OSError:
        raise
    except Exception as error:  # of as many kinds as there are protocols
        raise ValueError(f"{path}: cannot be opened: {error}") from error
    return location


def _why_not(location: UPath) -> str:
    if location.protocol in LOCAL:
        return str(location)
    try:
        location.stat()
    except Exception as error:
        return str(error.__cause__ or error)
    return str(location)


def _hidden(file: UPath) -> bool:
    return file.name.startswith((".", "_"))


def _below(file: UPath, folder: UPath) -> list[str]:
    return str(file)[len(str(folder)) :].split("/")[:-1]


def _refuse_outside(location: str, path: str) -> None:
    allowed = os.environ.get(ENVIRONMENT, "")
    if not allowed:
        return
    roots = [_root(root.strip()) for root in allowed.split(",") if root.strip()]
    if "::" in location or ".." in location.split("/"):
        raise ValueError(f"{path}: where {ENVIRONMENT} is set, a URL has no '::' and no '..'")
    if not any(location == root or location.startswith(f"{root}/") for root in roots):
        raise ValueError(f"{path}: lies outside of what may be read; {ENVIRONMENT} allows {', '.join(roots)}")


def _root(root: str) -> str:
    return root.rstrip("/") if "://" in root else str(Path(root).expanduser().resolve())
