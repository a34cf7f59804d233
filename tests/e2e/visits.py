"""A table of visits, made up, that grows, becomes cleaner, or is of older patients; and its delivery."""

import os
import time
from pathlib import Path

import numpy as np
import pandas as pd


def visits(n: int, seed: int = 0, noise: float = 1.5, shift: float = 0.0) -> pd.DataFrame:
    """The first `n` of a growing table of visits: the same ids are the same rows."""
    rng = np.random.default_rng(seed)
    age, dose = rng.normal(50, 12, 5000), rng.normal(0, 1, 5000)
    ill = (age - 50) / 12 + dose + noise * rng.normal(size=5000) > 0
    frame = pd.DataFrame({"visit": np.arange(5000), "age": age + shift, "dose": dose}).round(4)
    return frame.assign(outcome=np.where(ill, "ill", "well")).head(n)


def deliver(frame: pd.DataFrame, file: Path, age: float = 0) -> None:
    """Put a whole file, which was complete some seconds ago, in the place of the last one."""
    partial = file.with_name(f".{file.name}")
    frame.to_csv(partial, index=False)
    os.utime(partial, (time.time() - age,) * 2)
    os.replace(partial, file)
