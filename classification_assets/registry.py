"""Champions on the command line: python -m classification_assets.registry list|show|diff|promote|rollback|pin."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import pandas as pd

    from classification_assets.learning.registry.contest import Outcome, Told
    from classification_assets.learning.registry.records import Version
    from classification_assets.learning.registry.registry import Registry

WRONG = 2
"""Exit code of what cannot be used, or is not there."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--storage", default="", help="The folder or URL of all artifacts (default: as Dagster's).")
@click.pass_context
def main(context: click.Context, storage: str) -> None:
    """Which model of an experiment serves, since when and why; and a way back.

    What is changed here is seen in Dagster's UI too, where DAGSTER_HOME is set.
    """
    context.obj = storage


def _command(*parameters: Callable[[Any], Any]) -> Callable[[Callable[..., Any]], click.Command]:
    """A command of an experiment, with `--json`; it returns what to print: a text, and the same as JSON."""

    def decorate(body: Callable[..., Any]) -> click.Command:
        @wraps(body)
        def run(storage: str, experiment: str, as_json: bool, **given: Any) -> None:
            with _errors():
                text, content = body(_registry(storage, experiment), **given)
                click.echo(json.dumps(content, indent=1) if as_json else text)

        command = click.pass_obj(run)
        for parameter in (
            click.argument("experiment"),
            *parameters,
            click.option("--json", "as_json", is_flag=True, help="For programs."),
        )[::-1]:
            command = parameter(command)
        return main.command(help=body.__doc__)(command)

    return decorate


_VERSION = click.argument("version", type=click.IntRange(min=1), required=False)
_BECAUSE = click.option("--because", default="", help="The reason, which the log keeps.")


@_command()
def list(registry: Registry) -> tuple[str, Any]:
    """Who was champion when, and which versions are kept."""
    from classification_assets.learning.registry import history

    decisions, versions = history.decisions(registry), history.versions(registry)
    if not len(decisions):
        registry.champion()  # says what to do
    told = [
        f"{row['time (UTC)']}  {row['champion'] or 'none':5}  {row['decision']:11}  {row['architecture']:20}  "
        f"{row['by']}: {row['reason']}"
        for row in decisions.to_dict("records")
    ]
    text = "\n".join([*told, "", _table(versions.drop(columns="run"))])
    return text, {"decisions": decisions.to_dict("records"), "versions": _records(versions)}


@_command(_VERSION)
def show(registry: Registry, version: int | None) -> tuple[str, Any]:
    """A version, by default the champion: its manifest, and the decision by which it was promoted."""
    shown = registry.champion() if version is None else registry.version(version)
    content = shown.model_dump(mode="json")
    content["folder"] = str(registry.folder_of(shown.number))
    content["decision"] = json.loads(registry.file(shown.number, "decision.json").read_text(encoding="utf-8"))
    return "\n".join(_lines(content)), content


@_command(
    click.argument("first", type=click.IntRange(min=1)), click.argument("second", type=click.IntRange(min=1))
)
def diff(registry: Registry, first: int, second: int) -> tuple[str, Any]:
    """Where two versions differ: what they were made of, architecture, hyper-parameters and scores."""
    sides = [_described(registry, registry.version(number)) for number in (first, second)]
    names = [*dict.fromkeys([*sides[0], *sides[1]])]
    changed = {
        name: [sides[0].get(name), sides[1].get(name)]
        for name in names
        if sides[0].get(name) != sides[1].get(name)
    }
    lines = [f"{name}: {before} → {after}" for name, (before, after) in changed.items()]
    return "\n".join(lines) or f"versions {first} and {second} are the same", changed


@_command(_VERSION, _BECAUSE)
def promote(registry: Registry, version: int | None, because: str) -> tuple[str, Any]:
    """Serve a version that is kept, or without a number the challenger, whatever the rule says: it needs --because."""
    from classification_assets.learning.evaluation.promotion_rule import PromotionRule
    from classification_assets.learning.registry import by_hand
    from classification_assets.learning.registry.challenger import Challenger

    told = _told(because)
    if version is not None:
        return _done(registry, by_hand.as_outcome(by_hand.promote_version(registry, version, told)))
    challenger = Challenger.stored(registry.root, registry.experiment)
    pointer = registry.pointer()
    onnx = pointer is not None and "model.onnx" in registry.version(pointer.version).files
    # How many versions are kept says the experiment's YAML: its next run removes what is too many.
    rule = PromotionRule(onnx=onnx, keep=10**9)
    metric = challenger.leaderboard.metric
    return _done(registry, by_hand.promote_challenger(registry, challenger, rule, metric, told))


