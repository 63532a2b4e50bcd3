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
    told: dict[str, str]


def json_records(text: str, path: Path) -> Records:
    """Return the rows of a list of objects, or of one object a line.

    Raises
    ------
    ValueError
        If the text is no JSON, or no list of flat objects.
    """
    lines = text.strip().split("\n")
    try:
        if len(lines) > 1 and _is_object(lines[0]):
            found: Any = [
                _parsed(line, path, number) for number, line in enumerate(lines, 1) if line.strip()
            ]
            told = "JSON lines"
        else:
            found, told = _listed(_parsed(text, path)), "JSON"
    except RecursionError:
        raise ValueError(f"{path} must hold flat objects; found ones too deep to read.") from None
    if not isinstance(found, list) or not all(isinstance(record, dict) for record in found):
        raise ValueError(
            f"{path} must hold a list of objects, or one object a line, one a row; found another "
            "kind of JSON."
        )
    names = list(dict.fromkeys(str(name) for record in found for name in record))
    rows = [[as_text(record.get(name, ""), name, path) for name in names] for record in found]
    return Records(names, rows, {"format": told})


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


def _listed(found: Any) -> Any:
    """Return the list of records in the usual wrappings: ``{"data": [...]}``, or lists a column."""
    if not isinstance(found, dict):
        return found
    lists = {name: value for name, value in found.items() if isinstance(value, list)}
    if len(lists) == len(found) and len({len(value) for value in lists.values()}) == 1:
        columns = list(lists.values())
        if not all(isinstance(cell, dict) for cell in columns[0]):
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
                frame = pd.read_excel(book, dtype=object, keep_default_na=False)
                first, *others = book.sheet_names
            told["sheet"] = f"{first}" + (f"; not read: {_shown(others)}" if others else "")
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
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    names = [str(name) for name in frame.columns]
    columns = [
        [as_text(cell, name, path) for cell in frame.iloc[:, place]]
        for place, name in enumerate(names)
    ]
    return Records(names, [list(row) for row in zip(*columns, strict=True)], told)


def _shown(names: Iterable[Any]) -> str:
    return ", ".join(map(str, names))


def as_text(value: Any, name: str, path: Path) -> str:
    """Return a cell as a CSV file would write it; a list as JSON."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return json.dumps([str(item) for item in value], ensure_ascii=False)
    if isinstance(value, dict | bytes):
        raise ValueError(
            f"{path} must hold texts, numbers and lists of labels; found {str(value)[:40]} in "
            f"{name!r}. Leave the column out, --drop {name}."
            if isinstance(value, bytes)
            else f"{path} must hold flat objects; found one inside {name!r}: {str(value)[:40]}."
        )
    if isinstance(value, bool | np.bool_):
        return str(bool(value)).lower()
    return "" if value is None or pd.isna(value) else str(value)
