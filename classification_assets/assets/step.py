"""One step: an asset's inputs are compared, its body is run, checks judge, and what may be published is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import dagster as dg

from classification_assets.assets import shown, unchanged
from classification_assets.assets.keys import Key, as_text
from classification_assets.assets.materialization import (
    Run,
    as_of,
    checked_by,
    made_when,
    overrides_as_text,
    paths_of,
    refusing,
    used_device,
    with_draw_seconds,
)
from classification_assets.assets.pictures import chosen, linked
from classification_assets.assets.run_config import with_overrides
from classification_assets.assets.run_process import note_process
from classification_assets.assets.step_line import step_line
from classification_assets.learning.artifacts.files import ArtifactError
from classification_assets.learning.artifacts.origin import Origin, refuse_misfits
from classification_assets.learning.check import Check
from classification_assets.learning.declaration import Declaration
from classification_assets.resources.retries import retrying

if TYPE_CHECKING:
    from classification_assets.learning.preparation.fold_memory import FoldMemory

Inputs = Mapping[str, Key | Mapping[str, Key]]
Body = Callable[..., tuple[Any, ...]]


class NothingToMakeError(Exception):
    """An asset that may be left out, and now is; the message says why."""


@dataclass(frozen=True)
class Step:
    """An asset's own declaration of how it is made; see `asset.declared_asset` for the attributes."""

    key: Key
    body: Body
    stored_as: str
    inputs: Inputs
    overrides: Mapping[str, Declaration]
    devices: Sequence[str]
    accelerated: bool
    checks: Sequence[Check]
    may_be_older: Sequence[str]
    code_version: str
    svg: bool
    kept: bool

    @property
    def asset_key(self) -> dg.AssetKey:
        return dg.AssetKey(list(self.key))

    def events(self, context: dg.AssetExecutionContext) -> Iterator[Any]:
        """The step's results as Dagster wants them; errors that can pass ask for a retry.

        Raises
        ------
        MissingArtifactError
            If an input was never made.
        ArtifactError
            If an input is damaged.
        MisfitError
            If the inputs were not made of one another.
        dagster.Failure
            If a check withholds what was made: it is not published, and what was there before stays.
        """
        started = time.perf_counter()
        chosen()  # what is wished wrongly is refused before any work
        note_process(context.instance, context.run.run_id)
        with retrying(context.op_execution_context.retry_number):
            yield from self._events(context, started)

    def _events(self, context: dg.AssetExecutionContext, started: float) -> Iterator[Any]:
        threads = context.resources.device.chosen_threads()
        device = used_device(context.resources.device, self.devices, self.accelerated, threads)
        config = context.op_execution_context.op_config or {}
        declared, overridden = with_overrides(self.overrides, config)
        store, name = context.resources.artifacts, as_text(self.key)
        flat = dict(flat_inputs(self.inputs))
        loaded = {argument: store.load(dg.AssetKey(list(upstream))) for argument, upstream in flat.items()}
        origins = {as_text(upstream): loaded[argument].origin for argument, upstream in flat.items()}
        older = [
            as_text(upstream)
            for argument, upstream in flat.items()
            if argument.split("__")[0] in self.may_be_older
        ]
        refuse_misfits(name, origins, store.origin_of, older)
        origin = Origin.of_inputs(
            {upstream: found for upstream, found in origins.items() if found is not None},
            older,
            context.run.run_id,
            self.code_version,
        )
        if self.kept and (same := self._unchanged(context, origin, device, started)) is not None:
            yield same
            return

        def ancestor(upstream: Key) -> Any:
            found = store.load(dg.AssetKey(list(upstream)))
            known = {key: own for key, own in origins.items() if key not in older}
            refuse_misfits(name, known | {as_text(upstream): found.origin}, store.origin_of)
            return found.value

        def fold_memory() -> FoldMemory | None:
            try:
                return store.fold_memory(self.asset_key)
            except ArtifactError as error:
                context.log.warning(f"{error}; which row was in which fold is lost: all are dealt anew")
                return None

        def before() -> Any:
            try:
                return store.stored(self.asset_key)
            except ArtifactError as error:
                context.log.warning(f"{error}; what was stored before is not compared with what is new")
                return None

        run = Run(
            device["device"],
            overridden,
            context.log.info,
            threads,
            sidecar_of=lambda key, file: store.sidecar(dg.AssetKey(list(key)), file),
            made=lambda key: made_when(context.instance, dg.AssetKey(list(key))),
            ancestor=ancestor,
            fold_memory=fold_memory,
            before=before,
            root=lambda: store.root,
            id=context.run.run_id,
            as_of=as_of(context),
            warn=context.log.warning,
        )
        values = {argument: each.value for argument, each in loaded.items()}
        try:
            with refusing(name, older or list(origins), store.origin_of), store.advising(self.asset_key):
                value, metadata, *rest = self.body(**declared, **nested_inputs(self.inputs, values), run=run)
        except NothingToMakeError as why:
            context.log.warning(f"{name} is not made: {why}")
            # Dagster wants an answer of every check of a step, also of one that makes nothing.
            for check in self.checks:
                yield dg.AssetCheckResult(
                    passed=True,
                    check_name=check.name,
                    asset_key=self.asset_key,
                    description=f"nothing was made: {why}",
                )
            return
        origin = replace(origin, inputs=origin.inputs | run.made_of)
        staged = store.stage(self.asset_key, self.stored_as, value, run.sidecars, origin, self.svg)
        judged = rest[0] if rest else value
        results = self._checked(context, judged)
        withheld = [result for check, result in results.items() if check.withholds and not result.passed]
        if withheld:
            staged.discard()
            for result in results.values():
                yield result._replace(asset_key=self.asset_key)
            raise dg.Failure(
                f"{name} is not replaced, and nothing that depends on it is made: "
                + "; ".join(str(result.description) for result in withheld),
                metadata=metadata,
                allow_retries=False,
            )
        context.log.info(step_line(context, name, time.perf_counter() - started, metadata))
        told = {"overridden for this run": overrides_as_text(overridden)} if overridden else {}
        metadata = (
            told
            | with_draw_seconds(metadata, staged.draw_seconds)
            | paths_of(store, staged.path)
            | device
            | (unchanged.told(staged) if self.kept else {})
        )
        # As part of the result it would be stored once more, with the step's output.
        context.add_asset_metadata(linked(metadata, context, "__".join(self.key)))
        with store.advising(self.asset_key):
            staged.publish()
        yield self._result(staged.version, results)

    def _unchanged(
        self, context: dg.AssetExecutionContext, origin: Origin, device: dict[str, Any], started: float
    ) -> dg.MaterializeResult | None:
        """The stored artifact, told as it was when it was made, if it would only be made again; else None."""
        store, name = context.resources.artifacts, as_text(self.key)
        path, stored = store.path_of(self.asset_key, self.stored_as), store.origin_of(name)
        metadata = unchanged.last(context, path, stored, origin, device)
        if metadata is None:
            return None
        results = self._checked(context, store.load(self.asset_key).value) if self.checks else {}
        seconds = time.perf_counter() - started
        context.log.info(step_line(context, f"{name}, unchanged", seconds, metadata))
        context.log.debug(
            f"{name} is kept: what it is made of, its declaration and the code are those of run {stored.run}; a run "
            f"with the tag {unchanged.ANEW} makes it again"
        )
        context.add_asset_metadata(
            {key: entry for key, entry in metadata.items() if key != shown.DRAW_SECONDS}
            | paths_of(store, path)
            | {"kept": dg.MetadataValue.text(f"as run {stored.run} made it: nothing has changed since")}
        )
        return self._result(stored.version, results)

    def _result(self, version: str, results: Mapping[Check, dg.AssetCheckResult]) -> dg.MaterializeResult:
        """The result for Dagster; without a value, of which it would only note that the store has handled it."""
        return dg.MaterializeResult(
            data_version=dg.DataVersion(version), check_results=list(results.values())
        )

    def _checked(self, context: dg.AssetExecutionContext, value: Any) -> dict[Check, dg.AssetCheckResult]:
        results = {check: checked_by(check, value) for check in self.checks}
        for check, result in results.items():
            if not result.passed:
                # Dagster shows it in the UI alone, and on the command line nobody would hear of it.
                tell = context.log.info if check.lesson else context.log.warning
                tell(f"check {result.check_name} of {as_text(self.key)} failed: {result.description}")
        return results


def flat_inputs(inputs: Inputs) -> Iterator[tuple[str, Key]]:
    """Each key under an argument name of its own: names of architectures may be no identifiers."""
    for name, keys in inputs.items():
        if isinstance(keys, Mapping):
            for index, key in enumerate(keys.values()):
                yield f"{name}__{index}", key
        else:
            yield name, keys


def nested_inputs(inputs: Inputs, loaded: Mapping[str, Any]) -> dict[str, Any]:
    """Values that were loaded for `flat_inputs`, under the names that a body knows."""
    return {
        name: {inner: loaded[f"{name}__{index}"] for index, inner in enumerate(keys)}
        if isinstance(keys, Mapping)
        else loaded[name]
        for name, keys in inputs.items()
    }
