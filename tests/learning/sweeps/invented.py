"""A sweep's result that nothing was trained for."""

import numpy as np
import pandas as pd

from classification_assets.learning.sweeps.result import HYPERPARAMETERS, Summary, SweepResult, Thumbnails


def invented(n: int = 12, failed: int = 1, metric: str = "log_loss") -> SweepResult:
    """A result of `n` configurations of a network each, of which the last ones have failed."""
    rng = np.random.default_rng(0)
    depth, width = rng.integers(1, 4, n), rng.choice([8, 16], n)
    score = rng.uniform(0.2, 0.6, n)
    state = np.where(np.arange(n) % 3 == 2, "dropped", "finished").astype(object)
    state[n - failed :], score[n - failed :] = "failed", np.nan
    networks = pd.DataFrame(
        {
            "configuration": np.arange(n),
            "seed": np.arange(n) + 100,
            "fold": np.zeros(n, int),
            "depth": depth,
            "width": width,
            "hidden": ["-".join([str(w)] * d) for d, w in zip(depth, width, strict=True)],
            "activation": rng.choice(["relu", "tanh"], n),
            "normalization": "none",
            "residual": False,
            "learning_rate": rng.uniform(0.001, 0.1, n),
            "weight_decay": 0.0001,
            "dropout": rng.uniform(0, 0.3, n),
            "label_smoothing": 0.0,
            "input_noise": 0.0,
            "mixup": 0.0,
            "batch_size": 64,
            "parameters": depth * width**2,
            "rung": rng.integers(0, 3, n),
            "epochs": rng.integers(5, 41, n),
            "state": state,
            "score": score,
            "log_loss": score,
            "accuracy": 1 - score / 2,
            "train_loss": score * 0.9,
            "seconds": rng.uniform(0.01, 0.02, n),
            "curve": [list(rng.uniform(0.2, 0.7, 1 + index % 4)) for index in range(n)],
        }
    )
    best = int(np.nanargmin(score))
    finalists = networks.iloc[[best]][["configuration", *HYPERPARAMETERS]].reset_index(drop=True)
    finalists = finalists.assign(
        first_score=score[best], score=score[best] + 0.01, standard_error=0.004, networks=4
    )
    winner = networks.iloc[best]
    summary = Summary(
        metric=metric,
        swept=("hidden", "activation", "learning_rate", "dropout"),
        winner=best,
        values={
            "hidden": [int(winner["width"])] * int(winner["depth"]),
            "activation": winner["activation"],
            "learning_rate": float(winner["learning_rate"]),
            "dropout": float(winner["dropout"]),
        },
        best_score=float(score[best]),
        corrected_score=float(score[best] + 0.012),
        optimism=0.012,
        final_score=float(score[best] + 0.01),
        final_error=0.004,
        n_configurations=n,
        n_networks=n + 4,
        n_dropped=int((state == "dropped").sum()),
        n_failed=failed,
        epochs=int(networks["epochs"].sum()),
        seconds=1.25,
        sampler="random",
        seed=0,
        max_epochs=40,
    )
    thumbnails = Thumbnails(
        depth=np.array([1, 2]),
        width=np.array([8, 16]),
        configuration=np.array([0, 1]),
        probabilities=rng.dirichlet([1, 1], (2, 5, 5)).astype(np.float16),
        extent=(-1.5, 2.5, -1.0, 1.5),
        features=("x1", "x2"),
        classes=("0", "1"),
    )
    return SweepResult(networks, finalists, summary, thumbnails)
