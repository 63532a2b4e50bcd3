"""What any classifier predicts, a net or one of scikit-learn's, in one form."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import _safe_indexing
from skorch import NeuralNet

from modal_interp.nets.forward import forward
from modal_interp.nets.outputs import gives_several_labels
from modal_interp.nets.samples import distinct_rows

Floats = NDArray[np.float64]


class Predictions(NamedTuple):
    """What a classifier predicts of n samples."""

    proba: Floats  # (n, C)
    several: bool  # each column is a label of its own; else a row is one distribution


def predictions(classifier: Any, X: Any, *, verbose: int = 0) -> Predictions:
    """Return the probabilities of samples, equal for equal samples.

    Parameters
    ----------
    classifier : skorch.NeuralNet, or another classifier with ``predict_proba``
        A fitted one.
    X : array of shape (n, ...), or whatever the classifier takes
        Samples.
    verbose : int
        Greater than 0 shows a progress bar, of a net.

    Returns
    -------
    Predictions
        Rows in the order of `X`; of a net in double precision, not rounded to 0 and 1.

    Raises
    ------
    ValueError
        If they are not finite, or not probabilities.
    """
    distinct, sample_of = distinct_rows(X)
    if isinstance(classifier, NeuralNet):
        found = forward(classifier, distinct, verbose=verbose)
        return Predictions(found.proba[sample_of], found.several)
    several = predicts_several(classifier, distinct)
    given = classifier.predict_proba(distinct)
    proba = _of_labels(classifier, given) if several else _of_classes(classifier, given)
    return Predictions(proba[sample_of], several)


def is_net(classifier: Any) -> bool:
    """Tell whether a classifier is a net, whose module can be looked into."""
    return isinstance(classifier, NeuralNet)


def predicts_several(classifier: Any, X: Any) -> bool:
    """Tell whether a classifier gives each sample several labels; one predicts the first of `X`."""
    if isinstance(classifier, NeuralNet):
        return gives_several_labels(classifier)
    # Estimators that know several labels say so each in a way of its own; only this is common.
    found = classifier.predict(_safe_indexing(X, [0]))
    return getattr(found, "ndim", np.ndim(found)) == 2


def _of_classes(classifier: Any, given: Any) -> Floats:
    """Return distributions (n, C), C at least 2."""
    proba = np.asarray(given, dtype=np.float64)
    one = proba.ndim == 2 and np.allclose(proba.sum(axis=1), 1.0, rtol=0, atol=1e-3)
    if not one or (proba < 0).any():
        raise ValueError(
            f"predict_proba of {type(classifier).__name__} must give each sample one distribution "
            f"over the classes; found {_found(proba)}."
        )
    # One class, of which the classifier is sure: nothing is left for a second.
    return np.pad(proba, [(0, 0), (0, max(0, 2 - proba.shape[1]))])


def _of_labels(classifier: Any, given: Any) -> Floats:
    """Return the probability of each label (n, L)."""
    if isinstance(given, list):  # of each label, the probabilities of no and of yes
        classes = classifier.classes_
        columns = [_of_yes(np.asarray(of), label) for of, label in zip(given, classes, strict=True)]
        given = np.column_stack(columns)
    proba = np.asarray(given, dtype=np.float64)
    if proba.ndim != 2 or not ((proba >= 0) & (proba <= 1)).all():
        raise ValueError(
            f"predict_proba of {type(classifier).__name__} must give each label a probability from "
            f"0 to 1; found {_found(proba)}."
        )
    return proba


def _of_yes(proba: NDArray[Any], classes: Any) -> NDArray[Any]:
    """Return the column of class 1; 0 where a label was never given."""
    known = np.asarray(classes).tolist()
    if not set(known) <= {0, 1}:
        raise ValueError(
            "several labels must each be a yes or no, written 1 and 0; found one with the classes "
            f"{known}."
        )
    return proba[:, known.index(1)] if 1 in known else np.zeros(len(proba))


def _found(proba: Floats) -> str:
    if not np.isfinite(proba).all():
        return "NaN or infinity"
    return f"shape {proba.shape}, values from {proba.min():g} to {proba.max():g}"
