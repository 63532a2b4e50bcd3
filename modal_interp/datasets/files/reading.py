"""A file of the user's as rows of strings, with what was decided on the way."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from modal_interp.datasets.files.cells import clean
from modal_interp.datasets.files.content import is_parquet, is_workbook, read_content
from modal_interp.datasets.files.delimited import split_rows
from modal_interp.datasets.files.encodings import decode
from modal_interp.datasets.files.records import Records, json_records, table_records

_REPLACED, _TWICE = "\ufffd", ("Ã©", "Ã¤", "Ã¶", "Ã¼", "â€")


class FileRows(NamedTuple):
    """The rows of a file."""

    path: Path
    frame: pd.DataFrame  # strings; the index says on which line each row begins, from 1
    told: dict[str, str]  # what was decided by looking at the file
    typed: frozenset[str] = frozenset()  # columns that the file itself says are of numbers


def read_rows(
    path: str | os.PathLike[str],
    *,
    wanted: Iterable[str] = (),
    encoding: str | None = None,
    separator: str | None = None,
    quote: str | None = None,
) -> FileRows:
    """Read a file of rows: text with separators, JSON, Parquet or Excel, also packed.

    What kind a file is, its first bytes say; where they leave it open, a name in ``.json`` or
    ``.tsv`` does. Every cell is a string as it stands in the file: `null` and `nan` are words, `01`
    and `1` differ.

    Parameters
    ----------
    path : path-like
        Packed by gzip, bzip2, xz or zip, or not.
    wanted : iterable of str
        Columns that are asked for: a separator that yields them goes before others.
    encoding : str, optional
        One of Python's. By default found by a byte order mark, as UTF-8, or by letters that leave
        no doubt.
    separator : str, optional
        One character between columns. By default the header line shows a comma, semicolon, tab or
        vertical bar.
    quote : str, optional
        What quotes cells, or "none". By default ``"`` where the rows fit so.

    Returns
    -------
    FileRows
        Rows below the header line, and what to tell.

    Raises
    ------
    ValueError
        If the file is damaged, can be read in two ways, or holds no rows.

    Notes
    -----
    Departs from the paper: none; data of the user's own.
    """
    path, wanted = Path(path).expanduser(), list(wanted)
    content, packed = read_content(path)
    told = {"packed": packed} if packed else {}
    names, rows, lines, found, typed = _rows(
        content, path, told, wanted, encoding, separator, quote
    )
    if not rows:
        raise ValueError(f"{path} must hold rows below its header line; found none.")
    index = pd.Index(lines, name="line")
    frame = pd.DataFrame(rows, index=index, columns=[clean(n) for n in names], dtype=object)
    _check_names(frame, path)
    return FileRows(path, frame, told | found, typed)


def _rows(
    content: bytes,
    path: Path,
    told: dict[str, str],
    wanted: list[str],
    encoding: str | None,
    separator: str | None,
    quote: str | None,
) -> Records:
    """Return the rows of whatever kind of file it is; write down its encoding."""
    if is_parquet(content) or is_workbook(content):
        kind = "Parquet" if is_parquet(content) else "Excel"
        return table_records(content, path, kind)
    text, told["encoding"] = decode(content, path, encoding)
    told |= _doubts(text)
    if _is_json(text, path):
        return json_records(text, path, wanted)
    return Records(*split_rows(text, path, wanted, separator, quote), frozenset())


def _is_json(text: str, path: Path) -> bool:
    if re.match(r"\s*(\{|\[\s*[\[{])", text):
        return True
    suffixes = [suffix.lower() for suffix in path.suffixes]
    kinds = [suffix for suffix in suffixes if suffix not in (".gz", ".bz2", ".xz", ".zip")]
    return kinds[-1:] in ([".json"], [".jsonl"], [".ndjson"])


def _doubts(text: str) -> dict[str, str]:
    """Tell of letters that an earlier program has spoilt."""
    if n := text.count(_REPLACED):
        return {"doubt": f"{n} characters were lost before this file was written (\ufffd)"}
    if found := [mark for mark in _TWICE if mark in text]:
        return {"doubt": f"{found[0]!r} looks like UTF-8 that was read as another encoding before"}
    return {}


def _check_names(frame: pd.DataFrame, path: Path) -> None:
    names = frame.columns
    if twice := [name for name in names[names.duplicated()] if name]:
        raise ValueError(
            f"the columns of {path} must have different names; found {twice[0]!r} twice."
        )


def listed(values: Iterable[object], most: int = 10) -> str:
    """Return the first values, long ones cut: a file without a header line has texts for names."""
    texts = list(map(str, values))
    shown = [repr(text if len(text) <= 40 else f"{text[:40]}...") for text in texts[:most]]
    return ", ".join([*shown, *(["..."] if len(texts) > most else [])])


def summary(path: Path, told: Mapping[str, str]) -> str:
    """Return what was decided as a short table, a line a decision."""
    width = max(map(len, told), default=0)
    return "\n".join([str(path), *(f"  {name:<{width}}  {what}" for name, what in told.items())])
