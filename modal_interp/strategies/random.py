"""Random sampling, which every other strategy is compared with."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modal_interp.nets.outputs import check_verbose
from modal_interp.queries.query import Query, open_query
from modal_interp.strategies.reasons import Reason, Reasons


def random_sampling(
    learner: Any,
    X_pool: Any,
    n_instances: int = 1,
    *,
    candidates: Any = None,
    random_state: Any = None,
    verbose: int = 0,
) -> Any:
    """Ask for samples at random, each with equal chances: what other strategies must surpass.

    Parameters
    ----------
    learner : ActiveLearner, DeepActiveLearner or Committee of modAL
        Its estimators may be of any kind.
    X_pool : array, list, Series, data frame, sparse matrix, dict of arrays or Dataset of n samples
        The unlabelled samples, as the learner's estimator takes them.
    n_instances : int, default=1
        How many samples to ask for, from 1 to n.
    candidates : int, float, array of int, callable or list of these, optional
        The samples that may be chosen, as for :func:`~modal_interp.open_query`. Without it, all.
    random_state : int, RandomState or None
        Seeds the draws. None draws anew each time; the global generator is never used.
    verbose : int, default=0
        As for every strategy; there is nothing to show.

    Returns
    -------
    indices : ndarray of shape (n_instances,)
        Rows of `X_pool` in the order they were drawn, no row twice.
    chance : ndarray of shape (n_instances,), float64
        The chance of each to be drawn, n_instances / n.
        What ``learner.query(..., return_metrics=True)`` adds; without, modAL 0.4.1 gets the
        indices alone.

    Raises
    ------
    TypeError, ValueError
        If a parameter breaks its rule.

    Notes
    -----
    Departs from the paper: none; it is in every paper.
    """
    query = open_query(
        learner,
        X_pool,
        n_instances,
        candidates=candidates,
        random_state=random_state,
        check=lambda _: check_verbose(verbose),
        reads_nets=False,
    )
    drawn = query.random_state.permutation(len(query.rows))[:n_instances]
    chance = np.full(n_instances, n_instances / len(query.rows))
    return query.answer(drawn, chance, why=partial(_reasons, query), of_any=True)


def _reasons(query: Query, chosen: NDArray[np.intp]) -> Reasons:
    """Say that samples were drawn, and with what chance."""
    n, n_all = len(chosen), len(query.rows)
    why = f"It was drawn at random, as one of {n} out of {n_all} with equal chances."
    return Reasons("the chance to be drawn", tuple(Reason(n / n_all, why) for _ in range(n)))
