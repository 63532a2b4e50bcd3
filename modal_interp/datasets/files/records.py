"""Rows out of files that hold records: JSON, JSON lines, Parquet and Excel."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd


class Records(NamedTuple):
    """Cells as strings, as they stand in the file."""

    names: list[str]
    rows: list[list[str]]
    lines: list[int]  # where each begins; of JSON that is not of lines, which record it is
    told: dict[str, str]
    typed: frozenset[str]  # columns that hold numbers, and not strings that look like some


def json_records(text: str, path: Path, wanted: Iterable[str] = ()) -> Records:
    """Return the rows of a list of objects, or of one object a line.

    Raises
    ------
    ValueError
        If the text is no JSON, or no list of flat objects.
    """
    given = {number: line for number, line in enumerate(text.split("\n"), 1) if line.strip()}
    try:
        if len(given) > 1 and _is_object(next(iter(given.values()))):
            found: Any = [_parsed(line, path, number) for number, line in given.items()]
            lines, told = list(given), "JSON lines"
        else:
            found, told = _listed(_parsed(text, path), set(wanted)), "JSON"
            lines = list(range(1, len(found) + 1)) if isinstance(found, list) else []
    except RecursionError:
        raise ValueError(f"{path} must hold flat objects; found ones too deep to read.") from None
    if not isinstance(found, list) or not all(isinstance(record, dict) for record in found):
        raise ValueError(
            f"{path} must hold a list of objects, or one object a line, one a row; found another "
            "kind of JSON."
        )
    names = list(dict.fromkeys(str(name) for record in found for name in record))
    typed = frozenset(
        name for name in names if all(_is_number(record.get(name)) for record in found)
    )
    for name in set(wanted) & set(names):
        if nested := [record[name] for record in found if isinstance(record.get(name), dict)]:
            raise ValueError(
                f"{path} must hold flat objects; found one inside {name!r}: {str(nested[0])[:40]}."
            )
    rows = [[as_text(record.get(name, ""), name, path) for name in names] for record in found]
    _check_letters(rows, lines, path)
    return Records(names, rows, lines, {"format": told}, typed)


def _is_number(value: Any) -> bool:
    kinds = (_Number, int, float, np.integer, np.floating)
    return value is None or (isinstance(value, kinds) and not isinstance(value, bool))


def _check_letters(rows: list[list[str]], lines: list[int], path: Path) -> None:
    for row, line in zip(rows, lines, strict=True):
        whole = "".join(row)
        try:
            whole.encode()
        except UnicodeEncodeError:
            raise ValueError(
                f"{path} must hold whole letters; record {line} has half a one."
            ) from None
        if "\0" in whole:
            raise ValueError(f"{path} must hold text; record {line} has a NUL character.")


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _parsed(text: str, path: Path, line: int = 1) -> Any:
    def record(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise ValueError(f"{path} must name each value once; an object has {twice!r} twice.")
        return found

    try:  # numbers as they are written: 1.0 is not 1, and long ones lose nothing
        return json.loads(
            text, parse_float=_Number, parse_int=_Number, parse_constant=_Number,
            object_pairs_hook=record,
        )  # fmt: skip
    except json.JSONDecodeError as error:
        raise ValueError(
            f"{path} must be JSON; line {line + error.lineno - 1}, column {error.colno}: "
            f"{error.msg}."
        ) from None


class _Number(str):
    """A number of JSON, as it is written."""

    __slots__ = ()


def _listed(found: Any, wanted: set[str]) -> Any:
    """Return the list of records in the usual wrappings: ``{"data": [...]}``, or columns."""
    if not isinstance(found, dict):
        return found
    columns = list(found.values())
    dicts = bool(columns) and all(isinstance(column, dict) for column in columns)
    alike = dicts and all(column.keys() == columns[0].keys() for column in columns)
    if wanted and wanted <= found.keys() and alike:  # as pandas writes a frame
        return [{name: found[name][row] for name in found} for row in columns[0]]
    if dicts and all(wanted <= column.keys() for column in columns):
        return columns  # a record an id
    lists = {name: value for name, value in found.items() if isinstance(value, list)}
    even = len(lists) == len(found) and len({len(value) for value in lists.values()}) == 1
    if even and not all(isinstance(cell, dict) for cell in columns[0]):
        return [dict(zip(lists, row, strict=True)) for row in zip(*columns, strict=True)]
    records = [value for value in lists.values() if value and isinstance(value[0], dict)]
    return records[0] if len(records) == 1 else found


def table_records(content: bytes, path: Path, kind: str) -> Records:
    """Return the rows of a Parquet or an Excel file, by pandas.

    Raises
    ------
    ValueError
        If the file is damaged, or what pandas reads it with is not installed.
    """
    told = {"format": kind}
    try:
        if kind == "Parquet":
            frame = pd.read_parquet(io.BytesIO(content))
        else:
            with pd.ExcelFile(io.BytesIO(content)) as book:
                frame = pd.read_excel(book, header=None, dtype=object, keep_default_na=False)
                first, *others = book.sheet_names
            told["sheet"] = f"{first}" + (
                f"; not read: {', '.join(map(str, others))}" if others else ""
            )
    except ImportError:
        package = "pyarrow" if kind == "Parquet" else "openpyxl"
        raise ValueError(
            f"{path} is a file of {kind}, which needs {package}: pip install {package}, or save it "
            "as .csv."
        ) from None
    except Exception as error:  # each of the libraries has errors of its own
        reason = " ".join(str(error).split())[:200]
        raise ValueError(
            f"{path} must be a whole {kind} file; it is damaged ({reason})."
        ) from error
    if kind == "Excel":  # pandas would make names that come twice differ
        names, frame = [as_text(c, "", path) for c in frame.head(1).to_numpy().ravel()], frame[1:]
    else:
        named = any(name is not None for name in frame.index.names)
        frame = frame.reset_index() if named else frame
        names = [str(name) for name in frame.columns]
    return _as_records(frame, names, path, told)


def _as_records(frame: pd.DataFrame, names: list[str], path: Path, told: dict[str, str]) -> Records:
    columns = [
        [as_text(cell, name, path) for cell in frame.iloc[:, place]]
        for place, name in enumerate(names)
    ]
    rows = [list(row) for row in zip(*columns, strict=True)]
    typed = frozenset(
        name
        for place, name in enumerate(names)
        if all(_is_number(cell) for cell in frame.iloc[:, place])
    )
    return Records(names, rows, list(range(2, len(rows) + 2)), told, typed)


def as_text(value: Any, name: str, path: Path) -> str:
    """Return a cell as a CSV file would write it; a list as JSON."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list | tuple):
        items = [None if item is None else as_text(item, name, path) for item in value]
        return json.dumps(items, ensure_ascii=False)
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, bool | np.bool_):
        return str(bool(value)).lower()
    return "" if value is None or pd.isna(value) else str(value)
