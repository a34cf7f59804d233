"""Members that are done leave the pack, so time follows the epochs that members need."""

import numpy as np

from tests.benchmarks.measure import Clock, Contender, Reach, Row, alternate, duration
from tests.benchmarks.work import Work, fit_ours

K = 256


def test_time_follows_the_epochs_needed_not_the_slowest_member(benchmark, report):
    work = Work.moons()
    held_out = Work.moons(1000)
    fold = held_out.X[750:], held_out.y[750:]
    stopping = work.training(K, max_epochs=120, early_stopping=True, patience=8)
    history = fit_ours(work, stopping, validation=fold).history["validation_loss"]
    needed = np.isfinite(history).sum(0)

    def fixed(epochs: float) -> Contender:
        training = work.training(K, max_epochs=round(epochs))
        return Contender(lambda: fit_ours(work, training, validation=fold) and None)

    def race() -> Clock:
        return alternate(
            {
                "ours": Contender(lambda: fit_ours(work, stopping, validation=fold) and None),
                "needed": fixed(needed.mean()),
                "slowest": fixed(needed.max()),
            },
            rounds=3,
        )

    seconds = benchmark.pedantic(race).seconds

    def row(what: str, epochs: float, reach: Reach) -> Row:
        ratio = reach.ratio(seconds["ours"], seconds[what])
        name = f"ours, all for {epochs:.0f} epochs ({what})"
        return Row(
            f"{K} stopping early", name, duration(seconds["ours"]), duration(seconds[what]), ratio, reach
        )

    report(row("slowest", needed.max(), Reach()), row("needed", needed.mean(), Reach(most=1.5)))
