"""Bayesian active learning by disagreement: BALD and BatchBALD."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modal_interp.nets.predictions import predictions
from modal_interp.queries.learner import View
from modal_interp.queries.query import open_query
from modal_interp.scores.uncertainty import (
    bald_scores,
    distributions,
    dropout_probabilities,
    mutual_information,
)
from modal_interp.selectors.joint_information import checked_limit, joint_information
from modal_interp.selectors.top_k import top_k
from modal_interp.strategies._checks import check_nets
from modal_interp.strategies.contributions import copy_of
from modal_interp.strategies.posterior_reasons import Passes, bald_reasons, batch_bald_reasons

# Passes with dropout of a learner of one net.
_N_PASSES = 20


def bald(
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
    r"""Ask for the samples whose labels would tell most of the net's parameters.

    .. math::

        I(y_i; \omega) = H\Big(\frac{1}{K} \sum_k p_{ik}\Big)
        - \frac{1}{K} \sum_k H(p_{ik})

    Parameters
    ----------
    learner : ActiveLearner, DeepActiveLearner or Committee of modAL
        A skorch net, alone or at the end of a pipeline, whose passes with dropout are the K
        samples of the parameters; or a committee or :class:`DeepEnsemble`, whose members are, of
        any classifiers with ``predict_proba``.
    X_pool : array, list, Series, data frame, sparse matrix, dict of arrays or Dataset of n samples
        The unlabelled samples, as the learner's estimator takes them.
    n_instances : int, default=1
        How many samples to ask for, from 1 to n.
    n_passes : int, optional
        K, the number of passes with dropout. Without it, 20. Not for several members.
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
    information : ndarray of shape (n_instances,), float64
        Of each, in nats; for several labels the sum over labels.
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
    Houlsby et al. [1]_, equation 2, with the dropout of Gal et al. [2]_: only dropout layers are
    switched on, and where they sit behind the encoder a sample is encoded once. A pass of dropout
    has one mask a layer for all samples. Passes are made batch by batch: O(n C) memory; the
    predictions of a committee's members are held, O(n K C).

    Departs from the paper: the masks of a pass are the same for all samples, so that the order of
    samples and the size of batches do not matter.

    References
    ----------
    .. [1] N. Houlsby, F. Huszar, Z. Ghahramani and M. Lengyel. Bayesian active learning for
       classification and preference learning. arXiv:1112.5745, 2011.
    .. [2] Y. Gal, R. Islam and Z. Ghahramani. Deep Bayesian active learning with image data. ICML
       2017.
    """
    query = open_query(
        learner,
        X_pool,
        n_instances,
        candidates=candidates,
        random_state=random_state,
        any_classifier=True,
        check=partial(_check_posterior, n_passes=n_passes, verbose=verbose),
    )
    made = None
    if len(query.views) > 1:
        scores = mutual_information(distributions(*_by_members(query.views, verbose)))
    else:
        options: dict[str, Any] = {"random_state": query.random_state, "verbose": verbose}
        view, n_passes = query.views[0], n_passes or _N_PASSES
        made = Passes(n_passes, copy_of(query.random_state))
        scores = bald_scores(view.net, view.pool, n_passes=n_passes, **options)
    chosen = top_k(scores, n_instances, reverse=reverse)
    why = partial(bald_reasons, query=query, scores=scores, made=made)
    return query.answer(chosen, scores[chosen], why=why)


def batch_bald(
    learner: Any,
    X_pool: Any,
    n_instances: int = 1,
    *,
    n_passes: int | None = None,
    max_configurations: int = 32_768,
    n_samples: int = 2_048,
    candidates: Any = None,
    random_state: Any = None,
    verbose: int = 0,
) -> Any:
    r"""Ask for the batch whose labels together would tell most of the net's parameters.

    .. math::

        I(y_1, \dots, y_b; \omega) = H(y_1, \dots, y_b)
        - \frac{1}{K} \sum_k \sum_i H(y_i \mid \hat\omega_k)

    chosen greedily, one sample after the other. Near duplicates tell the same only once.

    Parameters
    ----------
    learner, X_pool, n_instances, n_passes, candidates, random_state, verbose
        As for :func:`bald`.
    max_configurations, n_samples : int
        The joint entropy is exact while the labels of the batch have at most so many
        configurations; beyond, it is estimated from so many drawn ones
        (:func:`~modal_interp.joint_information`).

    Returns
    -------
    indices : ndarray of shape (n_instances,)
        Rows of `X_pool` in the order of choice; of equally telling samples the lowest index.
    information : ndarray of shape (n_instances,), float64
        Of each sample together with those before it, in nats.
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
    Kirsch et al. [1]_, Algorithm 1. Passes are held for all candidates: O(n K C) memory. No batch
    can tell more than ln K: with 20 passes 3 nats, which large batches soon reach, and then all
    samples are equal. Large batches need more passes.

    Departs from the paper: beyond `max_configurations` the drawn configurations are thinned, not
    drawn anew (:func:`~modal_interp.joint_information`); several labels, which it does not treat,
    add up their joint information label by label.

    References
    ----------
    .. [1] A. Kirsch, J. van Amersfoort and Y. Gal. BatchBALD: efficient and diverse batch
       acquisition for deep Bayesian active learning. NeurIPS 2019.
    """
    checked_limit(max_configurations, "max_configurations")
    checked_limit(n_samples, "n_samples")
    query = open_query(
        learner,
        X_pool,
        n_instances,
        candidates=candidates,
        random_state=random_state,
        any_classifier=True,
        check=partial(_check_posterior, n_passes=n_passes, verbose=verbose),
    )
    if len(query.views) > 1:
        proba, several = _by_members(query.views, verbose)
    else:
        view, options = query.views[0], {"n_passes": n_passes or _N_PASSES, "verbose": verbose}
        proba, several = dropout_probabilities(
            view.net, view.pool, random_state=query.random_state, **options
        )
    chosen, information = joint_information(
        proba,
        n_instances,
        multilabel=several,
        max_configurations=max_configurations,
        n_samples=n_samples,
        random_state=query.random_state,
    )
    parts: dict[str, Any] = {"query": query, "proba": proba, "several": several}
    why = partial(batch_bald_reasons, **parts, information=information)
    return query.answer(chosen, information, why=why)


def _check_posterior(views: list[View], *, n_passes: int | None, verbose: int) -> None:
    """Check that there are samples of the parameters: members, or layers with dropout."""
    if len(views) == 1:
        check_nets(views, n_passes=_N_PASSES if n_passes is None else n_passes, verbose=verbose)
        return
    if n_passes is not None:
        raise ValueError(
            "n_passes must be None for a committee or an ensemble, whose members take the place of "
            f"passes with dropout; found {n_passes!r}."
        )
    check_nets(views, verbose=verbose)
    classes = [_listed(getattr(view.net, "classes_", [])) for view in views]
    if any(known != classes[0] for known in classes):
        raise ValueError(
            "the members of a committee must know the same classes, to be samples of one net's "
            f"parameters; found {classes}. Give them all classes=."
        )


def _listed(classes: Any) -> list[Any]:
    """Return the classes that a classifier knows; of several labels, those of each."""
    return [np.asarray(known).tolist() for known in classes]


def _by_members(views: list[View], verbose: int) -> tuple[NDArray[np.float64], bool]:
    """Return the probabilities by each member (n, K, C), and whether labels are several."""
    found = [predictions(view.net, view.pool, verbose=verbose) for view in views]
    return np.stack([member.proba for member in found], axis=1), found[0].several
