"""Streams of random numbers: which number, beside its seed, tells one use of a member's seed from another.

Whoever draws from a seed mixes in a number of its own, so that no two uses share numbers. Layers are numbered from 0
by their depth; everything else stands here. Changing one of these numbers changes every result.
"""

from __future__ import annotations

ROW_ORDER, INPUT_NOISE, MIXUP = 2_000, 2_001, 2_002
"""Of a member: the order of its rows, its augmentations."""

TABULAR_START = 3_000
"""Of a member of the recipe for tables: its initial weights."""

INNER_FOLDS = 4_000
"""Of a training: which rows are in which inner fold."""

POOLS = 10_000
"""Of a member: pools of numbers, each at this number plus its own stream."""

MEMBERS_APART = 4096
"""Members of one training seed: seed s has the member seeds from s times this on."""
