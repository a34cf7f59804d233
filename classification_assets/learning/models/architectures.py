"""Declarations of networks and of their training, as a person writes them. Light to import."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    PrivateAttr,
    Tag,
    field_serializer,
    model_validator,
)

from classification_assets.learning.declaration import (
    Declaration,
    ImportPath,
    Name,
    field_error,
    imported,
)
from classification_assets.learning.device import DeviceName
from classification_assets.learning.packed.options import Rate, Training, check_one_a_member

if TYPE_CHECKING:
    from torch import nn

    from classification_assets.learning.packed.networks.members import PackedNetwork
    from classification_assets.learning.packed.networks.tabular import PackedTabular

Activation = Literal["relu", "leaky_relu", "gelu", "silu", "tanh"]
Normalization = Literal["none", "batch", "layer"]


class Architecture(Declaration):
    """Base of the kinds of architecture. A new kind is one more class with `build`, named in `AnyArchitecture`."""

    ignores: ClassVar[frozenset[str]] = frozenset()
    """Fields of `Training` that have no effect on it."""

    keeps_snapshots: ClassVar[bool] = True
    """True if some snapshots of its training are kept."""

    learns_from_validation: ClassVar[bool] = False
    """True if the validation fold's rows are trained on; then only their out-of-fold probabilities are honest."""

    name: Name = Field("network", description="Its name in asset keys, tables and figures.")
    device: DeviceName = Field(
        "auto", description="Where it trains; auto leaves the choice to the experiment."
    )
    training: Training = Field(
        Training(), description="Training options that this architecture sets otherwise than the experiment."
    )

    @field_serializer("training")
    def _own_options(self, training: Training) -> dict[str, Any]:
        # Only what is set here: a default that came back from a file would count as this architecture's choice.
        return training.model_dump(exclude_unset=True)

    def trained_with(self, training: Training) -> Training:
        """The experiment's training options with those that this architecture sets on top."""
        declared = {name: getattr(self.training, name) for name in self.training.model_fields_set}
        return training.replaced(**{"members": training.members} | declared)

    def of_members(self, members: Sequence[int]) -> Self:
        """The same for some of the members; where there is one number a member, theirs."""
        return self

    def network_class(self) -> Callable[..., nn.Module] | None:
        """A person's own class of network; None where the network is ours."""
        return None

    def build(self, n_features: int, n_classes: int, seeds: Sequence[int]) -> PackedNetwork:
        """The packed, untrained network: (K, N, D) to logits (K, N, C), K the number of seeds."""
        raise NotImplementedError(f"{type(self).__name__} must say how it is built")


class MLP(Architecture):
    """A multi-layer perceptron of any depth and width."""

    kind: Literal["mlp"] = "mlp"
    hidden: tuple[Annotated[int, Field(ge=1, le=65536)], ...] = Field(
        (16, 16), max_length=1000, description="Units of each hidden layer; empty is a linear model."
    )
    activation: Activation = Field("relu", description="The non-linearity after each hidden layer.")
    dropout: Rate = Field(0.0, description="Share of hidden units dropped in a training step.")
    normalization: Normalization = Field("none", description="Normalization before each activation.")
    residual: bool = Field(False, description="Each hidden layer after the first is added to its input.")

    @model_validator(mode="after")
    def _residual_widths(self) -> MLP:
        if self.residual and len(set(self.hidden)) > 1:
            message = f"residual needs hidden layers of one width, got {list(self.hidden)}"
            raise field_error(type(self), "hidden", message, self.hidden)
        return self

    def n_weights(self, n_features: int, n_classes: int) -> int:
        """Numbers in the matrices of one network, without its biases: multiplications of a forward pass over a row."""
        return sum(into * out for into, out in pairwise((n_features, *self.hidden, n_classes)))

    def trained_with(self, training: Training) -> Training:
        used = super().trained_with(training)
        check_one_a_member(self, "dropout", used.members)
        return used

    def of_members(self, members: Sequence[int]) -> Self:
        if not isinstance(self.dropout, tuple):
            return self
        return self.replaced(dropout=tuple(self.dropout[member] for member in members))

    def build(self, n_features: int, n_classes: int, seeds: Sequence[int]) -> PackedNetwork:
        from classification_assets.learning.packed.networks.layers import PackedMLP

        return PackedMLP(
            n_features,
            n_classes,
            seeds,
            hidden=self.hidden,
            activation=self.activation,
            dropout=self.dropout,
            normalization=self.normalization,
            residual=self.residual,
        )


