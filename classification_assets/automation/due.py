"""Due assets of an experiment: what is stored is compared with its files and its declaration. Light: no PyTorch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from classification_assets.assets.asset import code_version_of
from classification_assets.experiment import NamedExperiment
from classification_assets.learning.tables.datasets import TableFunction

if TYPE_CHECKING:
    from upath import UPath

    from classification_assets.learning.artifacts.origin import Origin


OTHER_ROWS = "the rows to predict have changed"


@dataclass(frozen=True)
class Due:
    """Why something is due, in words; empty: it is not.

    Attributes
    ----------
    training : str
        Everything from the rows on, since something has changed.
    anew : str
        Everything, if it is time: the rows may be others although nothing can be seen to have changed.
    predictions : str
        Predictions alone.
    table, rows : str
        The fingerprints of the files, as they are now; empty where there are none.
    state : str
        What is learned from, and by which declaration.
    """

    training: str = ""
    anew: str = ""
    predictions: str = ""
    table: str = ""
    rows: str = ""
    state: str = ""


def due(experiment: NamedExperiment, root: UPath, settled: bool = False) -> Due:
    """The assets that are due of an experiment whose artifacts lie in a folder.

    Files that are perhaps still being written are refused where `settled` ones are asked for.

    Raises
    ------
    FileNotFoundError, ValueError
        If a file is not there, may not be read, or is being written: see `reading.fingerprint`.
    """
    from classification_assets.learning.tables.reading.fingerprint import fingerprint

    table = fingerprint(*experiment.table_paths, settled=settled) if experiment.table_paths else ""
    rows = fingerprint(experiment.predict.path, settled=settled) if experiment.predict is not None else ""
    predictions = _predictions(experiment, root, rows)
    return Due(
        _training(experiment, root, table),
        _anew(experiment),
        predictions,
        table,
        rows,
        f"{code_version_of([*experiment.all_declared(), experiment.gates])} {table}",
    )


def read_fingerprint(experiment: NamedExperiment, root: UPath) -> str:
    """The fingerprint of the files that the stored data set was read from; empty if there is none."""
    return _fingerprint_in(_end(root, experiment, "dataset")[0])


def _fingerprint_in(header: dict[str, Any]) -> str:
    source = header.get("source", {})
    return source.get("fingerprint") or source.get("sha256", "")


def _training(experiment: NamedExperiment, root: UPath, table: str) -> str:
    header, rows = _end(root, experiment, "dataset")
    _, board = _end(root, experiment, "leaderboard")
    if rows is None or board is None:
        return "it was never trained to its end"
    if board.code_version != code_version_of(experiment.all_declared()):
        return "its declaration has changed"
    if table and _fingerprint_in(header) != table:
        return "its table has changed"
    if board.made_of.get(f"{experiment.name}/dataset") != rows.version:
        return "its rows were made anew and not learned from"
    return ""


def _anew(experiment: NamedExperiment) -> str:
    if isinstance(experiment.dataset, TableFunction):
        return "its rows come from a function, which may return others now"
    return "it draws fresh rows each time" if experiment.resample else ""


def _predictions(experiment: NamedExperiment, root: UPath, rows: str) -> str:
    if experiment.predict is None:
        return ""
    from classification_assets.learning.registry.records import folder_name
    from classification_assets.learning.registry.registry import DamagedPointerError, Registry

    try:
        pointer = Registry(root, experiment.name).pointer()
    except DamagedPointerError:
        return ""  # training restores it, and then there may be something to predict
    if pointer is None:
        return ""  # there is nothing to predict with yet
    header, _ = _end(root, experiment, "predictions")
    about = header.get("about", {})
    if about.get("fingerprint") != rows:
        return OTHER_ROWS
    return "another champion serves" if about.get("version") != folder_name(pointer.version) else ""


def _end(root: UPath, experiment: NamedExperiment, kind: str) -> tuple[dict[str, Any], Origin | None]:
    from classification_assets.learning.artifacts.attempts import is_of_storage, reached
    from classification_assets.learning.artifacts.files import is_file
    from classification_assets.learning.artifacts.parquet_end import read_end

    path = root / experiment.name / f"{kind}.parquet"
    if not is_file(path):
        return {}, None
    try:
        return reached(path, lambda: read_end(path))
    except Exception as error:  # of as many kinds as files can be damaged; then it must be made anew
        if is_of_storage(error):
            raise
        return {}, None
