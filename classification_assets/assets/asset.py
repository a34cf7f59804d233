"""The common part of every asset: key, inputs, device, run configuration, code version, checks."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import dagster as dg

from classification_assets.assets.asset_checks import checks_of
from classification_assets.assets.keys import Key, as_text, inputs_of, key_of
from classification_assets.assets.materialization import (
    Run,
    checked_by,
    made_when,
    overrides_as_text,
    paths_of,
    refusing,
    used_device,
    with_draw_seconds,
)
from classification_assets.assets.run_config import run_config, with_overrides
from classification_assets.experiment import NamedExperiment
from classification_assets.learning.artifacts.files import ArtifactError
from classification_assets.learning.artifacts.origin import Origin, refuse_misfits
from classification_assets.learning.check import Check
from classification_assets.learning.declaration import Declaration
from classification_assets.learning.models.architectures import Architecture
from classification_assets.resources.torch_device import TAG, configured_device, device_tag

if TYPE_CHECKING:
    from classification_assets.learning.preparation.fold_memory import FoldMemory

Inputs = Mapping[str, Key | Mapping[str, Key]]
ARCHITECTURE = "classification_assets/architecture"
NOTHING: Mapping[str, Any] = MappingProxyType({})
Body = Callable[..., tuple[Any, ...]]


def experiment_asset(
    experiment: NamedExperiment,
    name: str,
    *,
    architecture: Architecture | None = None,
    inputs: Inputs | Sequence[str] = (),
    uses: Sequence[Declaration | str],
    **options: Any,
) -> Callable[[Body], dg.AssetsDefinition]:
    """An asset of an experiment, or of one of its architectures, with the checks of its kind.

    What names among the `inputs` mean says `keys.inputs_of`; the other options are those of `declared_asset`.
    """
    named = inputs if isinstance(inputs, Mapping) else inputs_of(experiment, inputs, architecture)
    devices = (experiment.device,) if architecture is None else (architecture.device, experiment.device)
    # The graph writes only a key's last part on an asset, so its architecture is a tag that can be searched for.
    tags = {} if architecture is None else {ARCHITECTURE: architecture.name}
    return declared_asset(
        key_of(experiment, name, architecture),
        group=experiment.name,
        inputs=named,
        devices=devices,
        uses=uses,
        tags=tags,
        checks=checks_of(name, experiment),
        **options,
    )


def declared_asset(
    key: Key,
    *,
    group: str,
    stored_as: str,
    uses: Sequence[Declaration | str],
    kinds: set[str],
    inputs: Inputs = NOTHING,
    overrides: Mapping[str, Declaration] = NOTHING,
    devices: Sequence[str] = (),
    accelerated: bool = False,
    checks: Sequence[Check] = (),
    tags: Mapping[str, str] = NOTHING,
    may_be_older: Sequence[str] = (),
) -> Callable[[Body], dg.AssetsDefinition]:
    """Make an asset of a body that computes a value and what to show of it.

    Parameters
    ----------
    key : sequence of str
    group : str
    stored_as : str
        The artifact's suffix.
    uses : sequence of Declaration or str
        All that is declared for it and for everything upstream; its hash is the code version, since Dagster
        does not carry a changed version downstream.
    kinds : set of str
        Icons in the UI.
    inputs : mapping
        The body's arguments that are loaded: the key of an asset, or a mapping of names to keys.
    overrides : mapping
        The body's arguments that are declared, which the run's configuration may change.
    devices : sequence of str
        Declared devices, from the most to the least specific.
    accelerated : bool
        Whether the work has a use for an accelerator.
    checks : sequence of Check
        Reported with the asset.
    tags : mapping
        Shown beside the asset, with the configured device.
    may_be_older : sequence of str
        Inputs that need not be made of the others: the body is right with older ones, or refuses them itself.

    Returns
    -------
    A decorator of ``body(**overrides, **inputs, run) -> (value, metadata)``, or with a third value: what the checks
    judge where that is not the value itself.
    """
    flat = dict(_flat_inputs(inputs))
    configured = configured_device(*devices)
    asset_key = dg.AssetKey(list(key))
    code_version = _code_version(uses)

    def decorate(body: Body) -> dg.AssetsDefinition:
        def compute(context: dg.AssetExecutionContext, **loaded: Any) -> dg.MaterializeResult:
            threads = context.resources.device.chosen_threads()
            device = used_device(context.resources.device, devices, accelerated, threads)
            config = context.op_execution_context.op_config or {}
            declared, overridden = with_overrides(overrides, config)
            store = context.resources.artifacts
            origins = {as_text(upstream): loaded[name].origin for name, upstream in flat.items()}
            older = [
                as_text(upstream) for name, upstream in flat.items() if name.split("__")[0] in may_be_older
            ]
            refuse_misfits(as_text(key), origins, store.origin_of, older)
            origin = Origin.of_inputs(
                {upstream: found for upstream, found in origins.items() if found is not None},
                older,
                context.run.run_id,
                code_version,
            )

            def ancestor(upstream: Key) -> Any:
                found = store.load(dg.AssetKey(list(upstream)))
                known = {name: own for name, own in origins.items() if name not in older}
                refuse_misfits(as_text(key), known | {as_text(upstream): found.origin}, store.origin_of)
                return found.value

            def fold_memory() -> FoldMemory | None:
                try:
                    return store.fold_memory(asset_key)
                except ArtifactError as error:
                    context.log.warning(f"{error}; which row was in which fold is lost: all are dealt anew")
                    return None

            run = Run(
                device["device"],
                overridden,
                context.log.info,
                threads,
                sidecar_of=lambda key, name: store.sidecar(dg.AssetKey(list(key)), name),
                made=lambda key: made_when(context.instance, dg.AssetKey(list(key))),
                ancestor=ancestor,
                fold_memory=fold_memory,
            )
            values = {name: each.value for name, each in loaded.items()}
            with refusing(as_text(key), older or list(origins), store.origin_of):
                value, metadata, *rest = body(**declared, **_nested_inputs(inputs, values), run=run)
            judged = rest[0] if rest else value
            staged = store.stage(asset_key, stored_as, value, run.sidecars, origin)
            checked = [checked_by(check, judged) for check in checks]
            for result in checked:
                if not result.passed:
                    # Dagster shows it in the UI alone, and on the command line nobody would hear of it.
                    context.log.warning(
                        f"check {result.check_name} of {asset_key.to_user_string()} failed: {result.description}"
                    )
            told = {"overridden for this run": overrides_as_text(overridden)} if overridden else {}
            return dg.MaterializeResult(
                value=staged,
                metadata=told
                | with_draw_seconds(metadata, staged.draw_seconds)
                | paths_of(store, staged.path)
                | device,
                data_version=dg.DataVersion(staged.version),
                check_results=checked,
            )

        # Without a return type, which Dagster would take for the output's.
        compute.__annotations__ = {"context": dg.AssetExecutionContext}
        return dg.asset(
            key=asset_key,
            group_name=group,
            description=body.__doc__,
            ins={name: dg.AssetIn(key=dg.AssetKey(list(upstream))) for name, upstream in flat.items()},
            io_manager_key="artifacts",
            config_schema=run_config(overrides) if overrides else None,
            required_resource_keys={"device", "artifacts"},
            code_version=code_version,
            kinds=kinds,
            tags={TAG: device_tag(configured), **tags},
            metadata={"device": configured, "stored_as": stored_as},
            check_specs=[
                dg.AssetCheckSpec(
                    check.name, asset=asset_key, description=check.description, blocking=check.blocking
                )
                for check in checks
            ],
        )(compute)

    return decorate


def _code_version(uses: Sequence[Declaration | str]) -> str:
    declared = [
        use if isinstance(use, str) else use.model_dump(mode="json", exclude={"device"}) for use in uses
    ]
    return hashlib.sha256(json.dumps(declared, sort_keys=True).encode()).hexdigest()[:16]


def _flat_inputs(inputs: Inputs) -> Iterator[tuple[str, Key]]:
    """Each key under an argument name of its own: names of architectures may be no identifiers."""
    for name, keys in inputs.items():
        if isinstance(keys, Mapping):
            for index, key in enumerate(keys.values()):
                yield f"{name}__{index}", key
        else:
            yield name, keys


def _nested_inputs(inputs: Inputs, loaded: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: {inner: loaded[f"{name}__{index}"] for index, inner in enumerate(keys)}
        if isinstance(keys, Mapping)
        else loaded[name]
        for name, keys in inputs.items()
    }
