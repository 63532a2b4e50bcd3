"""What cells say: nothing, a number, or a word."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Set
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

# What programs write in an empty cell: spreadsheets, pandas, R, SQL, SAS and people, in lower case.
MISSING = frozenset(
    {"", "?", "-", "--", ".", "na", "n/a", "n.a.", "<na>", "#n/a", "#n/a n/a", "#na", "nan", "-nan",
     "nat", "null", "#null!", "none", "nil", "\\n", "1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan",
     "1.#nan", "#value!", "#div/0!", "#ref!", "#num!", "#name?", "missing", "(null)", "(missing)",
     "(blank)", "#nv", "\u2013", "\u2014"}
)  # fmt: skip
_CODES = "EUR|USD|GBP|CHF|JPY|CNY|INR|AUD|CAD|SEK|NOK|DKK|PLN|CZK|HUF"
_BLANKS = " \u00a0\u2009\u202f"
_INFINITE = r"[+-]?[iI][nN][fF](?:[iI][nN][iI][tT][yY])?"
_DATE = re.compile(r"\d{1,4}([./-])\d{1,2}\1\d{1,4}([ T].*)?|\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?")
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?(Z|[+-]\d{2}:?\d{2})?")


def stripped(column: pd.Series) -> pd.Series:
    """Return cells without blanks, and marks that nobody sees, around them."""
    return column.map(clean)


def clean(cell: str) -> str:
    """Return a cell or a name without blanks, and marks that nobody sees, around it."""
    return cell.strip().strip("\ufeff\u200b\u200e\u200f").strip()


def missing(column: pd.Series, words: Iterable[str] | None = None) -> pd.Series:
    """Tell which cells hold nothing; `words` take the place of the usual ones."""
    return stripped(column).str.lower().isin(words_of_nothing(words))


def words_of_nothing(words: Iterable[str] | None) -> Set[str]:
    """Return what cells hold nothing, in lower case: the usual words, or those given."""
    return MISSING if words is None else {"", *(word.strip().lower() for word in words)}


class Numbers(NamedTuple):
    """The numbers of a column."""

    values: NDArray[np.float64]  # (n,), NaN where a cell is no number
    units: frozenset[str]  # signs of money and percent that stood beside them, "" where none did


def numbers(column: pd.Series, decimal: str) -> Numbers:
    """Return the cells as numbers; 12 % is 0.12, and (1) of accountants is -1.

    Parameters
    ----------
    column : Series of n str
        Cells.
    decimal : {".", ","}
        What stands before the fraction. The other one, blanks and apostrophes may stand between
        thousands.

    Returns
    -------
    Numbers
        In double precision; infinite where a cell says so, or is too large.
    """
    pattern = _number_pattern("," if decimal == "." else ".", decimal)
    found = {cell: _number(cell, pattern, decimal) for cell in column.unique()}
    values = np.array([found[cell][0] for cell in column], dtype=np.float64)
    units = frozenset(unit for value, unit in found.values() if not np.isnan(value))
    return Numbers(values, units)


@lru_cache
def _number_pattern(thousands: str, decimal: str) -> re.Pattern[str]:
    between = f"[{re.escape(thousands)}'\u2019{_BLANKS}]"
    grouped = rf"\d{{1,3}}(?:(?P<between>{between})\d{{3}})(?:(?P=between)\d{{3}})*"
    grouped += r"|\d{1,2}(?:,\d{2})+,\d{3}" if thousands == "," else ""  # of India
    point = re.escape(decimal)
    return re.compile(
        rf"[+-]?(?:(?:{grouped}|\d+)(?:{point}\d*)?|{point}\d+)(?:[eE][+-]?\d+)?|{_INFINITE}"
    )


def _number(cell: str, pattern: re.Pattern[str], decimal: str) -> tuple[float, str]:
    """Return a cell's number and its unit, or NaN."""
    text, unit = _without_unit(cell.strip().replace("\u2212", "-"))
    if (text[:1] == "(" and text[-1:] == ")") or re.fullmatch(r"\d.*-", text):
        text = f"-{text.strip('()').rstrip('-')}"
    if not pattern.fullmatch(text):
        return np.nan, ""
    if not text.lower().lstrip("+-").startswith("inf"):
        kept = re.sub(rf"[^0-9eE+\-{re.escape(decimal)}]", "", _ascii_digits(text))
        text = kept.replace(decimal, ".")
    return float(text) / (100.0 if unit == "%" else 1.0), unit


def _ascii_digits(text: str) -> str:
    if text.isascii():
        return text
    return "".join(str(unicodedata.decimal(letter, letter)) for letter in text)


def _without_unit(text: str) -> tuple[str, str]:
    """Take off a sign of money or percent before or behind a number."""
    if text[-1:] in ("%", "٪"):
        return text[:-1].rstrip(), "%"
    if found := re.fullmatch(rf"([+-]?)({_CODES}) ?(.+)|(.+?) ?({_CODES})", text):
        return (found[1] or "") + (found[3] or found[4]), found[2] or found[5]
    for place in (0, 1, -1):
        if text[place:][:1] and unicodedata.category(text[place]) == "Sc":
            rest = text[:place] + text[place:][1:] if place >= 0 else text[:-1]
            if place != 1 or text[0] in "+-(":
                return rest.strip(), text[place]
    return text, ""


def decimal_signs(column: pd.Series) -> dict[str, str]:
    """Return which of point and comma these cells show as the decimal sign, each with a cell.

    1.234 and 1,234 show none, because the sign may stand between thousands.
    """
    shown: dict[str, str] = {}
    for cell in column.unique():
        digits = re.sub(r"[eE][+-]?\d+$|[^0-9.,]", "", cell) if re.search(r"\d", cell) else ""
        if digits and numbers_like(cell):
            for sign, other in (".,", ",."):
                if _shows(digits, sign, other):
                    shown.setdefault(sign, cell)
    return shown


def numbers_like(cell: str) -> bool:
    """Tell whether a cell is a number with either sign."""
    return any(not np.isnan(_number(cell, _number_pattern(t, d), d)[0]) for t, d in (",.", ".,"))


def _shows(digits: str, sign: str, other: str) -> bool:
    whole, found, fraction = digits.rpartition(sign)
    if not found or other in fraction or sign in whole:
        # Two points are between thousands, and so the comma would be the decimal sign.
        return digits.count(other) > 1 and not found
    return other in whole or len(fraction) != 3 or whole in ("", "0") or len(whole) > 3


def could_be_thousands(column: pd.Series, sign: str) -> bool:
    """Tell whether this sign can stand between thousands, wherever it stands."""
    with_sign = [cell for cell in column.unique() if sign in cell]
    return bool(with_sign) and all(
        re.fullmatch(rf"\D*[1-9]\d{{0,2}}(?:{re.escape(sign)}\d{{3}})+\D*", cell)
        for cell in with_sign
    )


def are_dates(column: pd.Series) -> bool:
    """Tell whether most of these cells are dates or times."""
    return bool(len(column)) and column.map(lambda c: bool(_DATE.fullmatch(c))).mean() > 0.5


def days(column: pd.Series) -> NDArray[np.float64] | None:
    """Return ISO dates as days since 1970; None where any cell is another."""
    if not column.map(lambda cell: bool(_ISO_DATE.fullmatch(cell))).all():
        return None
    try:
        times = pd.to_datetime(column, format="ISO8601", utc=True)
    except (ValueError, OverflowError):
        return None
    return np.array([time.timestamp() / 86400.0 for time in times], dtype=np.float64)
