"""Reports: one self-contained page of HTML an experiment, and one over all; they need no network and no script."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import yaml

from classification_assets.learning.check import Check
from classification_assets.learning.evaluation.comparison import Comparison
from classification_assets.learning.evaluation.evaluation import Evaluation
from classification_assets.learning.evaluation.leaderboard import Leaderboard, pairs, summary
from classification_assets.learning.models.fitted import FittedModel, Provenance
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.printable import without_control
from classification_assets.learning.reports.rendering import rendered
from classification_assets.learning.sweeps.lessons import lessons
from classification_assets.learning.sweeps.overviews import best_configurations, importance_table
from classification_assets.learning.sweeps.result import SweepResult

Pictures = Mapping[str, bytes]
"""PNGs by their caption."""

# As `occasion` marks it in the templates; what comes from data is escaped.
_OCCASION = re.compile("<!--occasion-->.*?<!--/occasion-->", re.DOTALL)


@dataclass(frozen=True)
class Page:
    """A page of HTML.

    Attributes
    ----------
    html : str
    version : str
        SHA-256 of what it says but for when and where that was made.
    """

    html: str
    version: str


@dataclass(frozen=True)
class CheckResult:
    """Verdict and finding of a check."""

    name: str
    passed: bool
    sentence: str

    @classmethod
    def all(cls, checks: Sequence[Check], value: Any) -> list[CheckResult]:
        return [cls(check.name, *check.verdict(value)) for check in checks]


@dataclass(frozen=True)
class Chapter:
    """The part of a report about one architecture.

    Attributes
    ----------
    fitted, evaluation
    checks : list of CheckResult
    pictures : mapping of caption to PNG
    made : mapping
        When and where it was trained, in words; not part of the page's version.
    """

    fitted: FittedModel
    evaluation: Evaluation
    checks: Sequence[CheckResult]
    pictures: Pictures
    made: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Searched:
    """The part of a report about the search for hyper-parameters.

    Attributes
    ----------
    result : SweepResult
    checks : list of CheckResult
    pictures : mapping of caption to PNG
    timed : set of caption
        Pictures that show seconds: they are no part of the page's version.
    """

    result: SweepResult
    checks: Sequence[CheckResult]
    pictures: Pictures
    timed: Set[str] = frozenset()

    def lessons(self) -> list[str]:
        """Sentences about what it has taught."""
        return lessons(self.result)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Tables by their headings, those that are not empty."""
        tables = {
            "The best configurations": best_configurations(self.result),
            "How much each hyper-parameter decides": importance_table(self.result),
            "Hyper-parameters of the winner": self.result.winner(),
        }
        return {heading: table for heading, table in tables.items() if len(table)}


def experiment_report(
    name: str,
    declaration: Mapping[str, Any],
    split: Split,
    leaderboard: Leaderboard,
    chapters: Mapping[str, Chapter],
    *,
    checks: Sequence[CheckResult] = (),
    pictures: Pictures | None = None,
    data_pictures: Pictures | None = None,
    sweep: Searched | None = None,
) -> Page:
    """The report of one experiment; chapters are shown in the leaderboard's order.

    Parameters
    ----------
    declaration : mapping
        The experiment as declared, with its defaults.
    pictures, data_pictures : mappings of caption to PNG
        Of the leaderboard, and of the rows.
    sweep : Searched, optional
    """
    board = leaderboard.board.set_index("architecture")
    best = board.iloc[0]

    return _page(
        rendered(
            "experiment.html.jinja",
            title=name,
            name=name,
            leaderboard=leaderboard,
            facts=_facts(best),
            # Of generated data the same in every row, and among the facts.
            summary=summary(leaderboard.board).drop(columns="best possible accuracy"),
            pairs=pairs(leaderboard.differences) if len(board) > 1 else None,
            checks=checks,
            pictures=pictures or {},
            data_pictures=data_pictures or {},
            sweep=sweep,
            declaration=_facts_of_data(split),
            class_counts=split.class_counts(),
            columns=split.columns(),
            chapters=[
                _chapter(own, board.loc[own], chapters[own], split) for own in board.index if own in chapters
            ],
            command=f"dagster asset materialize -m classification_assets.definitions --select 'group:{name}'",
            yaml=_as_yaml(declaration),
            versions=_versions(next(iter(chapters.values())).fitted.provenance),
        )
    )


