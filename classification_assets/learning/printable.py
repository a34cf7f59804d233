"""Texts out of data, such as names of classes and columns, as what is printed, drawn and marked up. Light to import."""

from __future__ import annotations

import re

# C0 and C1, the line and paragraph separators, marks that turn the direction of what follows, and no characters.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufffe\uffff\ud800-\udfff]")
_SPACES = re.compile("[\t\n\x0b\x0c\r\x85\u2028\u2029]+")
# What begins markup within a line of Markdown, formulas of some viewers included; an underscore within a word does not.
_MARKUP = re.compile(r"[\\`*$~|]|(?<!\w)_|_(?!\w)|\](?=[(\[:])|!(?=\[)")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def printable(text: str) -> str:
    """A text in one line: line breaks are spaces, and other control characters are seen as their pictures (␛)."""
    return _CONTROL.sub(_picture, _SPACES.sub(" ", text))


def without_control(text: str) -> str:
    """A text of several lines whose control characters, which XML and terminals do not bear, are seen as pictures."""
    return _CONTROL.sub(lambda found: found[0] if found[0] in "\t\n" else _picture(found), text)


def in_markdown(text: str) -> str:
    """A text in one line of Markdown, also in a table's cell, that is shown as it is: no markup, no HTML."""
    shown = "".join(_ENTITIES.get(letter, letter) for letter in printable(text))
    return _MARKUP.sub(lambda found: f"\\{found[0]}", shown)


def code_in_markdown(text: str) -> str:
    """A text as code within a line of Markdown, also one with backticks in it."""
    shown = printable(text).strip() or " "
    fence = "`" * (max((len(run) for run in re.findall("`+", shown)), default=0) + 1)
    room = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{fence}{room}{shown}{room}{fence}"


def _picture(found: re.Match[str]) -> str:
    code = ord(found[0])
    return chr(0x2400 + code) if code < 0x20 else "\u2421" if code == 0x7F else "\ufffd"
