"""A frame with a column of every kind, and what is learned of its rows."""

import numpy as np
import pandas as pd

from classification_assets.learning.preparation.preprocessing import Preprocessing
from classification_assets.learning.tables.rows import MemoryRows

TOWNS = ["Oslo", "Bergen", "Oslo", "Tromsø", "Oslo", "Bergen"]

FRAME = pd.DataFrame(
    {
        "age": [30.0, 40.0, None, 50.0, 60.0, 20.0],
        "town": TOWNS,
        "member": pd.array([True, False, None, True, True, False], dtype="boolean"),
        "since": pd.to_datetime(["2001-01-01", "2002-07-01", "2003-01-01", None, "2010-03-04", "2000-01-01"]),
    }
)


def learned(frame, kinds=None, training=None):
    training = np.ones(len(frame), bool) if training is None else np.asarray(training)
    return Preprocessing.fit_table(MemoryRows.of(frame), list(frame.columns), training, kinds)


def by_name(preprocessing, X):
    return dict(zip(preprocessing.arithmetic.names, preprocessing.features(X).T, strict=True))
