"""Two moons with names, and a classifier of them that is trained within a second."""

import numpy as np
import pandas as pd
from sklearn.datasets import make_moons

from classification_assets import NeuralClassifier

X, CODES = make_moons(240, noise=0.2, random_state=0)
y = np.array(["down", "up"])[CODES]
FRAME = pd.DataFrame(X, columns=["across", "along"])
QUICK = {"members": 3, "max_epochs": 12, "learning_rate": 0.05, "batch_size": 32, "random_state": 0}


def classifier(architecture="shallow_relu", **options):
    return NeuralClassifier(architecture, **QUICK | options)
