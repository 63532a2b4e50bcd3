"""Several labels for each sample: an indicator matrix, checked, named and weighed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

BINARIZER = "Lists of labels become an indicator matrix by scikit-learn's MultiLabelBinarizer."


def check_row_lengths(y: Any) -> None:
    """Raise a ValueError where the samples of a list have different numbers of labels."""
    # NumPy would speak of an "inhomogeneous shape".
    lengths = {np.size(row) for row in y} if isinstance(y, list | tuple) else set()
    if len(lengths) > 1:
        raise ValueError(
            "y must be one label for each sample or an indicator matrix (n, C) of 0 and 1, found "
            f"rows of {min(lengths)} to {max(lengths)} values. {BINARIZER}"
        )


def check_indicator(y: NDArray[Any]) -> None:
    """Raise a ValueError where `y`, of shape (n, C), holds anything but 0 and 1."""
    others = y[(y != 0) & (y != 1)] if y.dtype.kind in "biuf" else y.ravel()
    if others.size:
        raise ValueError(
            f"y of shape {y.shape} must be an indicator matrix: 1 where the sample has the label "
            f"of the column, else 0. Found {others.tolist()[0]!r}, dtype {y.dtype}. {BINARIZER}"
        )


def column_labels(classes: Any, n_columns: int) -> NDArray[Any]:
    """Return the label of each column: `classes` as given, or numbers where there are none."""
    if classes is None:
        return np.arange(n_columns)
    labels = np.asarray(classes)
    if labels.shape != (n_columns,):
        raise ValueError(
            f"classes must name each of the {n_columns} columns of y, in their order; "
            f"found {classes!r}."
        )
    names, counts = np.unique(labels, return_counts=True)
    if twice := names[counts > 1].tolist():
        raise ValueError(
            f"classes must name each column of y differently, found {twice[0]!r} twice."
        )
    return labels


def positive_weights(targets: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the negatives divided by the positives of each label, 1 where one is missing."""
    positives = targets.sum(axis=0, dtype=np.float64)
    negatives = len(targets) - positives
    both = (positives > 0) & (negatives > 0)
    return np.where(both, negatives / np.maximum(positives, 1), 1).astype(np.float32)


def has_labels(proba: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which labels each sample has: those more probable than not."""
    return proba > 0.5
