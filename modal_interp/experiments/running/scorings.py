"""Whether a scorer can score every part that it will be given, seen before anything is trained."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.metrics import get_scorer

from modal_interp.experiments.running.interleaving import Interleaved
from modal_interp.experiments.running.plan import Parts, seed_set, split_rows
from modal_interp.experiments.running.several_labels import is_of_scikit_learn, scorer_of


class _StandIn(ClassifierMixin, BaseEstimator):
    """A classifier that was never trained, and remembers whether probabilities were asked for."""

    def __init__(self, classes: NDArray[Any], multilabel: bool = False) -> None:
        self.classes_, self.multilabel = classes, multilabel
        self.was_asked_for_probabilities = False

    def fit(self, X: Any, y: Any) -> _StandIn:
        """Return itself: there is nothing to learn."""
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the first class of each sample; of several labels none."""
        if self.multilabel:
            return np.zeros((len(X), len(self.classes_)), dtype=np.int64)
        return np.repeat(self.classes_[:1], len(X))

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the same for all classes."""
        self.was_asked_for_probabilities = True
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))


def check_scoring(protocol: Interleaved, seeds: list[int], n_initial: int) -> None:
    """Check that the scorer exists and, one of scikit-learn's, that it can score each part.

    Raises
    ------
    TypeError
        If there is no scorer.
    ValueError
        If it does not take the labels of `y`, or takes probabilities and a class is missing from a
        part of a seed, or from what an estimator will have seen: scores would be of other classes.
    """
    if protocol.scoring is None:
        raise TypeError("scoring must be a scorer of scikit-learn or a callable; found None.")
    scorer = get_scorer(protocol.scoring)
    if not is_of_scikit_learn(scorer):
        return  # it may ask more of an estimator than a stand-in has
    y, told = protocol.y, _told_classes(protocol)
    nothing = np.zeros((len(y), 1))
    _check_whole(protocol, scorer, DummyClassifier(strategy="prior").fit(nothing, y))
    probe = _StandIn(_classes_of(y) if told is None else told, y.ndim > 1)
    error = _failure(scorer, probe, y)
    if error and told is not None:
        raise _of_other_labels(protocol, error)
    if not probe.was_asked_for_probabilities:
        return
    for seed in seeds:
        parts = split_rows(y, protocol.split, seed)
        for known, whose in _known_to_curves(y, told, seed, parts, n_initial):
            for name, rows in (("test", parts.test), ("validation", parts.validation)):
                part = f"the {name} part of seed {seed}"
                _check_part(protocol, scorer, known, y[rows], part, whose)


def _check_whole(protocol: Interleaved, scorer: Any, estimator: Any) -> None:
    if error := _failure(scorer, estimator, protocol.y):
        raise _of_other_labels(protocol, error)


def _of_other_labels(protocol: Interleaved, error: str) -> ValueError:
    return ValueError(
        f"scoring={protocol.scoring!r} cannot score the labels of y: {error.rstrip('.')}. Choose "
        "one for such labels: of words f1_macro in place of f1, roc_auc_ovr in place of roc_auc or "
        "average_precision."
    )


def _failure(scorer: Any, estimator: Any, y: NDArray[Any]) -> str:
    """Return why these labels cannot be scored; "" if they can."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a stand-in never predicts some classes
        try:
            score = float(scorer_of(scorer, y)(estimator, np.zeros((len(y), 1)), y))
        except (ValueError, TypeError, AttributeError, LookupError) as error:
            return str(error)
    # Of predictions of one class alone some scores are NaN, and those of a net are not.
    ranks = getattr(estimator, "was_asked_for_probabilities", False)
    return f"the score would be {score}" if ranks and not math.isfinite(score) else ""


def _classes_of(y: NDArray[Any]) -> NDArray[Any]:
    return np.arange(y.shape[1]) if y.ndim > 1 else np.unique(y)


def _told_classes(protocol: Interleaved) -> NDArray[Any] | None:
    """Return the classes that the estimator knows from the start; None where it has to see them."""
    if protocol.tells_classes():
        return _classes_of(protocol.y)
    for name, value in protocol.estimator.get_params(deep=True).items():
        if name.rpartition("__")[2] == "classes":
            if value is None:
                return _classes_of(protocol.y)
            return np.asarray(value) if protocol.y.ndim > 1 else np.unique(np.asarray(value))
    return None


def _known_to_curves(
    y: NDArray[Any], told: NDArray[Any] | None, seed: int, parts: Parts, n_initial: int
) -> Iterator[tuple[NDArray[Any], str]]:
    """Give the classes that an estimator knows, and from where: at first and in the end."""
    if told is not None or y.ndim > 1:
        yield (_classes_of(y) if told is None else told), "labels" if told is None else "net"
        return
    yield np.unique(y[seed_set(parts.train, n_initial, seed)]), "seed set"
    yield np.unique(y[parts.train]), "training part"


def _check_part(
    protocol: Interleaved, scorer: Any, known: NDArray[Any], y: NDArray[Any], part: str, whose: str
) -> None:
    """Check that the classes of a part are those that the estimator knows."""
    if not len(y):
        return
    there = known[(y != 0).any(axis=0)] if y.ndim > 1 else np.unique(y)
    missing = [label for label in known.tolist() if label not in there.tolist()]
    unknown = [label for label in there.tolist() if label not in known.tolist()]
    # Of several labels, other estimators name their classes in other ways: nothing can be tried.
    foreign = y.ndim > 1 and whose == "labels"
    error = "" if foreign else _failure(scorer, _StandIn(known, y.ndim > 1), y)
    # A scorer that was told the labels knows whose each column is.
    told_labels = getattr(scorer, "_kwargs", {}).get("labels") is not None
    if not error and (told_labels or not (missing or unknown)):
        return
    what = f"{part} cannot be scored: {error}"
    if missing:
        what = f"{part} has none of the classes {missing}"
    if unknown:
        what = f"the {whose} has none of the classes {unknown}, which {part} has"
    raise ValueError(
        f"scoring={protocol.scoring!r} takes the probabilities of all classes, and {what}. Choose "
        "other seeds, larger parts, or a scoring by predicted labels such as f1_macro."
    )
