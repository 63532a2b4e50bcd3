"""One call of a strategy: from learner and pool to views, from the choice to modAL's answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from skorch.utils import multi_indexing
from torch.utils.data import Dataset

from modal_interp._seeding import generator
from modal_interp.queries.candidates import candidate_rows, pick
from modal_interp.queries.learner import (
    View,
    check_query,
    estimators_of,
    query_result,
    views_of,
)
from modal_interp.queries.missing import check_complete
from modal_interp.queries.stacking import n_samples


class Query(NamedTuple):
    """One call of a strategy: what the nets see, and the way back to the user's rows.

    Attributes
    ----------
    learner : ActiveLearner, DeepActiveLearner or Committee of modAL
        Whose query this is.
    views : list of View
        One a net, each with the candidates as its pool.
    rows : ndarray of shape (m,), intp
        The candidates as rows of the user's pool, in rising order.
    random_state : RandomState
        Where the strategy draws from.

    Notes
    -----
    What :func:`open_query` returns.

    Departs from the paper: none; it computes nothing.
    """

    learner: Any
    views: list[View]  # one a net, each with the candidates as its pool
    rows: NDArray[np.intp]  # (m,) of X_pool: the candidates, in rising order
    random_state: RandomState

    def answer(self, chosen: NDArray[np.intp], metrics: NDArray[Any]) -> Any:
        """Return what modAL's ``query`` takes, for the candidates chosen and their metrics."""
        return query_result(self.learner, self.rows[chosen], metrics)


def open_query(
    learner: Any,
    X_pool: Any,
    n_instances: int,
    *,
    candidates: Any = None,
    random_state: int | RandomState | None = None,
    X_labeled: Any = None,
    needs_labeled: bool = False,
    check: Callable[[list[View]], None] | None = None,
    reads_nets: bool = True,
    any_classifier: bool = False,
) -> Query:
    """Begin a query: look through the learner at its nets, and keep the candidates of the pool.

    Parameters
    ----------
    learner : ActiveLearner, DeepActiveLearner or Committee of modAL
        Its estimators are skorch classifiers, alone or at the end of a pipeline.
    X_pool : array, list, Series, data frame, sparse matrix, dict of arrays or Dataset of n samples
        The unlabelled samples, before the steps of a pipeline.
    n_instances : int
        How many samples will be asked for.
    candidates : int, float, array of int, callable or list of these, optional
        The samples that may be chosen: so many of the pool at random, a share of it at random,
        these rows, or those that ``candidates(learner, X_pool)`` returns. Those of a list are
        applied in turn, each to what the last one left. Without it, all samples.
    random_state : int, RandomState or None
        Seeds the draws; those of the strategy come after those of the candidates.
    X_labeled : like `X_pool`, optional
        The labelled samples. Without them, what the learner was taught.
    needs_labeled : bool, default=False
        Whether the strategy cannot do without labelled samples.
    check : callable, optional
        Called with the views before the candidates are found, to raise what is wrong with them.
    reads_nets : bool, default=True
        Whether to look at the nets. Without, there are no views, and any estimator will do.
    any_classifier : bool, default=False
        Whether a classifier with ``predict_proba`` will do that is no skorch net; its view holds
        the whole estimator, and the samples as they are.

    Returns
    -------
    Query
        ``views`` for the strategy to choose from, ``answer`` to turn its choice into the result.

    Raises
    ------
    TypeError, ValueError, NotFittedError
        Naming the parameter, the rule and the value found.

    Notes
    -----
    Departs from the paper: none; the papers choose from the whole pool.
    """
    rng = generator(random_state)
    views = []
    if reads_nets:
        views = views_of(
            learner,
            X_pool,
            n_instances,
            X_labeled=X_labeled,
            needs_labeled=needs_labeled,
            any_classifier=any_classifier,
        )
    else:
        check_query(learner, X_pool, n_instances)
    if check is not None:
        check(views)
    rows = candidate_rows(candidates, learner, X_pool, rng)
    if len(rows) < n_instances:
        raise ValueError(
            f"candidates must leave at least n_instances={n_instances} samples to choose from; "
            f"found {len(rows)} of {n_samples(X_pool)}. {_what_to_do(len(rows))}"
        )
    if not reads_nets:  # what is read is checked where it is read
        check_complete(estimators_of(learner), X_pool, rows)
    if candidates is not None:
        # Members that see the same pool go on seeing the same.
        pools = {id(view.pool): view.pool for view in views}
        picked = {key: _picked(pool, rows) for key, pool in pools.items()}
        views = [view._replace(pool=picked[id(view.pool)]) for view in views]
    return Query(learner, views, rows, rng)


def _what_to_do(n_left: int) -> str:
    """Say how the last round is asked for."""
    if not n_left:
        return "None is left to ask for: end the loop."
    return f"Ask for n_instances={n_left}, or leave more candidates."


def _picked(pool: Any, rows: NDArray[np.intp]) -> Any:
    """Return these samples as a net, or another classifier, sees them."""
    # A list is one of samples; skorch would take it for one of several inputs.
    return pick(pool, rows) if isinstance(pool, list | Dataset) else multi_indexing(pool, rows)
