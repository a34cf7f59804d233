"""What a small training imports: each library is a part of the wait after a click."""

import subprocess
import sys

TRAINED = """
import sys
import numpy as np
from upath import UPath
from classification_assets.learning.artifacts import storage
from classification_assets.learning.figures import displays
from classification_assets.learning.models.architectures import SHIPPED
from classification_assets.learning.models.fit import fit
from classification_assets.learning.packed.options import Training
from classification_assets.learning.preparation.split import Split

x = np.random.default_rng(0).normal(size=200)
X, fold = np.column_stack([x, x**2]).astype(np.float32), (np.arange(200) % 3).astype(np.int8)
split = Split.of_arrays(X, (x > 0).astype(int), fold, names=["x1", "x2"])
fitted = fit(SHIPPED["linear"], split, Training(members=2, max_epochs=2))
storage.stage(fitted, UPath(sys.argv[1])).publish()
displays.training_curves(fitted, "moons").savefig(sys.argv[1] + ".png")
print([name for name in ("scipy.stats", "scipy.ndimage", "sklearn", "narwhals") if name in sys.modules])
"""


def test_training_storing_and_drawing_a_small_network_waits_for_no_statistics(tmp_path):
    command = [sys.executable, "-c", TRAINED, str(tmp_path / "model.safetensors")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() == "[]"
