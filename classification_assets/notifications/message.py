"""Message about a run: what happened, where, and why; as JSON for a webhook, and as a text for people."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any, Literal

Event = Literal["failure", "not_promoted", "promoted"]
_HEADLINES: dict[Event, str] = {
    "failure": "Run failed",
    "not_promoted": "Not promoted",
    "promoted": "Promoted",
}
MOST = 2000
"""Characters of a reason that are sent: a chat shows no more, and a traceback may be long."""


@dataclass(frozen=True)
class Message:
    """One thing to tell.

    Attributes
    ----------
    event : str
        ``failure``, ``not_promoted`` or ``promoted``.
    subject : str
        An experiment, or the job whose run failed.
    run : str
        The run's id.
    reason : str
    assets : tuple of str
        What the run was to make, or what was decided on.
    url : str
        Where the web server shows the run; empty if that is not known.
    """

    event: Event
    subject: str
    run: str
    reason: str
    assets: tuple[str, ...] = ()
    url: str = ""

    @property
    def headline(self) -> str:
        """One line, without what would break a header of an e-mail."""
        return " ".join(f"{_HEADLINES[self.event]}: {self.subject}".split())

    @property
    def text(self) -> str:
        """For people."""
        reason = self.reason if len(self.reason) <= MOST else f"{self.reason[:MOST]} …"
        shown = ", ".join(self.assets[:10]) + (
            f" and {len(self.assets) - 10} more" if len(self.assets) > 10 else ""
        )
        lines = (self.headline, reason, f"assets: {shown}" if shown else "", self.url or f"run {self.run}")
        return "\n".join(line for line in lines if line)

    def as_json(self) -> dict[str, Any]:
        """For programs; Slack and those that understand its messages show `text`."""
        told: dict[str, Any] = {
            "text": escape(
                self.text, quote=False
            ),  # in Slack's own markup, <!channel> would ring for everybody
            "event": self.event,
            "experiment": self.subject,
            "assets": list(self.assets),
            "run": self.run,
            "reason": self.reason[:MOST],
        }
        return told | ({"url": self.url} if self.url else {})
