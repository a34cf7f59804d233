"""One wide network: the arithmetic is all there is, so the peer is the matrix product itself."""

import torch

from tests.benchmarks.measure import WHOLE, Contender, Reach
from tests.benchmarks.work import Work, limited, ours, peer

ROWS = 200_000 if WHOLE else 60_000
WIDE = Work.clusters(ROWS, 64, 10, hidden=(512, 512, 512), epochs=1, batch_size=1024, learning_rate=0.001)
NAME = f"64-512-512-512-10, {ROWS:,} rows"
THREADS = torch.get_num_threads()


def test_a_wide_network_runs_at_70_percent_of_the_matrix_product(race):
    race(
        NAME,
        ours(WIDE, 1, threads=THREADS),
        "torch.mm alone",
        Contender(lambda: _products(WIDE)),
        Reach(0.7),
    )


def test_a_wide_network_is_faster_than_MLPClassifier(race):  # noqa: N802
    race(
        NAME,
        ours(WIDE, 1, threads=THREADS),
        "MLPClassifier",
        peer("MLPClassifier", WIDE, THREADS),
        Reach(1),
        rounds=4,
    )


def _products(work: Work) -> None:
    """The products of one epoch's steps and no more: outputs, gradients of weights, gradients of inputs."""
    B, shapes = work.batch_size, list(zip(work.widths, work.widths[1:], strict=False))
    layers = [
        (torch.rand(n_out, n_in), torch.rand(n_in, B), torch.rand(n_out, B), torch.empty(n_out, n_in))
        for n_in, n_out in shapes
    ]
    with limited(THREADS), torch.no_grad():
        for _ in range(round(len(work.X) / B)):
            for depth, (weight, below, above, gradient) in enumerate(layers):
                torch.mm(weight, below, out=above)
                torch.mm(above, below.T, out=gradient)
                if depth > 0:
                    torch.mm(weight.T, above, out=below)
