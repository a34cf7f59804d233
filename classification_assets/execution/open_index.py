"""The event log's file over all runs, kept open while events are written."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress

import dagster as dg

from classification_assets.execution.dagster_internals import INDEX_SHARD_NAME, SqliteEventLogStorage


@contextmanager
def open_index(instance: dg.DagsterInstance) -> Iterator[None]:
    """Keep open the file in which Dagster's SQLite storage repeats the events of assets and checks, if it is there.

    Dagster opens and closes it two times an event. Whoever closes such a file last also writes the journal into it and
    removes that (sqlite.org/wal.html, 2.1), each time with waits for the disk: a third of what such an event takes. The
    run's own file stays as it is: the web server looks at when that has changed.

    Must not be open when a process forks: SQLite's files are not to be inherited.
    """
    storage = instance.event_log_storage
    if not isinstance(storage, SqliteEventLogStorage):
        yield
        return
    with ExitStack() as stack:
        # That it cannot be opened is no news here: it only saves time.
        with suppress(sqlite3.Error):
            file = f"file:{storage.path_for_shard(INDEX_SHARD_NAME)}?mode=rw"
            connection = stack.enter_context(closing(sqlite3.connect(file, uri=True)))
            # Before something is read it is not really open.
            connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        yield
