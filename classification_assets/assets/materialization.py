"""One materialization: what a body may want to know of its run, and the metadata that every one carries."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg

from classification_assets.assets import shown
from classification_assets.assets.keys import Key
from classification_assets.learning.artifacts.origin import MisfitError, Origin, remedy
from classification_assets.learning.check import Check
from classification_assets.learning.evaluation.unfit_rows import UnfitRowsError
from classification_assets.resources.torch_device import TorchDevice

if TYPE_CHECKING:
    from upath import UPath

    from classification_assets.learning.preparation.fold_memory import FoldMemory
    from classification_assets.resources.artifact_store import ArtifactStore


@dataclass(frozen=True)
class Run:
    """Facts about a run that an asset's body may need.

    Attributes
    ----------
    device : str
        Where to compute; cpu for work that has no use for an accelerator.
    overridden : dict
        What the run set otherwise than declared, by field.
    log : callable
        Writes a line to Dagster's log.
    threads : int or None
        Of the CPU; None if the work chooses.
    sidecars : dict
        Files for reading that are published in the artifact's folder: see `storage.stage`.
    sidecar_of : callable
        Reads such a file of another asset, by its key and the file's name.
    made : callable
        When and on what another asset was last materialized, in words.
    ancestor : callable
        Loads what the inputs were made of, by its key, and refuses it if it has changed since.
    fold_memory : callable
        How an earlier artifact of this asset, a split, has dealt its rows.
    before : callable
        The artifact of this asset that is stored now; None if there is none.
    root : callable
        The storage's root.
    id : str
        The run's.
    as_of : datetime
        The time for which it runs: that of a schedule's tick, else when the run was made.
    made_of : dict
        Versions of what the body itself has looked up, by key, beside those of its inputs.
    warn : callable
        Writes a warning to Dagster's log.
    """

    device: str
    overridden: dict[str, Any]
    log: Callable[[str], None]
    threads: int | None = None
    sidecars: dict[str, Any] = field(default_factory=dict)
    sidecar_of: Callable[[Key, str], bytes | None] = lambda key, name: None
    made: Callable[[Key], dict[str, str]] = lambda key: {}
    ancestor: Callable[[Key], Any] = lambda key: None
    fold_memory: Callable[[], FoldMemory | None] = lambda: None
    before: Callable[[], Any] = lambda: None
    root: Callable[[], Any] = lambda: None
    id: str = ""
    as_of: datetime = field(default_factory=lambda: datetime.now(UTC))
    made_of: dict[str, str] = field(default_factory=dict)
    warn: Callable[[str], None] = lambda line: None


AS_OF = "classification_assets/as_of"
"""The tag of a run that says for which time it runs, as ISO 8601."""


def as_of(context: dg.AssetExecutionContext) -> datetime:
    """The time for which a run is made: by its tag, by the schedule's tick, or else when it was made.

    Raises
    ------
    ValueError
        If the tag is no time.
    """
    if text := context.run.tags.get(AS_OF):
        return _time_of(text)
    record = context.instance.get_run_record_by_id(context.run.run_id)
    return datetime.now(UTC) if record is None else record.create_timestamp.astimezone(UTC)


def _time_of(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(
            f"the run's tag {AS_OF} is a time such as 2026-03-01T02:00:00+00:00, got {text!r}"
        ) from error
    time = time if time.tzinfo else time.replace(tzinfo=UTC)
    if time > datetime.now(UTC) + timedelta(days=1):
        raise ValueError(
            f"the run's tag {AS_OF} is a time that has come, got {text!r}: later runs would be refused"
        )
    return time


def used_device(
    resource: TorchDevice, devices: Sequence[str], accelerated: bool, threads: int | None
) -> dict[str, Any]:
    """The device that is really used, as metadata; one that is named and not there is an error."""
    if not accelerated and resource.choice(*devices) in ("auto", "cpu"):
        # Neither choosing nor checking needs torch here, whose import takes longer than the work.
        return {"device": "cpu", "device note": "this work has no use for an accelerator"}
    found = resource.resolve(*devices)
    if not accelerated:
        return {"device": "cpu", "device note": f"{found.name} is there; this work has no use for it"}
    return {
        "device": found.name,
        "device hardware": found.hardware,
        "threads": threads or found.threads,
        "torch version": found.torch_version,
    }


def with_draw_seconds(metadata: dict[str, Any], seconds: float) -> dict[str, Any]:
    """The metadata, and after what is asked for more often how long figures took to draw and to render."""
    told = dict(metadata)
    before = told.pop(shown.DRAW_SECONDS, None)
    seconds += before.value if before else 0.0
    return told | (shown.scalars({shown.DRAW_SECONDS: seconds}) if seconds else {})


def paths_of(store: ArtifactStore, path: UPath) -> dict[str, dg.MetadataValue]:
    """Where the artifact is; browsers refuse links to files, so there is a link only where it is served."""
    link = store.link(path)
    paths = {"path": dg.MetadataValue.path(str(path))}
    return paths | ({"link": dg.MetadataValue.url(link)} if link else {})


def made_when(instance: dg.DagsterInstance, key: dg.AssetKey) -> dict[str, str]:
    """When and on what an asset was last materialized."""
    event = instance.get_latest_materialization_event(key)
    if event is None or event.asset_materialization is None:
        return {}
    metadata = event.asset_materialization.metadata
    told = {"made": f"{datetime.fromtimestamp(event.timestamp, UTC):%Y-%m-%d %H:%M:%S} UTC"}
    for name in ("device", "device hardware", "train_seconds"):
        if name in metadata:
            value = metadata[name].value
            told[name.replace("_", " ")] = f"{value:.2f}" if isinstance(value, float) else str(value)
    return told | {"run": event.run_id}


def checked_by(check: Check, value: Any) -> dg.AssetCheckResult:
    passed, sentence = check.verdict(value)
    return dg.AssetCheckResult(
        passed=passed,
        check_name=check.name,
        severity=dg.AssetCheckSeverity.ERROR if check.blocking else dg.AssetCheckSeverity.WARN,
        description=sentence,
    )


def overrides_as_text(overridden: Mapping[str, Any]) -> str:
    return ", ".join(f"{field} = {value}" for field, value in overridden.items())


@contextmanager
def refusing(made: str, older: Sequence[str], stored: Callable[[str], Origin | None]) -> Iterator[None]:
    """Say what to materialize where an older input cannot be used.

    Raises
    ------
    MisfitError
        In place of an `UnfitRowsError`.
    """
    try:
        yield
    except UnfitRowsError as error:
        raise MisfitError(f"{error}. {remedy(made, older, stored)}") from error
