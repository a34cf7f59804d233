"""Dates as people write them, as far as they have one meaning: with slashes, month names, AM and PM, or UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

_MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_WEEKDAY = r"(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?\.?,?[ ]+)?"
_ZONE = r"(?P<zone>Z|UTC|GMT|(?:UTC|GMT)?[+-]\d{2}(?::?\d{2})?(?:[ ]*\(?(?:UTC|GMT)\)?)?)"
_CLOCK = r"""
(?P<hour>\d{1,2}) : (?P<minute>\d{2}) (?: : (?P<second>\d{2}) (?:[.,](?P<fraction>\d{1,9}))? )?
(?: [ ]*(?P<half>[ap]\.?m\.?) )?"""

_DATE = re.compile(
    rf"""
    {_WEEKDAY}
    (?: (?P<y1>\d{{4}})(?P<s1>[-/.:])(?P<m1>\d{{1,2}})(?P=s1)(?P<d1>\d{{1,2}})
      | (?P<a>\d{{1,2}})(?P<s2>[-/.])(?P<b>\d{{1,2}})(?P=s2)(?P<y2>\d{{4}})
      | (?P<d3>\d{{1,2}})(?:st|nd|rd|th)?[-/., ]{{0,2}}(?:of[ ])?(?P<n3>{_MONTH})[-/., ]{{0,2}}(?P<y3>\d{{4}})
      | (?P<n4>{_MONTH})[-/. ]{{1,2}}(?P<d4>\d{{1,2}})(?:st|nd|rd|th)?(?:,[ ]?|[ ]|-|/)(?P<y4>\d{{4}})
      | (?P<y5>\d{{4}})[-/. ](?P<n5>{_MONTH})[-/. ](?P<d5>\d{{1,2}})
      | (?P<n6>{_MONTH})[-/., ]{{1,2}}(?P<y6>\d{{4}})
      | (?P<y7>\d{{4}})-(?P<m7>\d{{2}})
    )
    (?: (?:T|,?[ ]+(?:at[ ]+)?|:|(?<=\d)-(?=\d\d:)) {_CLOCK} (?:[ ]*{_ZONE})? )?
    """,
    re.VERBOSE | re.IGNORECASE,
)
_CTIME = re.compile(
    rf"{_WEEKDAY}(?P<n4>{_MONTH})[ ]+(?P<d4>\d{{1,2}})[ ]+{_CLOCK}[ ]+(?:{_ZONE}[ ]+)?(?P<y4>\d{{4}})",
    re.VERBOSE | re.IGNORECASE,
)
_COMPACT = re.compile(
    r"(?P<y1>\d{4})(?P<m1>\d{2})(?P<d1>\d{2})"
    r"(?:(?P<joint>T|)(?P<hour>\d{2})(?P<minute>\d{2})(?P<second>\d{2})(?:\.(?P<fraction>\d{1,9}))?"
    r"(?P<zone>Z|[+-]\d{2}:?\d{2})?)?",
    re.IGNORECASE,
)
_HOURS = 12

LOOKS_LIKE_DATE = re.compile(
    r"(\d{4}|\d{1,2})[-/ ](\d{1,2}|[^\W\d_]{3,12}\.?)[-/ ](\d{4}|\d{1,2})([T ,].*)?"
    r"|(\d{4}|\d{2})\.(\d{2}|[ ]?[^\W\d_]{3,12})[. ](\d{4}|\d{2})([T ,].*)?"
    r"|\d{1,2}\.[ ][^\W\d_]{3,12}[ ]\d{4}([T ,].*)?|\d{1,3}:\d{2}(:\d{2}([.,]\d+)?)?([ ]?[ap]\.?m\.?)?",
    re.IGNORECASE,
)
"""A date or a time of day, whatever it means."""


class DateWord(NamedTuple):
    """A word that is a date or timestamp.

    `first` and `second` are the numbers before the year where only their column tells which one is the month, else
    None.
    """

    date: tuple[int, int, int]
    clock: timedelta
    offset: timedelta
    first: int | None = None
    second: int | None = None

    def timestamp(self, day_first: bool | None) -> datetime | None:
        """The timestamp in UTC, without its zone; None if there is no such day, or it is not known which one is it."""
        year, month, day = self.date
        if self.first is not None and self.second is not None:
            if day_first is None:
                return None
            month, day = (self.second, self.first) if day_first else (self.first, self.second)
        try:
            return datetime(year, month, day, tzinfo=UTC).replace(tzinfo=None) + self.clock - self.offset
        except (ValueError, OverflowError):
            return None


@lru_cache(maxsize=2**16)
def date_word(word: str, compact: bool = False) -> DateWord | None:
    """The date that a word is; None if it is none, or one of several.

    Parameters
    ----------
    compact : bool
        Whether eight digits are one.
    """
    word = " ".join(word.split())
    found = _DATE.fullmatch(word) or _CTIME.fullmatch(word) or _COMPACT.fullmatch(word)
    if found is None:
        return None
    parts = found.groupdict()
    clock = _clock(parts)
    digits_alone = found.re is _COMPACT and (parts["joint"] or "").upper() != "T"
    if clock is None or (digits_alone and not compact):
        return None
    offset = _offset(parts["zone"])
    if parts.get("a") is not None:
        year, first, second = (int(parts[name]) for name in ("y2", "a", "b"))
        if first != second:
            return DateWord((year, 0, 0), clock, offset, first, second)
        return DateWord((year, first, first), clock, offset)
    number = next(number for number in "134567" if parts.get(f"y{number}") is not None)
    name = parts.get(f"n{number}")
    month = int(parts[f"m{number}"]) if name is None else _month(name)
    # A month alone is its first day.
    return DateWord((int(parts[f"y{number}"]), month, int(parts.get(f"d{number}") or 1)), clock, offset)


def day_comes_first(words: list[DateWord]) -> bool | None:
    """Whether the day stands before the month in dates with the year at their end; None if they do not tell."""
    asked = [
        (word.first, word.second) for word in words if word.first is not None and word.second is not None
    ]
    if any(first > _HOURS for first, _ in asked):
        return True
    return False if any(second > _HOURS for _, second in asked) else None


def _month(name: str) -> int:
    return next(index for index, month in enumerate(_MONTHS, start=1) if month[:3] == name[:3].lower())


def _clock(parts: dict[str, str | None]) -> timedelta | None:
    """The time of day, zero where none is written; None if there is no such time."""
    if parts["hour"] is None:
        return timedelta()
    hour, minute, second = (int(parts[name] or 0) for name in ("hour", "minute", "second"))
    if half := (parts.get("half") or "").lower().replace(".", ""):
        if not 1 <= hour <= _HOURS:
            return None
        hour = hour % _HOURS + _HOURS * (half == "pm")
    if hour > 23 or minute > 59 or second > 59:
        return None
    # Digits beyond the microsecond are cut off.
    microsecond = int((parts["fraction"] or "0").ljust(6, "0")[:6])
    return timedelta(hours=hour, minutes=minute, seconds=second, microseconds=microsecond)


def _offset(zone: str | None) -> timedelta:
    digits = re.search(r"([+-])(\d{2}):?(\d{2})?", zone or "")
    if digits is None:
        return timedelta()
    found = timedelta(hours=int(digits[2]), minutes=int(digits[3] or 0))
    return -found if digits[1] == "-" else found
