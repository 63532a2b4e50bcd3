"""Labels out of a file: one class a row, or several labels, and rows that have none."""

from __future__ import annotations

import ast
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence, Set
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from modal_interp.datasets.files.cells import clean, missing, stripped, words_of_nothing
from modal_interp.datasets.files.reading import FileRows, listed

_YES, _NO = ("1", "1.0", "true", "yes", "y", "t"), ("0", "0.0", "false", "no", "n", "f")


# What may be a class as well as nothing.
_PERHAPS = {"-", "--", ".", "?", "\u2013", "\u2014", "none", "nil", "missing"}
# Longer ones are texts, not names of classes.
_LONGEST = 300


class Labels(NamedTuple):
    """Labels of the rows that have some."""

    y: NDArray[Any]  # (n,) int64 or str; of several labels (n, L) int64 of 0 and 1
    known: NDArray[np.bool_]  # (rows,): which rows of the file have a label
    names: list[str]  # of several labels, the name of each column of `y`; else empty
    told: dict[str, str]


def read_labels(
    rows: FileRows,
    columns: Sequence[str],
    *,
    separator: str | None = None,
    missing_words: Iterable[str] | None = None,
) -> Labels:
    """Read the labels of a file.

    Parameters
    ----------
    rows : FileRows
        The file.
    columns : sequence of str
        One column of labels, or several of yes and no, a label each.
    separator : str, optional
        What stands between several labels of one cell. A list as JSON needs none.
    missing_words : iterable of str, optional
        What stands for no label, in place of the usual words.

    Returns
    -------
    Labels
        Whole numbers where all are, else strings.

    Raises
    ------
    ValueError
        If a column holds what is no label, or there are not two classes.

    Notes
    -----
    Labels are what is left without blanks around them, composed (NFC). Those that differ in nothing
    but a decimal point, 1 and 1.0, are one class.

    Departs from the paper: none; data of the user's own.
    """
    _check_columns(rows, columns)
    frame = rows.frame[list(columns)]
    empty = frame.apply(lambda column: missing(column, missing_words))
    if len(columns) > 1:
        return _of_columns(rows, frame, ~empty.any(axis=1).to_numpy())
    column, known = stripped(frame.iloc[:, 0]), ~empty.iloc[:, 0].to_numpy()
    told = _told_of_empty(rows, column[~known])
    cells = column[known].map(lambda cell: unicodedata.normalize("NFC", cell))
    lists = _lists(cells, separator, missing_words)
    if lists is not None:
        return _of_lists(rows, columns[0], lists, known, told)
    if missing_words is None:
        _check_words_of_nothing(rows, columns[0], column[~known], cells)
    spelt, joined = _one_spelling(cells)
    _check_classes(rows, columns[0], spelt, int((~known).sum()))
    if spelt.str.fullmatch(r"0|-?[1-9][0-9]{0,17}").all():
        y: NDArray[Any] = spelt.to_numpy(dtype=np.int64)
    else:
        y = spelt.to_numpy(dtype=str)
    counts = Counter(spelt)
    classes = f"{len(counts)} classes in column {columns[0]}: {_counted(counts)}"
    told = {"labels": classes, **joined, **_alike(counts), **told}
    return Labels(y, known, [], told)


def _check_columns(rows: FileRows, columns: Sequence[str]) -> None:
    names = rows.frame.columns
    if not columns or len(set(columns)) < len(columns) or not set(columns) <= set(names):
        raise ValueError(
            f"label_column must name columns of {rows.path}, one of {listed(names)}, each once; "
            f"found {listed(columns) or 'none'}."
        )


def _check_words_of_nothing(rows: FileRows, name: str, empty: pd.Series, cells: pd.Series) -> None:
    """Refuse words that may be a class, such as none and -, where they are as frequent as one."""
    least = cells.value_counts().min() if len(cells) else 1
    for word, n in empty[empty.str.lower().isin(_PERHAPS)].value_counts().items():
        if n >= least:
            raise ValueError(
                f"{word!r} in {name!r} of {rows.path} ({n} rows) may be a class or no label. Say "
                f"which: --missing {word!r} if it is none, --missing NA if it is a class."
            )


def _told_of_empty(rows: FileRows, empty: pd.Series) -> dict[str, str]:
    if empty.empty:
        return {}
    words = Counter(cell for cell in empty if cell)
    shown = f": empty or {_counted(words)}" if words else ""
    return {
        "no label": f"{len(empty)} of {len(rows.frame)} rows left out, the first on line "
        f"{empty.index[0]}{shown}"
    }


def _counted(counts: Counter[str], most: int = 6) -> str:
    shown = [f"{name[:40]} {n}" for name, n in counts.most_common(most)]
    more = [f"{len(counts) - most} more"] if len(counts) > most else []
    return ", ".join([*shown, *more])


def _one_spelling(cells: pd.Series) -> tuple[pd.Series, dict[str, str]]:
    """Write numbers that differ in zeros behind the point alone as one."""
    found = cells.unique()
    shortest = {
        cell: re.sub(r"\.$", "", re.sub(r"(\.\d*?)0+$", r"\1", cell))
        for cell in found
        if re.fullmatch(r"-?\d+\.\d*", cell)
    }
    if len(shortest) == len(found) and all(re.fullmatch(r"-?\d+", s) for s in shortest.values()):
        return cells.replace(shortest), {"one class": "1.0 and 1, and so on: whole numbers"}
    short = Counter([*shortest.values(), *(cell for cell in found if cell not in shortest)])
    joined = {cell: to for cell, to in shortest.items() if short[to] > 1 and cell != to}
    told = {"one class": ", ".join(f"{a} and {b}" for a, b in sorted(joined.items()))}
    return cells.replace(joined), told if joined else {}


