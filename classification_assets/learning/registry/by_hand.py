"""A person's decisions about champions: promote, roll back, pin, release. Each is recorded with its reason."""

from __future__ import annotations

from classification_assets.learning.artifacts.files import ArtifactError, names_in
from classification_assets.learning.evaluation.bounds import Metric
from classification_assets.learning.evaluation.promotion import Decision
from classification_assets.learning.evaluation.promotion_rule import PromotionRule
from classification_assets.learning.registry.challenger import Challenger
from classification_assets.learning.registry.change import changing
from classification_assets.learning.registry.contest import Outcome, Told, promote
from classification_assets.learning.registry.records import Pointer
from classification_assets.learning.registry.registry import NoChampionError, Registry


def promote_challenger(
    registry: Registry, challenger: Challenger, rule: PromotionRule, metric: Metric, told: Told
) -> Outcome:
    """Promote the challenger, whatever the rule says.

    Raises
    ------
    ValueError
        If no reason is given.
    MisfitError
        If what the challenger was made of is not there any more.
    """
    _refuse_without_reason(told)
    decision = Decision(
        promoted=True, ground="by hand", reason=f"promoted by hand: {told.because}", metric=metric
    )
    with changing(registry) as change:
        return promote(change, challenger, rule, metric, decision, told)


def promote_version(registry: Registry, number: int, told: Told) -> Pointer:
    """Make a version that is kept the champion, whatever the rule says.

    Raises
    ------
    ValueError
        If no reason is given.
    NoVersionError
        If the version is not kept.
    """
    _refuse_without_reason(told)
    _refuse_unknown(registry)
    with changing(registry) as change:
        return change.serve(number, "promoted", **told.fields())


def roll_back(registry: Registry, number: int | None, told: Told) -> Pointer:
    """Make a version the champion again: the one that served before, or the one of that number.

    Raises
    ------
    NoChampionError, NoVersionError
        If there is nothing to go back to.
    """
    _refuse_unknown(registry)
    with changing(registry) as change:
        if change.pointer is None:
            raise NoChampionError(
                f"{registry.experiment} has no champion yet: there is nothing to go back to"
            )
        if number is None:
            number = _served_before(registry, change.pointer.version)
        return change.serve(number, "rolled back", **told.fields())


def pin(registry: Registry, number: int | None, pinned: bool, told: Told) -> Pointer:
    """Keep a version for good (default: the champion), or release it.

    Raises
    ------
    NoChampionError, NoVersionError
        If there is no such version.
    """
    _refuse_unknown(registry)
    with changing(registry) as change:
        if change.pointer is None:
            raise NoChampionError(f"{registry.experiment} has no champion yet: there is nothing to pin")
        return change.pin(change.pointer.version if number is None else number, pinned, **told.fields())


def _served_before(registry: Registry, current: int) -> int:
    """The version that served before; those that were rolled back from do not count."""
    served: list[int] = []
    for entry in registry.entries():
        if entry.champion is None or served[-1:] == [entry.champion]:
            continue
        if entry.action == "rolled back" and entry.champion in served:
            del served[served.index(entry.champion) + 1 :]
        else:
            served.append(entry.champion)
    kept = registry.numbers()
    for number in reversed(served):
        if number != current and number in kept:
            return number
    raise ArtifactError(
        f"{registry.experiment}: no version that served before version {current} is kept; there are: "
        f"{', '.join(map(str, kept)) or 'none'}"
    )


def _refuse_unknown(registry: Registry) -> None:
    """Where there is no registry, none shall be made by asking for a change."""
    if not names_in(registry.folder):
        registry.champion()


def _refuse_without_reason(told: Told) -> None:
    if not told.because.strip():
        raise ValueError("because: a promotion by hand needs a reason, which is kept in the log")


def as_outcome(pointer: Pointer) -> Outcome:
    """A person's decision, as the outcome of one."""
    entry = pointer.entry
    done = "rolled back to version" if entry.action == "rolled back" else f"{entry.action} version"
    reason = f"{done} {entry.version} by hand" + (f": {entry.because}" if entry.because else "")
    promoted = entry.action in ("promoted", "rolled back")
    return Outcome(Decision(promoted=promoted, ground="by hand", reason=reason), pointer)
