"""Rows out of text with separators: which one, and what a quotation mark means."""

from __future__ import annotations

import csv
import io
import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from modal_interp.datasets.files.cells import clean

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
_QUOTE = '"'
_field_limit = Lock()  # csv's limit is one for the process


def _renew_lock() -> None:
    """Let a forked process read, though another thread of its parent did so at the time."""
    global _field_limit
    _field_limit = Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


class Lines(NamedTuple):
    """Rows of a text, as it says them."""

    names: list[str]  # of columns, without blanks around
    rows: list[list[str]]
    lines: list[int]  # on which line each row begins, from 1
    told: dict[str, str]


class _Parsed(NamedTuple):
    rows: list[list[str]]
    lines: list[int]
    error: tuple[int, str] | None  # line and reason, where quotation marks do not fit

    def widths(self) -> set[int]:
        return {len(row) for row in self.rows}


def split_rows(
    text: str,
    path: Path,
    wanted: Iterable[str] = (),
    separator: str | None = None,
    quote: str | None = None,
) -> Lines:
    """Split a text into rows of cells.

    Parameters
    ----------
    text : str
        All of it, the first line the names of columns.
    path : Path
        The file's name: one that ends in ``.tsv`` has tabs, and errors name it.
    wanted : iterable of str
        Columns that are asked for: a separator that yields them goes before others.
    separator : str, optional
        One character.
    quote : str, optional
        What quotes cells, one character, or "none". By default ``"`` where rows fit so.

    Returns
    -------
    Lines
        Each row as long as the names.

    Raises
    ------
    ValueError
        If rows do not fit the header line, or can be read in two ways.
    """
    _check_marks(separator, quote)
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ValueError(
            f"{path} must hold text; line {line} has a NUL character. Take it out, or name the "
            "encoding, --encoding utf-16 for one."
        )
    told: dict[str, str] = {}
    text, skipped, named = _without_first_line(text)
    separator = separator or named or _separator(text, path, set(wanted))
    told["separator"] = SEPARATORS.get(separator, repr(separator))
    parsed, told_of_quotes = _quoting(text, path, separator, quote)
    if told_of_quotes:
        told["quotation"] = told_of_quotes
    header, *rows = parsed.rows or [[]]
    names = [clean(name) for name in header]
    if not any(names):
        raise ValueError(
            f"{path} must have a header line with the names of columns. No columns to parse."
        )
    lines = [line + skipped for line in parsed.lines[1:]]
    names, rows = _fitted(names, rows, lines, path, set(wanted))
    return Lines(names, rows, lines, told)


def _check_marks(separator: str | None, quote: str | None) -> None:
    if separator is not None and (len(separator) != 1 or separator in '"\r\n'):
        raise ValueError(f"separator must be one character; found {separator!r}.")
    if quote not in (None, "none") and (len(quote) != 1 or quote in "\r\n"):
        raise ValueError(f"quote must be one character or 'none'; found {quote!r}.")


def _without_first_line(text: str) -> tuple[str, int, str | None]:
    """Take off spreadsheets' own first line, ``sep=;``: what is left, lines off, the separator."""
    found = re.match(r'"?sep=(.)"?[ \t]*(\r\n|\r|\n)', text, flags=re.IGNORECASE)
    return (text[found.end() :], 1, found[1]) if found else (text, 0, None)


def _separator(text: str, path: Path, wanted: set[str]) -> str:
    """Return what the header line shows: what yields the columns asked for, then most columns."""
    suffixes = {suffix.lower() for suffix in path.suffixes}
    if suffixes & {".tsv", ".tab"} and len(_first_row(text, "\t")) > 1:
        return "\t"

    def fit(separator: str) -> tuple[int, int]:
        header = [clean(name) for name in _first_row(text, separator)]
        return len(wanted & set(header)), len(header)

    return max(SEPARATORS, key=fit)


def _first_row(text: str, separator: str) -> list[str]:
    with _long_cells():
        try:
            rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
            return next((row for row in rows if any(map(str.strip, row))), [])
        except csv.Error:
            return []


