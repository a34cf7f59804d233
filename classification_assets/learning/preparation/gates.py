"""Gates of a data set: blocking checks of a new version of a table against the accepted one. Light to import."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pydantic import Field

from classification_assets.learning.check import Check, Verdict
from classification_assets.learning.declaration import Declaration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from classification_assets.learning.preparation.profile import Profile
    from classification_assets.learning.tables.table import Table

CHANCE = 0.01
"""Probability that chance alone shifts the labels as much, up to which a shift blocks."""

KNOWN = 0.95
"""Balanced accuracy alone from which a suspect column of today was as good as one before."""


class Gates(Declaration):
    """Rules by which a new version of a data set is accepted for training.

    The asset `dataset` has these fields in its run configuration, so one run can let a change through that is meant.
    """

    same_columns: bool = Field(
        True,
        description="No column that is used is gone, of another kind, or emptied. New columns are allowed, and told.",
    )
    same_classes: bool = Field(True, description="No class is gone. New classes are allowed, and told.")
    new_class_share: float = Field(
        0.02,
        ge=0,
        le=1,
        description="Smallest share of the rows that a class which is new must have (0 to 1): a few rows of a class "
        "that never was are mistyped labels rather than a class. 0: any.",
    )
    fewer_rows: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Largest share of the rows of the accepted version that may be gone (0 to 1). 1: any.",
    )
    label_shift: float = Field(
        0.2,
        ge=0,
        le=1,
        description="Largest distance between the class shares of both versions: half the sum of the absolute "
        "differences (total variation, 0 to 1); blocks only if chance alone would not do as much. 1: any.",
    )
    no_new_leaks: bool = Field(
        True, description="No column predicts the target alone that did not do so in the accepted version."
    )


@dataclass(frozen=True)
class Delivery:
    """A new version of a data set, with the accepted one.

    Attributes
    ----------
    profile : Profile
        Of the new version.
    accepted : Table or None
        None if there is no accepted version yet.
    gates : Gates
    configuration : callable
        ``configuration(settings)``: the configuration of a run with these settings of gates.
    """

    profile: Profile
    accepted: Table | None
    gates: Gates
    configuration: Callable[[dict[str, Any]], dict[str, Any]] = dict

    @cached_property
    def classes(self) -> tuple[dict[str, int], dict[str, int]]:
        """Rows of each class of the accepted version, of which there must be one, and of the new one."""
        from classification_assets.learning.preparation.label_shift import class_rows

        assert self.accepted is not None
        return class_rows(self.accepted), class_rows(self.profile.table)

    @property
    def compared(self) -> tuple[Table | None, str]:
        """The accepted version, or None if the new one is no later version of it; and why not."""
        new, accepted = self.profile.table, self.accepted
        if accepted is None:
            return None, "the first version: there is none to compare it with"
        for field, before, now in (
            ("kind", accepted.source.declared("kind"), new.source.declared("kind")),
            ("name", accepted.source.declared("name"), new.source.declared("name")),
            ("target", accepted.target, new.target),
        ):
            if before != now:
                return (
                    None,
                    f"another data set is declared ({field}: {now}, before: {before}): nothing to compare",
                )
        return accepted, ""


def gate_checks() -> list[Check]:
    """Checks of every `Delivery` of a table of one's own; a violation blocks."""
    judges = (
        same_columns,
        same_classes,
        new_classes_are_no_slips,
        rows_there,
        labels_alike,
        nothing_leaks_now,
    )
    return [replace(Check.of(judge), blocking=True) for judge in judges]


def same_columns(delivery: Delivery) -> Verdict:
    """No column that is used is gone, of another kind or emptied since the accepted version."""
    accepted, why = delivery.compared
    if accepted is None:
        return True, why
    profile = delivery.profile
    new, before = profile.table, set(accepted.rows.names)
    there = set(new.rows.names)
    empty = set(profile.columns.loc[profile.columns["missing"] == 1, "column"])
    changed: list[str] = []
    unused: list[str] = []
    for name in accepted.rows.names:
        if name not in there:
            change = "gone"
        elif name in empty:
            change = "" if _is_empty(accepted, name) else "emptied: all its values are missing"
        else:
            change = _other_kind(accepted, new, name)
        if change:
            (changed if _is_used(new, name) else unused).append(f"{name} ({change})")
    told = []
    if added := [name for name in new.rows.names if name not in before]:
        told.append(f"new columns: {_listed(added)}")
    if unused:
        told.append(f"changed, but not used: {_listed(unused)}")
    extra = "".join(f"; {part}" for part in told)
    if not changed:
        return (
            True,
            f"the {len(before):,} columns of the accepted version are there, of the same kinds{extra}",
        )
    found = f"columns changed since the accepted version: {_listed(changed)}{extra}"
    return _verdict(delivery, found, "same_columns")


