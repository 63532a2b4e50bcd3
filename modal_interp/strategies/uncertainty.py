"""Uncertainty sampling: least confidence, margin and entropy."""

from __future__ import annotations

from functools import partial
from typing import Any

from modal_interp.queries.query import open_query
from modal_interp.scores import uncertainty
from modal_interp.scores.uncertainty import entropy_scores, least_confidence_scores, margin_scores
from modal_interp.strategies._checks import check_nets
from modal_interp.strategies._ranking import best_by
from modal_interp.strategies.contributions import copy_of
from modal_interp.strategies.posterior_reasons import Passes, uncertainty_reasons

# What each score measures of the probabilities.
_MEASURES: dict[Any, Any] = {
    least_confidence_scores: uncertainty.least_confidence,
    margin_scores: uncertainty.margin,
    entropy_scores: uncertainty.entropy,
}


def least_confidence(
    learner: Any,
    X_pool: Any,
    n_instances: int = 1,
    *,
    n_passes: int | None = None,
    reverse: bool = False,
    candidates: Any = None,
    random_state: Any = None,
    verbose: int = 0,
) -> Any:
    r"""Ask for the samples whose most probable class is least probable.

    .. math:: s_i = 1 - \max_c p_{ic}

    Parameters
    ----------
    learner : ActiveLearner, DeepActiveLearner or Committee of modAL
        Its estimators are classifiers with ``predict_proba``: skorch nets, alone or at the end of
        a pipeline, or any of scikit-learn's.
    X_pool : array, list, Series, data frame, sparse matrix, dict of arrays or Dataset of n samples
        The unlabelled samples, as the learner's estimator takes them.
    n_instances : int, default=1
        How many samples to ask for, from 1 to n.
    n_passes : int, optional
        Score the mean probabilities of so many passes with dropout of a net. Without it, those
        of one pass without.
    reverse : bool, default=False
        Ask for the samples of lowest score instead.
    candidates : int, float, array of int, callable or list of these, optional
        The samples that may be chosen, as for :func:`~modal_interp.open_query`. Without it, all.
    random_state : int, RandomState or None
        Seeds the draw of `candidates` and the dropout.
    verbose : int, default=0
        Greater than 0 shows a progress bar.

    Returns
    -------
    indices : ndarray of shape (n_instances,)
        Rows of `X_pool`, the highest score first; of equal scores the lowest index.
    scores : ndarray of shape (n_instances,), float64
        Their scores, for a committee the mean over its members.
        What ``learner.query(..., return_metrics=True)`` adds; without, modAL 0.4.1 gets the
        indices alone.

    Raises
    ------
    TypeError, ValueError
        If a parameter breaks its rule, before any pass through a net; ValueError, too, if what a
        net computes is not finite.
    sklearn.exceptions.NotFittedError
        If an estimator is not fitted.

    Notes
    -----
    Settles [1]_, section 3.1, on the probabilities that the slides of the paper-topics study also
    average over passes with dropout. Several labels score the mean over their binary scores.

    Departs from the paper: none; of `n_passes` the masks are the same for all samples.

    References
    ----------
    .. [1] B. Settles. Active learning literature survey. University of Wisconsin, 2009.

    Examples
    --------
    >>> from modAL.models import ActiveLearner
    >>> from modal_interp import TabularMLPClassifier, least_confidence, make_sigmoid
    >>> X, y = make_sigmoid(300, random_state=0)
    >>> learner = ActiveLearner(
    ...     estimator=TabularMLPClassifier(random_state=0),
    ...     query_strategy=least_confidence,
    ...     X_training=X[:50],
    ...     y_training=y[:50],
    ... )
    >>> indices, asked = learner.query(X[50:], n_instances=4)
    >>> asked.shape
    (4, 2)
    """
    return _best_by(
        least_confidence_scores,
        learner,
        X_pool,
        n_instances,
        n_passes=n_passes,
        reverse=reverse,
        candidates=candidates,
        random_state=random_state,
        verbose=verbose,
    )


