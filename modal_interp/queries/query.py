"""One call of a strategy: from learner and pool to views, from the choice to modAL's answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from skorch.utils import multi_indexing
from torch.utils.data import Dataset

from modal_interp._seeding import generator
from modal_interp.queries.candidates import Narrowing, candidate_rows, pick
from modal_interp.queries.learner import (
    View,
    check_query,
    estimators_of,
    query_result,
    taught_samples,
    views_of,
)
from modal_interp.queries.missing import check_complete
from modal_interp.queries.stacking import n_samples

# Where the answers of strategies are kept for those who ask why, beside being given.
_kept: ContextVar[list[Answer] | None] = ContextVar("_kept", default=None)


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
    narrowing : tuple of Narrowing
        What ``candidates=`` left, step by step.

    Notes
    -----
    What :func:`open_query` returns.

    Departs from the paper: none; it computes nothing.
    """

    learner: Any
    views: list[View]  # one a net, each with the candidates as its pool
    rows: NDArray[np.intp]  # (m,) of X_pool: the candidates, in rising order
    random_state: RandomState
    narrowing: tuple[Narrowing, ...] = ()

    def answer(
        self,
        chosen: NDArray[np.intp],
        metrics: NDArray[Any],
        *,
        why: Callable[[NDArray[np.intp]], Any] | None = None,
        of_any: bool = False,
    ) -> Any:
        """Return what modAL's ``query`` takes, for the candidates chosen and their metrics.

        Parameters
        ----------
        chosen : ndarray of shape (n,), intp
            Places among the candidates.
        metrics : ndarray of shape (n,)
            A number of each.
        why : callable, optional
            What :func:`~modal_interp.explain_query` calls with the places among the candidates
            that were chosen, for the reasons. Not called in a query.
        of_any : bool, default=False
            Whether `why` can tell of any samples, because it was only the choice that was drawn;
            it then raises a ValueError where those given were not chosen, as far as it can tell.
        """
        kept = _kept.get()
        if kept is not None:
            kept.append(Answer(self, chosen, metrics, why, of_any))
        return query_result(self.learner, self.rows[chosen], metrics)


class Answer(NamedTuple):
    """What a strategy answered, and what it can say of it."""

    query: Query
    chosen: NDArray[np.intp]  # (n,) places among the candidates
    metrics: NDArray[Any]  # (n,)
    why: Callable[[NDArray[np.intp]], Any] | None
    of_any: bool


@contextmanager
def answers_kept() -> Iterator[list[Answer]]:
    """Keep the answers that strategies give meanwhile; the one of a strategy comes last."""
    kept: list[Answer] = []
    token = _kept.set(kept)
    try:
        yield kept
    finally:
        _kept.reset(token)


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
    rows, narrowing = candidate_rows(candidates, learner, X_pool, rng)
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
        left = {key: picked(pool, rows) for key, pool in pools.items()}
        views = [view._replace(pool=left[id(view.pool)]) for view in views]
    return Query(learner, views, rows, rng, narrowing)


def labeled_views(learner: Any) -> list[View]:
    """Return the nets with the labelled samples as they see them; none where these are not kept.

    For reasons that speak of labelled samples, though the strategy does not look at them.
    """
    taught = taught_samples(learner)
    return views_of(learner, taught[0][0], 1, needs_labeled=True) if taught else []


def _what_to_do(n_left: int) -> str:
    """Say how the last round is asked for."""
    if not n_left:
        return "None is left to ask for: end the loop."
    return f"Ask for n_instances={n_left}, or leave more candidates."


def picked(pool: Any, rows: NDArray[np.intp]) -> Any:
    """Return these samples as a net, or another classifier, sees them."""
    # A list is one of samples; skorch would take it for one of several inputs.
    return pick(pool, rows) if isinstance(pool, list | Dataset) else multi_indexing(pool, rows)
