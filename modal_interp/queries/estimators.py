"""Finds the fitted net, or another classifier, in the estimator of a learner."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from sklearn.base import is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection._search import BaseSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted
from skorch import NeuralNet

# The steps of a pipeline before a net, and the net; or no steps and another classifier.
Found: TypeAlias = tuple[list[Any], Any]
# How a pipeline spells a step that does nothing.
_NO_STEP = (None, "passthrough")


def unwrap(estimator: Any) -> tuple[list[Any], Any]:
    """Return the steps before the last estimator, first one first, and that estimator.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If a search has not found it yet.
    """
    steps: list[Any] = []
    while isinstance(estimator, Pipeline | FrozenEstimator | BaseSearchCV):
        if isinstance(estimator, Pipeline):
            steps.extend(step for _, step in estimator.steps[:-1] if step not in _NO_STEP)
            estimator = estimator.steps[-1][1]
        elif isinstance(estimator, FrozenEstimator):
            estimator = estimator.estimator
        else:
            estimator = _best_of(estimator)
    return steps, estimator


def members_of(estimator: Any, find: Callable[[Any], Found]) -> list[Found]:
    """Return what is found in an estimator; of an ensemble, in each of its members.

    A class says by ``is_committee = True`` that its fitted ``estimators_`` are to be asked as the
    members of a committee are. That it has ``estimators_`` does not say so: forests have them, and
    votes, whose parts know other labels or columns than the whole.

    Parameters
    ----------
    estimator : estimator
        Of a learner.
    find : callable
        :func:`net_of` or :func:`classifier_of`.

    Returns
    -------
    list of (list of steps, net or classifier)
        For each member the steps before it, those before the ensemble first.

    Raises
    ------
    TypeError, sklearn.exceptions.NotFittedError
        As `find` does, or if an ensemble is not fitted.
    """
    steps, last = unwrap(estimator)
    if not is_ensemble(last):
        return [find(estimator)]
    if not getattr(last, "estimators_", None):
        raise _not_fitted(type(last).__name__)
    found = [one for member in last.estimators_ for one in members_of(member, find)]
    return [([*steps, *before], member) for before, member in found]


def is_ensemble(estimator: Any) -> bool:
    """Tell whether an estimator wants its members to be asked."""
    return getattr(estimator, "is_committee", False) is True


def net_of(estimator: Any) -> Found:
    """Return the steps of a pipeline before the net, and the fitted net.

    Raises
    ------
    TypeError, sklearn.exceptions.NotFittedError
        If there is no net, no classifier, or an unfitted one.
    """
    steps, last = unwrap(estimator)
    if not isinstance(last, NeuralNet):
        raise TypeError(
            "the learner's estimator must be a skorch net, alone or as the last step of a "
            f"Pipeline; found a {type(last).__name__}. Gradients need a torch module: "
            "use TextCNNClassifier, or skorch.NeuralNetClassifier around a module of yours."
        )
    _check_net(last)
    return steps, last


def classifier_of(estimator: Any) -> Found:
    """Return the steps before the net, and the net; without a net, no steps and the estimator.

    Raises
    ------
    TypeError, sklearn.exceptions.NotFittedError
        If it gives no probabilities, or is not fitted.
    """
    if isinstance(unwrap(estimator)[1], NeuralNet):
        return net_of(estimator)
    name = type(estimator).__name__
    if not hasattr(estimator, "predict_proba"):
        raise TypeError(
            "the learner's estimator must be a classifier with predict_proba; found a "
            f"{name} without. Of one that only decides, CalibratedClassifierCV(estimator) makes "
            "probabilities."
        )
    try:
        check_is_fitted(estimator)
    except NotFittedError:
        raise _not_fitted(name) from None
    return [], estimator


def _best_of(search: BaseSearchCV) -> Any:
    if not hasattr(search, "best_estimator_"):
        raise NotFittedError(
            f"the learner's {type(search).__name__} has no best_estimator_ yet. Fit it with "
            "refit=True: give the learner X_training and y_training, or call its fit."
        )
    return search.best_estimator_


def _check_net(net: NeuralNet) -> None:
    if not is_classifier(net):
        raise TypeError(
            f"the learner's net must be a classifier; found a {type(net).__name__}. Use "
            "skorch.NeuralNetClassifier or one of this package's estimators."
        )
    if not getattr(net, "initialized_", False):
        raise _not_fitted(type(net).__name__)


def _not_fitted(name: str) -> NotFittedError:
    return NotFittedError(
        f"the learner's {name} is not fitted yet. Give the learner X_training and y_training, or "
        "call its fit, before query."
    )
