"""A pack of a person's own modules, run side by side by `torch.vmap`."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from classification_assets.learning.packed.networks.members import PackedNetwork
from classification_assets.learning.packed.torch_state import usual_defaults
from classification_assets.learning.seeds import OWN_LAYERS


class VmapNetwork(PackedNetwork):
    """A pack of a person's own modules, run side by side by `torch.vmap`. Shape: (K, N, D) to (K, N, C).

    Parameters
    ----------
    make : callable
        ``make(n_features, n_classes)`` gives a module that maps (N, D) to logits (N, C).
    seeds : sequence of int
        One module is made under each seed. Random layers draw from one stream for the whole pack: in training
        another part of it each call, in prediction always the same. PyTorch's generator, which they draw from, is
        the process's; afterwards it is where it was.
    """

    one_call_at_a_time = True  # the module that lends its code is shared

    def __init__(
        self, make: Callable[..., nn.Module], n_features: int, n_classes: int, seeds: Sequence[int]
    ) -> None:
        super().__init__()
        self._first_seed, self._calls = seeds[0], 0
        modules = [_made_under(seed, make, n_features, n_classes) for seed in seeds]
        # In a list, the module that lends its code is no submodule, and its own parameters are not ours.
        self._code = [copy.deepcopy(modules[0]).to("meta")]
        self._names: dict[str, str] = {}
        for module_state, register in (
            ([dict(module.named_parameters()) for module in modules], self._register_parameter),
            ([dict(module.named_buffers()) for module in modules], self.register_buffer),
        ):
            for name in module_state[0]:
                # No dot may be in a name, and an underscore would give two parameters one name.
                registered = name.replace(".", "/")
                self._names[name] = registered
                stacked = torch.stack([state[name].detach() for state in module_state])
                register(registered, stacked.requires_grad_(module_state[0][name].requires_grad))

    def _register_parameter(self, name: str, value: Tensor) -> None:
        self.register_parameter(name, nn.Parameter(value, requires_grad=value.requires_grad))

    def train(self, mode: bool = True) -> VmapNetwork:
        super().train(mode)
        self._code[0].train(mode)
        return self

    @contextmanager
    def own_stream(self, device: torch.device) -> Iterator[None]:
        if self.training:
            self._calls += 1
        call = self._calls if self.training else 0
        seed = np.random.SeedSequence([self._first_seed, OWN_LAYERS, call]).generate_state(1, np.uint64)
        with _generators_at(int(seed[0] >> 1), device):
            yield

    def forward(self, x: Tensor) -> Tensor:
        if torch.compiler.is_compiling():
            return self._forward(x)  # whoever compiles has entered the stream before
        with self.own_stream(x.device):
            return self._forward(x)

    def _forward(self, x: Tensor) -> Tensor:
        state = {name: getattr(self, registered) for name, registered in self._names.items()}

        def one(member: dict[str, Tensor], rows: Tensor) -> Tensor:
            return torch.func.functional_call(self._code[0], member, (rows,))

        return torch.vmap(one, randomness="different")(state, x)


def _made_under(seed: int, make: Callable[..., nn.Module], n_features: int, n_classes: int) -> nn.Module:
    with _generators_at(seed, torch.device("cpu")):
        return make(n_features, n_classes)


@contextmanager
def _generators_at(seed: int, device: torch.device) -> Iterator[None]:
    """PyTorch's generators at a seed, and afterwards where they were; one thread at a time, since all share them."""
    of_cuda = [device] if device.type == "cuda" else []
    with usual_defaults(device), torch.random.fork_rng(of_cuda):
        torch.default_generator.manual_seed(seed)
        for one in of_cuda:
            with torch.cuda.device(one):
                torch.cuda.manual_seed(seed)
        yield
