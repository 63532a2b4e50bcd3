"""A pool in two dimensions: by what the strategy compares, else by what the output layer reads."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError

from modal_interp.explanations.explanation import PoolMap
from modal_interp.explanations.replay import Replay
from modal_interp.nets.predictions import is_net, predictions
from modal_interp.queries.learner import View
from modal_interp.queries.query import labeled_views, open_query
from modal_interp.queries.stacking import n_samples
from modal_interp.representations.features import features
from modal_interp.strategies.reasons import Represented


def mapped(learner: Any, X_pool: Any, replay: Replay) -> PoolMap | None:
    """Return the candidates and the labelled samples in a plane.

    Parameters
    ----------
    learner : ActiveLearner, DeepActiveLearner or Committee of modAL
        Who asked.
    X_pool : collection of samples
        The pool.
    replay : Replay
        What came of asking again.

    Returns
    -------
    PoolMap or None
        None where there is nothing to map by, or too few samples.
    """
    found = _represented(learner, X_pool, replay)
    if found is None:
        return None
    together = np.concatenate([found.pool, found.labelled]).astype(np.float32)
    has_any = ~np.isnan(together).any(axis=1)
    if min(has_any.sum(), together.shape[1]) < 2:
        return None
    points = np.full((len(together), 2), np.nan, dtype=np.float32)
    # Of many columns two are found at a fraction of the time of all.
    search = PCA(n_components=2, svd_solver="randomized", random_state=0)
    points[has_any] = search.fit_transform(together[has_any])
    n, share = len(found.pool), np.nan_to_num(search.explained_variance_ratio_)
    rows = _candidates(X_pool, replay)
    return PoolMap(found.of, rows, points[:n], points[n:], share.astype(np.float64))


def _candidates(X_pool: Any, replay: Replay) -> NDArray[np.intp]:
    return np.arange(n_samples(X_pool)) if replay.answer is None else replay.answer.query.rows


def _represented(learner: Any, X_pool: Any, replay: Replay) -> Represented | None:
    """Return the vectors of the strategy, else features, else probabilities."""
    if replay.reasons is not None and replay.reasons.represent is not None:
        return replay.reasons.represent()
    views = [] if replay.answer is None else replay.answer.query.views
    try:
        if not views:  # of strategies that look at no net
            rows = _candidates(X_pool, replay)
            views = open_query(learner, X_pool, 1, candidates=rows, any_classifier=True).views
        if all(is_net(view.net) for view in views):
            return _seen("features", views, labeled_views(learner), features)
        return _seen("probabilities", views, [], _proba)
    except (TypeError, ValueError, NotFittedError):  # no classifier, or no output layer
        return None


def _seen(of: str, views: list[View], known: list[View], make: Any) -> Represented:
    """Return what each net makes of samples, side by side."""
    pool = np.hstack([make(view.net, view.pool) for view in views])
    parts = [np.concatenate([make(view.net, X) for X in view.labeled]) for view in known]
    return Represented(of, pool, np.hstack(parts) if parts else pool[:0])


def _proba(net: Any, X: Any) -> NDArray[np.float64]:
    return predictions(net, X).proba
