"""From a query to why it asked: what its strategy says, and what is known of each sample."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from modal_interp.explanations.explanation import QueryExplanation
from modal_interp.explanations.maps import mapped
from modal_interp.explanations.replay import Replay, asked_again
from modal_interp.explanations.telling import Telling
from modal_interp.queries.learner import View, check_query
from modal_interp.queries.stacking import n_samples
from modal_interp.strategies.completing import as_seen, completed
from modal_interp.strategies.contributions import verbatim
from modal_interp.strategies.reasons import Reason

Indices = NDArray[np.intp]


def explain_query(
    learner: Any,
    X_pool: Any,
    indices: Any,
    strategy: Any = None,
    *,
    metrics: Any = None,
    encoder: Any = None,
    pool_map: bool = False,
    **options: Any,
) -> QueryExplanation:
    r"""Say why a query asked for its samples, in numbers and in words.

    Parameters
    ----------
    learner : ActiveLearner, DeepActiveLearner or Committee of modAL
        Who asked, and has not been taught since.
    X_pool : array, list, Series, data frame, sparse matrix, dict of arrays or Dataset of n samples
        The pool that was asked, the samples chosen still in it.
    indices : array of int of shape (k,)
        What ``learner.query`` returned, in its order.
    strategy : callable, optional
        The query strategy, also by :func:`functools.partial`. Without it, that of the learner.
    metrics : array of shape (k,), optional
        What ``learner.query(..., return_metrics=True)`` returned, to check the learner by.
    encoder : WordEncoder or TokenEncoder, optional
        What made ids of the texts, where it is no step of the learner's pipeline: words are then
        written as it knows them.
    pool_map : bool, default=False
        Whether to add a map of the candidates and the labelled samples in two dimensions, which
        may take another pass over both.
    **options
        Those of the query: ``target=``, ``candidates=``, ``random_state=`` and so on.

    Returns
    -------
    QueryExplanation
        A sequence of one :class:`Explanation` a sample, and what belongs to the query as a whole.

    Raises
    ------
    TypeError, ValueError
        If a parameter breaks its rule; if the indices are those of another query, or the learner
        has changed, where that can be known; or if the query drew at random and `random_state` is
        not said.
    sklearn.exceptions.NotFittedError
        If an estimator is not fitted.

    Notes
    -----
    The strategy is asked again, and tells what it decided by. So the metrics are those of the query
    to the last bit; what is computed of the chosen samples alone (probabilities, contributions
    by other strategies than ALDEN) agrees to the rounding of single precision. Nothing is changed:
    neither net nor learner, nor a generator, global or given as `random_state` (of which a copy
    draws; it must be in the state from before the query, so a number is better).

    What is checked: that the strategy chooses just these samples in this order, and with `metrics`
    that it does so by the same numbers. A learner that was taught since, another pool or other
    options are refused unless all that makes no difference to the choice. Where a query drew and
    no `random_state` is given, :func:`badge`, :func:`dami_kmedoids` and :func:`random_sampling` are
    explained unchecked (``checked`` is False), for their reasons hold of any choice; of
    :func:`dami_kmedoids` the order is checked. Anything else that drew is refused: the numbers of
    passes with dropout are gone with them.

    A strategy of the user's own is told of in the same way where it answers by
    ``query.answer(chosen, metrics)`` of :func:`open_query`, and gives its reasons where it passes
    them as ``why=``. Of any other the probabilities and contributions are given, and its metric
    if it chooses the same samples again and returns one; else the metric is NaN.

    Departs from the paper: none; the papers do not show their reasons.

    Examples
    --------
    >>> from modAL.models import ActiveLearner
    >>> from sklearn.frozen import FrozenEstimator
    >>> from sklearn.pipeline import make_pipeline
    >>> from modal_interp import TextCNNClassifier, WordEncoder, alden_diversity, make_reviews
    >>> from modal_interp import explain_query
    >>> texts, labels = make_reviews(120, random_state=0)
    >>> net = TextCNNClassifier(classes=["neg", "pos"], max_epochs=1, random_state=0)
    >>> learner = ActiveLearner(
    ...     estimator=make_pipeline(FrozenEstimator(WordEncoder().fit(texts)), net),
    ...     query_strategy=alden_diversity,
    ...     X_training=texts[:20],
    ...     y_training=net.classes and [net.classes[label] for label in labels[:20]],
    ... )
    >>> indices, asked = learner.query(texts[20:], n_instances=3)
    >>> explained = explain_query(learner, texts[20:], indices)
    >>> explained
    <QueryExplanation of 3 samples by alden_diversity>
    >>> explained[0].sample == asked[0]
    True
    """
    check_query(learner, X_pool, 1)
    indices = _checked_indices(indices, n_samples(X_pool))
    strategy = getattr(learner, "query_strategy", None) if strategy is None else strategy
    replay = asked_again(learner, X_pool, indices, strategy, options)
    _check_metrics(metrics, replay.metrics)
    views, chosen = as_seen(replay.answer, replay.chosen, learner, X_pool, indices)
    reasons = _completed(views, chosen, replay)
    tell = Telling(learner, X_pool, views, replay, encoder)
    told = [
        tell.explanation(place, int(index), reason)
        for place, (index, reason) in enumerate(zip(indices, reasons, strict=True))
    ]
    proba = told[0].proba
    query = None if replay.answer is None else replay.answer.query
    return QueryExplanation(
        strategy=replay.name,
        options=replay.options,
        metric_name=replay.reasons.metric_name if replay.reasons else "what the strategy returns",
        n_pool=n_samples(X_pool),
        n_candidates=n_samples(X_pool) if query is None else len(query.rows),
        narrowing=() if query is None else query.narrowing,
        classes=() if proba is None else proba.classes,
        several=proba is not None and proba.several,
        n_members=max(1, len(views)),
        checked=replay.checked,
        explanations=tuple(told),
        pool_map=mapped(learner, X_pool, replay) if pool_map else None,
    )


def _checked_indices(indices: Any, n: int) -> Indices:
    found = np.asarray(indices)
    if found.ndim != 1 or found.dtype.kind not in "iu" or not len(found):
        raise TypeError(
            "indices must be those that learner.query returned, whole numbers of shape (n,), n at "
            f"least 1; found {indices!r}."
        )
    if found.min() < 0 or found.max() >= n:
        wrong = found.min() if found.min() < 0 else found.max()
        raise ValueError(
            f"indices must be rows of X_pool, from 0 to {n - 1}; found {wrong}. Give the pool that "
            "was asked, before the samples were taken out of it."
        )
    if len(np.unique(found)) < len(found):
        raise ValueError(f"indices must be distinct; found {found.tolist()}.")
    return found.astype(np.intp)


def _check_metrics(metrics: Any, found: NDArray[np.float64]) -> None:
    """Check that the metrics that a query returned are those that it would return now."""
    if metrics is None:
        return
    given = np.asarray(metrics, dtype=np.float64)
    if given.shape != found.shape or not np.array_equal(given, found, equal_nan=True):
        raise ValueError(
            f"metrics must be those of the query; found {given[:3].tolist()} where the learner "
            f"gives {found[:3].tolist()} now. Explain a query before the learner is taught again."
        )


def _completed(views: list[View], chosen: Indices, replay: Replay) -> list[Reason]:
    """Return the reasons, with what is known of samples whatever asked for them."""
    if replay.reasons is not None:
        reasons = list(replay.reasons.of_each)
    else:
        why = f"{verbatim(replay.name)} does not say why it asks for a sample."
        reasons = [Reason(float(metric), why) for metric in replay.metrics]
    return completed(reasons, views, chosen, replay.options)
