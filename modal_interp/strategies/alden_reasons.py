"""Why ALDEN asked for texts: the word that decided, and the labelled one that it differs from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from modal_interp.queries.query import Query
from modal_interp.representations.explained_words import WordInterpretations
from modal_interp.selectors.nearest import LARGEST_SINGLE, lengths, nearest_rows
from modal_interp.strategies.contributions import TARGETS, spelled_out, words_of
from modal_interp.strategies.reasons import Counterpart, Reason, Reasons, Words

Places = NDArray[np.intp]
_METRIC = "D, how far the contributions of a word are from those of its nearest labelled occurrence"


class Compared(NamedTuple):
    """What a query compared."""

    query: Query
    pool: WordInterpretations  # those of the candidates
    labeled: WordInterpretations
    embeddings: Callable[[NDArray[np.int64]], NDArray[Any]]  # rows of some words, (v, D)
    target: str  # what was explained
    diversity: NDArray[np.float64]  # (n,) D of those chosen


def alden_reasons(chosen: Places, *, compared: Compared) -> Reasons:
    """Return the word that decided for each text, in the order of choice."""
    asked = compared.pool.samples(chosen)
    known = _Known(compared.labeled, asked, compared.embeddings)
    indices = compared.query.rows[chosen]
    found = [
        _reason(words, _as_asked(known.compare(k), d), known, indices, TARGETS[compared.target])
        for k, (words, d) in enumerate(
            zip(words_of(asked, compared.target), compared.diversity, strict=True)
        )
    ]
    return Reasons(_METRIC, tuple(found))


class _Nearest(NamedTuple):
    """Of each word of a text the labelled occurrence that is nearest by its contributions."""

    distances: NDArray[np.float64]  # (w,)
    occurrence: Places  # (w,) among those of `_Known`
    gap: NDArray[np.float64]  # (w,) to the stand-in, by the embeddings


def _as_asked(nearest: _Nearest, diversity: float) -> _Nearest:
    """Return the distances with the largest one as the query has it."""
    # Squares of one word and of many are not added up in the same order.
    distances = nearest.distances.copy()
    distances[distances == distances.max(initial=-np.inf)] = diversity
    return nearest._replace(distances=distances)


class _Known:
    """The labelled occurrences, and behind them those of the texts in the order of choice."""

    def __init__(
        self, labeled: WordInterpretations, asked: WordInterpretations, embeddings: Any
    ) -> None:
        self.labeled, self.asked = labeled, asked
        self.first = len(labeled.words)  # from here on the texts that were chosen
        words = np.concatenate([labeled.words, asked.words])
        self.vocabulary, self.code = np.unique(words, return_inverse=True)
        self.code = self.code.reshape(-1)
        self.values = np.concatenate([labeled.values, asked.values]).astype(np.float64)
        rows = embeddings(self.vocabulary) if len(words) else np.empty((0, 1))
        # As the query compares them.
        single = rows.dtype == np.float32 and np.abs(rows).max(initial=0) < LARGEST_SINGLE
        self.rows = rows if single else rows.astype(np.float64)
        by_word = np.argsort(self.code[: self.first], kind="stable")
        starts = np.searchsorted(self.code[by_word], np.arange(len(self.vocabulary) + 1))
        self.occurrences = np.split(by_word, starts[1:-1]) if len(words) else []
        self.stand_in, self.squared = self._from_the_start()

    def _from_the_start(self) -> tuple[Places, NDArray[np.float64]]:
        """Return the word that answers for each one before the first choice, and how far it is."""
        stand_in = np.full(len(self.vocabulary), -1)
        squared = np.full(len(self.vocabulary), np.inf)
        self._bring_nearer(np.unique(self.code[: self.first]), stand_in, squared)
        return stand_in, squared

    def _bring_nearer(
        self, labeled: Places, stand_in: Places, squared: NDArray[np.float64]
    ) -> None:
        """Let these words answer for themselves, and for those that they are nearest to."""
        if len(labeled):
            stand_in[labeled], squared[labeled] = labeled, 0.0
            own = np.zeros(len(stand_in), dtype=bool)
            own[labeled] = True
            others = np.flatnonzero(~own & (stand_in != np.arange(len(stand_in))))
            rows, found, gaps = nearest_rows(self.rows[others], self.rows[labeled])
            others, found = others[rows], labeled[found]
            nearer = gaps < squared[others]
            nearer |= (gaps == squared[others]) & (found < stand_in[others])
            stand_in[others[nearer]], squared[others[nearer]] = found[nearer], gaps[nearer]

    def compare(self, k: int) -> _Nearest:
        """Compare the words of text k with what was labelled before it, and label these."""
        start, end = self.first + self.asked.offsets[k : k + 2]
        codes = self.code[start:end]
        distances, occurrence = np.full(len(codes), np.inf), np.full(len(codes), -1)
        for j, server in enumerate(self.stand_in[codes]):
            if server >= 0:
                others = self.occurrences[server]
                apart = self.values[start + j] - self.values[others]
                far = lengths(apart.T)
                distances[j], occurrence[j] = far.min(), others[far.argmin()]
        gap = np.sqrt(self.squared[codes])
        for place, code in zip(range(start, end), codes, strict=True):
            self.occurrences[code] = np.append(self.occurrences[code], place)
        self._bring_nearer(np.unique(codes), self.stand_in, self.squared)
        return _Nearest(distances, occurrence, gap)


def _reason(words: Words, nearest: _Nearest, known: _Known, indices: Places, to: str) -> Reason:
    if not words.ids:
        return Reason(-np.inf, "It has no words; such texts are asked for last.", words)
    j = int(nearest.distances.argmax())
    scores = nearest.distances
    words = replace(words, scores=scores, score_name=_METRIC, decided=j)
    occurrence = nearest.occurrence[j]
    if occurrence < 0:
        why = "No text labelled before has a word to compare its words with."
        return Reason(np.inf, why, words)
    other = _counterpart(occurrence, nearest.gap[j], words.ids[j], known, indices, scores[j])
    shown = int(np.abs(words.contributions[j] - other.contributions).argmax())
    as_said = "its nearest labelled occurrence"
    if other.stands_in:
        as_said = "“{counterpart}”, which stands in for it in the labelled texts,"
    why = (
        f"Its word “{{word}}” adds {words.contributions[j, shown]:+.3g} to {to} of {{output}}, "
        f"where {as_said} adds {other.contributions[shown]:+.3g}: no word of another text was "
        f"farther from what is labelled (D = {scores[j]:.3g})."
    )
    return Reason(float(scores[j]), why, replace(words, shown=shown), counterpart=other)


def _counterpart(
    occurrence: int,
    gap: float,
    word: tuple[int, ...],
    known: _Known,
    indices: Places,
    distance: float,
) -> Counterpart:
    in_batch = occurrence >= known.first
    part = known.asked if in_batch else known.labeled
    place = int(occurrence - known.first * in_batch)
    sample = int(np.searchsorted(part.offsets, place, side="right")) - 1
    ids = spelled_out(part, part.words[place])
    return Counterpart(
        "batch" if in_batch else "labelled",
        int(indices[sample]) if in_batch else sample,
        int(place - part.offsets[sample]),
        ids,
        stands_in=ids != word,
        gap=float(gap),
        contributions=np.array(part.values[place]),
        distance=float(distance),
    )
