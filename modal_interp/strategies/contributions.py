"""What the reasons of several strategies share: predictions, and what each word contributes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from modal_interp.nets.layers import reads_words
from modal_interp.nets.predictions import is_net, predictions
from modal_interp.queries.learner import View
from modal_interp.queries.query import picked
from modal_interp.representations.explained_words import WordInterpretations, numbered_alike
from modal_interp.representations.interpretations import (
    feature_interpretations,
    word_interpretations,
)
from modal_interp.scores.uncertainty import dropout_probabilities
from modal_interp.strategies.reasons import Features, Probabilities, Words

Places = NDArray[np.intp]
Floats = NDArray[np.float64]
# What a net's words and features contribute to, by `target`.
TARGETS = {"proba": "the probability", "logit": "the logit"}


def all_read_words(views: list[View]) -> bool:
    """Tell whether there are views, of nets that read words all."""
    return bool(views) and all(is_net(view.net) and reads_words(view.net) for view in views)


def all_read_tables(views: list[View]) -> bool:
    """Tell whether there are views, of nets that read no words, none of them."""
    return bool(views) and all(is_net(view.net) and not reads_words(view.net) for view in views)


def explained_words(
    views: list[View], chosen: Places, *, target: str = "proba", **options: Any
) -> list[Words]:
    """Return the words of some candidates and what each contributes."""
    rows = [picked(view.pool, chosen) for view in views]
    parts = numbered_alike(
        [
            word_interpretations(view.net, X, target=target, **options)  # type: ignore[arg-type]
            for view, X in zip(views, rows, strict=True)
        ]
    )
    values = np.hstack([part.values for part in parts])
    return words_of(parts[0]._replace(values=values), target)


def words_of(explained: WordInterpretations, target: str) -> list[Words]:
    """Return the words of each sample, with their interpretations."""
    found = []
    for start, end in zip(explained.offsets[:-1], explained.offsets[1:], strict=True):
        ids = tuple(spelled_out(explained, word) for word in explained.words[start:end])
        values = np.array(explained.values[start:end])  # not a part of a file
        shown = int(np.abs(values).max(axis=0, initial=0).argmax()) if len(values) else 0
        meaning = f"contribution to {TARGETS[target]}"
        found.append(Words(ids, values, meaning, shown=shown))
    return found


def spelled_out(explained: WordInterpretations, word: Any) -> tuple[int, ...]:
    """Return the ids of the pieces of a word."""
    return tuple(int(piece) for piece in explained.pieces_of(int(word)))


def explained_features(
    views: list[View], chosen: Places, *, target: str = "proba", **options: Any
) -> list[Features]:
    """Return the features of some candidates and how each moves the prediction."""
    rows = [np.asarray(picked(view.pool, chosen)) for view in views]
    values = np.concatenate(
        [
            feature_interpretations(view.net, X, target=target, **options)  # type: ignore[arg-type]
            for view, X in zip(views, rows, strict=True)
        ],
        axis=1,
    )
    return features_of(rows[0], values, target)


def features_of(
    X: NDArray[Any], gradients: NDArray[np.float32], target: str, *, decide: bool = False
) -> list[Features]:
    """Return the features of each sample, with the gradients (n, A, d)."""
    found = []
    for x, of_outputs in zip(X, gradients, strict=True):
        lengths = np.sqrt((of_outputs.astype(np.float64) ** 2).sum(axis=0))
        shown = int(np.abs(of_outputs).max(axis=1).argmax())
        meaning = f"change by a unit of {TARGETS[target]}"
        decided = int(lengths.argmax()) if decide else None
        found.append(Features(np.array(x), of_outputs.T.copy(), meaning, decided, shown=shown))
    return found


def predicted(views: list[View], chosen: Places) -> list[Probabilities]:
    """Return what is predicted of some candidates, by one net or by each member."""
    found = [predictions(view.net, picked(view.pool, chosen)) for view in views]
    proba = np.stack([member.proba for member in found], axis=1)
    return as_probabilities(proba, "members" if len(views) > 1 else "net", found[0].several)


def as_probabilities(proba: Floats, of: Any, several: bool) -> list[Probabilities]:
    """Return probabilities (n, K, C), one a sample."""
    return [
        Probabilities(by, of, several, by.mean(axis=0), by.std(axis=0))
        for by in np.array(proba, dtype=np.float64)
    ]


def passes(
    views: list[View],
    chosen: Places,
    n_passes: int,
    random_state: RandomState,
    are_those: Callable[[list[Floats], bool], bool],
) -> tuple[list[Floats], bool]:
    """Return the probabilities (n, K, C) of some candidates under each pass of each view.

    Parameters
    ----------
    views : list of View
        Nets with dropout.
    chosen : ndarray of shape (n,), intp
        Places among the candidates.
    n_passes : int
        K.
    random_state : RandomState
        As it was before the passes of the query; not advanced.
    are_those : callable
        Whether some passes, and whether labels are several, give the metrics of the query.

    Returns
    -------
    proba : list of ndarray of shape (n, K, C)
        One a view.
    several : bool
        Whether each column is a label of its own.
    """

    def of(pools: Sequence[Any]) -> tuple[list[Floats], bool]:
        rng = copy_of(random_state)
        found = [
            dropout_probabilities(view.net, X, n_passes=n_passes, random_state=rng)
            for view, X in zip(views, pools, strict=True)
        ]
        return [proba for proba, _ in found], found[0][1]

    proba, several = of([picked(view.pool, chosen) for view in views])
    if not are_those(proba, several):
        # Layers that drop by themselves draw for each sample of a pass, whichever these are.
        proba, several = of([view.pool for view in views])
        proba = [of_view[chosen] for of_view in proba]
    return proba, several


def copy_of(random_state: RandomState) -> RandomState:
    """Return a generator that will draw the same, and leaves this one alone."""
    copied = RandomState()
    copied.set_state(random_state.get_state(legacy=False))
    return copied


def class_names(views: list[View], n: int) -> list[str]:
    """Return the names of n classes or labels as a net knows them, else their numbers."""
    known = [getattr(view.net, "classes_", None) for view in views]
    for classes in known:
        if classes is not None and len(classes) == n and np.ndim(classes[0]) == 0:
            return [str(name) for name in classes]
    return [str(number) for number in range(n)]


def verbatim(text: str) -> str:
    """Return a text that stands for itself in a format string."""
    return text.replace("{", "{{").replace("}", "}}")
