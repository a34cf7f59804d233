"""How a column of words is read as numbers or dates: found once, stored with the preprocessing. Light to import."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from classification_assets.learning.declaration import Declaration

MISSING_WORDS = frozenset(
    [
        *("", ".", "..", "...", "…", "?", "??", "-", "--", "---", "–", "—", "*", "**", "#", "/", ":"),
        *("na", "n/a", "n.a.", "n.a", "#n/a", "#na", "<na>", "nan", "-nan", "nat", "#n/v", "\\n"),
        *("null", "(null)", "<null>", "nil", "none", "(none)", "<none>", "undefined", "void"),
        *("missing", "(missing)", "[missing]", "<missing>", "blank", "(blank)", "empty", "(empty)"),
        *(
            "unknown",
            "(unknown)",
            "<unknown>",
            "unk",
            "unkn",
            "not known",
            "n/k",
            "uncertain",
            "undetermined",
        ),
        *(
            "not available",
            "unavailable",
            "not applicable",
            "no data",
            "no value",
            "no answer",
            "no response",
        ),
        *("not reported", "not recorded", "not given", "not stated", "not specified", "not provided"),
        *("not measured", "not tested", "not done", "not detected", "not determined", "not disclosed"),
        *("unspecified", "unreported", "undisclosed", "nd", "n.d.", "n/d", "nr", "n.r.", "n/r", "nc", "n.c."),
        *("tbd", "tba", "tbc", "pending", "withheld", "suppressed", "redacted", "confidential", "masked"),
        *("refused", "declined", "don't know", "dont know", "dk", "invalid", "error", "#error"),
        *("0000-00-00", "0000-00-00 00:00:00", "00/00/0000", "00.00.0000"),
        *("#value!", "#div/0!", "#ref!", "#name?", "#num!", "#null!"),
        *("unbekannt", "keine angabe", "k.a.", "k. a.", "k.a", "inconnu", "desconocido", "s/d", "sin datos"),
    ]
)
"""Words, in small letters, that say a value is missing where they stand among numbers or dates."""


class ColumnReading(Declaration):
    """How the words of a column are read.

    Values that are no words need none: numbers are in the column's unit.
    """

    kind: Literal["numeric", "date"]
    unit: str = Field("", description="The sign, currency or unit at every number, such as %, $ or kg.")
    thousands: bool = Field(False, description="Whether a comma (or the point) may stand between thousands.")
    scaled: bool = Field(
        False, description="Whether 2k is 2000 and 1M a million: a column has several of them."
    )
    decimal: Literal[".", ","] = Field(".", description="Before a number's fraction.")
    day_first: bool | None = Field(
        None, description="Whether 01/02/2024 is in February; None: not to be told."
    )
    compact: bool = Field(False, description="Whether 20240229 is a date, too.")
    missing: tuple[str, ...] = Field(
        (), description="Words that say a value is missing, beside the known ones."
    )

    @property
    def words(self) -> str:
        """The column's content, in words."""
        if self.kind == "date":
            order = {None: "", True: ", the day first", False: ", the month first"}[self.day_first]
            return f"dates{order}"
        return f"numbers in {self.unit}" if self.unit else "numbers"

    def is_missing(self, word: str) -> bool:
        """Whether a word, without spaces around it, says that the value is missing."""
        return says_missing(word, self.missing)


class ReadColumn(Declaration):
    """A column of words that was read as numbers or dates, and what was found in it."""

    reading: ColumnReading
    missing: dict[str, int] = Field(
        {}, description="Cells taken as missing, by their word: the most frequent."
    )
    n_missing: int = Field(0, description="All cells taken as missing whose word says so.")
    n_bounds: int = Field(0, description="Cells that are a bound, such as <5 or 90+, read as the number.")

    @property
    def words(self) -> str:
        """How it was read, in words."""
        told = self.reading.words
        if self.reading.thousands:
            told += f", a {'point' if self.reading.decimal == ',' else 'comma'} between thousands"
        if self.n_missing:
            listed = ", ".join(repr(word) for word in self.missing)
            more = " …" if sum(self.missing.values()) < self.n_missing else ""
            told += f"; {self.n_missing:,} cells taken as missing ({listed}{more})"
        if self.n_bounds:
            told += f"; {self.n_bounds:,} bounds read as their number"
        return told


def says_missing(word: str, others: tuple[str, ...] = ()) -> bool:
    """Whether a word, without spaces around it, says that a number or date is missing; `others` do so too."""
    return word.casefold() in MISSING_WORDS or word in others