def margin(
    learner: Any,
    X_pool: Any,
    n_instances: int = 1,
    *,
    n_passes: int | None = None,
    reverse: bool = False,
    candidates: Any = None,
    random_state: Any = None,
    verbose: int = 0,
) -> Any:
    r"""Ask for the samples whose two most probable classes are closest.

    .. math:: s_i = 1 - (p_{i(1)} - p_{i(2)})

    Parameters
    ----------
    learner, X_pool, n_instances, n_passes, reverse, candidates, random_state, verbose
        As for :func:`least_confidence`.

    Returns
    -------
    indices, scores : ndarray of shape (n_instances,)
        As for :func:`least_confidence`.

    Raises
    ------
    TypeError, ValueError
        If a parameter breaks its rule, before any pass through a net; ValueError, too, if what a
        net computes is not finite.
    sklearn.exceptions.NotFittedError
        If an estimator is not fitted.

    Notes
    -----
    Scheffer et al. [1]_. Several labels score the mean over labels of :math:`1 - |2 p_{ic} - 1|`.

    Departs from the paper: the metric is one less the margin, so that higher is sooner.

    References
    ----------
    .. [1] T. Scheffer, C. Decomain and S. Wrobel. Active hidden Markov models for information
       extraction. IDA 2001.
    """
    return _best_by(
        margin_scores,
        learner,
        X_pool,
        n_instances,
        n_passes=n_passes,
        reverse=reverse,
        candidates=candidates,
        random_state=random_state,
        verbose=verbose,
    )


def entropy(
    learner: Any,
    X_pool: Any,
    n_instances: int = 1,
    *,
    n_passes: int | None = None,
    reverse: bool = False,
    candidates: Any = None,
    random_state: Any = None,
    verbose: int = 0,
) -> Any:
    r"""Ask for the samples whose prediction has the highest entropy.

    .. math:: s_i = -\sum_c p_{ic} \ln p_{ic}

    Parameters
    ----------
    learner, X_pool, n_instances, n_passes, reverse, candidates, random_state, verbose
        As for :func:`least_confidence`.

    Returns
    -------
    indices, scores : ndarray of shape (n_instances,)
        As for :func:`least_confidence`; in nats.

    Raises
    ------
    TypeError, ValueError
        If a parameter breaks its rule, before any pass through a net; ValueError, too, if what a
        net computes is not finite.
    sklearn.exceptions.NotFittedError
        If an estimator is not fitted.

    Notes
    -----
    Settles [1]_, section 3.1. Several labels score the mean over their binary entropies.

    Departs from the paper: none; of `n_passes` the masks are the same for all samples.

    References
    ----------
    .. [1] B. Settles. Active learning literature survey. University of Wisconsin, 2009.
    """
    return _best_by(
        entropy_scores,
        learner,
        X_pool,
        n_instances,
        n_passes=n_passes,
        reverse=reverse,
        candidates=candidates,
        random_state=random_state,
        verbose=verbose,
    )


def _best_by(
    scores: Any,
    learner: Any,
    X_pool: Any,
    n_instances: int,
    *,
    n_passes: int | None,
    reverse: bool,
    candidates: Any,
    random_state: Any,
    verbose: int,
) -> Any:
    """Answer with the samples of highest score; the members of a committee draw in turn."""
    query = open_query(
        learner,
        X_pool,
        n_instances,
        candidates=candidates,
        random_state=random_state,
        any_classifier=True,
        check=partial(check_nets, n_passes=n_passes, verbose=verbose),
    )
    options = {"n_passes": n_passes, "random_state": query.random_state, "verbose": verbose}
    made = None if n_passes is None else Passes(n_passes, copy_of(query.random_state))
    why = partial(uncertainty_reasons, measure=_MEASURES[scores], made=made)
    return best_by(partial(scores, **options), query, n_instances, reverse=reverse, why=why)
