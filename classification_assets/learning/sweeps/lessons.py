"""Lessons of a sweep in words: what matters, what does not, and what cannot be told."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from classification_assets.learning.sweeps.axes import ALL_ROWS, axes
from classification_assets.learning.sweeps.importance import FEWEST, Effect, Importance, importance
from classification_assets.learning.sweeps.places import failures
from classification_assets.learning.sweeps.result import SweepResult

LITTLE = 0.05
"""Share of the differences below which a hyper-parameter is not worth a number of its own."""

FEW = 3
"""Failures below which no reason is looked for."""

CLEAR = 0.5
"""By how much the share of the failed beyond a value must be above that of the others for it to be said."""


def lessons(result: SweepResult) -> list[str]:
    """Sentences about what a sweep has taught, the most useful first; there is always one.

    A hyper-parameter matters if the interval of its share of the differences lies above 0, see `importance`. In 1,888
    made-up sweeps of 32 to 1,000 configurations, in which one or none of six hyper-parameters made a difference, 5 of
    10,386 that made none were said to matter; the one was found in each sweep of 64 or more, and in 97 % of those of
    32.
    """
    return [*_what_matters(result, importance(result)), *_failures(result)]


def best_values(effect: Effect) -> str:
    """Values of a hyper-parameter that cannot be told apart from its best one, in words; empty if that is all."""
    axis, best = effect.axis, effect.best
    if best.all():
        return ""
    if not axis.ordered:
        order = np.argsort(-effect.place, kind="stable")
        return _or([axis.said(effect.grid[index]) for index in order if best[index]])
    top = int(effect.place.argmax())
    first = last = top
    while first > 0 and best[first - 1]:
        first -= 1
    while last < len(best) - 1 and best[last + 1]:
        last += 1
    low, high = axis.said(effect.grid[first]), axis.said(effect.grid[last])
    if axis.levels:
        words = low if first == last else f"from {low} to {high}"
    elif first == 0:
        words = f"up to {high}"
    elif last == len(best) - 1:
        words = f"from {low} on"
    else:
        words = f"near {low}" if first == last else f"between {low} and {high}"
    return f"{words}, at the edge of what was tried" if _at_edge(effect, first, last) else words


def _at_edge(effect: Effect, first: int, last: int) -> bool:
    """Whether there may be something better beyond the values that were tried: below 0 there is nothing."""
    grid, axis = effect.grid, effect.axis
    from_zero = axis.levels[0] == "0" if axis.levels else not axis.log and grid[0] < 0.05 * grid[-1]
    to_all = bool(axis.levels) and axis.levels[-1] == ALL_ROWS
    return (last == len(grid) - 1 and not to_all) or (first == 0 and not from_zero)


def _what_matters(result: SweepResult, found: Importance | None) -> list[str]:
    n = len(result.configurations())
    if found is None:
        if not axes(result):
            return ["All configurations have the same values, so nothing can be told of what matters."]
        if failures(result.configurations()).all():
            return [f"All {n:,} configurations failed, so nothing can be told of what matters."]
        if n < FEWEST:
            return [f"{n:,} configurations are too few to tell what matters: at least {FEWEST} are needed."]
        return [f"All {n:,} configurations are equally good, so no hyper-parameter makes a difference."]
    sentences, named = [], []
    ranked = list(zip(found.effects, found.share, found.low, found.high, found.matters, strict=True))
    large = [own for own in ranked if own[4] and own[1] >= LITTLE]
    # One of which nothing is shown may decide more.
    most = " decides most" if found.matters[0] else " makes a difference"
    for position, (effect, share, low, high, _) in enumerate(large):
        much = f"{_percent(share)} of the differences, " if not position else f"{_percent(share)}, "
        verb = most if not position else ""
        best = best_values(effect)
        named.append(
            f"{effect.axis.name}{verb} ({much}{_above_0(100 * low)} to {_percent(high)})"
            + (f", best on average {best}" if best else "")
        )
    if named:
        sentences.append("; then ".join(named) + ".")
    if little := [own[0].axis.name for own in ranked if own[4] and own[1] < LITTLE]:
        less, each = ("decides less", "") if len(little) == 1 else ("decide less", " each")
        sentences.append(f"{_and(little)} {less} than {_percent(LITTLE)}{each}.")
    if none := [own[0].axis.name for own in ranked if not own[4]]:
        make = "makes" if len(none) == 1 else "make"
        sentences.append(f"{_and(none)} {make} no difference that {n:,} configurations can show.")
    return sentences


def _failures(result: SweepResult) -> list[str]:
    """How many failed, and from which value of which hyper-parameter on."""
    failed = failures(result.configurations())
    n = int(failed.sum())
    if not n or n == len(failed):
        return []
    told = f"{n:,} of {len(failed):,} configurations failed"
    clearest, words = CLEAR, ""
    for axis in axes(result):
        for side, beyond in ((1, "above"), (-1, "below")) if axis.ordered and n >= FEW else ():
            position = np.where(axis.used, side * axis.position, -np.inf)
            for bound in np.unique(position[failed & axis.used]):
                inside = position >= bound
                # Youden's index: one bound that tells the failed from the others.
                apart = float(inside[failed].mean() - inside[~failed].mean())
                if apart > clearest:
                    clearest, count = apart, int((failed & inside).sum())
                    value = axis.said(side * bound)
                    some = f"{count:,}" if count < n else "all"
                    words = f", {some} of them with {axis.name} {value} or {beyond}"
    return [f"{told}{words}."]


def _above_0(percent: float) -> str:
    # The lower end of what matters is above 0: one written as 0 would say the opposite.
    return f"{percent:.0f}" if percent >= 0.5 else f"{max(percent, 0.01):.1g}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _and(names: Sequence[str], last: str = "and") -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {last} {names[-1]}"


def _or(names: Sequence[str]) -> str:
    return _and(names, "or")
