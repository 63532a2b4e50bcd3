"""A user's own CSV file as the problem of an experiment."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from modal_interp.estimators import TabularMLPClassifier
from modal_interp.experiments.problems import Problem, text_problem


def read_problem(
    path: str | os.PathLike[str],
    *,
    label_column: str,
    text_column: str | None = None,
    estimator: str | None = None,
    **params: Any,
) -> Problem:
    """Read a CSV file (also .gz, .tsv) of labelled rows, with an estimator for it.

    Parameters
    ----------
    path : path-like
        UTF-8 with a header line.
    label_column : str
        Column of the labels.
    text_column : str, optional
        Column of the texts. Without it the file is a table: every other column is a feature,
        numbers are scaled (empty ones by the median), words become a column each.
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
        If the file cannot be read, lacks a column, or has rows without a label.
    """
    frame = _read(Path(path).expanduser())
    _check_columns(frame, path, label_column, text_column)
    labels = frame[label_column].to_numpy(dtype=str)
    if empty := int((labels == "").sum()):
        raise ValueError(
            f"every row of {path} must have a label, because the experiment plays the person who "
            f"labels; found {empty} of {len(frame)} without one in {label_column!r}. Leave these "
            "rows out."
        )
    if text_column is not None:
        texts = frame[text_column].to_numpy(dtype=object)
        return text_problem(texts, labels, estimator or "cnn", **params)
    if estimator not in (None, "mlp"):
        raise ValueError(
            f"estimator={estimator!r} reads texts: name their column, --text-column, out of "
            f"{', '.join(frame.columns)}."
        )
    return _table_problem(frame.drop(columns=label_column), labels, params)


def _read(path: Path) -> pd.DataFrame:
    separator = "\t" if ".tsv" in path.suffixes else ","
    try:
        # As strings: "null" and "nan" are words, and 01 is a label of its own.
        return pd.read_csv(path, sep=separator, dtype=str, keep_default_na=False, encoding="utf-8")
    except FileNotFoundError:
        raise ValueError(f"--data must be a file; found {str(path)!r}, which is none.") from None
    except (OSError, ValueError) as error:
        raise ValueError(
            f"{path} must be a CSV file in UTF-8 with a header line; it cannot be read ({error})."
        ) from error


def _check_columns(frame: pd.DataFrame, path: Any, label: str, text: str | None) -> None:
    for name, column in (("label_column", label), ("text_column", text)):
        if column is not None and column not in frame.columns:
            raise ValueError(
                f"{name} must be a column of {path}, one of {', '.join(frame.columns)}; found "
                f"{column!r}."
            )
    if label == text:
        raise ValueError(f"text_column and label_column must differ; found {label!r} for both.")


def _table_problem(frame: pd.DataFrame, labels: Any, params: dict[str, Any]) -> Problem:
    if frame.shape[1] == 0:
        raise ValueError("a table must have a column besides its labels; found none.")
    numbers = frame.replace("", np.nan).apply(pd.to_numeric, errors="coerce")
    # A column is one of words if anything in it is no number.
    is_words = (numbers.isna() & (frame != "")).any()
    codes = {name: frame[name].astype("category").cat.codes for name in frame.columns[is_words]}
    X = numbers.assign(**codes).to_numpy(dtype=np.float64)
    words = np.flatnonzero(is_words).tolist()
    filled = SimpleImputer(strategy="median", keep_empty_features=True)
    preprocessing = make_column_transformer(
        (make_pipeline(filled, StandardScaler()), np.flatnonzero(~is_words).tolist()),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), words),
    )
    return Problem(make_pipeline(preprocessing, TabularMLPClassifier(**params)), X, labels)
