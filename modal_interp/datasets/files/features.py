"""Features out of the columns of a table: numbers, words, and what is neither."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from modal_interp.datasets.files import cells
from modal_interp.datasets.files.reading import FileRows, listed

# Beyond so many words, a column where most rows have a word of their own is no category.
_FEW_WORDS = 20
# A column in which more cells than this are numbers is one of numbers, or refused.
_MOSTLY = 0.5
_ID_WORD = re.compile(r"(?i:(^|[^a-z0-9])(id|ids|uuid|guid)$)|[a-z](Id|ID|Uuid|UUID|Guid|GUID)$")
_INDEX_NAME = re.compile(r"unnamed: ?\d+(\.\d+)*|unnamed:? ?\d*_level_\d+|level_\d+", re.IGNORECASE)


class Features(NamedTuple):
    """Columns of a table as numbers."""

    X: NDArray[np.float64]  # (n, columns)
    numbers: list[int]  # which columns are numbers
    words: list[int]  # which are the number of a word in the alphabet
    names: list[str]
    told: dict[str, str]


def read_features(
    rows: FileRows,
    frame: pd.DataFrame,
    *,
    decimal: str | None = None,
    missing_words: Iterable[str] | None = None,
    keep: Sequence[str] = (),
    categories: Sequence[str] = (),
) -> Features:
    """Read columns as features.

    Parameters
    ----------
    rows : FileRows
        The file, for what errors name.
    frame : DataFrame of strings
        Its columns of features and its rows that count; the index are lines.
    decimal : {".", ","}, optional
        The decimal sign. By default the one that numbers of the file show.
    missing_words : iterable of str, optional
        What stands for an empty cell among numbers, in place of the usual words.
    keep : sequence of str
        Columns that stay though they look like numbers of the rows.
    categories : sequence of str
        Columns that are words though they look like numbers.

    Returns
    -------
    Features
        A missing number is the median of its column, which uses no labels: modAL takes no NaN.

    Raises
    ------
    ValueError
        If a column is neither of numbers nor of categories, or can be read in two ways.

    Notes
    -----
    Departs from the paper: none; data of the user's own.
    """
    if decimal not in (None, ".", ","):
        raise ValueError(f"decimal must be '.' or ','; found {decimal!r}.")
    for option, named in (("keep", keep), ("categories", categories)):
        if unknown := [name for name in named if name not in frame.columns]:
            raise ValueError(
                f"{option} must name columns of {rows.path}, out of {listed(frame.columns)}; found "
                f"{unknown[0]!r}."
            )
    frame, left_out = _without_counts(rows, frame, {*keep, *categories})
    if frame.shape[1] == 0:
        raise ValueError(
            f"{rows.path} must have a column besides its labels; found none"
            f"{f', but for {left_out}' if left_out else ''}."
        )
    reader = _Reader(rows, missing_words, set(categories))
    sign = decimal or reader.decimal_sign(frame)
    columns = {name: reader.column(frame[name], sign) for name in frame.columns}
    is_words = [of.dtype == object for of in columns.values()]
    X = np.column_stack([_coded(of) if of.dtype == object else of for of in columns.values()])
    told = reader.told(columns, sign, left_out)
    numbered = [place for place, words in enumerate(is_words) if not words]
    worded = [place for place, words in enumerate(is_words) if words]
    return Features(X, numbered, worded, list(frame.columns), told)


def _coded(column: NDArray) -> NDArray[np.float64]:
    return pd.factorize(column, sort=True)[0].astype(np.float64)


def _without_counts(
    rows: FileRows, frame: pd.DataFrame, kept: set[str]
) -> tuple[pd.DataFrame, str]:
    """Leave out what numbers or names the rows; return the rest and what to tell of it."""
    # Of all rows, with a label or not: else a count would have gaps.
    whole = rows.frame.loc[:, rows.frame.columns.isin(frame.columns)]
    reasons = {
        name: reason
        for place, name in enumerate(frame.columns)
        if name not in kept and (reason := _why_no_feature(name, whole.iloc[:, place]))
    }
    rest = frame.loc[:, [name not in reasons for name in frame.columns]]
    return rest, ", ".join(
        f"{name or 'one without a name'} ({why})" for name, why in reasons.items()
    )


def _why_no_feature(name: str, column: pd.Series) -> str:
    if not name or _INDEX_NAME.fullmatch(name):
        return "numbers of rows"
    found = cells.stripped(column)
    if _ID_WORD.search(name) and found.nunique() > len(found) / 2:
        return "ids"
    if len(found) > 2 and found.str.fullmatch(r"\d{1,15}").all():
        steps = np.diff(found.astype(np.int64).to_numpy())
        if (steps == 1).all() or (steps == -1).all():
            return "counts the rows; keep it by --keep"
    return ""


class _Reader:
    """Reads columns of one file, and keeps what is to be told."""

    def __init__(
        self, rows: FileRows, missing_words: Iterable[str] | None, categories: set[str]
    ) -> None:
        self.rows, self.categories = rows, categories
        self.missing_words = None if missing_words is None else list(missing_words)
        self.notes: list[str] = []
        self.n_missing = 0

    def decimal_sign(self, frame: pd.DataFrame) -> str:
        """Return the sign that numbers of the file show; a point where none shows any."""
        shown: dict[str, tuple[str, str]] = {}
        unsure = []
        for name in frame.columns:
            column = self._filled(frame[name])
            typed = name in self.rows.typed  # numbers as the file has them, with a point
            if typed or name in self.categories or not self._mostly_numbers(column):
                continue
            signs = cells.decimal_signs(column)
            for sign, cell in signs.items():
                shown.setdefault(sign, (name, cell))
            # In a file with semicolons a point, too, may stand between thousands.
            for sign in ",." if self.rows.told.get("separator") == "semicolon" else ",":
                if not signs and cells.could_be_thousands(column, sign):
                    unsure.append((name, sign))
        if len(shown) > 1:
            (a, one), (b, other) = shown["."], shown[","]
            raise ValueError(
                f"the numbers of {self.rows.path} must have one decimal sign; found {one!r} in "
                f"{a!r} and {other!r} in {b!r}. Name it, --decimal . or --decimal ,"
            )
        if unsure and not shown and self.rows.told.get("separator") != "comma":
            name, sign = unsure[0]
            raise ValueError(
                f"numbers such as {self._first(frame[name], sign)!r} in {name!r} of "
                f"{self.rows.path} can be read in two ways. Say which, --decimal . or --decimal ,"
            )
        return next(iter(shown), ".")

    @staticmethod
    def _first(column: pd.Series, sign: str) -> str:
        return next(cell for cell in column if sign in cell)

    def _filled(self, column: pd.Series) -> pd.Series:
        return cells.stripped(column[~cells.missing(column, self.missing_words)])

    @staticmethod
    def _mostly_numbers(column: pd.Series) -> bool:
        counts = column.value_counts()
        numeric = [cells.numbers_like(cell) for cell in counts.index]
        return bool(len(column)) and counts[numeric].sum() > _MOSTLY * len(column)

    def column(self, column: pd.Series, sign: str) -> NDArray:
        """Return a column as float64, or as objects where it is one of words."""
        name = str(column.name)
        filled = self._filled(column)
        if name in self.categories:
            return self._words(column)
        if cells.are_dates(filled):
            return self._dates(column, filled)
        found = cells.numbers(filled, "." if name in self.rows.typed else sign)
        no_number = np.isnan(found.values)
        if no_number.mean() >= _MOSTLY if len(filled) else False:
            return self._words(column)
        if no_number.any():
            self._refuse_mixed(name, filled[no_number])
        self._check_units(name, found.units)
        self._check_size(name, filled, found.values)
        return self._complete(column, filled, found.values)

    def _complete(self, column: pd.Series, filled: pd.Series, values: NDArray) -> NDArray:
        """Put the median in place of what is missing; 0 where all is."""
        self.n_missing += len(column) - len(filled)
        whole = pd.Series(values, index=filled.index).reindex(column.index)
        return whole.fillna(np.median(values) if len(values) else 0.0).to_numpy(dtype=np.float64)

    def _dates(self, column: pd.Series, filled: pd.Series) -> NDArray:
        found = cells.days(filled)
        if found is None:
            bad = next(line for line in filled.index if cells.days(filled.loc[[line]]) is None)
            raise ValueError(
                f"dates must be written as 2026-11-25; found {filled[bad]!r} in "
                f"{column.name!r}, line {bad} of {self.rows.path}. Leave the column "
                f"out, --drop {column.name}, or take it for words, --categories {column.name}."
            )
        self.notes.append(f"{column.name}: dates, as days")
        return self._complete(column, filled, found)

    def _refuse_mixed(self, name: str, words: pd.Series) -> None:
        counts = words.value_counts()
        raise ValueError(
            f"a column of numbers must hold numbers or what stands for an empty cell; found "
            f"{counts.index[0]!r} in {name!r}, line {words.index[0]} of {self.rows.path} "
            f"({len(words)} cells: {listed(counts.index, 3)}). Say that it is empty, --missing "
            f"{counts.index[0]!r}, write numbers with a point or name their sign, --decimal, or "
            f"take the column for words, --categories {name}."
        )

    def _check_units(self, name: str, units: frozenset[str]) -> None:
        if len(units) > 1:  # a number without one is of another unit than one with it
            raise ValueError(
                f"a column of numbers must have one unit; found {listed(sorted(units))} in "
                f"{name!r} of {self.rows.path}. Write one, or leave it out, --drop {name}."
            )
        if units != {""} and units:
            self.notes.append(f"{name}: in {next(iter(units))}")

    def _check_size(self, name: str, filled: pd.Series, values: NDArray) -> None:
        if (large := ~(np.abs(values) <= np.finfo(np.float32).max)).any():
            raise ValueError(
                f"numbers must be finite and fit float32; found {filled[large].iloc[0]} in "
                f"{name!r}, line {filled.index[large][0]} of {self.rows.path}."
            )

    def _words(self, column: pd.Series) -> NDArray:
        words = cells.stripped(column)
        found = words.unique()
        if len(found) > max(_FEW_WORDS, len(words) // 2):
            raise ValueError(
                f"a column of words must hold categories; found {len(found)} different ones in the "
                f"{len(words)} rows of {column.name!r} in {self.rows.path}: {listed(found, 3)}. "
                "Name a column of texts, --text-column, leave out one of names, --drop "
                f"{column.name}, write numbers with a point."
            )
        self.notes.append(f"{column.name}: {len(found)} words")
        return words.to_numpy(dtype=object)

    def told(self, columns: dict[str, NDArray], sign: str, left_out: str) -> dict[str, str]:
        """Return what was decided."""
        n_words = sum(of.dtype == object for of in columns.values())
        told = {"features": f"{len(columns) - n_words} columns of numbers, {n_words} of words"}
        if sign == ",":
            told["decimal"] = "comma"
        if self.n_missing:
            told["missing"] = f"{self.n_missing} numbers, as the median of their column"
        if self.notes:
            more = f", and {len(self.notes) - 8} more" if len(self.notes) > 8 else ""
            told["columns"] = "; ".join(self.notes[:8]) + more
        return told | ({"left out": left_out} if left_out else {})