class Module(Architecture):
    """A person's own `torch.nn.Module`, by its import path; it needs no knowledge of packs.

    Called as ``Class(n_features, n_classes, **arguments)``; maps (N, D) to logits (N, C). Its random layers
    draw from one stream for the whole pack, begun by its first seed: only the same pack gives the same numbers again.
    """

    kind: Literal["module"]
    path: ImportPath = Field(description="Where the class is: package.module:Class.")
    arguments: dict[str, Any] = Field(default_factory=dict, description="Keyword arguments of the class.")
    _class: Callable[..., nn.Module] | None = PrivateAttr(None)

    @classmethod
    def of_class(cls, network: Callable[..., nn.Module]) -> Self:
        """The declaration of a class at hand, or of a `functools.partial` of one, which need not be importable."""
        given, arguments = network, {}
        if isinstance(network, partial) and not network.args and _is_json(network.keywords):
            given, arguments = network.func, network.keywords
        name = getattr(given, "__name__", "")
        path = f"{getattr(given, '__module__', '__main__')}:{name if name.isidentifier() else 'network'}"
        declared = cls(kind="module", path=path, arguments=arguments)
        declared._class = given
        return declared

    def network_class(self) -> Callable[..., nn.Module]:
        """The class that `path` names.

        Raises
        ------
        ValueError
            If the module cannot be imported or holds no such class.
        """
        return self._class or imported(self.path, f"architecture {self.name}")

    def build(self, n_features: int, n_classes: int, seeds: Sequence[int]) -> PackedNetwork:
        from classification_assets.learning.packed.networks.vmap import VmapNetwork

        return VmapNetwork(partial(self.network_class(), **self.arguments), n_features, n_classes, seeds)


class Tabular(Architecture):
    """The default for tables: networks of several kinds, inner folds and checkpoints, chosen and calibrated.

    It learns from the training and the validation fold by inner folds of its own, and its numbers of networks,
    steps and rows a mini-batch follow the table. Of the training options it takes `seed`, `learning_rate` if
    that is not the default, `weight_decay`, `input_noise`, `mixup`, `precision` and `compile`; it has no use for
    `members`, `max_epochs`, `batch_size`, `schedule`, `early_stopping`, `patience` and `label_smoothing`.
    """

    ignores: ClassVar[frozenset[str]] = frozenset(
        {
            "members",
            "max_epochs",
            "batch_size",
            "schedule",
            "early_stopping",
            "patience",
            "label_smoothing",
        }
    )
    keeps_snapshots: ClassVar[bool] = False
    learns_from_validation: ClassVar[bool] = True

    kind: Literal["tabular"]
    class_weight: Literal["none", "balanced"] = Field(
        "none",
        description="balanced: every class counts alike, in training as in the probabilities, whatever its rows.",
    )
    width: int | None = Field(
        None,
        ge=1,
        le=4096,
        description="Units of each hidden layer, and waves up to 64; null follows the number of rows.",
    )

    def trained_with(self, training: Training) -> Training:
        used = super().trained_with(training)
        for name in ("learning_rate", "weight_decay", "input_noise", "mixup"):
            if isinstance(value := getattr(used, name), tuple):
                message = f"must be one number for {self.name}, which has members of its own, got {value}"
                raise field_error(type(used), name, message, value)
        return used

    def build(self, n_features: int, n_classes: int, seeds: Sequence[int]) -> PackedTabular:
        from classification_assets.learning.packed.networks.tabular import PackedTabular

        width = self.width or 64
        return PackedTabular(n_features, n_classes, seeds, hidden=width, waves=min(width, 64))


SHIPPED: dict[str, MLP] = {
    architecture.name: architecture
    for architecture in (
        MLP(name="linear", hidden=()),
        MLP(name="shallow_relu", hidden=(8, 8)),
        MLP(name="deep_relu", hidden=(64, 64, 64)),
        MLP(name="deep_tanh", hidden=(64, 64, 64), activation="tanh"),
        MLP(
            name="regularized",
            hidden=(64, 64, 64),
            dropout=0.1,
            training=Training(weight_decay=0.05, input_noise=0.15, label_smoothing=0.05),
        ),
    )
}
"""The architectures that an experiment tries unless it names some, in the order in which they are shown."""

NAMED: dict[str, Architecture] = {**SHIPPED, "tabular": Tabular(name="tabular", kind="tabular")}
"""The architectures that can be named without being declared."""


def _is_json(value: Any) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return True


def _kind(value: Any) -> str | None:
    return value.get("kind", "mlp") if isinstance(value, dict) else getattr(value, "kind", None)


def _shipped_by_name(value: Any) -> Any:
    if isinstance(value, dict | Architecture):
        return value
    if not isinstance(value, str):
        raise ValueError(f"an architecture is a shipped one's name or a declaration, got {value!r}")
    if value not in NAMED:
        raise ValueError(
            f"unknown architecture {value!r}; shipped are {', '.join(NAMED)}; "
            "any other is declared: {name: ..., hidden: [...], activation: ...}"
        )
    return NAMED[value]


KINDS = ("mlp", "module", "tabular")
"""The kinds of architecture."""

AnyArchitecture = Annotated[
    Annotated[MLP, Tag("mlp")] | Annotated[Module, Tag("module")] | Annotated[Tabular, Tag("tabular")],
    Discriminator(_kind),
]
"""One of the kinds of architecture, told apart by `kind` (default: mlp)."""

ArchitectureChoice = Annotated[
    AnyArchitecture,
    BeforeValidator(_shipped_by_name, json_schema_input_type=str | AnyArchitecture),
]
"""A shipped architecture by its name, or a declaration."""