def _quoting(text: str, path: Path, separator: str, quote: str | None) -> tuple[_Parsed, str]:
    """Return the rows, and what to tell of quotation marks."""
    if quote is not None:
        parsed = _parse(text, separator, None if quote == "none" else quote)
        if parsed.error:
            raise ValueError(_misfit(path, *parsed.error))
        return parsed, f"quote {quote}"
    plain = _parse(text, separator, None)
    if _QUOTE not in text:
        return plain, ""
    quoted = _parse(text, separator, _QUOTE)
    even = len(plain.widths()) == 1 and len(plain.rows[0]) > 1
    characters = "quotation marks are characters of the text"
    if quoted.error is None and len(quoted.widths()) == 1:
        if not even or len(quoted.rows) == len(plain.rows) or _breaks_lines_often(quoted):
            return quoted, ""
        if separator != "\t":
            line = next(a for a, b in zip(quoted.lines[1:], plain.lines[1:], strict=False) if a > b)
            raise ValueError(
                f"{path} can be read in two ways: as {len(plain.rows) - 1} rows with a quotation "
                f"mark as a character, or as {len(quoted.rows) - 1} with line breaks in quoted "
                f"cells, the first before line {line}. Say which: --quote none or --quote '\"'."
            )
    if "\\" + _QUOTE in text:
        # Before other characters a backslash stands for itself: \N is MySQL's empty cell.
        kept = re.sub(r"\\([^\"\\])", r"\\\\\1", text)
        escaped = _parse(kept, separator, _QUOTE, escape="\\")
        if escaped.error is None and len(escaped.widths()) == 1:
            return escaped, r"a quotation mark in a cell is written \""
    if even:
        return plain, characters
    if quoted.error:
        raise ValueError(_misfit(path, *quoted.error))
    return quoted, ""


def _breaks_lines_often(quoted: _Parsed) -> bool:
    """Tell whether cells with line breaks are no accident of two stray marks."""
    n_broken = sum(any("\n" in cell or "\r" in cell for cell in row) for row in quoted.rows)
    return n_broken > len(quoted.rows) / 10


def _misfit(path: Path, line: int, reason: str) -> str:
    return (
        f"{path} must have as many columns in each row; the quotation marks of the row on line "
        f"{line} do not fit ({reason}). Double those inside a quoted cell, or read them as "
        "characters, --quote none."
    )


def _parse(text: str, separator: str, quote: str | None, escape: str | None = None) -> _Parsed:
    """Return the rows that are not empty and the lines on which they begin."""
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=separator, strict=True,
        quoting=csv.QUOTE_NONE if quote is None else csv.QUOTE_MINIMAL,
        quotechar=quote or _QUOTE, doublequote=escape is None, escapechar=escape,
    )  # fmt: skip
    rows, lines, line = [], [], 1
    with _long_cells():
        try:
            for row in reader:
                if any(cell.strip() for cell in row):
                    rows.append(row)
                    lines.append(line)
                line = reader.line_num + 1
        except csv.Error as error:
            return _Parsed(rows, lines, (line, str(error)))
    return _Parsed(rows, lines, None)


@contextmanager
def _long_cells() -> Iterator[None]:
    """Read cells of any length: csv's own limit is 131,072 characters."""
    with _field_limit:
        before = csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
        try:
            yield
        finally:
            csv.field_size_limit(before)


def _fitted(
    names: list[str],
    rows: list[list[str]],
    lines: list[int],
    path: Path,
    wanted: set[str],
) -> tuple[list[str], list[list[str]]]:
    """Return names and rows of one length, or refuse the first row that has another."""
    n = len(names)
    for row, line in zip(rows, lines, strict=True):
        if len(names) > 1 and [clean(cell) for cell in row[:n]] == names:
            raise ValueError(
                f"{path} must have one header line; line {line} says the same again. Take it out."
            )
        if len(row) < n or any(cell.strip() for cell in row[n:]):
            raise ValueError(
                f"{path} must have as many columns in each row as in its header line, {n}; line "
                f"{line} has {len(row)}.{better_header(rows, lines, wanted)} A cell with the "
                "separator in it must be quoted; another separator is named by --separator."
            )
    return names, [row[:n] for row in rows]


def better_header(rows: Iterable[list[str]], lines: Iterable[int], wanted: set[str]) -> str:
    """Return a hint at the row that has the columns asked for, if one of these has."""
    for row, line in zip(islice(rows, 50), lines, strict=False):
        if wanted and wanted <= {clean(cell) for cell in row}:
            return f" Line {line} looks like the header line: take off those before it."
    return ""
