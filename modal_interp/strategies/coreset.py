"""CORESET: k-center greedy on what the output layer reads (Sener and Savarese, ICLR 2018)."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modal_interp.nets.samples import stacked
from modal_interp.queries.learner import View
from modal_interp.queries.query import open_query
from modal_interp.representations.features import features
from modal_interp.selectors.farthest_first import farthest_first
from modal_interp.strategies._checks import check_nets
from modal_interp.strategies.distance_reasons import coreset_reasons


def coreset(
    learner: Any,
    X_pool: Any,
    n_instances: int = 1,
    *,
    X_labeled: Any = None,
    candidates: Any = None,
    random_state: Any = None,
    verbose: int = 0,
    **read_by: Any,
) -> Any:
    r"""Ask for the samples farthest from all that are labelled, in the net's own features.

    .. math::

        i^* = \operatorname*{arg\,max}_{i \in U} \; \min_{j \in L} \lVert h_i - h_j \rVert,
        \qquad L \leftarrow L \cup \{i^*\}

    Parameters
    ----------
    learner : ActiveLearner, DeepActiveLearner or Committee of modAL
        Its estimators are skorch classifiers, alone or at the end of a pipeline.
    X_pool : array, list, Series, data frame, sparse matrix, dict of arrays or Dataset of n samples
        The unlabelled samples, as the learner's estimator takes them.
    n_instances : int, default=1
        How many samples to ask for, from 1 to n.
    X_labeled : like `X_pool`, optional
        The labelled samples. Without them, what the learner was taught; for a committee, what
        any of its members was taught. A ``DeepActiveLearner`` keeps none and needs it.
    candidates : int, float, array of int, callable or list of these, optional
        The samples that may be chosen, as for :func:`~modal_interp.open_query`. Without it, all.
    random_state : int, RandomState or None
        Seeds the draw of `candidates`; nothing else is random.
    verbose : int, default=0
        Greater than 0 shows a progress bar.
    **read_by
        Layers of the net's module by name, ``embedding_layer=`` and ``output_layer=``, where it
        is not read rightly without: :class:`~modal_interp.ReadBy`.

    Returns
    -------
    indices : ndarray of shape (n_instances,)
        Rows of `X_pool` in the order of choice; of equally far samples the lowest index.
    distance : ndarray of shape (n_instances,), float64
        The distance of each from its nearest labelled or chosen sample when it was chosen, in the
        unit of the features.
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
    Sener and Savarese [1]_, Algorithm 1. The features of a committee's members stand side by
    side.

    Departs from the paper: the greedy choice only, without the mixed integer program that moves
    outliers away; as in the papers that compare with it.

    References
    ----------
    .. [1] O. Sener and S. Savarese. Active learning for convolutional neural networks: a core-set
       approach. ICLR 2018.
    """
    query = open_query(
        learner,
        X_pool,
        n_instances,
        candidates=candidates,
        random_state=random_state,
        X_labeled=X_labeled,
        needs_labeled=True,
        check=partial(check_nets, output=True, X_labeled=X_labeled, verbose=verbose, **read_by),
    )
    read = partial(features, verbose=verbose, **read_by)
    seen = np.hstack([_features(view, read) for view in query.views])
    n = len(query.rows)
    chosen, distance = farthest_first(seen[:n], n_instances, centers=seen[n:])
    why = partial(coreset_reasons, query=query, seen=seen, distance=distance)
    return query.answer(chosen, distance, why=why)


def _features(view: View, read: Any) -> NDArray[np.float32]:
    """Return the features of the pool and, behind them, of the labelled samples."""
    parts = [view.pool, *view.labeled]
    together = stacked(parts)
    if together is not None:
        # All at once: a sample of the pool that is labelled too is then at distance zero.
        return read(view.net, together)
    return np.concatenate([read(view.net, X) for X in parts])
