"""Figures of a sweep, from its result: the arrays that each one is drawn from."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from classification_assets.learning.figures.gallery import Cell
from classification_assets.learning.figures.sweep.cost import Cost, Worth, cost
from classification_assets.learning.figures.sweep.effects import effects
from classification_assets.learning.figures.sweep.importance_ranking import importance_ranking
from classification_assets.learning.figures.sweep.marks import without_anything
from classification_assets.learning.figures.sweep.member_curves import member_curves
from classification_assets.learning.figures.sweep.parallel_coordinates import parallel_coordinates
from classification_assets.learning.figures.sweep.shape_map import ShapeScore, shape_map
from classification_assets.learning.sweeps.axes import axes
from classification_assets.learning.sweeps.importance import importance
from classification_assets.learning.sweeps.lessons import lessons
from classification_assets.learning.sweeps.places import failures, places, rung_epochs
from classification_assets.learning.sweeps.result import SweepResult

MOST_WIDTHS = 7
"""Columns of the map of shapes, and its rows; more widths or depths are taken together."""


def score_of_shapes(result: SweepResult, title: str) -> Figure:
    """The best score of each depth and width, with the boundary of the network that has it."""
    frame, summary = result.configurations(), result.summary
    if not {"depth", "width"} & set(summary.swept):
        return without_anything("neither depth nor width was searched", title, "light")
    rows, depths = _bins(frame["depth"].to_numpy(int))
    columns, widths = _bins(frame["width"].to_numpy(int))
    place, finished = places(result), (frame["state"] == "finished").to_numpy()
    best_first = _best_first(result, frame)
    scores = {}
    for row, column in sorted(set(zip(rows.tolist(), columns.tolist(), strict=True))):
        here = best_first[(rows[best_first] == row) & (columns[best_first] == column)]
        best = here[0]
        known = frame.loc[best]
        epochs = 0 if finished[best] else int(known["epochs"])
        counts = int(finished[here].sum()), len(here)
        scores[row, column] = ShapeScore(float(known["score"]), float(place[best]), epochs, *counts)
    cells = _cells(result, frame.loc[best_first], rows[best_first], columns[best_first])
    metric = summary.metric.replace("_", " ")
    picture = "pictures: what the best network of each decides · " if cells else ""
    return shape_map(
        depths,
        widths,
        scores,
        cells,
        metric=f"best {metric}",
        classes=result.thumbnails.classes if result.thumbnails else (),
        title=f"{title}\nbest {metric} of each shape, {_count(result)}",
        note=f"{picture}number: the best score, “at 5” if dropped after 5 epochs · ★ the best of the search · "
        "2/9: 2 of 9 configurations were trained to their end",
    )


def effects_of_hyperparameters(result: SweepResult, title: str) -> Figure:
    """The effect of each hyper-parameter with its band."""
    failed = failures(result.configurations())
    why = "" if importance(result) else f"{lessons(result)[0].rstrip('.')} · "
    return effects(
        axes(result),
        places(result),
        failed,
        importance(result),
        title=f"{title}\nhow good a network becomes with each value, {_count(result)}",
        note=why + _yardstick(result) + _scale(result),
    )


def importance_of_hyperparameters(result: SweepResult, title: str) -> Figure:
    """Share of the differences that each hyper-parameter decides, with its interval."""
    found = importance(result)
    title = f"{title}\nwhat decides how good a network becomes, {_count(result)}"
    if found is None:
        return without_anything(lessons(result)[0], title, "light")
    left = 100 * max(0.0, 1 - found.explained)
    return importance_ranking(
        [effect.axis.name for effect in found.effects],
        found.share,
        found.low,
        found.high,
        title=title,
        note=f"alone and together with others, so the sum may be above 100 % · {left:.0f} % is chance, such as the "
        f"seed, or could not be learned from so many · {_yardstick(result)}",
    )


def score_against_cost(result: SweepResult, title: str) -> Figure:
    """Accuracy and score of what was trained to its end against parameters and training time."""
    frame, summary = result.configurations(), result.summary
    done = frame[(frame["state"] == "finished") & np.isfinite(frame["score"])].reset_index(drop=True)
    # As in the table of the best: several networks have one score.
    accuracy = done["score" if summary.metric == "accuracy" else "accuracy"]
    worths = [Worth("accuracy", accuracy.to_numpy(float), lower_is_better=False)]
    if summary.metric != "accuracy":
        name = summary.metric.replace("_", " ")
        worths.append(Worth(name, done["score"].to_numpy(float), summary.lower_is_better))
    costs = [
        Cost("parameters of a network", _positive(done["parameters"])),
        Cost(
            "seconds of training, a share of its pack's",
            np.maximum(done["seconds"], 1e-6).to_numpy(),
        ),
    ]
    won = np.flatnonzero(done["configuration"] == summary.winner)
    return cost(
        worths,
        costs,
        winner=int(won[0]) if len(won) else None,
        title=f"{title}\n{len(done):,} of {len(frame):,} configurations, those that were trained to their end",
        note="scores are those of the search on rows not learned from; the best of many is too good",
    )


def all_learning_curves(result: SweepResult, title: str) -> Figure:
    """Log loss after each epoch of all networks."""
    networks = result.networks
    configuration = result.configurations()["configuration"]
    place = pd.Series(places(result), index=configuration).reindex(networks["configuration"]).to_numpy()
    summary = result.summary
    n, counts = len(networks), networks["state"].value_counts()
    parts = [f"{n:,} network{'s' if n != 1 else ''}"]
    for state, words in (("dropped", "dropped early"), ("failed", "failed")):
        parts += [f"{counts[state]:,} {words}"] if state in counts else []
    return member_curves(
        [np.asarray(curve, float) for curve in networks["curve"]],
        place,
        networks["state"].to_numpy(),
        ((networks["configuration"] == summary.winner) & (networks["state"] == "finished")).to_numpy(),
        rungs=rung_epochs(result),
        title=f"{title}\n{', '.join(parts)}",
    )


def all_configurations(result: SweepResult, title: str) -> Figure:
    """Parallel coordinates of all configurations."""
    found = importance(result)
    shown = [effect.axis for effect in found.effects] if found else axes(result)
    order = "from the most important hyper-parameter to the least · " if found else ""
    return parallel_coordinates(
        shown, places(result), title=f"{title}\n{_count(result)}", note=order + _yardstick(result)
    )


KEPT: Mapping[str, Callable[[SweepResult, str], Figure]] = {
    "score by depth and width": score_of_shapes,
    "hyper-parameter effects": effects_of_hyperparameters,
    "importance": importance_of_hyperparameters,
    "score against cost": score_against_cost,
    "learning curves": all_learning_curves,
    "parallel coordinates": all_configurations,
}
"""All figures of a sweep by their names; each is drawn of any result, and says so where there is nothing to see."""

TIMED = frozenset({"score against cost"})
"""Figures that show seconds, which are others each time that the same sweep runs."""


def worth_drawing(result: SweepResult) -> dict[str, Callable[[SweepResult, str], Figure]]:
    """The figures in which there is something to see."""
    swept = set(result.summary.swept)
    sound = bool((result.networks["state"] == "finished").any())
    seen = {
        "score by depth and width": sound and bool({"depth", "width"} & swept),
        "hyper-parameter effects": bool(axes(result)),
        "importance": importance(result) is not None,
        "score against cost": sound,
        "parallel coordinates": len(axes(result)) > 1,
    }
    return {name: draw for name, draw in KEPT.items() if seen.get(name, True)}


def _bins(values: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Each value's place, (N,), and the names of the places: values one by one, or stretches of about as many."""
    distinct = np.unique(values)
    if len(distinct) <= MOST_WIDTHS:
        return np.searchsorted(distinct, values), [str(value) for value in distinct]
    edges = np.unique(np.quantile(values, np.linspace(0, 1, MOST_WIDTHS + 1)[1:-1], method="lower"))
    place = np.searchsorted(edges, values)
    used, place = np.unique(place, return_inverse=True)
    ends = [(values[place == index].min(), values[place == index].max()) for index in range(len(used))]
    return place, [str(low) if low == high else f"{low}–{high}" for low, high in ends]


