"""An ensemble of classifiers that differ by their seeds, for strategies to ask each of them."""

from __future__ import annotations

from copy import copy
from functools import reduce
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from modal_interp._seeding import generator
from modal_interp.estimators.indicator import has_labels
from modal_interp.estimators.labels import check_targets
from modal_interp.estimators.members import (
    Task,
    check_member,
    classes_of,
    follow,
    goes_on,
    known_labels,
    new_members,
    probabilities,
    trained,
)


def _member_has(name: str) -> Any:
    return available_if(lambda ensemble: hasattr(ensemble.estimator, name))


class DeepEnsemble(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    r"""Classify by the mean of several classifiers that are alike but for their seeds.

    .. math:: p(y \mid x) = \frac{1}{K} \sum_k p(y \mid x, \theta_k)

    In a learner of modAL every strategy sees the members as it sees those of a ``Committee``: they
    are the samples of the parameters for :func:`bald` and :func:`batch_bald`, scores are the mean
    over them, representations stand side by side.

    Parameters
    ----------
    estimator : classifier
        What each member is a clone of: any classifier of scikit-learn's manners with
        ``predict_proba``, a pipeline that ends in one, or a search over one.
    n_members : int, default=5
        K, the number of members.
    bootstrap : bool, default=False
        Train each member on as many samples, drawn with replacement. Nets differ without; what has
        no randomness of its own (logistic regression) does not.
    n_jobs : int, default=None
        Processes that train members side by side, by joblib; None is 1, or what
        :class:`joblib.parallel_config` says. The members are the same for every number.
    random_state : None, int or RandomState, default=None
        Seeds the members: each ``random_state`` in `estimator` is replaced by a seed of the
        member's own, and each member trains on global generators that are seeded for it and put
        back. None draws anew each time.
    verbose : int, default=0
        Greater than 0 shows a progress bar over the members.

    Attributes
    ----------
    estimators_ : list of classifiers
        The fitted members.
    classes_ : ndarray of shape (C,)
        The columns of `predict_proba`, as the members know them.
    multilabel_ : bool
        Whether samples have several labels, y of shape (n, C) of 0 and 1.
    n_features_in_ : int
        Columns seen in `fit`, where the members tell.
    feature_names_in_ : ndarray of shape (n_features,)
        Their names, where `X` was a DataFrame with names and the members tell.
    random_state_ : RandomState
        Where the seeds of training that goes on are drawn from.

    Raises
    ------
    TypeError, ValueError
        If a parameter breaks its rule, if the members end up with different classes, or what a
        member raises.

    Notes
    -----
    B. Lakshminarayanan, A. Pritzel and C. Blundell, "Simple and Scalable Predictive Uncertainty
    Estimation using Deep Ensembles", NeurIPS 2017.

    All labels of `y` are handed to the members as their ``classes``, where they have that
    parameter and it is None; labels that no sample has yet are named by ``classes`` of
    `estimator`, or by that of `partial_fit`. With `bootstrap` each member sees every label that
    `y` has.

    Where `estimator` has ``warm_start=True``, `fit` goes on training the members that there are,
    with the numbers and switches that `estimator` has by then.

    Steps that are the same for all members, as a frozen encoder is, are best put before the
    ensemble in a pipeline: then they run once, not once a member.

    Each member has an equal share of torch's threads, whatever `n_jobs`: how many there are
    changes how sums are rounded. ``n_jobs=-1`` uses them all. Where joblib's backend runs threads,
    members are trained one after the other, as they would share the global generators.

    Departs from the paper: no adversarial training; `bootstrap` is an option, where the paper
    trains each net on all samples.

    Examples
    --------
    >>> from modAL.models import ActiveLearner
    >>> from modal_interp import DeepEnsemble, TabularMLPClassifier, bald, make_sigmoid
    >>> X, y = make_sigmoid(300, random_state=0)
    >>> net = TabularMLPClassifier(classes=[0, 1])
    >>> learner = ActiveLearner(
    ...     estimator=DeepEnsemble(net, n_members=3, random_state=0),
    ...     query_strategy=bald,
    ...     X_training=X[:50],
    ...     y_training=y[:50],
    ... )
    >>> indices, asked = learner.query(X[50:], n_instances=4)
    >>> asked.shape
    (4, 2)
    """

    # Strategies see `estimators_` as the members of a committee. Not by that name alone: a forest
    # has it too, of trees that know neither its labels nor its columns.
    is_committee = True
    random_state_: RandomState

    def __init__(
        self,
        estimator: Any,
        n_members: int = 5,
        *,
        bootstrap: bool = False,
        n_jobs: int | None = None,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.estimator = estimator
        self.n_members = n_members
        self.bootstrap = bootstrap
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    # Training.

    def fit(self, X: Any, y: Any, **fit_params: Any) -> DeepEnsemble:
        """Train all members from the start, or go on where `estimator` has ``warm_start=True``.

        Parameters
        ----------
        X : array, list, data frame, sparse matrix or torch Dataset of n samples
            Whatever the members take.
        y : array-like of shape (n,), or array-like or sparse matrix of shape (n, C)
            A label for each sample, or an indicator of several.
        **fit_params : dict
            Passed to the members' `fit`; with `bootstrap` those of length n are drawn as `X` is.

        Returns
        -------
        self
        """
        self._check_options()
        y = check_targets(X, y)
        cold = not (hasattr(self, "estimators_") and goes_on(self.estimator))
        return self._train(Task(X, y, "fit", fit_params, self.bootstrap), cold, None)

    @_member_has("partial_fit")
    def partial_fit(self, X: Any, y: Any, classes: Any = None, **fit_params: Any) -> DeepEnsemble:
        """Go on training all members by their own `partial_fit`.

        Parameters
        ----------
        X, y
            As in `fit`.
        classes : array-like, default=None
            All labels; needed in the first call unless `estimator` has them.
        **fit_params : dict
            As in `fit`.

        Returns
        -------
        self
        """
        self._check_options()
        y = check_targets(X, y)
        params = fit_params if classes is None else {**fit_params, "classes": classes}
        task = Task(X, y, "partial_fit", params, self.bootstrap)
        return self._train(task, not hasattr(self, "estimators_"), classes)

    def _train(self, task: Task, cold: bool, classes: Any) -> DeepEnsemble:
        rng = generator(self.random_state) if cold else self.random_state_
        if cold:
            known = known_labels(task.y) if task.method == "fit" else classes
            members = new_members(self.estimator, self.n_members, rng, known)
        else:
            members = self._members_to_go_on()
        options: dict[str, Any] = {"n_jobs": self.n_jobs, "verbose": self.verbose}
        members = trained(members, task, rng, **options)
        self.classes_ = classes_of(members, task.y)
        self.estimators_, self.random_state_ = members, rng
        self.multilabel_, self._indicator_dtype = task.y.ndim > 1, task.y.dtype
        return self

    def _members_to_go_on(self) -> list[Any]:
        if len(self.estimators_) != self.n_members:
            raise ValueError(
                f"n_members must stay {len(self.estimators_)} while training goes on; found "
                f"{self.n_members}. Set it back, or train anew: clone(ensemble)."
            )
        follow(self.estimators_, self.estimator)
        return self.estimators_

    def _check_options(self) -> None:
        n = self.n_members
        if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
            raise ValueError(f"n_members must be a whole number, at least 1; found {n!r}.")
        check_member(self.estimator)

    # Prediction.

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the probability of each label, the mean over the members, shape (n, C).

        The rows add up to 1, unless `multilabel_`: then each label has a probability of its own.
        """
        check_is_fitted(self, "estimators_")
        options: dict[str, Any] = {"several": self.multilabel_}
        found = (probabilities(m, X, len(self.classes_), **options) for m in self.estimators_)
        return reduce(np.add, found) / len(self.estimators_)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable label of each sample, shape (n,).

        Where `multilabel_`, an indicator (n, C) instead, of the dtype that `y` had in `fit`: 1
        where the label is more probable than not.
        """
        proba = self.predict_proba(X)
        if self.multilabel_:
            return has_labels(proba).astype(self._indicator_dtype)
        return self.classes_[proba.argmax(axis=1)]

    # What the members know.

    @property
    def n_features_in_(self) -> int:
        """Columns seen in `fit`."""
        return self._first().n_features_in_

    @property
    def feature_names_in_(self) -> NDArray[Any]:
        """Names of the columns seen in `fit`."""
        return self._first().feature_names_in_

    def _first(self) -> Any:
        if "estimators_" not in vars(self):
            raise AttributeError(f"This {type(self).__name__} has no members yet: call fit.")
        return self.estimators_[0]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        if hasattr(self.estimator, "__sklearn_tags__"):
            of_member = get_tags(self.estimator)
            tags.input_tags = copy(of_member.input_tags)
            tags.classifier_tags = copy(of_member.classifier_tags) or tags.classifier_tags
        return tags