def comparison_report(
    compared: Comparison,
    leaderboards: Mapping[str, Leaderboard],
    evaluations: Mapping[str, Mapping[str, Evaluation]],
    *,
    checks: Mapping[str, Sequence[CheckResult]],
    pictures: Pictures,
    rank_pictures: Pictures,
    links: Mapping[str, str] | None = None,
    made: pd.DataFrame | None = None,
) -> Page:
    """The report over all experiments.

    Of checks those are shown that did not pass: they say whose score is not to be compared as it is.

    Parameters
    ----------
    evaluations : mapping of experiment to architecture to Evaluation
        Of architectures that a leaderboard ranks; it may rank others that are declared no longer.
    checks : mapping of what was judged to what was found
    links : mapping of experiment to address, optional
        Where each one's own report is.
    made : DataFrame, optional
        When and on what models were trained, a row each.
    """
    about = compared.about
    note = "The average over experiments of the rank by each one's own metric; 1 is best."
    if about["critical_difference"] is not None:
        note += (
            f" Average test ranks differ really from {about['critical_difference']:.2f} on (Nemenyi); "
            f"that all architectures are equal has p = {about['p_value']:.3g} (Friedman)."
        )

    return _page(
        rendered(
            "comparison.html.jinja",
            title="All experiments",
            n_experiments=len(leaderboards),
            n_architectures=compared.board["architecture"].nunique(),
            sentences={name: own.sentence() for name, own in leaderboards.items()},
            pictures=pictures,
            rank_pictures=rank_pictures,
            ranks=compared.ranks.round(2).rename(columns=lambda column: column.replace("_", " ")),
            rank_note=note,
            summary=summary(compared.board),
            failed={
                name: [one for one in found if not one.passed]
                for name, found in checks.items()
                if not all(one.passed for one in found)
            },
            n_checks=sum(map(len, checks.values())),
            classes={
                name: _by_class({each: evaluations[name][each] for each in ranked})
                for name, own in leaderboards.items()
                if (ranked := [each for each in own.board["architecture"] if each in evaluations[name]])
            },
            links=links or {},
            made=made,
            command="dagster asset materialize -m classification_assets.definitions --select '*'",
            versions=_table_of(Provenance.current_versions(), "package", "version"),
        )
    )


def _page(html: str) -> Page:
    html = without_control(html)
    return Page(html, hashlib.sha256(_OCCASION.sub("", html).encode()).hexdigest())


def _chapter(name: str, row: pd.Series, chapter: Chapter, split: Split) -> dict[str, Any]:
    evaluation = chapter.evaluation
    wrong = evaluation.confidently_wrong(split)
    return {
        "name": name,
        "verdict": row["against_first"],
        "made": chapter.made,
        "facts": _facts(row),
        "checks": chapter.checks,
        "pictures": chapter.pictures,
        "classes": evaluation.class_table(),
        "calibration": evaluation.calibration_table(),
        "confidence": evaluation.confidence_table(),
        "wrong": wrong if len(wrong) else None,
        "scores": evaluation.overall_table(),
        "hyperparameters": chapter.fitted.hyperparameters(),
    }


def _by_class(evaluations: Mapping[str, Evaluation]) -> pd.DataFrame:
    """F1 of each class, a column an architecture."""
    tables = {name: own.class_table() for name, own in evaluations.items()}
    first = next(iter(tables.values()))
    table = pd.DataFrame({name: own["f1"].round(3) for name, own in tables.items()})
    table.insert(0, "class", first["class"], allow_duplicates=True)  # as an architecture may be called, too
    return table.assign(**{"test rows": first["support"]})


def _facts(row: pd.Series) -> list[tuple[str, str]]:
    """The facts that a reader wants to know first."""

    def scored(metric: str) -> str:
        return f"{row[metric]:.3f}"

    def between(metric: str) -> str:
        return f"{row[f'{metric}_low']:.3f}–{row[f'{metric}_high']:.3f}"

    facts = [
        (scored("accuracy"), f"test accuracy ({between('accuracy')})"),
        (scored("log_loss"), f"test log loss ({between('log_loss')})"),
        (scored("macro_f1"), f"macro F1 ({between('macro_f1')})"),
    ]
    if np.isfinite(row["bayes_accuracy"]):
        facts.append((f"{row['bayes_accuracy']:.3f}", "best possible accuracy"))
    return [*facts, (f"{row['members']:.0f}", f"members; a network has {row['parameters']:,.0f} parameters")]


def _facts_of_data(split: Split) -> pd.DataFrame:
    declared = split.source.declaration() | {"rows": len(split.y)}
    overridden = split.source.overridden
    told = {
        name: f"{value} (set by the run)" if name in overridden else value for name, value in declared.items()
    }
    return _table_of({name: value for name, value in told.items() if value is not None}, "data", "")


def _table_of(values: Mapping[str, Any], name: str, value: str) -> pd.DataFrame:
    return pd.DataFrame({name: list(values), value: [str(own) for own in values.values()]})


def _versions(provenance: Provenance) -> pd.DataFrame:
    return _table_of(provenance.versions, "package", "version")


def _as_yaml(declaration: Mapping[str, Any]) -> str:
    return yaml.safe_dump(
        dict(declaration), sort_keys=False, allow_unicode=True, default_flow_style=None, width=100
    )
