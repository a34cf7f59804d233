"""A small experiment for processes of their own, its assets, and whether all that they have stored is whole."""

from __future__ import annotations

from pathlib import Path

from upath import UPath

from classification_assets.learning.artifacts import storage
from classification_assets.learning.registry.registry import Registry

SMALL = {
    "dataset": {"kind": "moons", "n_samples": 400, "noise": 0.2},
    "training": {"members": 4, "max_epochs": 60, "learning_rate": 0.03},
    "architectures": ["linear", {"name": "narrow", "hidden": [16]}],
}
ASSETS = [
    "small/dataset",
    "small/split",
    *(
        f"small/{name}/{kind}"
        for name in ("linear", "narrow")
        for kind in ("model", "evaluation", "surface", "boundary", "evolution")
    ),
    "small/leaderboard",
    "small/champion",
    "small/report",
]


def refuse_half_written(root: Path) -> None:
    """All that is stored can be read, and the champion is whole."""
    for path in root.rglob("*"):
        if path.suffix in (".parquet", ".safetensors", ".png") and not path.name.startswith(".partial-"):
            storage.load(path)
        if path.suffix == ".html":
            assert path.read_text().rstrip().endswith("</html>")
    registry = Registry(UPath(root), "small")
    version = registry.champion()
    for name in version.files:
        registry.file(version.number, name)