def _alike(counts: Counter[str]) -> dict[str, str]:
    """Tell of classes whose names differ by capitals or blanks alone."""
    alike: dict[str, list[str]] = {}
    for name in sorted(counts):
        alike.setdefault(" ".join(name.casefold().split()), []).append(repr(name))
    shown = [", ".join(names) for names in alike.values() if len(names) > 1]
    if not shown:
        return {}
    told = f"classes that differ by capitals or blanks alone: {'; '.join(shown[:3])}"
    return {"doubt of labels": told}


def _check_classes(rows: FileRows, name: str, cells: pd.Series, n_empty: int) -> None:
    n, found = len(cells), cells.unique()
    if long := [cell for cell in found if len(cell) > _LONGEST]:
        raise ValueError(
            f"labels must be names of at most {_LONGEST} characters; found one of {len(long[0])} "
            f"in {name!r} of {rows.path}: {listed(long, 1)}. Is it the column of texts, or "
            "are they several labels, --label-separator?"
        )
    if not 2 <= len(found) <= max(2, n // 2):
        left_out = f" ({n_empty} rows have no label)" if n_empty else ""
        raise ValueError(
            "label_column must hold at least two classes, with two rows each on average; found "
            f"{len(found)} in the {n} rows of {name!r} in {rows.path}: "
            f"{listed(found, 3)}{left_out}."
        )


def _named(labels: Iterable[Any], nothing: Set[str]) -> list[str]:
    """Return the labels of one row that are some."""
    found = (unicodedata.normalize("NFC", clean(str(x))) for x in labels if x is not None)
    return [label for label in found if label.lower() not in nothing]


def _lists(
    cells: pd.Series, separator: str | None, missing_words: Iterable[str] | None
) -> list[list[str]] | None:
    """Return the labels of each row where a cell holds several."""
    nothing = words_of_nothing(missing_words)
    if separator is not None:
        if not separator:
            raise ValueError("label_separator must be at least one character; found ''.")
        return [_named(cell.split(separator), nothing) for cell in cells]
    if not len(cells) or not cells.str.fullmatch(r"\[.*\]", flags=re.DOTALL).all():
        return None
    lists = []
    for line, cell in cells.items():
        found = _parsed_list(cell)
        if not isinstance(found, list) or not all(isinstance(x, str | int | None) for x in found):
            raise ValueError(
                f"several labels must be a list of words, as JSON; found {cell[:40]!r} on line "
                f"{line}."
            )
        lists.append(_named(found, nothing))
    _check_indicators(lists)
    return lists


def _check_indicators(lists: list[list[str]]) -> None:
    flags = all(label.lower() in ("0", "1", "true", "false") for row in lists for label in row)
    if flags and len({len(row) for row in lists}) == 1 and len(lists[0]) > 1:
        raise ValueError(
            f"lists of labels must hold their names; found {lists[0]}, yes and no of each label. "
            "Give each label a column."
        )


def _parsed_list(cell: str) -> Any:
    if re.search(r"[\'\"]\s+[\'\"]", cell):
        return None  # as NumPy writes lists: Python would take 'a' 'b' for 'ab'
    for parse in (json.loads, ast.literal_eval):  # as JSON, else as Python writes lists
        try:
            return parse(cell)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
    return None


def _of_lists(
    rows: FileRows, column: str, lists: list[list[str]], known: Any, told: dict[str, str]
) -> Labels:
    names = sorted({label for labels in lists for label in labels} - {""})
    place = {name: number for number, name in enumerate(names)}
    y = np.zeros((len(lists), len(names)), dtype=np.int64)
    for row, labels in enumerate(lists):
        y[row, [place[label] for label in labels if label]] = 1
    _check_several(rows, [column], names, y)
    return Labels(y, known, names, _told_of_several(names, y) | told)


def _of_columns(rows: FileRows, frame: pd.DataFrame, known: NDArray[np.bool_]) -> Labels:
    cells = frame[known].apply(stripped)
    yes = cells.apply(lambda column: column.str.lower().isin(_YES))
    other = ~yes & ~cells.apply(lambda column: column.str.lower().isin(_NO))
    for name in frame.columns[other.any()]:
        line = other.index[other[name]][0]
        raise ValueError(
            f"several columns of labels must hold yes and no, written 1 and 0; found "
            f"{cells.loc[line, name]!r} in {name!r} on line {line} of {rows.path}."
        )
    names, y = list(frame.columns), yes.to_numpy().astype(np.int64)
    _check_several(rows, names, names, y)
    empty = pd.Series("", index=frame.index[~known])
    return Labels(y, known, names, _told_of_several(names, y) | _told_of_empty(rows, empty))


def _check_several(rows: FileRows, columns: list[str], names: list[str], y: Any) -> None:
    if not len(y) or not names:
        raise ValueError(f"{listed(columns)} of {rows.path} must hold labels; found none.")
    if len(names) > max(2, len(y)):
        raise ValueError(
            f"there must be fewer labels than rows; found {len(names)} in {len(y)} rows of "
            f"{listed(columns)} in {rows.path}: {listed(names, 3)}. Is the label separator right?"
        )
    for name, column in zip(names, y.T, strict=True):
        if column.all() or not column.any():
            raise ValueError(
                f"each label must be given to some rows and not to others; {name!r} of "
                f"{rows.path} is given to {int(column.sum())} of {len(y)}. Leave it out."
            )


def _told_of_several(names: list[str], y: NDArray[np.int64]) -> dict[str, str]:
    counts = Counter(dict(zip(names, y.sum(axis=0).tolist(), strict=True)))
    return {"labels": f"{len(names)}, several a row: {_counted(counts)}"}
