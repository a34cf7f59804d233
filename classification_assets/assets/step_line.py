"""One line a finished step, for whoever watches the terminal: how many are done, what it was, and what it found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

FINDINGS = ("result", "reason", "drift in words")
"""Entries of the metadata that say in words what came out."""


def step_line(
    context: dg.AssetExecutionContext, name: str, seconds: float, metadata: Mapping[str, Any]
) -> str:
    """The line about a step that is about to finish, such as ``[12 of 97] moons/linear/model, 1.2 s: …``."""
    run = context.run
    steps = len(run.step_keys_to_execute or run.asset_selection or ())
    done = context.instance.get_run_stats(run.run_id).steps_succeeded + 1
    # Steps that run side by side may finish at the same time.
    counted = f"[{min(done, steps)} of {steps}] " if steps else ""
    found = [str(metadata[key].value) for key in FINDINGS if key in metadata]
    line = f"{counted}{name}, {seconds:.1f} s" + (f": {found[0]}" if found else "")
    # Once a run, whose steps may be executed in processes of their own.
    return f"{line}\nartifacts are stored in {context.resources.artifacts.root}" if done == 1 else line
