"""Numbers as people write them: with a unit, a currency, thousands apart, brackets for negatives, or as a bound."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal, NamedTuple

MONEY = (
    *(
        "US$",
        "R$",
        "A$",
        "C$",
        "HK$",
        "S$",
        "NZ$",
        "$",
        "€",
        "£",
        "¥",
        "₹",
        "₽",
        "₩",
        "₺",
        "₪",
        "₴",
        "฿",
        "₫",
        "₱",
    ),
    *(
        "zł",
        "kr.",
        "kr",
        "Rs.",
        "Rs",
        "Fr.",
        "USD",
        "EUR",
        "GBP",
        "CHF",
        "JPY",
        "CNY",
        "INR",
        "SEK",
        "NOK",
        "DKK",
    ),
    *("PLN", "CZK", "HUF", "AUD", "CAD", "NZD", "BRL", "MXN", "ZAR", "RUB", "TRY", "KRW", "SGD", "HKD"),
)
"""Currencies, which stand before or behind a number, or at some of a column's numbers only."""

POINTED = ("US$", "A$", "C$", "HK$", "S$", "NZ$", "$", "£", "¥", "₹", "USD", "GBP", "JPY", "CNY", "INR")
"""Currencies of countries in which a comma stands between thousands."""

SCALES = {
    "k": 1e3,
    "K": 1e3,
    "M": 1e6,
    "mn": 1e6,
    "Mio": 1e6,
    "million": 1e6,
    "B": 1e9,
    "bn": 1e9,
    "billion": 1e9,
}
"""Factors behind a number; where all of a column have one of them, it is the column's unit."""

_UNIT_WORDS = """
    % ‰ pct percent bps bp ppm ppb °C °F ℃ ℉ ° C F K nm µm μm um mm cm dm km m in inch ft yd mi miles " ' µg μg ug
    mcg mg kg g t lbs lb oz st mL ml cL cl dL dl l L gal ns µs μs us ms s sec secs min mins h hr hrs d days day wk
    weeks week mo mos months month yr yrs y years year mW kW MW GW W Wh kWh MWh GWh mV kV V mA A mAh Ah Ω VA Hz kHz
    MHz GHz B kB KB MB GB TB KiB MiB GiB kbps Mbps Gbps Pa hPa kPa MPa mbar bar psi mmHg N Nm kN J kJ MJ cal kcal
    km/h kmh kph mph m/s kn rpm mpg kmpl km/kg l/100km bhp hp PS CC cc ccm px dpi dB dBm lm lx cd bpm g/dL g/L mg/dL
    mg/L µg/L ng/mL µg/mL mmol/L µmol/L mol/L mol mmol U/L IU/L IU mEq/L kg/m2 kg/m² kg/m3 kg/m³ m2 m² m3 m³ cm2 cm²
    cm3 cm³ km2 km² ha ac sqft sqm ft2 ft² x pts pt pcs
"""
_UNITS = (*_UNIT_WORDS.split(), "sq ft", "sq m")

_CORE = r"""
(?P<core>
    (?: (?P<comma>[1-9]\d{0,2}(?:,\d{2,3})*,\d{3})
      | [1-9]\d{0,2}(?P<gap>['’ ])\d{3}(?:(?P=gap)\d{3})*
      | 0 | [1-9]\d* ) (?P<fraction>\.\d*)? (?:[eE][+-]?\d+)?
  | (?P<bare>\.\d+) (?:[eE][+-]?\d+)?
)"""


def _any(words: tuple[str, ...]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True)).replace(r"\ ", r"[ ]")


_NUMBER = re.compile(
    rf"""
    (?:(?=[^\d(.+-])(?P<bound> <=|>=|=<|=>|<|>|≤|≥|~|≈|±|(?i:under|over|above|below|less[ ]than|more[ ]than|at[ ]least
        |at[ ]most|up[ ]to|about|approx\.?|ca\.?)(?=[ ]) ))? [ ]*
    (?P<outer>[+-])? [ ]* (?:(?=[^\d(.+-])(?P<before>{_any(MONEY)}))? [ ]* (?P<open>\()? (?P<sign>[+-])? [ ]*
    (?:(?=[^\d.])(?P<inside>{_any(MONEY)}))? [ ]* {_CORE}
    (?P<plus>\+)? (?P<behind>-$)?
    (?: [ ]*(?P<scale>{_any(tuple(SCALES))}) (?=[ ]|\)|\+|$|{_any(MONEY)}) )?
    (?: [ ]*(?P<unit>{_any(MONEY + _UNITS)}) | [ ]+(?P<word>[^\W\d_]{{3,}}\.?(?:[ ][^\W\d_]+)?) )?
    (?P<close>\))? (?P<last>\+ | [ ](?i:or|and)[ ](?i:more|over|above|older|up|less|under|below|fewer|younger))?
    """,
    re.VERBOSE,
)
# Spaces that keep a number together, and the minus signs of typesetters.
_TIDY = str.maketrans(
    {"\u00a0": " ", "\u2007": " ", "\u2009": " ", "\u202f": " ", "\u2212": "-", "\u2013": "-", "\uff05": "%"}
)
_SWAP = str.maketrans(",.", ".,")


class NumberWord(NamedTuple):
    """A word that is a number; `value` is without its `scale`, a key of `SCALES` or empty.

    `comma` says whether commas stand between its thousands: one group of three digits alone may be a fraction.
    `plain` is the number without a sign or grouping where it has none, to see how its column writes numbers.
    """

    value: float
    unit: str
    scale: str
    bound: bool
    bracketed: bool
    comma: Literal["none", "perhaps", "surely"]
    plain: str


@lru_cache(maxsize=2**16)
def number_word(word: str, decimal: str = ".") -> NumberWord | None:
    """The number that a word is; None if it is none, or one with a leading zero, such as a postal code."""
    word = word.translate(_TIDY).strip()
    if not any("0" <= letter <= "9" for letter in word) or len(word) > 60:
        return None
    found = _NUMBER.fullmatch(word.translate(_SWAP) if decimal == "," else word)
    if found is None or bool(found["open"]) != bool(found["close"]):
        return None
    signs = [found[name] for name in ("outer", "sign", "open", "behind") if found[name]]
    if len(signs) > 1:
        return None
    core = found["core"]
    value = float(re.sub("[,'’ ]", "", core))
    told = [found["before"], found["inside"], found["unit"] or found["word"]]
    comma = found["comma"]
    sure = bool(comma) and (comma.count(",") > 1 or found["fraction"] is not None or decimal == ",")
    return NumberWord(
        value if signs in ([], ["+"]) else -value,
        " ".join(_singular(unit) for unit in told if unit),
        found["scale"] or "",
        bool(found["bound"] or found["plus"] or found["last"]),
        bool(found["open"]),
        "surely" if sure else "perhaps" if comma else "none",
        "" if comma or found["gap"] else core,
    )


def whole_unit(number: NumberWord) -> str:
    """The unit of a number together with its scale."""
    return f"{number.unit} {number.scale}".strip()


def _singular(unit: str) -> str:
    """A unit as it is compared: years and Year are one, mW and MW are two."""
    if len(unit) < 4 or not unit.isalpha():
        return unit
    return unit.casefold().removesuffix("s")
