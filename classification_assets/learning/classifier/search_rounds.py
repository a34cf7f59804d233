"""Rounds of a search: without halving there is one; with it, the best candidates of each go on to the next."""

from __future__ import annotations

from classification_assets.learning.classifier.search_candidates import Distributions, in_list


def epochs_of_rounds(
    most: int, halving: int | None, min_epochs: int, distributions: Distributions
) -> list[int]:
    """Epochs of each round, up to `most`; each has `halving` times those of the one before.

    Raises
    ------
    ValueError
        If there is nothing to halve, or the candidates have epochs of their own.
    """
    if halving is None:
        return [most]
    if halving < 2:
        raise ValueError(f"halving must be at least 2, or None, got {halving}")
    if not 1 <= min_epochs <= most:
        raise ValueError(
            f"min_epochs must be from 1 to the estimator's max_epochs ({most}), got {min_epochs}"
        )
    if any("max_epochs" in each for each in in_list(distributions)):
        raise ValueError("halving sets max_epochs itself; leave max_epochs out of param_distributions")
    rounds, epochs = [], min_epochs
    while epochs < most:
        rounds.append(epochs)
        epochs *= halving
    return [*rounds, most]