def same_classes(delivery: Delivery) -> Verdict:
    """No class of the accepted version is gone."""
    accepted, why = delivery.compared
    if accepted is None:
        return True, why
    before, now = delivery.classes
    gone = [f"{name} ({rows:,} rows before)" for name, rows in before.items() if name not in now]
    added = [f"{name} ({rows:,} rows)" for name, rows in now.items() if name not in before]
    extra = f"; new classes: {_listed(added)}" if added else ""
    if not gone:
        return True, f"all {len(before):,} classes of the accepted version are there{extra}"
    found = f"{len(gone):,} of {len(before):,} classes are gone: {_listed(gone)}{extra}"
    return _verdict(delivery, found, "same_classes")


def new_classes_are_no_slips(delivery: Delivery) -> Verdict:
    """Classes that are new have at least `new_class_share` of the rows."""
    accepted, why = delivery.compared
    if accepted is None:
        return True, why
    before, now = delivery.classes
    new = {name: rows / sum(now.values()) for name, rows in now.items() if name not in before}
    bound = delivery.gates.new_class_share
    if not new:
        return True, "no class is new"
    rare = {name: share for name, share in new.items() if share < bound}
    if not rare:
        return True, f"new classes: {_shares(new)}; each has at least {bound:.1%} of the rows"
    found = (
        f"classes that are new have less than {bound:.1%} of the rows, as mistyped labels would: {_shares(rare)}; the "
        f"classes were {_listed(before)}"
    )
    return _closed(delivery, found, "new_class_share", 0.0)


def rows_there(delivery: Delivery) -> Verdict:
    """No more rows are gone since the accepted version than `fewer_rows` allows."""
    accepted, why = delivery.compared
    if accepted is None:
        return True, why
    before, now, bound = accepted.rows.n_rows, delivery.profile.n_rows, delivery.gates.fewer_rows
    found = f"{now:,} rows, {before:,} in the accepted version"
    if now >= before:
        return True, found
    gone = 1 - now / before
    found += f": {gone:.1%} of them are gone, at most {bound:.1%} may be"
    return (True, found) if gone <= bound else _closed(delivery, found, "fewer_rows", _at_least(gone))


def labels_alike(delivery: Delivery) -> Verdict:
    """The shares of the classes are those of the accepted version, up to `label_shift` and to chance."""
    accepted, why = delivery.compared
    if accepted is None:
        return True, why
    from classification_assets.learning.preparation.label_shift import LabelShift

    shift, bound = LabelShift.between(accepted, delivery.profile.table), delivery.gates.label_shift
    found = (
        f"the class shares are {shift.distance:.3f} from those of the accepted version (total variation; at most "
        f"{bound:g}); most changed {shift.most_changed}"
    )
    if shift.distance <= bound:
        return True, found
    p = shift.chance()
    if p > CHANCE:
        return True, f"{found}; with so few rows chance alone does as much (p = {p:.2g})"
    return _closed(delivery, f"{found}; p = {p:.2g}", "label_shift", _at_least(shift.distance))


def nothing_leaks_now(delivery: Delivery) -> Verdict:
    """No column predicts the target alone that did not do so in the accepted version."""
    accepted, why = delivery.compared
    if accepted is None:
        return True, why
    profile = delivery.profile
    if not profile.suspects:
        return True, "no column predicts the target alone"
    known = [name for name in profile.suspects if name in accepted.rows.names]
    alone = _alone_before(accepted, known)
    now = profile.features.set_index("column")["alone"]
    fresh = [
        f"{name} (balanced accuracy {now[name]:.2f}, before: "
        + ("no such column)" if name not in known else f"{alone[name]:.2f})" if name in alone else "none)")
        for name in profile.suspects
        if alone.get(name, 0.0) < KNOWN
    ]
    if not fresh:
        return (
            True,
            f"these predicted the target alone in the accepted version, too: {_listed(profile.suspects)}",
        )
    found = f"predict {profile.table.target!r} alone, and did not in the accepted version: {_listed(fresh)}"
    return _verdict(delivery, found, "no_new_leaks")


