"""How words, features, classes and labelled samples are called, for those who read explanations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator

from modal_interp.queries.estimators import classifier_of, members_of
from modal_interp.queries.learner import estimators_of, taught_samples
from modal_interp.queries.stacking import n_samples, take_rows
from modal_interp.strategies.reasons import Probabilities
from modal_interp.texts.vocabulary import UNKNOWN

Ids = tuple[int, ...]


class Spelled(NamedTuple):
    """Words as they are written, fields as of `Words`."""

    names: tuple[str, ...]
    known: NDArray[np.bool_]
    spans: tuple[tuple[int, int], ...]


class Spelling:
    """Words as they are written, by the encoder of a pipeline or one that is given.

    Parameters
    ----------
    learner : ActiveLearner, DeepActiveLearner or Committee of modAL
        In whose pipeline the encoder is looked for.
    encoder : WordEncoder, TokenEncoder or None
        Given where the learner sees ids.
    """

    def __init__(self, learner: Any, encoder: Any = None) -> None:
        steps = steps_before(learner)
        self.before: list[Any] = []  # the steps before the encoder
        self.encoder = encoder
        if encoder is None and steps and hasattr(steps[-1], "inverse_transform"):
            *self.before, self.encoder = steps

    def words(self, sample: Any, ids: Sequence[Ids], first: int = 0) -> Spelled:
        """Return some words of a sample, which follow one another; `first` is the first's place."""
        if hasattr(self.encoder, "tokenize") and hasattr(self.encoder, "vocabulary_"):
            return self._by_vocabulary(sample, ids, first)
        if hasattr(self.encoder, "begins_word_"):
            return self._by_pieces(sample, ids, first)
        names = tuple("+".join(map(str, pieces)) for pieces in ids)
        return Spelled(names, np.ones(len(ids), dtype=bool), ())

    def _by_vocabulary(self, sample: Any, ids: Sequence[Ids], first: int) -> Spelled:
        vocabulary, written = self.encoder.vocabulary_, self.encoder.words_
        plain, last = [word[0] for word in ids], first + len(ids)
        tokens = self._tokens(sample)[:last]
        known = np.array([number != UNKNOWN for number in plain], dtype=bool)
        if [vocabulary.get(token, UNKNOWN) for token in tokens[first:]] == plain:
            # As the text has them, also where nobody knows them.
            spans = () if self.before else spans_of(sample, tokens)
            return Spelled(tuple(tokens[first:]), known, spans[first:])
        n = len(written)
        return Spelled(tuple(str(written[k]) if k < n else str(k) for k in plain), known, ())

    def _tokens(self, sample: Any) -> list[str]:
        """Return the words of a text; none where it is no text."""
        rows: Any = np.array([sample, None], dtype=object)[:1]
        for step in self.before:
            rows = step.transform(rows)
        return list(self.encoder.tokenize(rows)[0]) if isinstance(rows[0], str) else []

    def _by_pieces(self, sample: Any, ids: Sequence[Ids], first: int) -> Spelled:
        if not len(ids):
            return Spelled((), np.empty(0, dtype=bool), ())
        rows = np.full((len(ids), max(map(len, ids))), self.encoder.padding_)
        for row, pieces in zip(rows, ids, strict=True):
            row[: len(pieces)] = pieces
        written = self.encoder.inverse_transform(rows)
        # Tokenizers that were saved without a decoder leave their marks.
        written = [name.replace(" ##", "").replace("\u2581", " ") for name in written]
        # Blanks count as a word where there are two of them; unknown words are left out.
        names = [name.strip() or "\u2423" * bool(name) for name in written]
        known = np.array([bool(name) for name in names])
        spans: list[tuple[int, int]] = []
        if isinstance(sample, str) and not self.before:
            spans = self.encoder.word_spans([sample])[0][first : first + len(ids)]
        if len(spans) != len(ids):  # where pieces count as words, say
            return Spelled(tuple(name or "<unk>" for name in names), known, ())
        of_text = (sample[start:end] for start, end in spans)
        both = zip(names, of_text, strict=True)
        return Spelled(tuple(name or part for name, part in both), known, tuple(spans))


def spans_of(text: Any, tokens: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """Return where words lie in a text, also if they are lowered; empty where they do not."""
    for version in (str(text), str(text).lower()):
        spans, end = [], 0
        for token in tokens:
            start = version.find(token, end)
            end = start + len(token)
            if start < 0:
                break
            spans.append((start, end))
        # Lowering may change how long a text is.
        if len(spans) == len(tokens) and len(version) == len(str(text)):
            return tuple(spans)
    return ()


def steps_before(learner: Any) -> list[Any]:
    """Return the fitted steps before the first net of a learner or estimator; none of no net."""
    try:
        estimator = estimators_of(learner)[0]
    except TypeError:  # an estimator by itself
        estimator = learner
    try:
        steps, _ = members_of(estimator, classifier_of)[0]
    except (TypeError, NotFittedError):  # strategies that look at no estimator take any
        return []
    return [step.estimator if isinstance(step, FrozenEstimator) else step for step in steps]


def feature_names(learner: Any, X_pool: Any, n: int) -> tuple[str, ...]:
    """Return the names of the n features that the net sees."""
    steps = steps_before(learner)
    found: Any = ()
    if steps and hasattr(steps[-1], "get_feature_names_out"):
        try:
            found = steps[-1].get_feature_names_out()
        except (AttributeError, TypeError, ValueError):  # some ask for what they were not told
            found = ()
    if len(found) != n and isinstance(X_pool, pd.DataFrame):
        found = X_pool.columns
    return tuple(map(str, found)) if len(found) == n else tuple(f"feature {j}" for j in range(n))


def output_names(
    n_outputs: int, n_members: int, proba: Probabilities | None, *, predicted: bool
) -> tuple[str, ...]:
    """Return what each column of contributions explains."""
    each = n_outputs // n_members
    names = []
    for member in range(n_members):
        if proba is None:
            own = tuple(str(column) for column in range(each))
        elif each == len(proba.classes):
            own = proba.classes
        elif predicted:
            by = proba.by[member] if len(proba.by) == n_members else proba.mean
            own = (proba.classes[int(by.argmax())],)
        else:  # of two classes one tells all
            own = (proba.classes[-1],)
        of = f" (member {member + 1})" if n_members > 1 else ""
        names += [name + of for name in own]
    return tuple(names)


class Labelled:
    """The labelled samples with their labels, as strategies count them.

    Parameters
    ----------
    learner : ActiveLearner, DeepActiveLearner or Committee of modAL
        Who was taught them.
    X_labeled : collection of samples, optional
        What goes before what the learner keeps.
    """

    def __init__(self, learner: Any, X_labeled: Any = None) -> None:
        self.parts = taught_samples(learner, X_labeled)
        self.ends = np.cumsum([n_samples(X) for X, _ in self.parts])

    def __getitem__(self, row: int) -> tuple[Any, Any]:
        """Return a sample and its label."""
        part = int(np.searchsorted(self.ends, row, side="right"))
        X, y = self.parts[part]
        place = int(row - (self.ends[part] - n_samples(X)))
        label = None if y is None or place >= n_samples(y) else take_rows(y, place)
        return sample_at(X, place), label


def sample_at(X: Any, row: int) -> Any:
    """Return a sample of a collection; None where it is a torch Dataset."""
    kinds = np.ndarray | list | dict | pd.DataFrame | pd.Series
    return take_rows(X, row) if isinstance(X, kinds) or hasattr(X, "toarray") else None
