"""A large test fold: how time and memory of its scores and pictures grow with the rows."""

import json

from tests.benchmarks.measure import WHOLE, Reach, growth, python

ROWS = [100_000, 2_500_000 if WHOLE else 400_000]
FEATURES = 10

EVALUATION = f"""
import json, sys, time
import numpy as np, torch
from classification_assets.learning.models.fit import fit
from classification_assets.learning.figures import boundary_displays, displays
from classification_assets.learning.models.architectures import MLP
from classification_assets.learning.packed.options import Training
from classification_assets.learning.evaluation.scoring import evaluate
from classification_assets.learning.evaluation.surface import surfaces
from classification_assets.learning.preparation.folds import Fold
from classification_assets.learning.preparation.split import Split

def split(n_rows):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_rows + 3_000, {FEATURES}), np.float32)
    y = (X[:, 0] + X[:, 1] * X[:, 2] > 0).astype(np.int64) + (X[:, 3] > 1)
    fold = np.full(len(y), Fold.TEST, np.int8)
    fold[:3_000] = np.repeat([Fold.TRAIN, Fold.VALIDATION], [2_000, 1_000])
    return Split.of_arrays(X, y, fold, names=[f"x{{index}}" for index in range({FEATURES})])

def scored(split):
    training = Training(members=8, max_epochs=3)
    fitted = fit(MLP(hidden=(16, 16)), split, training, threads=1)
    started = time.process_time()
    evaluation = evaluate(fitted, split)
    for picture in (displays.confusion_matrix, displays.calibration, displays.ranking):
        picture(evaluation, "title")
    boundary_displays.decision_boundary(evaluation, surfaces(fitted, split), split, "title")
    evaluation.confidence_table(), evaluation.confidently_wrong(split)
    return time.process_time() - started

def peak():
    # Not ru_maxrss, which a process inherits from the one that started it.
    (line,) = [line for line in open("/proc/self/status") if line.startswith("VmHWM")]
    return 1024 * int(line.split()[1])

torch.set_num_threads(1)
scored(split(5_000))
before = peak()
seconds = scored(split(int(sys.argv[1])))
print(json.dumps([seconds, peak() - before]))
"""


def test_scores_and_pictures_of_a_large_test_fold_take_linear_time_and_little_memory(benchmark, report):
    def measure() -> list[tuple[float, int]]:
        return [json.loads(python(EVALUATION, str(n_rows))) for n_rows in ROWS]

    seconds, peaks = zip(*benchmark.pedantic(measure), strict=True)
    benchmark.extra_info.update(rows=ROWS, seconds=seconds, peak_bytes=peaks)
    work = f"scores and pictures of {ROWS[-1]:,} test rows × {FEATURES}, 3 classes, 8 members"
    report(*growth(work, "CPU time", ROWS, FEATURES, seconds, peaks[-1], Reach(most=10)))
