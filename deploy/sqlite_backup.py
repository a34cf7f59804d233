"""Copies of an instance's SQLite files while others write them: python sqlite_backup.py DAGSTER_HOME TARGET."""

import sqlite3
import sys
from contextlib import closing
from pathlib import Path


def main(home: Path, target: Path) -> None:
    """Copy `history/` and `schedules/` by SQLite's online backup.

    A file copy under writers would be torn, and would leave out what is still in the write-ahead log.
    """
    for file in database_files(home):
        copy = target / file.relative_to(home)
        copy.parent.mkdir(parents=True, exist_ok=True)
        with (
            closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(copy)) as destination,
        ):
            source.backup(destination)
            destination.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it


def database_files(home: Path) -> list[Path]:
    """The list of runs, then the index of events, then each run's events: nothing is named that does not follow."""
    first = [home / "history" / "runs.db", home / "history" / "runs" / "index.db"]
    every = sorted([*home.glob("history/**/*.db"), *home.glob("schedules/**/*.db")])
    return [*(file for file in first if file in every), *(file for file in every if file not in first)]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
