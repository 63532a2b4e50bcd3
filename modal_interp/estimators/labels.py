"""Labels: checked, encoded, weighed, and split for validation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.model_selection import train_test_split
from sklearn.utils import check_array, check_consistent_length, column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from modal_interp.estimators.indicator import (
    check_indicator,
    check_row_lengths,
    column_labels,
    positive_weights,
)


def check_targets(X: Any, y: Any) -> NDArray[Any]:
    """Return `y` as an array with a row for each of `X`: labels (n,), or an indicator (n, C)."""
    if y is None:
        raise ValueError("This classifier requires y to be passed, but the target y is None.")
    check_row_lengths(y)
    y = y.toarray() if issparse(y) else y
    y = check_array(y, ensure_2d=False, dtype=None, input_name="y")
    if y.ndim > 1 and y.shape[1] > 1:
        check_indicator(y)
    else:
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
    check_consistent_length(X, y)
    return y


def known_classes(classes: Any, y: NDArray[Any]) -> NDArray[Any]:
    """Return the labels that the outputs of a net for `y` stand for, (C,)."""
    return column_labels(classes, y.shape[1]) if y.ndim > 1 else sorted_classes(classes, y)


def sorted_classes(classes: Any, y: NDArray[Any] | None) -> NDArray[Any]:
    """Return the sorted labels of `classes`, or those of `y` where there is no `classes`."""
    if classes is not None and np.ndim(classes) != 1:
        raise ValueError(f"classes must be a 1-D collection of labels, found {classes!r}.")
    known = np.unique(np.asarray(y if classes is None else classes))
    if len(known) < 2:
        where = "y holds" if classes is None else "classes= names"
        raise ValueError(
            f"A classifier needs two classes at least, but {where} one class only: "
            f"{known.tolist()}. Name all labels that will occur by classes=."
        )
    return known


def encode_labels(y: NDArray[Any], classes: NDArray[Any]) -> NDArray[np.int64]:
    """Return the place of each label of `y` in `classes`, int64."""
    # A dict, not searchsorted: NumPy would compare 1 with "1" and find them equal.
    place = {label: code for code, label in enumerate(classes.tolist())}
    labels = y.tolist()
    if unknown := [label for label in dict.fromkeys(labels) if label not in place]:
        raise ValueError(
            f"y holds labels that are not in classes={classes.tolist()}: {unknown}. "
            f"{_how_to_name(labels, len(classes))}"
        )
    return np.array([place[label] for label in labels], dtype=np.int64)


def _how_to_name(labels: list[Any], n: int) -> str:
    """Return what to do about labels that are not among n classes."""
    # cross_val_predict by probabilities, VotingClassifier and others number the labels first.
    if all(isinstance(label, int) and 0 <= label < n for label in labels):
        return (
            "Pass all labels as classes=; or, where scikit-learn has numbered them, as "
            "cross_val_predict(method='predict_proba') does, leave classes= out."
        )
    return "Pass all labels as classes=."


def encode_targets(y: NDArray[Any], classes: NDArray[Any]) -> NDArray[Any]:
    """Return `y` as the loss takes it: places in `classes`, int64, or an indicator, float32."""
    return y.astype(np.float32) if y.ndim > 1 else encode_labels(y, classes)


def loss_weights(
    weight: Any, classes: NDArray[Any], targets: NDArray[Any]
) -> dict[str, NDArray[np.float32]]:
    """Return the tensors of the loss that `class_weight` stands for, each of shape (C,)."""
    # An indicator sets both, so that nothing is left of another `class_weight` in a warm start.
    even = (
        {}
        if targets.ndim == 1
        else dict.fromkeys(("weight", "pos_weight"), np.ones_like(targets[0]))
    )
    if not (isinstance(weight, str) and weight == "balanced"):
        return {**even, "weight": named_weights(weight, classes)}
    if targets.ndim > 1:
        return {**even, "pos_weight": positive_weights(targets)}
    return {"weight": balanced_weights(targets, len(classes))}


def balanced_weights(targets: NDArray[np.int64], n_classes: int) -> NDArray[np.float32]:
    """Return weights of the classes that make their samples weigh the same together."""
    counts = np.bincount(targets, minlength=n_classes)
    # A class without samples cannot be balanced, and its weight is never used.
    balanced = len(targets) / (np.count_nonzero(counts) * np.maximum(counts, 1))
    return np.where(counts > 0, balanced, 1.0).astype(np.float32)


def named_weights(weight: Any, classes: NDArray[Any]) -> NDArray[np.float32]:
    """Return the weight that a dict gives each class, 1 where it gives none."""
    if not isinstance(weight, Mapping):
        raise ValueError(f"class_weight must be None, 'balanced' or a dict, found {weight!r}.")
    labels = classes.tolist()
    if unknown := [label for label in weight if label not in labels]:
        raise ValueError(f"class_weight holds labels that are not in classes={labels}: {unknown}.")
    weights = np.array([weight.get(label, 1.0) for label in labels], dtype=np.float32)
    if not (np.isfinite(weights) & (weights > 0)).all():
        raise ValueError(f"class_weight must hold finite numbers > 0, found {dict(weight)!r}.")
    return weights


def hold_out(
    targets: NDArray[Any], fraction: float, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split sample numbers into training and validation, stratified where that is possible."""
    # Sets of labels are too many to stratify by: they count as one class.
    classes = targets if targets.ndim == 1 else np.zeros(len(targets))
    _, codes, counts = np.unique(classes, return_inverse=True, return_counts=True)
    n_valid = max(round(fraction * len(targets)), 1)
    if counts.min() > 1 and len(counts) <= n_valid <= len(targets) - len(counts):
        numbers = np.arange(len(targets))
        train, valid = train_test_split(
            numbers, test_size=n_valid, stratify=codes, random_state=seed
        )
        return train, valid
    # Some class is too small to share: one sample of each class stays for training.
    order = np.random.RandomState(seed).permutation(len(targets))
    spare = np.delete(order, np.unique(codes[order], return_index=True)[1])[:n_valid]
    if not len(spare):
        raise ValueError(
            "early_stopping=True holds out samples for validation, but y has one sample of each "
            "class only: label more, or use early_stopping=False."
        )
    return np.setdiff1d(order, spare), spare
