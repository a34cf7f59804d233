"""A promotion of one small file, in a module that a process of its own imports in no time."""

from __future__ import annotations

from datetime import UTC, datetime

from classification_assets.learning.registry.change import changing
from classification_assets.learning.registry.records import Version
from classification_assets.learning.registry.registry import Registry


def promoted(registry: Registry, content: str = "a model", **told) -> int:
    """Promote a version of one small file."""
    with changing(registry) as change:
        staged = change.staged()
        (staged / "model.safetensors").write_text(content)
        number = change.next_number
        now = datetime.now(UTC)
        version = Version(
            number=number,
            experiment=registry.experiment,
            architecture="net",
            model_version=content,
            created=now,
            as_of=now,
            metric="log_loss",
        )
        change.promote(staged, version, {"promoted": True, "reason": "better"}, **told)
    return number
