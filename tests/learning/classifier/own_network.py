"""A person's own network with a random layer."""

from torch import nn


class Dropping(nn.Sequential):
    """A hidden layer, half of which is dropped."""

    def __init__(self, n_features, n_classes, width=16):
        super().__init__(
            nn.Linear(n_features, width), nn.ReLU(), nn.Dropout(0.5), nn.Linear(width, n_classes)
        )
