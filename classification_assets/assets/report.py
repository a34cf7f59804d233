"""<experiment>/report and comparison/report: all that is known, as one page of HTML each."""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from classification_assets.assets import shown
from classification_assets.assets.asset import declared_asset, experiment_asset
from classification_assets.assets.comparison import GROUP
from classification_assets.assets.materialization import Run
from classification_assets.experiment import NamedExperiment
from classification_assets.learning.check import Check
from classification_assets.learning.evaluation.checks import beats_linear, evaluation_checks
from classification_assets.learning.models.checks import model_checks
from classification_assets.learning.preparation.checks import split_checks

PICTURES = {
    "model": ("training curves",),
    "evaluation": ("confusion matrix", "reliability", "ROC and precision-recall"),
}
"""What a report shows of what other assets have published beside their artifact."""


def report_asset(experiment: NamedExperiment) -> dg.AssetsDefinition:
    """The asset of an experiment's report."""
    kinds = {
        "models": "model",
        "evaluations": "evaluation",
        "boundaries": "boundary",
        "evolutions": "evolution",
    }
    own: dict[str, Any] = {
        argument: {
            architecture.name: [experiment.name, architecture.name, kind]
            for architecture in experiment.architectures
            if kind != "evolution" or architecture.keeps_snapshots
        }
        for argument, kind in kinds.items()
    }
    if experiment.has_effect:
        own["effect"] = [experiment.name, "effect"]

    @experiment_asset(
        experiment,
        "report",
        stored_as="html",
        inputs={name: [experiment.name, name] for name in ("split", "leaderboard")} | own,
        uses=[*experiment.all_declared(), experiment.checks],
        kinds={"html"},
    )
    def report(split, leaderboard, models, evaluations, boundaries, evolutions, run: Run, effect=None):
        """What was trained on what, which architecture is best, where each one decides what, and how to do it again."""
        from classification_assets.learning.reports.report import Chapter, CheckResult, experiment_report

        def chapter(name: str) -> Chapter:
            pictures = {"decision boundary": boundaries[name]}
            if name in evolutions:
                pictures["how the boundary formed"] = evolutions[name]
            for kind, shown_there in PICTURES.items():
                pictures |= _beside(run, [experiment.name, name, kind], *shown_there)
            return Chapter(
                models[name],
                evaluations[name],
                [
                    *CheckResult.all(model_checks(), models[name]),
                    *CheckResult.all(evaluation_checks(experiment.checks), evaluations[name]),
                ],
                pictures,
                run.made([experiment.name, name, "model"]),
            )

        page = experiment_report(
            experiment.name,
            experiment.model_dump(mode="json", exclude={"name"}),
            split,
            leaderboard,
            {name: chapter(name) for name in models},
            checks=[
                *CheckResult.all(split_checks(), split),
                *CheckResult.all([Check.of(beats_linear)], leaderboard),
            ],
            pictures=_beside(run, [experiment.name, "leaderboard"], "scores")
            | ({"effect of the architecture": effect} if effect else {}),
            data_pictures=_beside(run, [experiment.name, "split"], "folds"),
        )
        return page, {
            "result": dg.MetadataValue.text(leaderboard.sentence()),
            **shown.scalars({"kilobytes": len(page.html.encode()) / 1024}),
        }

    return report


def comparison_report_asset(experiments: Sequence[NamedExperiment]) -> dg.AssetsDefinition:
    """The asset of the report over all experiments."""
    every = [(own.name, each.name) for own in experiments for each in own.architectures]

    @declared_asset(
        [GROUP, "report"],
        group=GROUP,
        stored_as="html",
        inputs={
            "compared": [GROUP, "leaderboard"],
            "gallery": [GROUP, "gallery"],
            "leaderboards": {experiment.name: [experiment.name, "leaderboard"] for experiment in experiments},
            "splits": {experiment.name: [experiment.name, "split"] for experiment in experiments},
            "models": {f"{own} · {each}": [own, each, "model"] for own, each in every},
            "evaluations": {f"{own} · {each}": [own, each, "evaluation"] for own, each in every},
        },
        uses=[part for experiment in experiments for part in (*experiment.all_declared(), experiment.checks)],
        kinds={"html"},
    )
    def report(compared, gallery, leaderboards, splits, models, evaluations, run: Run):
        """Every experiment's result, all boundaries, which architectures differ over all, and which checks failed."""
        import pandas as pd

        from classification_assets.learning.reports.report import CheckResult, comparison_report

        made = [
            {"experiment": own, "architecture": each} | run.made([own, each, "model"]) for own, each in every
        ]
        checks = {}
        for experiment in experiments:
            board = leaderboards[experiment.name]
            checks[experiment.name] = [
                *CheckResult.all(split_checks(), splits[experiment.name]),
                *CheckResult.all([Check.of(beats_linear)], board),
            ]
            for each in board.board["architecture"]:
                name = f"{experiment.name} · {each}"
                if name not in models:  # left out of the declaration since
                    continue
                checks[name] = [
                    *CheckResult.all(model_checks(), models[name]),
                    *CheckResult.all(evaluation_checks(experiment.checks), evaluations[name]),
                ]
        page = comparison_report(
            compared,
            leaderboards,
            {
                own.name: {each.name: evaluations[f"{own.name} · {each.name}"] for each in own.architectures}
                for own in experiments
            },
            checks=checks,
            links={own.name: f"../{own.name}/report.html" for own in experiments},
            pictures={"all experiments and architectures": gallery},
            rank_pictures=_beside(run, [GROUP, "leaderboard"], "critical difference"),
            made=pd.DataFrame(made),
        )
        return page, shown.scalars({"kilobytes": len(page.html.encode()) / 1024})

    return report


def _beside(run: Run, key: Sequence[str], *names: str) -> dict[str, bytes]:
    """Pictures by name that another asset has published beside its artifact."""
    found = {name: run.beside_of(key, f"{shown.file_name(name)}.png") for name in names}
    return {name: png for name, png in found.items() if png}
