#!/usr/bin/env bash
# safetensors 0.8.0: the NumPy interface stores an array in column order as if its memory were in row order, without an error.
#
# Expected: `save(array)` and `load` give the same array back, whatever its memory layout is, as `numpy.save` does and as
#           safetensors 0.7.0 did.
# Real:     0.8.0 gives back the right shape with the numbers in the wrong places for a transposed or a Fortran-ordered array,
#           as scikit-learn's and SciPy's solvers give; nothing is raised. A C-ordered copy comes back right.
# Source:   https://github.com/safetensors/safetensors/issues/825 (open); the documentation asks for "contiguous and dense"
#           arrays, which a Fortran-ordered one is by NumPy's own flags, and the torch interface refuses what it cannot store.
# Seen:     0.8.0; transposed: DIFFERENT; Fortran order: DIFFERENT; C order: same
#           0.7.0; transposed: same; Fortran order: same; C order: same
# Exit: 0 if that is still so, 1 if not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
cat > "$folder/round_trip.py" <<'PYTHON'
import sys

import numpy as np
import safetensors
from safetensors.numpy import load, save

rows = np.arange(6, dtype=np.float32).reshape(2, 3)
layouts = {"transposed": rows.T, "Fortran order": np.asfortranarray(rows), "C order": rows}
kept = {}
for name, array in layouts.items():
    back = load(save({"array": array}))["array"]
    kept[name] = back.shape == array.shape and bool((back == array).all())
print(safetensors.__version__, *(f"{name}: {'same' if same else 'DIFFERENT'}" for name, same in kept.items()), sep="; ")
sys.exit(0 if list(kept.values()) == [sys.argv[1] == "right"] * 2 + [True] else 1)
PYTHON
for version_and_result in 0.8.0:wrong 0.7.0:right; do
  "$folder/venv/bin/pip" install -q "safetensors==${version_and_result%:*}" 'numpy==2.3.5'
  "$folder/venv/bin/python" "$folder/round_trip.py" "${version_and_result#*:}"
done
