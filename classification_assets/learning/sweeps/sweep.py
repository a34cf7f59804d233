"""Sweep: how many configurations of a space are tried, how they are chosen and judged. Light to import."""

from __future__ import annotations

from itertools import islice
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from classification_assets.learning.declaration import Declaration, Seed, field_error
from classification_assets.learning.evaluation.bounds import Metric
from classification_assets.learning.models.architectures import MLP, SHIPPED
from classification_assets.learning.sweeps.space import OF_HIDDEN_LAYERS, Range, Space

Sampler = Literal["random", "grid", "tpe", "gp"]


_MOST_COUNTED = 1_000_000
"""Configurations of a grid that a message counts."""


def _shipped_by_name(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if value not in SHIPPED:
        raise ValueError(
            f"must be one of {', '.join(SHIPPED)}, or a declaration such as {{hidden: [32, 32], activation: gelu}}, "
            f"got {value!r}"
        )
    return SHIPPED[value]


class Sweep(Declaration):
    """A search over hyper-parameters, trained in packs."""

    space: Space = Field(description="Hyper-parameters and their values: {depth: [1, 2], width: [8, 32]}.")
    architecture: Annotated[
        MLP, BeforeValidator(_shipped_by_name, json_schema_input_type=Literal[*SHIPPED] | MLP)
    ] = Field(
        MLP(),
        description="What is not searched: a shipped architecture such as regularized, or a declaration such as "
        "{hidden: [32, 32], activation: gelu}.",
    )
    sampler: Sampler = Field(
        "random",
        description="random, grid (every combination), or Optuna's tpe or gp (extra `sweep`), which learn from scores "
        "and take time themselves: some 5 ms and half a second for each configuration.",
    )
    networks: int = Field(64, ge=1, le=1_000_000, description="Networks to train, at most.")
    seconds: float | None = Field(None, gt=0, description="Seconds after which no more are begun.")
    seeds: int = Field(
        1,
        ge=1,
        le=64,
        description="Networks a configuration, which differ by their seeds; the mean of their probabilities is judged.",
    )
    folds: int = Field(
        1,
        ge=1,
        le=20,
        description="1: the split's validation fold judges; k: cross-validation of the rows of both folds.",
    )
    metric: Metric | None = Field(None, description="What judges; null is the experiment's metric.")
    max_epochs: int = Field(40, ge=1, description="Epochs of a network that is not dropped.")
    halving: int | None = Field(
        3,
        ge=2,
        description="One in so many goes on to so many times the epochs (ASHA); null: all train to their end.",
    )
    first_epochs: int = Field(5, ge=1, description="Epochs before the first are dropped.")
    finalists: int = Field(
        4, ge=1, le=64, description="Best configurations that are trained again with new seeds."
    )
    repeats: int = Field(4, ge=1, le=64, description="Networks for each finalist.")
    seed: Seed = Field(0, description="The same seed draws and trains the same.")

    @model_validator(mode="before")
    @classmethod
    def _reads_well(cls, value: Any) -> Any:
        # Where the words of pydantic are those of a program.
        if not isinstance(value, dict):
            return value
        space = value.get("space", {})
        if not isinstance(space, dict | Space):
            message = f"must be hyper-parameters and their values, as in {{width: [8, 32]}}, got {space!r}"
            raise field_error(cls, "space", message, space)
        if "space" in value and not space:
            raise field_error(cls, "space", "at least one hyper-parameter is needed, got none", {})
        for name, given in value.items():
            if isinstance(given, bool) and name in cls.model_fields:
                raise field_error(cls, name, f"must be a number or a word, got {given}", given)
        return value

    @model_validator(mode="after")
    def _fits_its_budget(self) -> Sweep:
        least = self.networks_each
        if self.networks < least:
            raise field_error(
                type(self),
                "networks",
                f"one configuration takes {least} networks (seeds × folds), got a budget of {self.networks}",
                self.networks,
            )
        if self.halving is not None and self.first_epochs > self.max_epochs:
            raise field_error(
                type(self),
                "first_epochs",
                f"must not be above max_epochs ({self.max_epochs}), got {self.first_epochs}",
                self.first_epochs,
            )
        if isinstance(self.architecture.dropout, tuple):
            message = f"dropout must be one number, got {list(self.architecture.dropout)}"
            raise field_error(type(self), "architecture", message, self.architecture)
        self._check_shapes()
        self._check_uses()
        if self.sampler == "grid":
            self._check_grid()
        return self

    @property
    def networks_each(self) -> int:
        """Networks of a configuration: one a seed and fold."""
        return self.seeds * self.folds

    @property
    def configurations(self) -> int:
        """Configurations that are tried, at most."""
        return self.networks // self.networks_each

    @property
    def rungs(self) -> tuple[int, ...]:
        """The epochs after which a configuration is judged, the last of them `max_epochs`."""
        if self.halving is None:
            return (self.max_epochs,)
        rungs, epochs = [], self.first_epochs
        while epochs < self.max_epochs:
            rungs.append(epochs)
            epochs *= self.halving
        return (*rungs, self.max_epochs)

    @property
    def planned_epochs(self) -> int:
        """Epochs of all networks, if every rung is reached by as many as halving lets go on."""
        networks, before, epochs = self.configurations * self.networks_each, 0, 0.0
        for rung, until in enumerate(self.rungs):
            epochs += networks / (self.halving or 1) ** rung * (until - before)
            before = until
        return round(epochs) + self.finalists * self.repeats * self.folds * self.max_epochs

    def _check_shapes(self) -> None:
        """Refuse layers of different widths where each is to be added to its input."""
        searched = self.space.parameters()
        residual = searched.get("residual")
        if "depth" in searched or "width" in searched:
            return  # all layers of one width
        shapes = searched["hidden"].extremes() if "hidden" in searched else (self.architecture.hidden,)
        if residual is None:
            added = shapes if self.architecture.residual else ()
        else:
            added = residual.when.get("hidden", shapes) if True in residual.extremes() else ()
        for shape in added:
            if isinstance(shape, tuple) and len(set(shape)) > 1:
                raise field_error(
                    type(self),
                    "space",
                    f"residual needs hidden layers of one width, got hidden {list(shape)}; leave one "
                    "out, or say with which it goes: residual: {choices: [true, false], when: {hidden: [...]}}",
                    self.space,
                )

    def _check_uses(self) -> None:
        """Refuse to search what no network of the sweep has, since none has a hidden layer."""
        searched = self.space.parameters()
        if any(parameter.when for name, parameter in searched.items() if name in ("depth", "hidden")):
            return  # without them the architecture's own stand
        if "hidden" in searched:
            layers = any(searched["hidden"].extremes())
        elif "depth" in searched:
            layers = any(searched["depth"].extremes())
        else:
            layers = "width" in searched or bool(self.architecture.hidden)
        for name in () if layers else OF_HIDDEN_LAYERS:
            if name in searched and len(searched[name].extremes()) > 1:
                raise field_error(
                    type(self),
                    "space",
                    f"no network of this sweep has a hidden layer, and without one {name} has no use; leave it out, or "
                    "give them some: depth: [1, 2]",
                    searched[name],
                    within=name,
                )

    def _check_grid(self) -> None:
        for name, parameter in self.space.parameters().items():
            if isinstance(parameter, Range) and parameter.steps is None:
                raise field_error(
                    type(self),
                    "space",
                    f"a grid needs a list of values, or steps: {{low: {parameter.low:g}, high: {parameter.high:g}, "
                    "steps: 5}, got a range without steps",
                    parameter,
                    within=name,
                )
        if any(True for _ in islice(self.space.combinations(), self.configurations, None)):
            found = sum(1 for _ in islice(self.space.combinations(), _MOST_COUNTED))
            more = " or more" if found == _MOST_COUNTED else ""
            raise field_error(
                type(self),
                "networks",
                f"the grid has {found} configurations{more}, which take {found * self.networks_each} networks, "
                f"got {self.networks}",
                self.networks,
            )
