"""Records of a registry: a version's manifest, an entry of the log, the pointer to the champion. Light to import."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from classification_assets.learning.declaration import Declaration, Name

Action = Literal["promoted", "refused", "rolled back", "pinned", "released"]


class Version(Declaration):
    """Manifest of a version (`version.json`): an immutable model that was promoted.

    `model_version` and `data_version` are those of the artifacts that it was made from; `as_of` is the time for which
    its run was made, which is that of the schedule's tick or of the run's start.
    """

    number: int = Field(ge=1)
    experiment: Name
    architecture: Name
    model_version: str
    data_version: str = ""
    code_version: str = ""
    run: str = ""
    created: datetime
    as_of: datetime
    metric: str
    scores: dict[str, float] = Field({})
    files: dict[str, str] = Field({}, description="SHA-256 of each file of the version's folder, by name.")

    @property
    def name(self) -> str:
        """The name of its folder: v0007."""
        return folder_name(self.number)


class Entry(Declaration):
    """An entry of the log: something was decided about which version serves.

    Attributes
    ----------
    number : int
        Ascending from 1, without gaps.
    version : int or None
        The version that it is about; None of a challenger that was refused.
    champion : int or None
        The version that serves from then on.
    decision : dict
        See `evaluation.promotion.Decision`; empty where a person decided.
    by : str
        "run" or "command line".
    because : str
        The reason that a person gave.
    """

    number: int = Field(ge=1)
    time: datetime
    action: Action
    version: int | None = None
    champion: int | None = None
    architecture: str = ""
    model_version: str = ""
    decision: dict[str, Any] = Field({})
    run: str = ""
    as_of: datetime | None = None
    by: str = "run"
    because: str = ""

    @property
    def reason(self) -> str:
        """Why, in words."""
        return self.because or str(self.decision.get("reason", ""))


class Pointer(Declaration):
    """The pointer file (`champion.json`): which version serves, and the entry of the log that made it so."""

    format: Literal["champion"] = "champion"
    experiment: Name
    version: int = Field(ge=1)
    highest: int = Field(ge=1, description="The highest number that a version has had.")
    pinned: tuple[int, ...] = ()
    entry: Entry

    @property
    def is_pinned(self) -> bool:
        """Whether nothing takes the champion's place but a person."""
        return self.version in self.pinned


def folder_name(number: int) -> str:
    return f"v{number:04d}"
