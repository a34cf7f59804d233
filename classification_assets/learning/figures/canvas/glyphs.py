"""Letters that DejaVu Sans has not, in which figures are written: which fonts of this machine have them.

Nothing is looked for before a text needs it, and a text that needs nothing looks the same on every machine.
"""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache, lru_cache

from matplotlib.font_manager import FontEntry, FontProperties, findfont, findSystemFonts, fontManager
from matplotlib.ft2font import FT2Font

log = logging.getLogger(__name__)

LAST_RESORT = "Last Resort High-Efficiency"
"""Matplotlib's own font, from 3.11 on: boxes that show a letter's script. It warns of each if it is not asked."""

_EAST_ASIAN = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "FULLWIDTH", "IDEOGRAPHIC")
_WITHOUT_SHAPE = ("Cc", "Cf")

_not_told: set[str] = set()
_told: set[str] = set()


def fitting(font: FontProperties, text: str) -> FontProperties:
    """The font itself if it has all of a text's letters, or else followed by others that have them."""
    if text.isascii() or not (missing := lacking(str(findfont(font)), text)):
        return font
    own = font.get_family()
    more = [family for family in dict.fromkeys(map(_family, missing)) if family not in own]
    if not more:
        return font
    fitted = font.copy()
    fitted.set_family([*own, *more])
    return fitted


@contextmanager
def without_bold_is_no_news() -> Iterator[None]:
    """Matplotlib logs once of a font that it has no bold letters: there is no other for them."""
    finding = logging.getLogger("matplotlib.font_manager")
    level = finding.level
    finding.setLevel(logging.ERROR)
    try:
        yield
    finally:
        finding.setLevel(level)


def font_file(text: str, *, bold: bool = False) -> str:
    """The one font for a text where only one can be given: that with the most of its letters."""
    weight = "bold" if bold else "normal"
    families = fitting(FontProperties(family="DejaVu Sans", weight=weight), text).get_family()
    files = [
        str(findfont(FontProperties(family=family, weight=weight)))
        for family in families
        if family != LAST_RESORT
    ]
    # A font of another script may have no Latin letters.
    return min(files, key=lambda file: len(lacking(file, text)))


def from_the_left(text: str) -> str:
    """A text whose first part stays on the left: beside a word of Arabic or Hebrew, numbers would change places."""
    if text.isascii() or not any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in text):
        return text
    return f"\N{LEFT-TO-RIGHT MARK}{text}"


def tell_what_is_missing() -> None:
    """Log the letters that no font of this machine has, each once."""
    if not _not_told:
        return
    letters = sorted(_not_told)
    log.warning(
        "figures show boxes for %s%s: no font of this machine has %s; install one, on Debian or Ubuntu "
        "with: apt-get install %s",
        " ".join(letters[:20]),
        f" and {len(letters) - 20} more" if len(letters) > 20 else "",
        "it" if len(letters) == 1 else "them",
        " ".join(sorted(set(map(_package, letters)))),
    )
    _told.update(letters)
    _not_told.clear()


@lru_cache(10_000)
def lacking(file: str, text: str) -> str:
    """Letters of a text that a font has not."""
    font = _opened(file)
    return "".join(
        letter
        for letter in dict.fromkeys(text)
        if not _has(font, letter) and unicodedata.category(letter) not in _WITHOUT_SHAPE
    )


def _family(letter: str) -> str:
    family = _family_with(letter)
    if family == LAST_RESORT and letter not in _told:
        _not_told.add(letter)
    return family


@lru_cache(10_000)
def _family_with(letter: str) -> str:
    return next((font.name for font in _fonts() if _has(_opened(font.fname), letter)), LAST_RESORT)


@cache
def _fonts() -> list[FontEntry]:
    """The machine's upright fonts of usual weight, those without serifs and with the most letters first."""
    # Matplotlib remembers which fonts there were when it was first imported.
    known = {font.fname for font in fontManager.ttflist}
    for file in sorted(set(findSystemFonts()) - known):
        # Pictures of letters in one size, as of coloured emoji, are refused.
        with suppress(OSError, RuntimeError, ValueError):
            fontManager.addfont(file)
    usual = [
        font
        for font in fontManager.ttflist
        if font.style == "normal" and font.weight == 400 and font.name != LAST_RESORT
    ]
    letters = {}
    for font in usual:
        # What is remembered may be gone.
        with suppress(OSError, RuntimeError):
            letters[font.fname] = FT2Font(font.fname).num_glyphs
    return sorted(
        (font for font in usual if font.fname in letters),
        key=lambda font: (
            any(kind in font.name for kind in ("Serif", "Mono")),
            -letters[font.fname],
            font.fname,
        ),
    )


@lru_cache(32)
def _opened(file: str) -> FT2Font:
    return FT2Font(file)


def _has(font: FT2Font, letter: str) -> bool:
    return font.get_char_index(ord(letter)) != 0


def _package(letter: str) -> str:
    name = unicodedata.name(letter, "")
    if name.startswith(_EAST_ASIAN):
        return "fonts-noto-cjk"
    return "fonts-symbola" if unicodedata.category(letter) in ("So", "Sk") else "fonts-noto-core"