def _best_first(result: SweepResult, frame: pd.DataFrame) -> np.ndarray:
    """Indices (N,) of configurations from the best to the worst: scores of different epochs are never compared."""
    score = frame["score"].to_numpy(float) * (1 if result.summary.lower_is_better else -1)
    return np.lexsort((score, -frame["epochs"].to_numpy(), failures(frame)))


def _cells(
    result: SweepResult, best_first: pd.DataFrame, rows: np.ndarray, columns: np.ndarray
) -> dict[tuple[int, int], Cell]:
    """The picture of the best configuration of each place on the map."""
    pictures = result.thumbnails
    if pictures is None:
        return {}
    index_of = {configuration: index for index, configuration in enumerate(pictures.configuration.tolist())}
    cells: dict[tuple[int, int], Cell] = {}
    for configuration, *place in zip(
        best_first["configuration"].tolist(), rows.tolist(), columns.tolist(), strict=True
    ):
        if configuration in index_of and tuple(place) not in cells:
            shown = pictures.probabilities[index_of[configuration]].astype(np.float32)
            cells[place[0], place[1]] = Cell(shown, pictures.extent, pictures.classes)
    return cells


def _positive(values: pd.Series) -> np.ndarray:
    """For an axis of orders of magnitude."""
    numbers = values.to_numpy(float)
    return np.maximum(numbers, numbers[numbers > 0].min() if (numbers > 0).any() else 1.0)


def _count(result: SweepResult) -> str:
    n = len(result.configurations())
    return f"{n:,} configuration{'s' if n != 1 else ''}"


def _scale(result: SweepResult) -> str:
    """The scores that belong to some places: places alone do not tell how large a difference is."""
    stops, networks = rung_epochs(result), result.networks
    if len(stops) < 2:
        name, lower = result.summary.metric.replace("_", " "), result.summary.lower_is_better
        score = networks["score"].to_numpy(float)
    else:
        name, lower = f"log loss after {stops[0]} epochs", True
        reached = (networks["state"] != "failed") & (networks["curve"].str.len() >= stops[0])
        score = networks["curve"].where(reached).str.get(stops[0] - 1).to_numpy(float)
    worse = np.nan_to_num(score if lower else -score, nan=np.inf)
    told = np.quantile(worse, [0.25, 0.5, 0.75], method="nearest") * (1 if lower else -1)
    parts = [
        f"{value:.3g} at place {at}"
        for at, value in zip((75, 50, 25), told, strict=True)
        if np.isfinite(value)
    ]
    return f" · {name}: {', '.join(parts)}" if parts else ""


def _yardstick(result: SweepResult) -> str:
    """The meaning of a place, in words."""
    stops, metric = rung_epochs(result), result.summary.metric.replace("_", " ")
    if len(stops) < 2:
        return f"place: share of the others with a worse {metric}"
    return (
        f"place: share of the others that are worse, by the log loss after {stops[0]} epochs, which all have reached; "
        "those that went on are placed among themselves by what came later"
    )
