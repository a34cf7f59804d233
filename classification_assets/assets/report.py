"""<experiment>/report and comparison/report: all that is known, as one page of HTML each."""

from collections.abc import Sequence

import dagster as dg

from classification_assets.assets import shown
from classification_assets.assets.asset import declared_asset, experiment_asset
from classification_assets.assets.asset_checks import checks_of
from classification_assets.assets.keys import COMPARISON, Key, key_of, of_all_architectures, of_experiments
from classification_assets.assets.materialization import Run
from classification_assets.experiment import NamedExperiment
from classification_assets.learning.preparation.checks import split_checks

PICTURES = {
    "model": ("training curves",),
    "evaluation": ("confusion matrix", "reliability", "ROC and precision-recall"),
}
"""Pictures that other assets have published beside their artifact, and a report shows."""


def report_asset(experiment: NamedExperiment) -> dg.AssetsDefinition:
    """The asset of an experiment's report."""
    optional = [*(["effect"] if experiment.has_effect else []), *(["sweep"] if experiment.tuned else [])]

    @experiment_asset(
        experiment,
        "report",
        stored_as="html",
        inputs=["split", "leaderboard", "models", "evaluations", "boundaries", "evolutions", *optional],
        uses=[*experiment.all_declared(), experiment.view, experiment.checks],
        kinds={"html"},
    )
    def report(
        split, leaderboard, models, evaluations, boundaries, evolutions, run: Run, effect=None, sweep=None
    ):
        """Data, training and results on one page: which architecture is best, and where each one decides what."""
        from classification_assets.learning.figures.sweep.displays import TIMED, worth_drawing
        from classification_assets.learning.reports.report import (
            Chapter,
            CheckResult,
            Searched,
            experiment_report,
        )

        architectures = {each.name: each for each in experiment.tried}

        def chapter(name: str) -> Chapter:
            pictures = {"decision boundary": boundaries[name]}
            if name in evolutions:
                pictures["how the boundary formed"] = evolutions[name]
            for kind, shown_there in PICTURES.items():
                pictures |= _pictures(run, key_of(experiment, kind, architectures[name]), *shown_there)
            return Chapter(
                models[name],
                evaluations[name],
                [
                    *CheckResult.all(checks_of("model", experiment, name), models[name]),
                    *CheckResult.all(checks_of("evaluation", experiment, name), evaluations[name]),
                ],
                pictures,
                run.made(key_of(experiment, "model", architectures[name])),
            )

        page = experiment_report(
            experiment.name,
            experiment.model_dump(mode="json", exclude={"name"}),
            split,
            leaderboard,
            {name: chapter(name) for name in models},
            checks=[
                *CheckResult.all(split_checks(), split),
                *CheckResult.all(checks_of("leaderboard", experiment), leaderboard),
            ],
            pictures=_pictures(run, key_of(experiment, "leaderboard"), "scores")
            | ({"effect of the architecture": effect} if effect else {}),
            data_pictures=_pictures(run, key_of(experiment, "split"), "folds"),
            sweep=sweep
            and Searched(
                sweep,
                CheckResult.all(checks_of("sweep", experiment), sweep),
                _pictures(run, key_of(experiment, "sweep"), *worth_drawing(sweep)),
                TIMED,
            ),
        )
        return page, {
            "result": dg.MetadataValue.text(leaderboard.sentence()),
            **shown.scalars({"kilobytes": len(page.html.encode()) / 1024}),
        }

    return report


FILES = {"the report": "report.html", "the gallery": "gallery.png", "the leaderboard": "leaderboard.parquet"}
"""Where to look first, below the folder of the comparison."""


def comparison_report_asset(experiments: Sequence[NamedExperiment]) -> dg.AssetsDefinition:
    """The asset of the report over all experiments."""
    pairs = [(experiment, each) for experiment in experiments for each in experiment.tried]

    @declared_asset(
        [COMPARISON, "report"],
        group=COMPARISON,
        stored_as="html",
        inputs={
            "compared": [COMPARISON, "leaderboard"],
            "gallery": [COMPARISON, "gallery"],
            "leaderboards": of_experiments(experiments, "leaderboard"),
            "splits": of_experiments(experiments, "split"),
            "models": of_all_architectures(experiments, "model"),
            "evaluations": of_all_architectures(experiments, "evaluation"),
        },
        uses=[
            part
            for experiment in experiments
            for part in (*experiment.all_declared(), experiment.view, experiment.checks)
        ],
        # It links to them; and so it is the last of a run of everything, whose terminal ends with the results.
        follows=[key_of(own, "report") for own in experiments],
        kinds={"html"},
    )
    def report(compared, gallery, leaderboards, splits, models, evaluations, run: Run):
        """Every experiment's result, all boundaries, which architectures differ over all, and which checks failed."""
        import pandas as pd

        from classification_assets.learning.reports.report import CheckResult, comparison_report

        made = [
            {"experiment": experiment.name, "architecture": each.name}
            | run.made(key_of(experiment, "model", each))
            for experiment, each in pairs
        ]
        checks = {}
        for experiment in experiments:
            board = leaderboards[experiment.name]
            checks[experiment.name] = [
                *CheckResult.all(split_checks(), splits[experiment.name]),
                *CheckResult.all(checks_of("leaderboard", experiment), board),
            ]
            for each in board.board["architecture"]:
                name = f"{experiment.name}/{each}"
                if name not in models:  # left out of the declaration since
                    continue
                checks[f"{experiment.name} · {each}"] = [
                    *CheckResult.all(checks_of("model", experiment, each), models[name]),
                    *CheckResult.all(checks_of("evaluation", experiment, each), evaluations[name]),
                ]
        page = comparison_report(
            compared,
            leaderboards,
            {
                own.name: {each.name: evaluations[f"{own.name}/{each.name}"] for each in own.tried}
                for own in experiments
            },
            checks=checks,
            links={own.name: f"../{own.name}/report.html" for own in experiments},
            pictures={"all experiments and architectures": gallery},
            rank_pictures=_pictures(run, [COMPARISON, "leaderboard"], "critical difference"),
            made=pd.DataFrame(made),
        )
        results = [f"{own.name}: {leaderboards[own.name].sentence()}" for own in experiments]
        places = [f"{name}: {run.root() / COMPARISON / file}" for name, file in FILES.items()]
        return page, {
            # The last words of a run of everything, so that the terminal ends with them.
            "result": dg.MetadataValue.text("\n".join(["", *results, *places])),
            **shown.scalars({"kilobytes": len(page.html.encode()) / 1024}),
        }

    return report


def _pictures(run: Run, key: Key, *names: str) -> dict[str, bytes]:
    """Pictures by name that another asset has published beside its artifact."""
    found = {name: run.sidecar_of(key, f"{shown.file_name(name)}.png") for name in names}
    return {name: png for name, png in found.items() if png}
