"""Champion against challenger in the registry: the decision is made, recorded and carried out under one lock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from classification_assets.learning.artifacts import storage
from classification_assets.learning.artifacts.files import ArtifactError
from classification_assets.learning.check import Check
from classification_assets.learning.evaluation.bounds import Metric
from classification_assets.learning.evaluation.encoding import reads_rows
from classification_assets.learning.evaluation.promotion import (
    Decision,
    Ground,
    decide,
    decide_first,
    shared_rows,
)
from classification_assets.learning.evaluation.promotion_rule import PromotionRule
from classification_assets.learning.models.fitted import FittedModel
from classification_assets.learning.preparation.folds import Fold
from classification_assets.learning.registry.challenger import Challenger
from classification_assets.learning.registry.change import Change, changing
from classification_assets.learning.registry.records import Pointer, Version
from classification_assets.learning.registry.registry import Registry
from classification_assets.learning.registry.serving import EVALUATION, MODEL, ONNX, REFERENCE
from classification_assets.learning.reports import model_card

REFERENCE_ROWS = 20_000
"""Rows, evenly spaced, that a version keeps of its table, so that later rows can be compared with them."""
SKEW = timedelta(days=1)
"""Time by which the clocks of two machines may differ."""


@dataclass(frozen=True)
class Told:
    """Facts about who decides, for the log.

    Attributes
    ----------
    run : str
        The run; empty on the command line.
    as_of : datetime
        The time for which it runs: a challenger never replaces a champion of a later one.
    """

    run: str = ""
    as_of: datetime | None = None
    by: str = "run"
    because: str = ""

    def fields(self) -> dict[str, Any]:
        return {"run": self.run, "as_of": self.time, "by": self.by, "because": self.because}

    @property
    def time(self) -> datetime:
        return self.as_of or datetime.now(UTC)


@dataclass(frozen=True)
class Outcome:
    """A decision that has been carried out.

    Attributes
    ----------
    decision : Decision
    pointer : Pointer or None
        As it is now.
    removed : list of int
        Old versions that were removed.
    """

    decision: Decision
    pointer: Pointer | None
    removed: Sequence[int] = ()

    @property
    def word(self) -> str:
        """The decision in a word: promoted, refused, or unchanged where the challenger is the champion already."""
        if self.decision.ground == "same model":
            return "unchanged"
        if self.decision.ground == "by hand" and self.pointer is not None:
            return self.pointer.entry.action
        return "promoted" if self.decision.promoted else "refused"


def contest(
    registry: Registry,
    challenger: Challenger,
    rule: PromotionRule,
    metric: Metric,
    blocking: Sequence[Check] = (),
    told: Told | None = None,
    device: str = "cpu",
    using: Callable[[FittedModel], FittedModel] = lambda model: model,
) -> Outcome:
    """Let the challenger contest the champion's place, by the rule.

    Parameters
    ----------
    blocking : sequence of Check
        Of an evaluation: a challenger that fails one is not promoted.
    using : callable
        Gives the champion the class of a person's own network.

    Raises
    ------
    MisfitError
        If what the challenger was made of is not there any more.
    """
    told = told or Told()
    with changing(registry) as change:
        decision = _decision(
            registry, change.pointer, challenger, rule, metric, blocking, told, device, using
        )
        if decision.ground == "same model":
            return Outcome(decision, change.pointer)
        if not decision.promoted and _was_said(registry, challenger, decision):
            return Outcome(decision, change.pointer)
        if not decision.promoted:
            change.refuse(
                decision.model_dump(mode="json"),
                architecture=challenger.architecture,
                model_version=challenger.model_version,
                **told.fields(),
            )
            return Outcome(decision, change.pointer)
        return promote(change, challenger, rule, metric, decision, told)


def _was_said(registry: Registry, challenger: Challenger, decision: Decision) -> bool:
    """Whether the newest entry of the log refuses the same model on the same ground."""
    last = registry.entries()[-1:]
    return any(
        entry.action == "refused"
        and entry.model_version == challenger.model_version
        and entry.decision.get("ground") == decision.ground
        for entry in last
    )


def promote(
    change: Change,
    challenger: Challenger,
    rule: PromotionRule,
    metric: Metric,
    decision: Decision,
    told: Told,
) -> Outcome:
    """Make the challenger a version, and the champion."""
    registry, model, evaluation = change.registry, challenger.model, challenger.evaluation
    split, table = challenger.split, challenger.dataset
    staged = change.staged()
    # Snapshots of the training are for figures, and make up most of a file.
    storage.save(replace(model, checkpoints={}), staged / MODEL, challenger.model_origin)
    if split.keys is not None:  # by which later rows are known not to be among those it was tested on
        rows = evaluation.rows.assign(key=split.keys[evaluation.rows["row"].to_numpy()])
        evaluation = replace(evaluation, rows=rows)
    storage.save(evaluation, staged / EVALUATION)
    storage.save(replace(table, rows=table.rows.sample(REFERENCE_ROWS), n_test=0), staged / REFERENCE)
    name = f"{challenger.experiment}/{challenger.architecture}"
    (staged / model_card.NAME).write_text(
        model_card.model_card(model, name, challenger.evaluation), encoding="utf-8"
    )
    if rule.onnx:
        from classification_assets.learning.models.onnx_export import exported

        storage.save(exported(model), staged / ONNX)
    version = Version(
        number=change.next_number,
        experiment=registry.experiment,
        architecture=challenger.architecture,
        model_version=challenger.model_version,
        data_version=challenger.data_version,
        code_version=challenger.origin.code_version,
        run=told.run,
        created=datetime.now(UTC),
        as_of=told.time,
        metric=metric,
        scores=challenger.evaluation.reported(),
    )
    pointer = change.promote(staged, version, decision.model_dump(mode="json"), **told.fields())
    return Outcome(decision, pointer, change.retain(rule.keep))


def _decision(
    registry: Registry,
    pointer: Pointer | None,
    challenger: Challenger,
    rule: PromotionRule,
    metric: Metric,
    blocking: Sequence[Check],
    told: Told,
    device: str,
    using: Callable[[FittedModel], FittedModel],
) -> Decision:
    if forbidden := _forbidden(registry, pointer, challenger, blocking, told):
        ground, reason = forbidden
        return Decision(promoted=False, ground=ground, reason=reason, metric=metric)
    if pointer is None:
        return _first(challenger, rule, metric)
    # Outside of what follows: what is wrong with the challenger's own files is no fault of the champion.
    evaluation, split = challenger.evaluation, challenger.split
    unasked = f"the champion, version {pointer.version}, can no longer be evaluated"
    try:
        model = using(storage.load(registry.file(pointer.version, MODEL)))
        needed = reads_rows(model, split)
    except ValueError as error:  # a class of one's own that has gone, a damaged file
        return _first(challenger, rule, metric, f"{unasked} ({error})")
    table = challenger.dataset if needed else None
    try:
        shared = shared_rows(model, evaluation, split, table, device)
    except ValueError as error:  # other classes or columns
        return _first(challenger, rule, metric, f"{unasked} ({error})")
    return decide(shared, metric, rule)


def _first(challenger: Challenger, rule: PromotionRule, metric: Metric, why: str = "") -> Decision:
    split = challenger.split
    rows = split.rows(Fold.TRAIN)
    weight = None if split.weight is None else split.weight[rows]
    counts = np.bincount(split.y[rows], weight, minlength=len(split.classes))
    # A class without training rows has a chance too, or its rows alone would decide.
    return decide_first(challenger.evaluation, (counts + 1) / (counts + 1).sum(), metric, rule, why)


def _forbidden(
    registry: Registry,
    pointer: Pointer | None,
    challenger: Challenger,
    blocking: Sequence[Check],
    told: Told,
) -> tuple[Ground, str] | None:
    """Why a challenger is not promoted, whatever its scores: the rule's name, and the reason in words."""
    if pointer is not None:
        number, kept = pointer.version, registry.versions()
        champion = next((version for version in kept if version.number == number), None)
        known = [version.number for version in kept if version.model_version == challenger.model_version]
        if number in known and _is_whole(registry, number):
            return "same model", f"{challenger.architecture} is the champion already, version {number}"
        if pointer.is_pinned:
            return "pinned", f"version {number} is pinned: only a person replaces it"
        if known and number not in known:
            because = f" ({pointer.entry.because})" if pointer.entry.because else ""
            return "was replaced before", (
                f"this model was version {known[-1]}, which version {number} has replaced{because}; a person may "
                "promote it again"
            )
        # A person's decision is not undone by what was under way before it.
        as_of = None if champion is None else champion.as_of
        # A time that has not come yet is that of a wrong clock, which shall not keep the champion for as long.
        come = datetime.now(UTC) + SKEW
        times = [time for time in (as_of, pointer.entry.as_of) if time is not None and time <= come]
        if times and told.time < max(times):
            made = f"what made version {number} the champion of {_when(max(times))}"
            return "older run", f"this run is of {_when(told.time)}, and {made}"
    for check in blocking:
        passed, sentence = check.verdict(challenger.evaluation)
        if not passed:
            return "a blocking check", f"the challenger fails {check.name}: {sentence}"
    return None


def _is_whole(registry: Registry, number: int) -> bool:
    try:
        registry.file(number, MODEL)
    except ArtifactError:
        return False
    return True


def _when(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S %Z}"
