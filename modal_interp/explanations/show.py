"""Interpretations of any texts and tables, to look at."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from modal_interp.explanations.interpreted import Interpretations, Interpreted
from modal_interp.explanations.names import Spelling, feature_names, output_names, sample_at
from modal_interp.queries.estimators import members_of, net_of
from modal_interp.queries.learner import View, estimators_of
from modal_interp.queries.seen import Seen
from modal_interp.queries.stacking import n_samples
from modal_interp.strategies.contributions import (
    all_read_words,
    class_names,
    explained_features,
    explained_words,
    predicted,
)
from modal_interp.strategies.reasons import Probabilities


def show_words(
    net: Any,
    texts: Any,
    *,
    target: str = "proba",
    classes: str = "all",
    encoder: Any = None,
    **read_by: Any,
) -> Interpretations:
    """Show what each word of some texts contributes to their predictions.

    Parameters
    ----------
    net : classifier, pipeline, ensemble, ActiveLearner or Committee
        A fitted one, whose nets read words.
    texts : list or array of n str, or whatever `net` takes
        Any texts, or their word ids.
    target : {"proba", "logit"}, default="proba"
        What is explained: the probabilities, or the logits, centred over the classes.
    classes : {"all", "predicted"}, default="all"
        Explain all classes, or of each text the predicted one.
    encoder : WordEncoder or TokenEncoder, optional
        What made ids of the texts, where it is no step of a pipeline.
    **read_by
        As for :func:`word_interpretations`.

    Returns
    -------
    Interpretations
        In a notebook texts with shaded words; printed, words with signs; ``to_frame()`` and
        ``plot()``. Of several outputs that of the predicted class is shown.

    Raises
    ------
    TypeError, ValueError
        If a parameter breaks its rule.
    sklearn.exceptions.NotFittedError
        If `net` is not fitted.

    Notes
    -----
    The numbers are those of :func:`word_interpretations`, ALDEN equation 4; of several members one
    column after the other.

    Departs from the paper: none; it departs where :func:`word_interpretations` does.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from modal_interp import TextCNNClassifier, WordEncoder, make_reviews, show_words
    >>> texts, labels = make_reviews(60, random_state=0)
    >>> net = make_pipeline(WordEncoder(), TextCNNClassifier(max_epochs=1, random_state=0))
    >>> found = show_words(net.fit(texts, labels), ["a good plot", ""])
    >>> found
    <Interpretations of 2 texts, and what their words contribute>
    >>> found[0].words.names
    ('a', 'good', 'plot')
    """
    views = _views(net, texts, "texts")
    if not all_read_words(views):
        raise ValueError(
            "net must read words, by an embedding layer; found one that does not. Use "
            "show_features for tables."
        )
    rows = np.arange(n_samples(texts))
    options = {"classes": classes, **read_by}
    parts = explained_words(views, rows, target=target, **options)
    spelling = Spelling(net, encoder)
    found = []
    for place, (words, proba) in enumerate(zip(parts, _named(views, rows), strict=True)):
        sample = sample_at(texts, place)
        named = spelling.words(sample, words.ids)._asdict()
        words = replace(words, **named, **_outputs(words, views, proba, classes))
        found.append(Interpreted(place, sample, proba, words=words))
    return Interpretations(tuple(found))


def show_features(
    net: Any, table: Any, *, target: str = "proba", classes: str = "all", **read_by: Any
) -> Interpretations:
    """Show how each feature of some samples of a table moves their predictions.

    Parameters
    ----------
    net : classifier, pipeline, ensemble, ActiveLearner or Committee
        A fitted one, whose nets read tables.
    table : array or data frame of shape (n, d)
        Any samples.
    target, classes, **read_by
        As for :func:`show_words`.

    Returns
    -------
    Interpretations
        In a notebook and printed, values and contributions with their bars; ``to_frame()`` and
        ``plot()``.

    Raises
    ------
    TypeError, ValueError, sklearn.exceptions.NotFittedError
        As for :func:`show_words`.

    Notes
    -----
    The numbers are those of :func:`feature_interpretations`, DAMI equation 1.

    Departs from the paper: none; it departs where :func:`feature_interpretations` does.

    Examples
    --------
    >>> from modal_interp import TabularMLPClassifier, make_sigmoid, show_features
    >>> X, y = make_sigmoid(60, random_state=0)
    >>> net = TabularMLPClassifier(max_epochs=1, random_state=0).fit(X, y)
    >>> show_features(net, X[:3]).to_frame().shape
    (6, 2)
    """
    views = _views(net, table, "table")
    if all_read_words(views):
        raise ValueError(
            "net must read a table; found one that reads words, by an embedding layer. Use "
            "show_words."
        )
    rows = np.arange(n_samples(table))
    options = {"classes": classes, **read_by}
    parts = explained_features(views, rows, target=target, **options)
    found = []
    for place, (features, proba) in enumerate(zip(parts, _named(views, rows), strict=True)):
        names = feature_names(net, table, features.values.size)
        also = _outputs(features, views, proba, classes)
        features = replace(features, names=names, **also)
        found.append(Interpreted(place, sample_at(table, place), proba, features=features))
    return Interpretations(tuple(found))


def _views(net: Any, X: Any, param: str) -> list[View]:
    """Return the nets with the samples as they see them."""
    if isinstance(X, str) or (not hasattr(X, "__len__") and not hasattr(X, "shape")):
        raise TypeError(f"{param} must hold samples; found a {type(X).__name__}. Give a list.")
    if not n_samples(X):
        raise ValueError(f"{param} must hold at least one sample; found none.")
    try:
        estimators = estimators_of(net)
    except TypeError:  # no learner: an estimator by itself
        estimators = [net]
    seen = Seen()
    found = [one for estimator in estimators for one in members_of(estimator, net_of)]
    return [View(own, seen.by(own, steps, X, param), []) for steps, own in found]


def _named(views: list[View], rows: Any) -> list[Probabilities]:
    """Return what is predicted, with the names of the classes."""
    found = predicted(views, rows)
    names = tuple(class_names(views, len(found[0].mean)))
    return [replace(proba, classes=names) for proba in found]


def _outputs(part: Any, views: list[View], proba: Probabilities, classes: str) -> dict[str, Any]:
    """Return what each column explains, and the one to look at: of the predicted class."""
    n = part.contributions.shape[1]
    names = output_names(n, len(views), proba, predicted=classes == "predicted")
    own = n // len(views) == len(proba.classes)
    return {"outputs": names, "shown": int(proba.mean.argmax()) if own else part.shown}
