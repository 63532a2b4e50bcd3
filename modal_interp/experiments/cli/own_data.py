"""A user's own file as the problem of an experiment."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from modal_interp.datasets.files import (
    Features,
    FileRows,
    read_features,
    read_labels,
    read_rows,
    summary,
)
from modal_interp.datasets.files.delimited import better_header
from modal_interp.datasets.files.reading import listed
from modal_interp.estimators import TabularMLPClassifier
from modal_interp.experiments.cli.problems import Problem, text_problem

# Words of a column that get a column of their own; the rarer ones share one.
_MOST_WORDS = 100


def read_problem(
    path: str | os.PathLike[str],
    *,
    label_column: str | Sequence[str],
    text_column: str | None = None,
    estimator: str | None = None,
    encoding: str | None = None,
    separator: str | None = None,
    quote: str | None = None,
    decimal: str | None = None,
    missing: Sequence[str] | None = None,
    label_separator: str | None = None,
    drop: Sequence[str] = (),
    keep: Sequence[str] = (),
    categories: Sequence[str] = (),
    max_length: int | None = None,
    tokenizer: Callable[[str], Iterable[str]] | None = None,
    word_vectors: bool | str = True,
    verbose: int = 0,
    **params: Any,
) -> Problem:
    """Read a file of labelled rows, with an estimator for it.

    Parameters
    ----------
    path : path-like
        Text with a header line and columns between commas, semicolons, tabs or vertical bars; JSON,
        JSON lines, Parquet or Excel. Also packed by gzip, bzip2, xz or zip.
    label_column : str or sequence of str
        Column of the labels, whole numbers or words; several columns of yes and no are a label
        each. Rows without a label are left out.
    text_column : str, optional
        Column of the texts. Without it the file is a table: every other column is a feature but
        those that count or name the rows, numbers are scaled, each of the 100 most frequent words
        of a column of words becomes a column. A missing number is the median of its column in the
        whole file, which uses no labels: modAL takes no NaN.
    estimator : {"cnn", "bilstm", "cnn_lstm", "mlp"}, optional
        "cnn" for texts and "mlp" for tables, if not given.
    encoding, separator, quote : str, optional
        As for ``modal_interp.datasets.files.read_rows``; found, if not given.
    decimal : {".", ","}, optional
        Decimal sign of numbers; found, if not given.
    missing : sequence of str, optional
        What stands for an empty cell among labels and numbers, in place of the usual words.
    label_separator : str, optional
        What stands between several labels of one cell. A list as JSON needs none.
    drop, keep, categories : sequence of str
        Columns to leave out; to keep though they count or name the rows; to take for words though
        they look like numbers.
    max_length, tokenizer : optional
        Of texts, as for :class:`~modal_interp.WordEncoder`.
    word_vectors : bool or str, default=True
        As for :func:`text_problem`.
    verbose : int, default=0
        Greater than 0 prints a short table of what was decided.
    **params : dict
        As for :func:`load_problem`.

    Returns
    -------
    Problem
        Estimator, samples and labels.

    Raises
    ------
    ValueError
        If the file cannot be read or can be read in two ways, lacks a column, or has labels or
        features that are none.

    Notes
    -----
    Departs from the paper: none; data of the user's own.
    """
    columns = [label_column] if isinstance(label_column, str) else list(label_column)
    wanted = [*columns, *([text_column] if text_column is not None else [])]
    rows = read_rows(path, wanted=wanted, encoding=encoding, separator=separator, quote=quote)
    _check_columns(rows, columns, text_column, drop)
    labels = read_labels(rows, columns, separator=label_separator, missing_words=missing)
    frame = rows.frame[labels.known]
    n = {"rows": f"{len(frame)} of {len(rows.frame)}"}
    if text_column is not None:
        _check_only_of_tables(decimal=decimal, keep=keep, categories=categories)
        texts = frame[text_column]
        told = n | rows.told | _told_of_texts(rows, texts) | labels.told
        _tell(rows, told, verbose)
        return text_problem(
            texts.to_numpy(dtype=object), labels.y, estimator or "cnn", max_length=max_length,
            tokenizer=tokenizer, word_vectors=word_vectors, verbose=verbose, **params,
        )  # fmt: skip
    _check_table(rows, estimator)
    features = read_features(
        rows, frame.drop(columns=[*columns, *drop]), decimal=decimal, missing_words=missing,
        keep=keep, categories=categories,
    )  # fmt: skip
    _tell(rows, n | rows.told | features.told | labels.told, verbose)
    net = TabularMLPClassifier(**params)
    pipeline = make_pipeline(_preprocessing(features), net)
    return Problem(pipeline, features.X, labels.y, list(features.names))


def _check_columns(
    rows: FileRows, labels: Sequence[str], text: str | None, drop: Sequence[str]
) -> None:
    names = rows.frame.columns
    named = [("label_column", label) for label in labels]
    named += [("text_column", text)] if text is not None else []
    wanted = {column for _, column in named}
    for option, column in [*named, *(("drop", name) for name in drop)]:
        if column not in names:
            raise ValueError(
                f"{option} must be a column of {rows.path}, one of {listed(names)}; found "
                f"{column!r}.{better_header(rows.frame.to_numpy(), rows.frame.index, wanted)}"
            )
    if text in labels:
        raise ValueError(f"text_column and label_column must differ; found {text!r} for both.")
    if both := wanted & set(drop):
        raise ValueError(f"drop must name columns that are not needed; found {min(both)!r}.")


def _check_only_of_tables(**options: Any) -> None:
    for name, value in options.items():
        if value:
            raise ValueError(f"{name} must come with a table; found it with a column of texts.")


def _told_of_texts(rows: FileRows, texts: pd.Series) -> dict[str, str]:
    n_words = texts.map(lambda text: len(text.split()))
    if not n_words.any():
        raise ValueError(
            f"text_column must hold texts; found none in {texts.name!r} of {rows.path}."
        )
    longest = n_words.idxmax()
    n_empty = int((n_words == 0).sum())
    empty = f", {n_empty} empty" if n_empty else ""
    return {
        "text": f"column {texts.name}: {n_words.median():.0f} words in the middle, at most "
        f"{n_words.max()} (line {longest}){empty}"
    }


def _check_table(rows: FileRows, estimator: str | None) -> None:
    if estimator not in (None, "mlp"):
        raise ValueError(
            f"estimator={estimator!r} reads texts: name their column, --text-column, one of "
            f"{listed(rows.frame.columns)}."
        )


def _tell(rows: FileRows, told: dict[str, str], verbose: int) -> None:
    if verbose > 0:
        print(summary(rows.path, told), flush=True)


def _preprocessing(features: Features) -> Any:
    # The rarer words of a column together: rows times words could be more than the file a
    # thousandfold.
    one_hot = OneHotEncoder(
        handle_unknown="infrequent_if_exist", max_categories=_MOST_WORDS, sparse_output=False
    )
    return make_column_transformer((StandardScaler(), features.numbers), (one_hot, features.words))
