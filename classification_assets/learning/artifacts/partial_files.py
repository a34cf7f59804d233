"""Names of files that are being written, and whether one was left behind by a process that is no more.

A name says host and process. On the same host the process itself can be asked after; on another one, which may share
the disk, only the file's age can tell.
"""

from __future__ import annotations

import os
import re
import secrets
import socket
import time
from pathlib import Path

PARTIAL = ".partial-"
"""How the names begin."""

ABANDONED_AFTER = 24 * 3600.0
"""Seconds without a change after which another host's file is taken for left behind."""


def partial_name(stem: str, suffix: str) -> str:
    """A name that no other process gives."""
    return f"{PARTIAL}{stem}-{_host()}-{os.getpid()}-{secrets.token_hex(4)}{suffix}"


def is_abandoned(file: Path) -> bool:
    """Whether nobody is writing a file any more, so that it may be removed."""
    *_, host, pid, _ = ["", "", "", *file.stem.split("-")]
    if host == _host() and pid.isdigit():
        return not _is_running(int(pid))
    try:
        return time.time() - file.stat().st_mtime > ABANDONED_AFTER
    except FileNotFoundError:
        return False  # somebody else has removed or published it


def _host() -> str:
    return re.sub(r"[^A-Za-z0-9_.]", "_", socket.gethostname()) or "host"


def _is_running(pid: int) -> bool:
    if pid == os.getpid():
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # it is somebody else's
    return True
