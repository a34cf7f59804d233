"""A person's own class of network, of which `module.safetensors` holds weights."""

import torch
from torch import Tensor, nn


class OwnNetwork(nn.Module):
    def __init__(self, n_features: int, n_classes: int, width: int = 4) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(n_features, width), nn.Tanh(), nn.Linear(width, n_classes))

    def forward(self, x: Tensor) -> Tensor:
        return self.body(torch.as_tensor(x))
