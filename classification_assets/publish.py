"""Publication to MLflow on the command line: python -m classification_assets.publish EXPERIMENT."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import click

LATER, WRONG = 1, 2
"""Exit codes: the server does not answer or refuses, and may not later; what was asked for cannot be."""


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("experiment")
@click.option("--version", "number", type=click.IntRange(min=1), help="Our number (default: the champion).")
@click.option(
    "--tracking-uri", default="", help="The MLflow server's address (default: MLFLOW_TRACKING_URI)."
)
@click.option("--storage", default="", help="The folder or URL of all artifacts (default: as Dagster's).")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def main(experiment: str, number: int | None, tracking_uri: str, storage: str, as_json: bool) -> None:
    """Publish a version of an experiment to MLflow's registry, and move the alias `champion` to the champion.

    What was published before is left as it is. Exit codes: 0, 1 if the server does not answer or refuses, 2 if
    something cannot be used.
    """
    from pydantic import ValidationError

    from classification_assets.learning.artifacts.root import storage_root
    from classification_assets.learning.declaration import broken_rules
    from classification_assets.learning.registry.registry import Registry
    from classification_assets.publishing.mlflow_registry import PublicationError, publish

    try:
        published = publish(Registry(storage_root(storage), experiment), number, tracking_uri)
    except PublicationError as error:
        _end(str(error), LATER)
    except ValidationError as error:
        _end(broken_rules(error, "experiment"), WRONG)
    except (ValueError, OSError) as error:
        _end(str(error), WRONG)
    if as_json:
        click.echo(json.dumps(asdict(published) | {"uri": published.uri}))
        return
    done = "published" if published.new else "was published before"
    click.echo(
        f"{published.uri}: version {published.version} of {experiment} {done}; the alias champion is at "
        f"version {published.champion}"
    )


def _end(message: str, code: int) -> None:
    click.echo(f"error: {message}", err=True)
    sys.exit(code)


if __name__ == "__main__":
    main(prog_name="python -m classification_assets.publish")
