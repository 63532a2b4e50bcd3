"""What a strategy asked for, and which word or feature decided: what `explain=` keeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from modal_interp._seeding import own_randomness
from modal_interp.queries.learner import View
from modal_interp.queries.query import Answer, labeled_views
from modal_interp.strategies.completing import as_seen, completed
from modal_interp.strategies.contributions import class_names
from modal_interp.strategies.reasons import Features, Probabilities, Reason, Words

Rows = NDArray[np.int64]
# Reasons are told by what a query computed; what is drawn to tell more must not hang on the caller.
_SEED = 0


class Told(NamedTuple):
    """How words and features are called.

    Attributes
    ----------
    names : WordEncoder, TokenEncoder, sequence of str or None
        What made ids of the texts, or the columns of a table; None for numbers.
    """

    names: Any = None

    def word(self, ids: tuple[int, ...]) -> str:
        """Return a word as it is written."""
        written = ""
        if hasattr(self.names, "inverse_transform"):
            written = str(self.names.inverse_transform(np.array([ids]))[0])
        return written or "+".join(map(str, ids))

    def features(self, estimator: Any, n: int) -> Sequence[str]:
        """Return the names of the n features that a net sees."""
        given = self.names if isinstance(self.names, list | tuple) else None
        columns = [] if given is None else list(given)
        if isinstance(estimator, Pipeline) and hasattr(estimator[:-1], "get_feature_names_out"):
            try:
                found = estimator[:-1].get_feature_names_out(given)
                # "onehotencoder__city_Rome" names its step first.
                columns = [str(name).rpartition("__")[2] for name in found]
            except (AttributeError, TypeError, ValueError):  # some ask for what they were not told
                pass
        return columns if len(columns) == n else [f"feature {j}" for j in range(n)]


def asked_for(
    answers: list[Answer], learner: Any, X_pool: Any, chosen: Rows, told: Told
) -> list[dict[str, Any]]:
    """Return what decided about each sample, and of what kind it is.

    Parameters
    ----------
    answers : list of Answer
        What the strategy answered; empty of one that answers in a way of its own.
    learner : ActiveLearner of modAL
        Who was asked, not taught since.
    X_pool : collection of samples
        What it chose from.
    chosen : ndarray of shape (n,), int64
        Rows of it.
    told : Told
        How words and features are called.

    Returns
    -------
    list of n dict
        ``decided``: the word or feature, None where none did; ``contribution`` of it to ``output``;
        ``predicted``, the most probable class or labels; ``margin``, how far its probability is
        above the next one, of several labels the least distance from 1/2 times two; ``n_words`` of
        a text and ``n_unseen``, those that no labelled text holds.
    """
    with own_randomness(_SEED):
        answer = answers[-1] if answers else None
        places = chosen if answer is None else answer.chosen
        views, places = as_seen(answer, places, learner, X_pool, chosen)
        reasons = [Reason(np.nan, "")] * len(chosen)
        if answer is not None and answer.why is not None:
            reasons = list(answer.why(answer.chosen).of_each)
        reasons = completed(reasons, views, places, {})
        labelled = _labelled_ids(learner) if any(reason.words for reason in reasons) else None
    return [
        {
            **_decided(reason, learner.estimator, told, views),
            **_kind(reason, labelled, views),
        }
        for reason in reasons
    ]


def labels_in_words(y: NDArray[Any]) -> str:
    """Return the labels that a sample has, by their columns."""
    return ", ".join(str(column) for column in np.flatnonzero(y))


def _decided(reason: Reason, estimator: Any, told: Told, views: list[View]) -> dict[str, Any]:
    """Return the word or feature that decided, and what it contributes."""
    part = reason.words or reason.features
    if part is None or part.decided is None:
        return {"decided": None, "contribution": None, "output": None}
    if isinstance(part, Words):
        name = told.word(part.ids[part.decided])
    else:
        name = told.features(estimator, part.values.size)[part.decided]
    return {
        "decided": name,
        "contribution": _rounded(part.contributions[part.decided, part.shown]),
        "output": _output(part, reason.proba, views),
    }


def _output(part: Words | Features, proba: Probabilities | None, views: list[View]) -> str | None:
    """Return the class that the contribution is to; of two classes one tells all."""
    if proba is None:
        return None
    names = class_names(views, len(proba.mean))
    each = part.contributions.shape[1] // max(1, len(views))
    return str(names[part.shown % each]) if each == len(names) else str(names[-1])


def _kind(reason: Reason, labelled: NDArray[np.int64] | None, views: list[View]) -> dict[str, Any]:
    """Return what can be told of any sample: prediction, margin, words, those never seen."""
    words, proba = reason.words, reason.proba
    predicted, margin = (None, None) if proba is None else _predicted(proba, views)
    n_unseen = None
    if words is not None and labelled is not None:
        n_unseen = sum(not np.isin(pieces, labelled).all() for pieces in words.ids)
    return {
        "predicted": predicted,
        "margin": margin,
        "n_words": None if words is None else len(words.ids),
        "n_unseen": n_unseen,
    }


def _predicted(proba: Probabilities, views: list[View]) -> tuple[str, float]:
    names = class_names(views, len(proba.mean))
    if proba.several:
        has = [str(name) for name, p in zip(names, proba.mean, strict=True) if p > 0.5]
        return ", ".join(has), _rounded(2 * np.abs(proba.mean - 0.5).min())
    order = np.sort(proba.mean)
    margin = order[-1] - order[-2] if len(order) > 1 else 1.0
    return str(names[int(proba.mean.argmax())]), _rounded(margin)


def _labelled_ids(learner: Any) -> NDArray[np.int64] | None:
    """Return the ids of the words of all labelled texts; None where they are no ids."""
    views = labeled_views(learner)
    arrays = [np.asarray(X) for X in views[0].labeled] if views else []
    if not arrays or any(X.dtype.kind not in "iu" for X in arrays):
        return None
    return np.unique(np.concatenate([X.ravel() for X in arrays])).astype(np.int64)


def _rounded(value: Any) -> float:
    return round(float(value), 6)
