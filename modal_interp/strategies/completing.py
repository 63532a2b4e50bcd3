"""What is known of a sample whatever asked for it: predictions, and what it is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from sklearn.exceptions import NotFittedError

from modal_interp.nets.layers import ReadBy
from modal_interp.queries.candidates import pick
from modal_interp.queries.learner import View
from modal_interp.queries.query import Answer, open_query
from modal_interp.strategies.contributions import (
    Places,
    all_read_tables,
    all_read_words,
    explained_features,
    explained_words,
    predicted,
)
from modal_interp.strategies.reasons import Reason


def as_seen(
    answer: Answer | None, places: Places, learner: Any, X_pool: Any, indices: Places
) -> tuple[list[View], Places]:
    """Return what the nets see, and where some samples stand in it; no views of what is no net.

    Parameters
    ----------
    answer : Answer or None
        What a strategy answered; None of one that answers in a way of its own.
    places : ndarray of shape (n,), intp
        The samples among its candidates.
    learner, X_pool
        Who was asked, and of what.
    indices : ndarray of shape (n,), intp
        The samples in the pool.
    """
    if answer is not None and answer.query.views:
        return answer.query.views, places
    try:
        query = open_query(learner, pick(X_pool, indices), len(indices), any_classifier=True)
    except (TypeError, ValueError, NotFittedError):  # strategies that look at no estimator take any
        return [], np.arange(len(indices))
    return query.views, np.arange(len(indices))


def completed(
    reasons: Sequence[Reason], views: list[View], chosen: Places, options: dict[str, Any]
) -> list[Reason]:
    """Return reasons, with what the strategy did not need to look at.

    Parameters
    ----------
    reasons : sequence of n Reason
        Those of the strategy.
    views : list of View
        What the nets see; none where the estimator is no net.
    chosen : ndarray of shape (n,), intp
        Where the samples stand in it.
    options : dict of str to Any
        Those of the query, of which ``target`` and how the net is read count.
    """
    found = list(reasons)
    for part, make in _makers(views, chosen, options).items():
        if any(getattr(reason, part) is None for reason in found):
            try:
                made = make()
            except (TypeError, ValueError):  # of a net that cannot be read so
                continue
            found = [
                replace(reason, **{part: one}) if getattr(reason, part) is None else reason
                for reason, one in zip(found, made, strict=True)
            ]
    return found


def _makers(
    views: list[View], chosen: Places, options: dict[str, Any]
) -> dict[str, Callable[[], list[Any]]]:
    """Return what finds the parts of reasons that strategies need not look at."""
    target = "logit" if options.get("target") == "logit" else "proba"
    read_by = {key: options[key] for key in ReadBy._fields if key in options}
    makers: dict[str, Callable[[], list[Any]]] = {}
    if views:
        makers["proba"] = partial(predicted, views, chosen)
    if all_read_words(views):
        makers["words"] = partial(explained_words, views, chosen, target=target, **read_by)
    if all_read_tables(views):
        makers["features"] = partial(explained_features, views, chosen, target=target)
    return makers