@_command(_VERSION, _BECAUSE)
def rollback(registry: Registry, version: int | None, because: str) -> tuple[str, Any]:
    """Serve the version that served before, or the one of that number."""
    from classification_assets.learning.registry import by_hand

    return _done(registry, by_hand.as_outcome(by_hand.roll_back(registry, version, _told(because))))


@_command(
    _VERSION,
    click.option("--release", is_flag=True, help="Undo it."),
    _BECAUSE,
)
def pin(registry: Registry, version: int | None, release: bool, because: str) -> tuple[str, Any]:
    """Keep a version for good, by default the champion; while a pinned one serves, only a person replaces it."""
    from classification_assets.learning.registry import by_hand

    return _done(registry, by_hand.as_outcome(by_hand.pin(registry, version, not release, _told(because))))


def _registry(storage: str, experiment: str) -> Registry:
    from classification_assets.learning.artifacts.root import storage_root
    from classification_assets.learning.registry.registry import Registry

    return Registry(storage_root(storage), experiment)


def _told(because: str) -> Told:
    from classification_assets.learning.registry.contest import Told

    return Told(by="command line", because=because)


def _done(registry: Registry, outcome: Outcome) -> tuple[str, Any]:
    """Tell Dagster, if there is an instance, and say what was done."""
    from classification_assets.assets.champion import data_version, published_elsewhere, shows

    assert outcome.pointer is not None
    if os.environ.get("DAGSTER_HOME"):
        import dagster as dg

        event = dg.AssetMaterialization(
            [registry.experiment, "champion"],
            metadata=shows(registry, outcome),
            tags={"dagster/data_version": data_version(registry, outcome)},
        )
        try:
            dg.DagsterInstance.get().report_runless_asset_event(event)
        except Exception as error:  # of many kinds; the registry has changed, and that is what counts
            click.echo(f"warning: Dagster's UI does not show it: {error}", err=True)
    if warning := published_elsewhere(registry, outcome):
        click.echo(f"warning: {warning}", err=True)
    version = registry.champion()
    text = f"{registry.experiment}: {outcome.decision.reason}; {version.name} ({version.architecture}) serves"
    return text, outcome.pointer.model_dump(mode="json")


def _described(registry: Registry, version: Version) -> dict[str, Any]:
    """The facts of a version, by names."""
    from classification_assets.learning.registry.serving import serving

    told = {
        "architecture": version.architecture,
        "model": version.model_version[:12],
        "data": version.data_version[:12],
        "as of": version.as_of.isoformat(),
        "run": version.run,
    }
    model = serving(registry.root, registry.experiment, number=version.number).model
    used = model.hyperparameters()
    told |= dict(zip(used["hyper-parameter"], used["value"], strict=True))
    told["columns"] = ", ".join(model.provenance.preprocessing.names)
    return told | {name: round(value, 6) for name, value in version.scores.items()}


def _lines(content: dict[str, Any], before: str = "") -> Iterator[str]:
    for name, value in content.items():
        if isinstance(value, dict) and value:
            yield f"{before}{name}:"
            yield from _lines(value, before + "  ")
        else:
            yield f"{before}{name}: {value}"


def _table(frame: pd.DataFrame) -> str:
    return frame.to_string(index=False) if len(frame) else "none"


def _records(frame: pd.DataFrame) -> Any:
    return json.loads(frame.to_json(orient="records"))


@contextmanager
def _errors() -> Iterator[None]:
    """Say what is wrong in one line, and end with an exit code that says so."""
    try:
        yield
    except (ValueError, OSError) as error:
        click.echo(f"error: {_first(error)}", err=True)
        sys.exit(WRONG)


def _first(error: Exception) -> str:
    from pydantic import ValidationError

    from classification_assets.learning.declaration import broken_rules

    return broken_rules(error, "experiment") if isinstance(error, ValidationError) else str(error)


if __name__ == "__main__":
    main(prog_name="python -m classification_assets.registry")
