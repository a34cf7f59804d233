"""What a small training imports: each library is a part of the wait after a click."""

import subprocess
import sys

TRAINED = """
import sys
from upath import UPath
from classification_assets.learning.artifacts import storage
from classification_assets.learning.figures import displays
from classification_assets.learning.models.architectures import SHIPPED
from classification_assets.learning.models.fit import fit
from classification_assets.learning.packed.options import Training
from classification_assets.learning.preparation.folds import Folds
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.tables.datasets import Moons
from classification_assets.learning.tables.table import Table

split = Split.of(Table.of(Moons(n_samples=200, noise=0.2)), Folds())
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
