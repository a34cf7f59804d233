"""Out of memory: a pack is split until it fits, and nobody can tell from the numbers."""

import subprocess
import sys

import numpy as np
import pytest

from classification_assets.learning.models import ensemble
from classification_assets.learning.models.architectures import MLP, Tabular
from classification_assets.learning.models.fit import fit
from classification_assets.learning.models.tabular import recipe
from classification_assets.learning.packed import memory
from classification_assets.learning.packed.options import Training
from classification_assets.learning.packed.training import train

TRAINING = Training(
    members=5,
    max_epochs=12,
    patience=3,
    learning_rate=(0.01, 0.02, 0.03, 0.05, 0.1),
    mixup=0.2,
    input_noise=0.1,
)
ARCHITECTURE = MLP(hidden=(8, 8), dropout=(0.0, 0.1, 0.2, 0.3, 0.4), normalization="batch")


@pytest.fixture
def memory_for(monkeypatch):
    """Train as if the memory held no more than so many networks."""

    def limited(most):
        def train_if_it_fits(network, X, y, rows, validation, training, seeds, **options):
            if len(seeds) > most:
                raise MemoryError(f"no room for {len(seeds)}")
            return train(network, X, y, rows, validation, training, seeds, **options)

        for module in (ensemble, recipe):
            monkeypatch.setattr(module, "train", train_if_it_fits)

    return limited


@pytest.fixture
def whole(split):
    return fit(ARCHITECTURE, split, TRAINING)


@pytest.mark.parametrize("most", [1, 2, 3, 4])
def test_a_split_pack_gives_what_the_whole_one_gives(memory_for, whole, split, most):
    memory_for(most)
    parts = fit(ARCHITECTURE, split, TRAINING)
    assert parts.best_step.tolist() == whole.best_step.tolist()
    for name, values in whole.history.items():
        np.testing.assert_allclose(parts.history[name], values, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(parts.predict_proba(split.X), whole.predict_proba(split.X), atol=1e-5)


def test_kinds_of_the_recipe_for_tables_that_stop_together_are_split_last(memory_for, split):
    architecture, training = Tabular(kind="tabular"), Training()
    whole = fit(architecture, split, training)
    memory_for(len(whole.best_step) // len(recipe.KINDS))
    parts = fit(architecture, split, training)
    assert parts.best_step.tolist() == whole.best_step.tolist()
    np.testing.assert_allclose(parts.predict_proba(split.X), whole.predict_proba(split.X), atol=1e-5)


def test_a_split_pack_is_told(memory_for, split, caplog):
    memory_for(3)
    fit(ARCHITECTURE, split, TRAINING)
    assert "out of memory with 5 networks in one pass; they are trained in two halves" in caplog.text


def test_half_a_pack_that_fails_leaves_the_other_half(memory_for, split):
    memory_for(2)
    rates = (0.01, 0.01, 1e38, 1e38)
    training = TRAINING.replaced(members=4, learning_rate=rates)
    fitted = fit(MLP(hidden=(8,)), split, training)
    assert (fitted.best_step >= 0).tolist() == [True, True, False, False]
    assert np.isfinite(fitted.predict_proba(split.X)).all()


def test_one_network_that_does_not_fit_is_an_error_that_says_what_needs_less(memory_for, split):
    memory_for(0)
    with pytest.raises(MemoryError, match=r"one network alone does not fit.*smaller batch_size or narrower"):
        fit(ARCHITECTURE, split, TRAINING)


def test_another_error_is_not_taken_for_a_lack_of_memory():
    def broken(members):
        raise RuntimeError("shapes do not fit")

    with pytest.raises(RuntimeError, match="shapes do not fit"):
        memory.in_halves(broken, range(4))


LIMITED = """
import resource, sys
import torch
import numpy as np
from classification_assets.learning.models.architectures import MLP
from classification_assets.learning.packed.options import Training
from classification_assets.learning.models.ensemble import fit
from classification_assets.learning.preparation.split import Split

rng = np.random.default_rng(0)
X = rng.normal(size=(200, 2)).astype(np.float32)
split = Split.of_arrays(X, (X[:, 0] > 0).astype(int), np.arange(200, dtype=np.int8) % 3, names=["a", "b"])
torch.mm(torch.ones(300, 300), torch.ones(300, 300))
if room := int(sys.argv[1]):
    used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + room, used + room))
training = Training(members=8, max_epochs=2)
fitted = fit(MLP(hidden=(1536, 1536)), split, training)
print(*fitted.predict_proba(X[:20])[:, 0])
"""


def run_with_room_for(room):
    """The program's output, in a process that may take so many bytes more; 0: as many as there are."""
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(room)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return np.array(done.stdout.split(), float), done.stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is limited by Linux' RLIMIT_AS")
def test_a_pack_that_the_machine_has_no_memory_for_is_split():
    free, told = run_with_room_for(0)
    assert "out of memory" not in told
    limited, told = run_with_room_for(500 * 2**20)
    assert "out of memory with 8 networks" in told
    np.testing.assert_allclose(limited, free, atol=1e-4)
