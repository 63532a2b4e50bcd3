"""BADGE: batch active learning by diverse gradient embeddings (Ash et al., ICLR 2020)."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from modal_interp.queries.query import Query, labeled_views, open_query
from modal_interp.representations.gradient_embeddings import gradient_embedding
from modal_interp.selectors.kmeans_pp import Factors, kmeans_pp
from modal_interp.strategies._checks import check_nets
from modal_interp.strategies.distance_reasons import badge_lengths, badge_reasons


def badge(
    learner: Any,
    X_pool: Any,
    n_instances: int = 1,
    *,
    candidates: Any = None,
    random_state: Any = None,
    verbose: int = 0,
    **read_by: Any,
) -> Any:
    r"""Ask for samples whose loss gradients are large and unlike each other.

    .. math::

        g_i = (p_i - \mathrm{onehot}(\arg\max p_i)) \otimes h_i

    with :math:`h_i` what the output layer reads; the batch is drawn by k-means++ seeding on g.

    Parameters
    ----------
    learner : ActiveLearner, DeepActiveLearner or Committee of modAL
        Its estimators are skorch classifiers, alone or at the end of a pipeline.
    X_pool : array, list, Series, data frame, sparse matrix, dict of arrays or Dataset of n samples
        The unlabelled samples, as the learner's estimator takes them.
    n_instances : int, default=1
        How many samples to ask for, from 1 to n.
    candidates : int, float, array of int, callable or list of these, optional
        The samples that may be chosen, as for :func:`~modal_interp.open_query`. Without it, all.
    random_state : int, RandomState or None
        Seeds the draws. None draws anew each time; the global generator is never used.
    verbose : int, default=0
        Greater than 0 shows a progress bar.
    **read_by
        Layers of the net's module by name, ``embedding_layer=`` and ``output_layer=``, where it
        is not read rightly without: :class:`~modal_interp.ReadBy`.

    Returns
    -------
    indices : ndarray of shape (n_instances,)
        Rows of `X_pool` in the order they were drawn, no row twice.
    lengths : ndarray of shape (n_instances,), float64
        The length of each g; for a committee of those of its members side by side.
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
    Ash et al. [1]_, Algorithm 1. The (n, C H) matrix of g is never built: inner products of g are
    products of inner products of its factors. Several labels use p less 1 where it is above 1/2.

    Departs from the paper: none (:func:`~modal_interp.kmeans_pp` says how the first is drawn).

    References
    ----------
    .. [1] J. T. Ash, C. Zhang, A. Krishnamurthy, J. Langford and A. Agarwal. Deep batch active
       learning by diverse, uncertain gradient lower bounds. ICLR 2020.
    """
    query = open_query(
        learner,
        X_pool,
        n_instances,
        candidates=candidates,
        random_state=random_state,
        check=partial(check_nets, output=True, verbose=verbose, **read_by),
    )
    factors = [
        gradient_embedding(view.net, view.pool, verbose=verbose, **read_by) for view in query.views
    ]
    chosen = kmeans_pp(factors, n_instances, random_state=query.random_state)
    labeled = partial(_of_labeled, query, read_by)
    why = partial(badge_reasons, query=query, factors=factors, labeled=labeled)
    return query.answer(chosen, badge_lengths(factors, chosen), why=why, of_any=True)


def _of_labeled(query: Query, read_by: dict[str, Any]) -> Factors | None:
    """Return the factors of the labelled samples; None where the learner does not hold them."""
    found: Factors = []
    for view in labeled_views(query.learner):
        parts = [gradient_embedding(view.net, X, **read_by) for X in view.labeled]
        found.append(tuple(np.concatenate(factor) for factor in zip(*parts, strict=True)))
    return found or None
