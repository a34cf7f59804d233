#!/usr/bin/env bash
# torch 2.13.0 on a CPU: `torch.nn.functional.gelu(x, out=view)` leaves `view` as it was where that is a strided view, and says nothing.
#
# Expected: as with `torch.exp` or the `out` variant of SiLU, the values are written through the view's strides.
# Real:     for float32 rows that oneDNN takes, nothing arrives in the view: all its values stay what they were before. With
#           oneDNN switched off, or in float64, or into a contiguous tensor, it is right.
# Source:   https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.gelu.html names no limit of layouts;
#           https://github.com/pytorch/pytorch/pull/58525 brought oneDNN's kernel to this function.
# Seen:     2.13.0+cpu: gelu 2048; silu 0; exp 0; gelu without oneDNN 0; gelu in float64 0
# Exit: 0 if that is still so, 1 if not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q 'torch==2.13.0' 'numpy==2.3.5'
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import sys

import torch
from torch.nn import functional as F


def not_written(function, dtype=torch.float32):
    x = torch.randn(2, 16, 64, dtype=dtype, generator=torch.Generator().manual_seed(0))
    rows = torch.full((2, 17, 64), 7.0, dtype=dtype)
    function(x, out=rows[:, :16])
    return int((rows[:, :16] == 7).sum())


found = {"gelu": not_written(F.gelu), "silu": not_written(torch.ops.aten.silu.out), "exp": not_written(torch.exp)}
with torch.backends.mkldnn.flags(enabled=False):
    found["gelu without oneDNN"] = not_written(F.gelu)
found["gelu in float64"] = not_written(F.gelu, torch.float64)
# Values that were not written.
print(f"{torch.__version__}:", "; ".join(f"{name} {count}" for name, count in found.items()))
sys.exit(0 if found.pop("gelu") == 2048 and not any(found.values()) else 1)
PYTHON
