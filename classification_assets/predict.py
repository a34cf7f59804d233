"""Predictions outside of Dagster: python -m classification_assets.predict EXPERIMENT INPUT OUTPUT."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from classification_assets.learning.models.fitted import FittedModel


def main(arguments: Sequence[str] | None = None) -> int:
    """Predict the rows of a table with a stored model; 0 if it went well, 2 if something cannot be used."""
    parser = argparse.ArgumentParser(
        prog="python -m classification_assets.predict",
        description="Labels, probabilities and uncertainty of a table's rows, written as Parquet.",
    )
    parser.add_argument(
        "model", help="an experiment, whose champion predicts, or a model's .safetensors file: a path or URL"
    )
    parser.add_argument(
        "input",
        help="CSV, TSV, Parquet or JSON Lines, compressed or not, or a folder of Parquet: a path or URL",
    )
    parser.add_argument("output", help="the .parquet file to write: a path or URL")
    parser.add_argument("--id", help="the column that names the rows (default: the data set's, else numbers)")
    parser.add_argument("--format", help="csv, tsv, parquet or jsonl (default: by the name's ending)")
    parser.add_argument("--separator", help="between the values of CSV (default: as the model's own table)")
    parser.add_argument(
        "--decimal", help="point or comma of numbers that are words (default: as the model's own table)"
    )
    parser.add_argument("--encoding", help="of text (default: as the model's own table)")
    parser.add_argument("--version", type=int, help="of an experiment: another version than the champion")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N or mps")
    parser.add_argument("--module", help="a person's own network class, package.module:Class")
    given = parser.parse_args(arguments)

    from pydantic import ValidationError

    from classification_assets.learning.artifacts.storage import save
    from classification_assets.learning.declaration import broken_rules, imported
    from classification_assets.learning.device import resolve_device
    from classification_assets.learning.models.checks import predictions_checks
    from classification_assets.learning.models.predictions import predict_file
    from classification_assets.learning.tables.datasets import UnlabelledFile

    try:
        if not given.output.endswith(".parquet"):
            raise ValueError(
                f"{given.output}: predictions are written as Parquet, to a name that ends in .parquet"
            )
        output, rows = os.path.realpath(given.output), os.path.realpath(given.input)
        if output == rows:
            raise ValueError(f"{given.output}: would take the place of the rows; give another name")
        if output.startswith(rows + os.sep):
            raise ValueError(f"{given.output}: would lie among the rows; give another folder")
        module = imported(given.module, "--module") if given.module else None
        fitted, version = _model(given.model, module, given.version)
        own = {
            name: value
            for name in ("id", "format", "separator", "decimal", "encoding")
            if (value := getattr(given, name))
        }
        # What stands on the command line is meant, wherever it lies.
        path = given.input if "://" in given.input else os.path.abspath(given.input)
        try:
            declared = UnlabelledFile.model_validate(own | {"path": path})
        except ValidationError as error:
            raise ValueError(broken_rules(error, given.input)) from error
        predictions = predict_file(fitted, declared, resolve_device(given.device).name).by_version(version)
        save(predictions, given.output)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    by = f" by {given.model} {version}" if version else ""
    print(f"{given.output}: {predictions.rows.n_rows:,} rows{by}; {_counts(predictions.about['counts'])}")
    for check in predictions_checks(declared):
        passed, sentence = check.judge(predictions)
        if not passed:
            print(f"warning: {sentence}", file=sys.stderr)
    return 0


def _model(path: str, module: Any, version: int | None) -> tuple[FittedModel, str]:
    """The model, and the name of its version; empty of a file."""
    from classification_assets.learning.artifacts.root import storage_root
    from classification_assets.learning.classifier import is_experiment, load_classifier
    from classification_assets.learning.registry.serving import serving

    if is_experiment(path):
        served = serving(storage_root(), path, module, version)
        return served.model, served.version.name
    return load_classifier(path, module, version).fitted_, ""


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{label}: {count:,}" for label, count in counts.items())


if __name__ == "__main__":
    sys.exit(main())
