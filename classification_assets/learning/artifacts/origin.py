"""Origin of an artifact: its own version, what it was made of, and whether what a step is given fits together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

COMMAND = "dagster asset materialize -m classification_assets.definitions --select"


def making(key: str) -> str:
    """The commands that make an artifact, by its key."""
    return f"{COMMAND} {key} (or with all that it needs: --select '+key:\"{key}\"')"


class MisfitError(ValueError):
    """Artifacts of different times that do not fit together."""


@dataclass(frozen=True)
class Origin:
    """Version and inputs of an artifact, as its file says.

    Attributes
    ----------
    version : str
        SHA-256 of its content; when, where and of what it was made has no influence.
    inputs : dict
        Versions of the artifacts that it was made of, by key (``moons/split``).
    ancestors : dict
        Versions of what these were made of, and so on.
    run : str
        The run that made it.
    code_version : str
        A hash of all that is declared for it and for everything upstream.
    """

    version: str = ""
    inputs: dict[str, str] = field(default_factory=dict)
    ancestors: dict[str, str] = field(default_factory=dict)
    run: str = ""
    code_version: str = ""

    @classmethod
    def of_inputs(
        cls, inputs: Mapping[str, Origin], free: Collection[str] = (), run: str = "", code_version: str = ""
    ) -> Self:
        """The origin of what is made of these inputs; what the `free` ones were made of does not count."""
        ancestors: dict[str, str] = {}
        for key, origin in inputs.items():
            if key not in free:
                ancestors |= origin.ancestors | origin.inputs
        direct = {key: origin.version for key, origin in inputs.items()}
        return cls(
            inputs=direct,
            ancestors={key: version for key, version in ancestors.items() if key not in direct},
            run=run,
            code_version=code_version,
        )

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        return cls(**content)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def versioned(self, version: str) -> Self:
        return replace(self, version=version)

    @property
    def made_of(self) -> dict[str, str]:
        """Versions of inputs and ancestors by key."""
        return self.ancestors | self.inputs


def refuse_misfits(
    made: str,
    inputs: Mapping[str, Origin | None],
    stored: Callable[[str], Origin | None],
    free: Collection[str] = (),
) -> None:
    """Refuse inputs that were not made of one another.

    Parameters
    ----------
    made : str
        The key of what shall be made.
    inputs : mapping
        The origin of each input by its key; None if its file does not say.
    stored : callable
        The origin of any artifact, by its key, as it is stored now.
    free : collection of str
        Inputs that may be older than the others: the step itself is right with those.

    Raises
    ------
    MisfitError
        Naming what does not fit, and what to materialize in which order.
    """
    wrong: dict[str, str] = {}
    for key, origin in inputs.items():
        if origin is None:
            wrong[key] = f"{key} was stored by an earlier version, which did not say what it was made of"
    versions = {key: origin.version for key, origin in inputs.items() if origin is not None}
    seen: dict[str, tuple[str, str]] = {}
    for key, origin in inputs.items():
        if origin is None or key in free:
            continue
        for upstream, version in origin.made_of.items():
            if upstream in versions:
                if version != versions[upstream]:
                    wrong.setdefault(key, f"{key} was made of another {upstream} than the one that is there")
                continue
            other, its_version = seen.setdefault(upstream, (key, version))
            if its_version != version:
                now = stored(upstream)
                outdated = [
                    name
                    for name, own in ((other, its_version), (key, version))
                    if now is None or own != now.version
                ]
                for name in outdated:
                    wrong.setdefault(name, f"{other} and {key} were made of different versions of {upstream}")
    if wrong:
        reasons = "; ".join(dict.fromkeys(wrong.values()))
        raise MisfitError(
            f"{made} cannot be made of what is stored: {reasons}. {remedy(made, list(wrong), stored, inputs)}"
        )


def remedy(
    made: str, outdated: Collection[str], stored: Callable[[str], Origin | None], inputs: Collection[str] = ()
) -> str:
    """Advice: which assets to materialize, in which order, so that an asset can be made, and the command that does it.

    That is what is `outdated`, and of all `inputs` what was not made of what is stored now.
    """
    order = _in_order(outdated, stored, [*outdated, *inputs])
    # Of what does not say of what it was made, everything that it needs may be of another time, too.
    unknown = [key for key in order if stored(key) is None]
    chosen = " or ".join(f'{"+" if key in unknown else ""}key:"{key}"' for key in [*order, made])
    with_all = f" (with all that {', '.join(unknown)} needs)" if unknown else ""
    return f"Materialize, in this order, {', '.join([*order, made])}{with_all}: {COMMAND} '{chosen}'"


def _in_order(
    outdated: Collection[str], stored: Callable[[str], Origin | None], keys: Collection[str]
) -> list[str]:
    """Those of some keys, and of what they were made of, that have to be made again, in order."""
    order: list[str] = []
    known: dict[str, bool] = {}

    def visit(key: str) -> bool:
        if key not in known:
            known[key] = False  # there are no circles, but a damaged store shall not hang
            origin = stored(key)
            if origin is None:
                known[key] = True
            else:
                changed = [visit(upstream) for upstream in origin.inputs]
                found = {upstream: stored(upstream) for upstream in origin.inputs}
                known[key] = any(changed) or any(
                    now is None or now.version != origin.inputs[upstream] for upstream, now in found.items()
                )
            if known[key] or key in outdated:
                known[key] = True
                order.append(key)
        return known[key]

    for key in keys:
        visit(key)
    return order
