"""The same work on a GPU: networks a second, and how much of the card's peak a wide network reaches."""

import time
from dataclasses import replace

import pytest
import torch

from tests.benchmarks.measure import Reach, Row, alternate, duration
from tests.benchmarks.work import Work, ours

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA")

MOONS = Work.moons()
WIDE = Work.clusters(200_000, 64, 10, hidden=(4096, 4096, 4096), batch_size=8192, learning_rate=0.001)
OPTIONS = [
    {"precision": precision, "compile": compile}
    for precision in ("float32", "tf32", "bfloat16")
    for compile in (False, True)
]


def words(options):
    return options["precision"] + (", compiled" if options["compile"] else "")


@pytest.mark.parametrize("members", [128, 1024, 4096])
def test_networks_a_second(report, members):
    ways = {words(options): ours(MOONS, members, device="cuda", **options) for options in OPTIONS}
    clock = alternate(ways | {"CPU": ours(MOONS, 128)}, rounds=2)
    cpu = clock.seconds["CPU"]
    report(
        *(
            Row(
                f"{members} × 2-16-16-2 on CUDA, {way}: {1 / clock.seconds[way]:,.0f} networks/s",
                "128 on the CPU, one thread",
                duration(clock.seconds[way]),
                duration(cpu),
                cpu / clock.seconds[way],
                Reach(),
            )
            for way in ways
        )
    )


@pytest.mark.parametrize("options", OPTIONS, ids=words)
def test_share_of_the_peak(report, options):
    """Seconds of ten epochs alone: a training of two, with all that is done once, is taken away from one of twelve.

    The peak is what one large product reaches in that precision on this card.
    """
    works = {epochs: replace(WIDE, epochs=epochs) for epochs in (2, 12)}
    clock = alternate(
        {str(epochs): ours(work, 1, device="cuda", **options) for epochs, work in works.items()}, rounds=3
    )
    arithmetic = works[12].arithmetic - works[2].arithmetic
    reached, peak = arithmetic / (clock.seconds["12"] - clock.seconds["2"]), peak_of(options["precision"])
    report(
        Row(
            f"64-4096-4096-4096-10, 200,000 rows on CUDA, {words(options)}",
            "the peak of torch.mm",
            f"{reached / 1e12:.3g} TFLOP/s",
            f"{peak / 1e12:.3g} TFLOP/s",
            reached / peak,
            Reach(),
        )
    )


def peak_of(precision, n=8192):
    """Floating-point operations a second of one large product."""
    dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
    one, other = (torch.randn(n, n, device="cuda", dtype=dtype) for _ in range(2))
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high" if precision == "tf32" else "highest")
    try:
        return max(_products_a_second(one, other) for _ in range(5)) * 2.0 * n**3
    finally:
        torch.set_float32_matmul_precision(before)


def _products_a_second(one, other, times=10):
    torch.mm(one, other)
    torch.cuda.synchronize()
    started = time.perf_counter()
    for _ in range(times):
        torch.mm(one, other)
    torch.cuda.synchronize()
    return times / (time.perf_counter() - started)
