"""Who was champion when, and what was refused why: the log and the versions as tables, for reading."""

from __future__ import annotations

import pandas as pd

from classification_assets.learning.registry.registry import Registry


def decisions(registry: Registry) -> pd.DataFrame:
    """A row an entry of the log, the newest first."""
    rows = [
        {
            "time (UTC)": f"{entry.time:%Y-%m-%d %H:%M}",
            "decision": entry.action,
            "champion": "" if entry.champion is None else f"v{entry.champion:04d}",
            "reason": entry.reason,
            "architecture": entry.architecture,
            "ground": str(entry.decision.get("ground", "by hand")),
            "by": entry.by,
            "run": entry.run[:8],
        }
        for entry in reversed(registry.entries())
    ]
    columns = ["time (UTC)", "decision", "champion", "reason", "architecture", "ground", "by", "run"]
    return pd.DataFrame(rows, columns=columns)


def versions(registry: Registry) -> pd.DataFrame:
    """A row a version that is kept, the newest first."""
    pointer = registry.pointer()
    rows = [
        {
            "version": version.name,
            "champion": pointer is not None and version.number == pointer.version,
            "pinned": pointer is not None and version.number in pointer.pinned,
            "architecture": version.architecture,
            "as of": f"{version.as_of:%Y-%m-%d %H:%M}",
            **{
                name: version.scores[name]
                for name in ("log_loss", "accuracy", "macro_f1")
                if name in version.scores
            },
            "run": version.run[:8],
            "model": version.model_version[:12],
            "data": version.data_version[:12],
        }
        for version in reversed(registry.versions())
    ]
    columns = ["version", "champion", "pinned", "architecture", "as of", "log_loss", "accuracy", "macro_f1"]
    return pd.DataFrame(rows, columns=[*columns, "run", "model", "data"])
