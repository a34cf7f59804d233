"""Draws what the README shows: `python -m tests.benchmarks.pictures` measures for two minutes and writes `.images/`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from classification_assets.learning.figures.canvas.style import THEMES, sheet
from tests.benchmarks.measure import alternate
from tests.benchmarks.work import Work, installed_peers, ours, peer

IMAGES = Path(__file__).resolve().parents[2] / ".images"
NETWORKS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
ROWS = (750, 3_000, 12_000, 48_000)
OURS = "ours"
NETWORK = "2-16-16-2, Adam, batches of 32, one thread"

Lines = Mapping[str, Mapping[int, float]]


def measured_networks(rounds: int = 6) -> dict[str, dict[int, float]]:
    """Seconds of each way to train so many networks; the peers' cost follows from one network's."""
    moons, peers = Work.moons(), installed_peers()
    contenders = {f"{members}": ours(moons, members) for members in NETWORKS}
    seconds = alternate(contenders | {name: peer(name, moons) for name in peers}, rounds).seconds
    lines = {OURS: {members: members * seconds[f"{members}"] for members in NETWORKS}}
    return lines | {name: {members: members * seconds[name] for members in NETWORKS} for name in peers}


def measured_rows(members: int = 128) -> dict[str, dict[int, float]]:
    """Seconds a network for two epochs of a table of so many rows."""
    peers = installed_peers()
    lines: dict[str, dict[int, float]] = {name: {} for name in (OURS, *peers)}
    for n_rows in ROWS:
        work = Work.moons(n_rows, epochs=2)
        contenders = {OURS: ours(work, members)} | {name: peer(name, work) for name in peers}
        for name, seconds in alternate(contenders, 1 if n_rows > 10_000 else 2).seconds.items():
            lines[name][n_rows] = seconds
    return lines


def by_networks(lines: Lines) -> Figure:
    """Cost against number of networks."""
    most = max(lines[OURS])
    times = ", ".join(
        f"{costs[most] / lines[OURS][most]:.0f} × {name}'s" for name, costs in lines.items() if name != OURS
    )
    return _costs(
        lines,
        title=f"Cost against number of networks\nseconds to train K networks {NETWORK}, 40 epochs of 750 rows",
        note=f"Speed at K = {most}: {times}. A peer trains one network after the other: "
        "its first point is measured, the dashed line is K times that.",
        x_label="networks K",
        y_label="seconds",
        measured_once=True,
    )


def by_rows(lines: Lines) -> Figure:
    """Cost against rows."""
    return _costs(
        lines,
        title=f"Cost against rows\nseconds a network {NETWORK}, 2 epochs; ours in a pack of 128",
        note="The whole fit is counted.",
        x_label="rows",
        y_label="seconds a network",
    )


def _costs(
    lines: Lines, *, title: str, note: str, x_label: str, y_label: str, measured_once: bool = False
) -> Figure:
    with sheet("light", title, note) as figure:
        panel = figure.panel(0.8, 0.8, 5.6, 3.8)
        panel.set(xscale="log", yscale="log", xlabel=x_label, ylabel=y_label)
        panel.grid(True)
        theme = THEMES["light"]
        for index, (name, costs) in enumerate(lines.items()):
            is_ours = name == OURS
            extrapolated = measured_once and not is_ours
            panel.plot(
                list(costs),
                list(costs.values()),
                color=theme.class_colour(index),
                linewidth=2.4 if is_ours else 1.4,
                linestyle="--" if extrapolated else "-",
                marker="o",
                markevery=[0] if extrapolated else None,
                markersize=4 if is_ours else 3,
                zorder=3 if is_ours else 2,
            )
        ticks = list(lines[OURS])
        panel.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
        panel.minorticks_off()
        panel.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        _name_lines(panel, lines)
    return figure


def _name_lines(panel: Axes, lines: Lines) -> None:
    """Each line's name at its right end, moved apart where ends are close together."""
    panel.autoscale_view()
    theme, to_page = THEMES["light"], panel.transData
    order = list(lines)
    below = -1e9
    for name in sorted(order, key=lambda name: list(lines[name].values())[-1]):
        x, y = list(lines[name].items())[-1]
        height = to_page.transform((x, y))[1]
        placed = max(height, below + 24)
        below = placed
        panel.annotate(
            name,
            (x, y),
            (8, (placed - height) * 72 / panel.figure.dpi),
            textcoords="offset points",
            va="center",
            color=theme.class_colour(order.index(name)),
            fontweight="bold" if name == OURS else "normal",
        )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measured", type=Path, help="draw again what an earlier run measured (a JSON file)")
    parser.add_argument("--keep", type=Path, help="write what was measured to this JSON file")
    parser.add_argument("--into", type=Path, default=IMAGES)
    chosen = parser.parse_args(arguments)
    if chosen.measured:
        measured = json.loads(chosen.measured.read_text())
    else:
        measured = {"networks": measured_networks(), "rows": measured_rows()}
    if chosen.keep:
        chosen.keep.write_text(json.dumps(measured, indent=1))
    for name, draw in (("networks", by_networks), ("rows", by_rows)):
        lines = {line: {int(x): y for x, y in costs.items()} for line, costs in measured[name].items()}
        path = chosen.into / f"cost_by_{name}.png"
        draw(lines).savefig(path)
        print(path)


if __name__ == "__main__":
    main()