def _verdict(delivery: Delivery, found: str, gate: str) -> Verdict:
    """The verdict on a violation of a rule that holds or does not."""
    if not getattr(delivery.gates, gate):
        return True, f"{found}; allowed by {json.dumps({gate: False})}"
    return _closed(delivery, found, gate, False)


def _closed(delivery: Delivery, found: str, gate: str, opened: bool | float) -> Verdict:
    """The verdict on a violation, with what to do if the change is meant."""
    configuration = json.dumps(delivery.configuration({gate: opened}))
    return (
        False,
        f"{found}; if this is meant, materialize the asset dataset with the configuration {configuration}",
    )


def _shares(classes: Mapping[str, float]) -> str:
    return _listed(f"{name} ({share:.1%})" for name, share in classes.items())


def _at_least(value: float) -> float:
    """The value rounded up to what a person writes, so that it is a bound that lets the value through."""
    return min(1.0, math.ceil(value * 100 + 1e-9) / 100)


def _is_used(table: Table, name: str) -> bool:
    """Whether a column has a role by the table's declaration, also if it is gone."""
    roles = table.roles
    if name in (roles.target, roles.id, roles.weight, roles.group, roles.time):
        return True
    return name in roles.features if roles.features else name not in roles.drop and not roles.ignores(name)


def _other_kind(accepted: Table, new: Table, name: str) -> str:
    """How a column's kind changed, in words; empty if it did not, or if another kind is declared."""
    import pyarrow as pa

    from classification_assets.learning.tables.arrow_types import is_words

    if accepted.roles.columns.get(name) != new.roles.columns.get(name):
        return ""  # values are read as they are declared, so it was the declaration that changed
    then, read = (table.source.readings.get(name) for table in (accepted, new))
    if then is not None and read is not None and then.reading.unit != read.reading.unit:
        return f"{then.reading.words}, now {read.reading.words}"
    if then is None and read is not None and is_words(accepted.rows.schema.field(name).type):
        return ""  # of an accepted version that did not know how to read such words
    types = [table.rows.schema.field(name).type for table in (accepted, new)]
    before, now = (_kind(name, type) for type in types)
    if before == now or pa.types.is_null(types[0]) or _is_empty(accepted, name):
        return ""
    return f"{before}, now {now}"


def _kind(name: str, type: Any) -> str:
    from classification_assets.learning.tables.arrow_types import inferred_kind

    try:
        return inferred_kind(name, type)
    except ValueError:
        return str(type)  # a column that is left out may hold what no network reads


def _is_empty(table: Table, name: str) -> bool:
    import pyarrow.compute as pc

    column = table.rows.column(name)
    return bool(pc.all(pc.is_null(column, nan_is_null=True)).as_py())


def _alone_before(accepted: Table, names: list[str]) -> dict[str, float]:
    """Balanced accuracy in the accepted version of the target predicted from each of these columns alone."""
    import numpy as np
    import pyarrow as pa

    from classification_assets.learning.preparation.profile import TRIED, Profile
    from classification_assets.learning.tables.roles import Roles
    from classification_assets.learning.tables.rows import MemoryRows
    from classification_assets.learning.tables.table import Table

    rows = pa.array(np.arange(0, accepted.rows.n_rows, -(-accepted.rows.n_rows // TRIED) or 1))
    label = accepted.rows.column(accepted.target).take(rows)
    found = {}
    for name in names:
        declared = {
            key: kind for key, kind in accepted.roles.columns.items() if key in (name, accepted.target)
        }
        both = pa.table({name: accepted.rows.column(name).take(rows), accepted.target: label})
        table = Table(MemoryRows(both), Roles(target=accepted.target, columns=declared))
        try:
            alone = Profile.of(table).features["alone"].iloc[0]
        except ValueError:
            continue  # it held what no network reads, and could not predict anything
        if not np.isnan(alone):
            found[name] = float(alone)
    return found


def _listed(names: Iterable[str]) -> str:
    listed = list(names)
    shown = ", ".join(listed[:10])
    return shown if len(listed) <= 10 else f"{shown} and {len(listed) - 10} more"
