"""A classifier's state as pickle, joblib and skops store it: its parameters, and its model as the bytes of a file.

A file of ours is the same for the same model, holds every number once and brings no code with it.
"""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from classification_assets.learning.artifacts.model_file import model_bytes, model_of_bytes
from classification_assets.learning.models.architectures import AnyArchitecture, Architecture

MODEL, CLASS, ARCHITECTURE = "fitted_", "network class", "architecture"

_DECLARED: TypeAdapter[AnyArchitecture] = TypeAdapter(AnyArchitecture)


def packed(state: dict[str, Any]) -> dict[str, Any]:
    """A classifier's attributes without an object of our own."""
    stored = dict(state)
    if MODEL in stored:
        fitted = stored[MODEL]
        stored[MODEL] = model_bytes(fitted)
        if fitted.module is not None:
            stored[CLASS] = fitted.module
    if isinstance(declared := stored.get(ARCHITECTURE), Architecture):
        stored[ARCHITECTURE] = declared.model_dump_json().encode()
    return stored


def unpacked(stored: dict[str, Any]) -> dict[str, Any]:
    """The attributes that `packed` was given; those of an earlier version's pickle as they are."""
    state = dict(stored)
    if isinstance(content := state.get(MODEL), bytes):
        state[MODEL] = model_of_bytes(content, state.pop(CLASS, None))
    if isinstance(declared := state.get(ARCHITECTURE), bytes):
        state[ARCHITECTURE] = _DECLARED.validate_json(declared)
    return state
