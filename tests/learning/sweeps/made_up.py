"""A sweep of which it is known what decides: the learning rate most, the activation some, dropout nothing."""

import numpy as np
import pandas as pd

from classification_assets.learning.sweeps.result import HYPERPARAMETERS, Summary, SweepResult, Thumbnails

BEST_RATE = 0.03
RUNGS = (5, 15, 40)
SWEPT = ("depth", "width", "activation", "learning_rate", "dropout")


def made_up(
    n=200, *, rungs=RUNGS, swept=SWEPT, failing=0.5, metric="log_loss", classes=2, thumbnails=True, **columns
):
    """A sweep of `n` configurations, of which a third goes on at each rung; above a rate of `failing` they fail.

    `columns` replace what was drawn for a hyper-parameter.
    """
    rng = np.random.default_rng(n)
    drawn = {
        "depth": rng.integers(1, 4, n),
        "width": rng.choice([8, 16, 32], n),
        "activation": rng.choice(["relu", "tanh", "gelu"], n),
        "normalization": "none",
        "residual": False,
        "learning_rate": 10 ** rng.uniform(-3, 0, n),
        "weight_decay": 1e-4,
        "dropout": rng.uniform(0, 0.5, n),
        "label_smoothing": 0.0,
        "input_noise": 0.0,
        "mixup": 0.0,
        "batch_size": 64,
    } | columns
    frame = pd.DataFrame({"configuration": np.arange(n), "seed": np.arange(n) + 7, "fold": 0} | drawn)
    frame["hidden"] = ["-".join([str(w)] * d) for d, w in zip(frame["depth"], frame["width"], strict=True)]
    frame["parameters"] = frame["depth"] * frame["width"] ** 2
    final = (
        0.2 + 0.4 * np.log10(frame["learning_rate"] / BEST_RATE) ** 2 + 0.15 * (frame["activation"] == "tanh")
    )
    final = final.to_numpy() + rng.normal(0, 0.03, n) ** 2
    curves = final[:, None] + np.exp(-np.arange(1, rungs[-1] + 1) / 4)
    frame = _halved(frame, curves, rungs, (frame["learning_rate"] > failing).to_numpy(), metric)
    return _result(frame, metric, tuple(name for name in swept), classes, thumbnails, rungs)


def _halved(frame, curves, rungs, failed, metric):
    n = len(frame)
    epochs, rung, state = np.full(n, rungs[-1]), np.full(n, len(rungs) - 1), np.full(n, "finished", object)
    alive = np.flatnonzero(~failed)
    for level, stop in enumerate(rungs[:-1]):
        alive = alive[np.argsort(curves[alive, stop - 1], kind="stable")]
        dropped, alive = alive[-(-len(alive) // 3) :], alive[: -(-len(alive) // 3)]
        epochs[dropped], rung[dropped], state[dropped] = stop, level, "dropped"
    epochs[failed], rung[failed], state[failed] = 2, 0, "failed"
    last = np.where(failed, np.nan, curves[np.arange(n), epochs - 1])
    accuracy = 1 / (1 + last)
    return frame.assign(
        rung=rung,
        epochs=epochs,
        state=state,
        score=accuracy if metric == "accuracy" else last,
        log_loss=last,
        accuracy=accuracy,
        train_loss=0.9 * last,
        seconds=epochs * frame["parameters"] * 1e-6,
        curve=[curve[:stop].tolist() for curve, stop in zip(curves, epochs, strict=True)],
    )


def _result(frame, metric, swept, classes, thumbnails, rungs):
    finished = frame[frame["state"] == "finished"].sort_values("score", ascending=metric != "accuracy")
    best = finished.head(4)
    winner = int(best["configuration"].iloc[0]) if len(best) else 0
    score = float(best["score"].iloc[0]) if len(best) else float("nan")
    finalists = best[["configuration", *HYPERPARAMETERS]].assign(
        first_score=best["score"], score=best["score"] + 0.01, standard_error=0.003, networks=4
    )
    counts = frame["state"].value_counts()
    summary = Summary(
        metric=metric,
        swept=swept,
        winner=winner,
        values=frame.loc[winner, list(swept)].to_dict(),
        best_score=score,
        corrected_score=score + 0.01,
        optimism=0.01,
        final_score=score + 0.01,
        final_error=0.003,
        n_configurations=len(frame),
        n_networks=len(frame) + 16,
        n_dropped=int(counts.get("dropped", 0)),
        n_failed=int(counts.get("failed", 0)),
        epochs=int(frame["epochs"].sum()),
        seconds=1.5,
        sampler="random",
        seed=0,
        max_epochs=rungs[-1],
    )
    pictures = _thumbnails(finished, classes) if thumbnails and len(finished) else None
    return SweepResult(frame, finalists, summary, pictures)


def _thumbnails(finished, classes, side=17):
    best = finished.groupby(["depth", "width"], sort=True).first().reset_index()
    x, y = np.meshgrid(np.linspace(-2, 2, side), np.linspace(-2, 2, side))
    angle = 2 * np.pi * np.arange(classes) / classes
    score = best["depth"].to_numpy()[:, None, None, None] * (
        x[..., None] * np.cos(angle) + y[..., None] * np.sin(angle)
    )
    share = np.exp(score - score.max(-1, keepdims=True))
    return Thumbnails(
        depth=best["depth"].to_numpy(),
        width=best["width"].to_numpy(),
        configuration=best["configuration"].to_numpy(),
        probabilities=(share / share.sum(-1, keepdims=True)).astype(np.float16),
        extent=(-2.0, 2.0, -2.0, 2.0),
        features=("x1", "x2"),
        classes=tuple(f"class {c}" for c in range(classes)),
    )
