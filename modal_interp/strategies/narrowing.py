"""Ways to narrow the pool, for the ``candidates=`` of every strategy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

from modal_interp.nets.layers import padding_id, reads_words
from modal_interp.queries.learner import View, labeled_param
from modal_interp.queries.query import open_query
from modal_interp.scores.uncertainty import entropy_scores
from modal_interp.selectors.top_k import top_k

# Samples of a table are equal that differ in no column by more than this share of its numbers.
_ROUNDING = 1e-6


def most_uncertain(learner: Any, X_pool: Any, *, fraction: float = 0.1) -> NDArray[np.intp]:
    r"""Return the rows of the pool whose predictions have the highest entropy.

    For ``candidates=most_uncertain``, or ``partial(most_uncertain, fraction=0.2)``.

    Parameters
    ----------
    learner : ActiveLearner, DeepActiveLearner or Committee of modAL
        As for a strategy.
    X_pool : array, list, Series, data frame, sparse matrix, dict of arrays or Dataset of n samples
        The unlabelled samples.
    fraction : float, default=0.1
        The share of the pool to keep, above 0 and up to 1, rounded up.

    Returns
    -------
    ndarray of shape (m,), intp
        Rows of `X_pool`, the most uncertain first; of a committee by the mean over members.

    Raises
    ------
    ValueError
        If `fraction` breaks its rule.

    Notes
    -----
    Departs from the paper: none; a filter of the pool, not a strategy of a paper.
    """
    if not isinstance(fraction, int | float | np.number) or not 0 < fraction <= 1:
        raise ValueError(f"fraction must be above 0 and up to 1; found {fraction!r}.")
    query = open_query(learner, X_pool, 1, any_classifier=True)
    scores = np.mean([entropy_scores(view.net, view.pool) for view in query.views], axis=0)
    return top_k(scores, math.ceil(fraction * len(scores)))


def exclude_duplicates(learner: Any, X_pool: Any, *, X_labeled: Any = None) -> NDArray[np.intp]:
    r"""Return the rows of the pool that the net can tell from every labelled sample.

    For ``candidates=exclude_duplicates``. Samples are compared as the net sees them: texts by
    their word ids, so that spelling which the encoder does not keep makes no difference; rows of
    numbers up to rounding.

    Parameters
    ----------
    learner : ActiveLearner, DeepActiveLearner or Committee of modAL
        As for a strategy.
    X_pool : array, list, Series, data frame, sparse matrix, dict of arrays or Dataset of n samples
        The unlabelled samples.
    X_labeled : like `X_pool`, optional
        The labelled samples. Without them, those that the learner was taught. Pass them by
        ``partial(exclude_duplicates, X_labeled=X)``.

    Returns
    -------
    ndarray of shape (m,), intp
        Rows of `X_pool` in rising order; of a committee those that any member can tell from all
        that are labelled.

    Raises
    ------
    TypeError, ValueError
        If the labelled samples are not to be had, or a net does not see arrays.

    Notes
    -----
    Departs from the paper: none; a filter of the pool, not a strategy of a paper.
    """
    query = open_query(learner, X_pool, 1, X_labeled=X_labeled, needs_labeled=True)
    views = {_compared(view): view for view in query.views}  # members may see the same
    known = [_is_labeled(view, labeled_param(X_labeled)) for view in views.values()]
    return np.flatnonzero(~np.all(known, axis=0))


def _compared(view: View) -> tuple[int | None, ...]:
    """Return what tells apart the samples that are compared."""
    padding = padding_id(view.net) if reads_words(view.net) else None
    return padding, id(view.pool), *map(id, view.labeled)


def _is_labeled(view: View, param: str) -> NDArray[np.bool_]:
    """Tell which rows of the pool are rows of a labelled collection, padding aside."""
    for X in (view.pool, *view.labeled):
        if not isinstance(X, np.ndarray):
            raise TypeError(
                f"X_pool and {param} must reach the net as arrays to be compared; found a "
                f"{type(X).__name__}."
            )
    if reads_words(view.net):
        padding = padding_id(view.net)
        keys = {_key(row, padding) for X in view.labeled for row in X}
        return np.array([_key(row, padding) in keys for row in view.pool])
    pool, *labeled = (X.reshape(len(X), -1).astype(np.float64) for X in (view.pool, *view.labeled))
    known = np.concatenate(labeled)
    # Each column in its own unit: one of large numbers must not outweigh the others.
    unit = np.abs(np.concatenate([pool, known])).max(axis=0)
    unit[unit == 0] = 1.0
    search = NearestNeighbors(n_neighbors=1, metric="chebyshev").fit(known / unit)
    # Of one sample a transformer may give other last bits beside other samples.
    return search.kneighbors(pool / unit)[0][:, 0] <= _ROUNDING


def _key(row: NDArray[Any], padding: int) -> bytes:
    """Return what equal texts have in common: their word ids, whatever follows the last."""
    n_words = np.flatnonzero(row != padding).max(initial=-1) + 1
    return row[:n_words].astype(np.int64).tobytes()
