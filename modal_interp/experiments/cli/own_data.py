"""A user's own CSV file as the problem of an experiment."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from modal_interp.estimators import TabularMLPClassifier
from modal_interp.experiments.cli.problems import Problem, text_problem

# What stands for an empty cell among numbers.
_MISSING = ("", "?", "na", "n/a", "nan", "null", "none")
# Beyond so many words, a column where most rows have a word of their own is no category.
_FEW_WORDS = 20


def read_problem(
    path: str | os.PathLike[str],
    *,
    label_column: str,
    text_column: str | None = None,
    estimator: str | None = None,
    **params: Any,
) -> Problem:
    """Read a CSV file of labelled rows, with an estimator for it.

    Parameters
    ----------
    path : path-like
        UTF-8 with a header line that shows what separates columns: commas, semicolons or tabs.
        Also compressed, as ``.csv.gz``.
    label_column : str
        Column of the labels, whole numbers or words.
    text_column : str, optional
        Column of the texts. Without it the file is a table: every other column with a name is a
        feature, numbers are scaled, each word of a column of words becomes a column. A missing
        number is the median of its column in the whole file, which uses no labels: modAL takes no
        NaN.
    estimator : {"cnn", "bilstm", "mlp"}, optional
        "cnn" for texts and "mlp" for tables, if not given.
    **params : dict
        As for :func:`load_problem`.

    Returns
    -------
    Problem
        Estimator, samples and labels.

    Raises
    ------
    ValueError
        If the file cannot be read, lacks a column, has rows without a label, or labels or features
        that are none.

    Notes
    -----
    Departs from the paper: none; data of the user's own.
    """
    path = Path(path).expanduser()
    frame = _read(path)
    _check_columns(frame, path, label_column, text_column)
    labels = _labels(frame[label_column], path)
    if text_column is not None:
        texts = frame[text_column]
        if not texts.str.strip().any():
            raise ValueError(
                f"text_column must hold texts; found none in {text_column!r} of {path}."
            )
        return text_problem(texts.to_numpy(dtype=object), labels, estimator or "cnn", **params)
    if estimator not in (None, "mlp"):
        raise ValueError(
            f"estimator={estimator!r} reads texts: name their column, --text-column, one of "
            f"{_listed(frame.columns)}."
        )
    return _table_problem(frame.drop(columns=label_column), path, labels, params)


def _read(path: Path) -> pd.DataFrame:
    try:
        header = str(pd.read_csv(path, sep="\x01", quoting=3, nrows=0, encoding="utf-8").columns[0])
        # As strings: "null" and "nan" are words, and 01 is a label of its own.
        rows = pd.read_csv(
            path, sep=max(",;\t", key=header.count), dtype=str, keep_default_na=False,
            encoding="utf-8", header=None,
        )  # fmt: skip
    except FileNotFoundError:
        raise ValueError(f"--data must be a file; found {str(path)!r}, which is none.") from None
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(
            f"{path} must be a CSV file in UTF-8 with a header line and as many columns in each "
            f"row; it cannot be read ({reason})."
        ) from error
    frame = rows.iloc[1:].fillna("").reset_index(drop=True)
    frame.columns = pd.Index([str(name).strip() for name in rows.iloc[0]])
    if frame.empty:
        raise ValueError(f"{path} must hold rows below its header line; found none.")
    return frame


def _check_columns(frame: pd.DataFrame, path: Path, label: str, text: str | None) -> None:
    names = frame.columns
    for name, column in (("label_column", label), ("text_column", text)):
        if column is not None and column not in names:
            raise ValueError(
                f"{name} must be a column of {path}, one of {_listed(names)}; found {column!r}."
            )
    if label == text:
        raise ValueError(f"text_column and label_column must differ; found {label!r} for both.")
    if twice := [name for name in names[names.duplicated()] if name]:
        raise ValueError(
            f"the columns of {path} must have different names; found {twice[0]!r} twice."
        )


def _labels(column: pd.Series, path: Path) -> NDArray[Any]:
    """Return the labels, as int64 where all are whole numbers as Python writes them."""
    n, found = len(column), column.unique()
    if empty := int((column.str.strip() == "").sum()):
        raise ValueError(
            f"every row of {path} must have a label, because the experiment plays the person who "
            f"labels; found {empty} of {n} without one in {column.name!r}. Leave these rows out."
        )
    if not 2 <= len(found) <= max(2, n // 2):
        raise ValueError(
            "label_column must hold at least two classes, with two rows each on average; found "
            f"{len(found)} in the {n} rows of {column.name!r} in {path}: {_listed(found, 3)}."
        )
    if column.str.fullmatch(r"0|-?[1-9][0-9]{0,17}").all():
        return column.to_numpy(dtype=np.int64)
    return column.to_numpy(dtype=str)


def _table_problem(frame: pd.DataFrame, path: Path, labels: Any, params: dict[str, Any]) -> Problem:
    # A column without a name is a program's count of the rows.
    frame = frame.loc[:, frame.columns != ""]
    if frame.shape[1] == 0:
        raise ValueError(f"{path} must have a column besides its labels; found none.")
    missing = frame.apply(lambda column: column.str.strip().str.lower().isin(_MISSING))
    numbers = frame.apply(pd.to_numeric, errors="coerce").astype(np.float64)
    # A column is one of words if anything in it is no number.
    is_words = (numbers.isna() & ~missing).any()
    _check_features(frame, numbers, is_words, path)
    numbers = numbers.fillna(numbers.median()).fillna(0.0)
    for name in frame.columns[is_words]:
        numbers[name] = frame[name].astype("category").cat.codes
    preprocessing = make_column_transformer(
        (StandardScaler(), np.flatnonzero(~is_words).tolist()),
        (
            OneHotEncoder(handle_unknown="ignore", sparse_output=False),
            np.flatnonzero(is_words).tolist(),
        ),
    )
    X = numbers.to_numpy(dtype=np.float64)
    return Problem(make_pipeline(preprocessing, TabularMLPClassifier(**params)), X, labels)


def _check_features(
    frame: pd.DataFrame, numbers: pd.DataFrame, is_words: pd.Series, path: Path
) -> None:
    for name in frame.columns[is_words]:
        found = frame[name].unique()
        if len(found) > max(_FEW_WORDS, len(frame) // 2):
            raise ValueError(
                f"a column of words must hold categories; found {len(found)} different ones in the "
                f"{len(frame)} rows of {name!r} in {path}: {_listed(found, 3)}. Name a column of "
                "texts, --text-column, leave out one of names, write numbers with a point."
            )
    for name in frame.columns[~is_words]:
        if (large := numbers[name].abs() > np.finfo(np.float32).max).any():
            raise ValueError(
                f"numbers must be finite and fit float32; found {frame[name][large].iloc[0]} in "
                f"{name!r} of {path}."
            )


def _listed(values: Iterable[Any], most: int = 10) -> str:
    """Return the first values, long ones cut: a file without a header line has texts for names."""
    shown = [repr(value if len(value) <= 40 else f"{value[:40]}...") for value in map(str, values)]
    return ", ".join([*shown[:most], *(["..."] if len(shown) > most else [])])
