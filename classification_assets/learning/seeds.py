"""Streams of random numbers: the numbers that are mixed into a seed so that no two uses of it share random numbers.

Layers are numbered from 0 by their depth; every other stream stands here. Changing one of these numbers changes every
result.
"""

from __future__ import annotations

ROW_ORDER, INPUT_NOISE, MIXUP = 2_000, 2_001, 2_002
"""A member's order of rows, and its augmentations."""

TABULAR_START = 3_000
"""A member's initial weights in the recipe for tables."""

INNER_FOLDS = 4_000
"""A training's inner folds."""

OWN_LAYERS = 5_000
"""The random layers of a pack of a person's own modules, call by call."""

POOLS = 10_000
"""A member's pools of random numbers: this number plus the stream of each pool."""

MEMBERS_APART = 4096
"""Member seeds set aside for each training seed: those of seed s count on from s times this number."""

DRAWN, SWEPT, SELECTED = 6_000, 6_001, 6_002
"""A sweep's configurations, the seeds of its networks, and its resamples."""
