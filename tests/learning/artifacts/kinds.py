"""Every kind of artifact, by the suffix of its file."""

import pytest

KINDS = {
    "table": ".parquet",
    "split": ".parquet",
    "evaluation": ".parquet",
    "board": ".parquet",
    "compared": ".parquet",
    "frame": ".parquet",
    "swept": ".parquet",
    "fitted": ".safetensors",
    "with_checkpoints": ".safetensors",
    "figure": ".png",
}

every_kind = pytest.mark.parametrize("kind", KINDS)

every_readable_kind = pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "figure"])
