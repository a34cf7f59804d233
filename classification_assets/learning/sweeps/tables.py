"""Tables of a sweep's result: a row a network, and a row a finalist."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

import numpy as np
import pandas as pd

from classification_assets.learning.sweeps.configurations import Configuration
from classification_assets.learning.sweeps.records import Records
from classification_assets.learning.sweeps.result import HYPERPARAMETERS


def networks(
    records: Records, rungs: Sequence[int], networks_each: int, n_features: int, n_classes: int
) -> pd.DataFrame:
    """`SweepResult.networks`; configurations that were begun in part when the time was over are left out."""
    rows = []
    for index in sorted(records.networks):
        if index not in records.scores and index not in records.failed:
            continue
        of_configuration = records.networks[index]
        configuration = of_configuration[0].member.configuration
        same = configuration.row() | {"parameters": parameters(configuration, n_features, n_classes)}
        for record in sorted(of_configuration, key=lambda each: each.member.name)[:networks_each]:
            rung = rungs.index(record.epochs)
            state = "finished" if rung == len(rungs) - 1 else "dropped"
            rows.append(
                {"configuration": index, "seed": record.member.repeat, "fold": record.member.fold}
                | same
                | {
                    "rung": rung,
                    "epochs": record.epochs,
                    "state": "failed" if record.failed else state,
                    "score": records.scores.get(index, np.nan),
                    "log_loss": record.log_loss,
                    "accuracy": record.accuracy,
                    "train_loss": record.train_loss,
                    "seconds": record.seconds,
                    "curve": record.curve,
                }
            )
    return pd.DataFrame(rows)


def finalists(found: Sequence[tuple[Configuration, Sequence[float]]], records: Records) -> pd.DataFrame:
    """`SweepResult.finalists` of configurations and the scores of their networks of new seeds, in their order."""
    rows = [
        {
            "configuration": configuration.index,
            "first_score": records.scores[configuration.index],
            "score": float(np.mean(scores)) if scores else np.nan,
            "standard_error": error(scores),
            "networks": len(scores),
        }
        | configuration.row()
        for configuration, scores in found
    ]
    return pd.DataFrame(
        rows,
        columns=["configuration", "first_score", "score", "standard_error", "networks", *HYPERPARAMETERS],
    )


def error(scores: Sequence[float]) -> float:
    """Standard error of a mean; NaN of fewer than two."""
    return float(np.std(scores, ddof=1) / sqrt(len(scores))) if len(scores) > 1 else np.nan


def parameters(configuration: Configuration, n_features: int, n_classes: int) -> int:
    """Trained numbers of a configuration's network."""
    own = configuration.architecture
    count, width = 0, n_features
    for units in own.hidden:
        count += width * units + (0 if own.normalization == "batch" else units)
        count += 0 if own.normalization == "none" else 2 * units
        width = units
    return count + (width + 1) * n_classes
