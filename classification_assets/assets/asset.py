"""The common part of every asset: key, inputs, device, run configuration, code version, checks."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import dagster as dg

from classification_assets.assets.asset_checks import checks_of
from classification_assets.assets.keys import Key, inputs_of, key_of
from classification_assets.assets.run_config import run_config
from classification_assets.assets.step import Body, Inputs, Step, flat_inputs
from classification_assets.experiment import NamedExperiment
from classification_assets.learning.check import Check
from classification_assets.learning.declaration import Declaration
from classification_assets.learning.device import DeviceName
from classification_assets.learning.models.architectures import Architecture, Module
from classification_assets.resources.torch_device import TAG, configured_device, device_tag

ARCHITECTURE = "classification_assets/architecture"
NOTHING: Mapping[str, Any] = MappingProxyType({})


def experiment_asset(
    experiment: NamedExperiment,
    name: str,
    *,
    architecture: Architecture | None = None,
    device: DeviceName = "auto",
    inputs: Inputs | Sequence[str] = (),
    uses: Sequence[Declaration | str],
    **options: Any,
) -> Callable[[Body], dg.AssetsDefinition]:
    """An asset of an experiment, or of one of its architectures, with the checks of its kind.

    What names among the `inputs` mean says `keys.inputs_of`; the other options are those of `declared_asset`. A
    `device` of its own comes before the experiment's, as an architecture's does.
    """
    named = inputs if isinstance(inputs, Mapping) else inputs_of(experiment, inputs, architecture)
    devices = (device if architecture is None else architecture.device, experiment.device)
    # The graph writes only a key's last part on an asset, so its architecture is a tag that can be searched for.
    tags = {} if architecture is None else {ARCHITECTURE: architecture.name}
    if isinstance(architecture, Module):
        # Its predictions follow from a person's own code, of which nobody knows whether it has changed.
        options["kept"] = False
    return declared_asset(
        key_of(experiment, name, architecture),
        group=experiment.name,
        inputs=named,
        devices=devices,
        uses=uses,
        tags=tags,
        checks=checks_of(name, experiment, architecture.name if architecture else ""),
        svg=experiment.figures.svg,
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
    follows: Sequence[Key] = (),
    pool: str | None = None,
    freshness: dg.FreshnessPolicy | None = None,
    may_be_left_out: bool = False,
    svg: bool = False,
    kept: bool = False,
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
    follows : sequence of sequence of str
        Keys of assets that come before it and that its body looks up itself.
    pool : str, optional
        Steps of one pool share its limit, see `dagster.yaml`.
    freshness : FreshnessPolicy, optional
        When the UI shows it as overdue.
    may_be_left_out : bool
        Whether the body may raise `NothingToMakeError`: then the step succeeds, and nothing is made that depends on it.
    svg : bool
        Whether its figures are stored as SVG, too.
    kept : bool
        Whether it is made of its inputs, its declaration and this project's code alone, and no run may override that:
        then what is stored stays where none of these has changed, see `unchanged`.

    Returns
    -------
    A decorator of ``body(**overrides, **inputs, run) -> (value, metadata)``, or with a third value: what the checks
    judge where that is not the value itself.
    """
    configured = configured_device(*devices)
    asset_key = dg.AssetKey(list(key))
    code_version = code_version_of(uses)

    def decorate(body: Body) -> dg.AssetsDefinition:
        step = Step(
            key,
            body,
            stored_as,
            inputs,
            overrides,
            devices,
            accelerated,
            checks,
            may_be_older,
            code_version,
            svg,
            kept,
        )

        def compute(context: dg.AssetExecutionContext) -> Iterator[Any]:
            yield from step.events(context)

        # Without a return type, which Dagster would take for the output's.
        compute.__annotations__ = {"context": dg.AssetExecutionContext}
        return dg.asset(
            key=asset_key,
            group_name=group,
            description=body.__doc__,
            # Read by the step itself: Dagster would write two events for each, which are half of all.
            deps=[
                dg.AssetKey(list(upstream)) for upstream in (*dict(flat_inputs(inputs)).values(), *follows)
            ],
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
            pool=pool,
            freshness_policy=freshness,
            output_required=not may_be_left_out,
        )(compute)

    return decorate


def code_version_of(uses: Sequence[Declaration | str]) -> str:
    """A hash of what is declared."""
    declared = [
        use if isinstance(use, str) else use.model_dump(mode="json", exclude={"device"}) for use in uses
    ]
    return hashlib.sha256(json.dumps(declared, sort_keys=True).encode()).hexdigest()[:16]
