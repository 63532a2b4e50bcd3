"""Estimators of several labels as scikit-learn's scorers read them, whatever their labels are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import get_scorer


class AsLabels(ClassifierMixin, BaseEstimator):
    """A fitted estimator whose columns are labels of yes and no, as those of a forest are.

    scikit-learn tells several labels from classes by `classes_`: two names of labels are two
    classes to it, of which it would score the second alone.
    """

    def __init__(self, estimator: Any, n_labels: int) -> None:
        self.estimator = estimator
        self.n_labels = n_labels
        self.classes_ = [np.array([0, 1])] * n_labels

    def fit(self, X: Any, y: Any) -> AsLabels:
        """Return itself: the estimator is fitted."""
        return self

    def predict(self, X: Any) -> Any:
        """Return what the estimator predicts."""
        return self.estimator.predict(X)

    def predict_proba(self, X: Any) -> Any:
        """Return the estimator's probability of each label."""
        return self.estimator.predict_proba(X)


def scorer_of(scoring: Any, y: NDArray[Any]) -> Callable[[Any, Any, Any], float]:
    """Return a scorer of estimators that were trained on labels like `y`.

    One of the user's own gets each estimator as it is.
    """
    scorer: Callable[[Any, Any, Any], float] = get_scorer(scoring)
    if y.ndim == 1 or not is_of_scikit_learn(scorer):
        return scorer

    def score(estimator: Any, X: Any, y_true: Any) -> float:
        return scorer(_read(estimator, y.shape[1]), X, y_true)

    return score


def is_of_scikit_learn(scorer: Any) -> bool:
    """Tell whether a scorer asks for no more than scikit-learn's do."""
    return type(scorer).__module__.startswith("sklearn.")


def _read(estimator: Any, n_labels: int) -> Any:
    """Return the estimator, where scikit-learn would misread it as labels."""
    own = isinstance(getattr(estimator, "classes_", None), list)
    if own or hasattr(estimator, "decision_function") or not hasattr(estimator, "predict_proba"):
        return estimator
    return AsLabels(estimator, n_labels)
