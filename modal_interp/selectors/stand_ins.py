"""Which labelled word answers for each word: itself, or the nearest by its embedding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modal_interp.selectors.nearest import Indices, References, nearest_rows, squared_norms

# Pairs of words that are compared at once.
_PAIRS = 1 << 12


class StandIns:
    """The server of each word, kept up to date while words are labelled.

    Parameters
    ----------
    embeddings : ndarray of shape (V, D)
        A row for each word.
    is_labeled : ndarray of shape (V,), bool
        The words labelled from the start.

    Attributes
    ----------
    server : ndarray of shape (V,), int
        The word that answers: itself where it is labelled, else the labelled word of the nearest
        embedding, of equally near ones the lowest; -1 while no word is labelled.
    """

    def __init__(
        self, embeddings: NDArray[np.floating[Any]], is_labeled: NDArray[np.bool_]
    ) -> None:
        self.embeddings, self.is_labeled = embeddings, is_labeled.copy()
        self.server = np.where(is_labeled, np.arange(len(embeddings)), -1)
        # Words that need a stand-in, until they are labelled too.
        self.open = np.flatnonzero(~is_labeled)
        self.rows = embeddings[self.open]
        self.norms = squared_norms(self.rows)
        self.gap = np.full(len(self.open), np.inf)  # squared, to the stand-in
        # For words that will be labelled: the open words that each is near enough to answer for.
        self.near: dict[int, tuple[Indices, NDArray[np.float64]]] = {}
        self._answer_for_all(np.flatnonzero(is_labeled))

    def label(self, words: Indices, soon: Callable[[], Indices]) -> Indices:
        """Label these words; return those that have another server than before.

        `soon` gives words that will probably be labelled next: looking for what these are near to
        together costs little more than for one.
        """
        words = words[~self.is_labeled[words]]
        is_first = not self.is_labeled.any()
        if not is_first and any(word not in self.near for word in words.tolist()):
            upcoming = soon()
            self._look_up(np.union1d(words, upcoming[~self.is_labeled[upcoming]]))
        self.is_labeled[words] = True
        self.server[words] = words
        self.gap[self.is_labeled[self.open]] = -1.0  # no other word is as near as the word itself
        if is_first:
            return self._answer_for_all(words)
        changed = [words, *(self._answer(word) for word in words.tolist())]
        return np.unique(np.concatenate(changed))

    def _answer_for_all(self, labeled: Indices) -> Indices:
        """Let the first labelled words stand in for all others; return whose server changed."""
        if not len(labeled):
            return labeled
        rows, found, squared = nearest_rows(
            self.rows, self.embeddings[labeled], within=self.gap, norms=self.norms
        )
        self.gap[rows], self.server[self.open[rows]] = squared, labeled[found]
        return np.union1d(labeled, self.open[rows])

    def _look_up(self, words: Indices) -> None:
        """Find the open words that each of these will be nearest to, once it is labelled."""
        words = np.array([w for w in words.tolist() if w not in self.near], dtype=np.intp)
        pairs = [np.empty((0, 3))]
        search = References(self.embeddings[words])
        for start in range(0, len(self.open), search.block_rows):
            block = slice(start, start + search.block_rows)
            row, found = search.within_reach(self.rows[block], self.norms[block], self.gap[block])
            pairs.append(self._exactly(start + row, words[found]))
        of_all = np.concatenate(pairs)
        of_all = of_all[np.argsort(of_all[:, 1], kind="stable")]
        ends = np.searchsorted(of_all[:, 1], words[1:])
        for word, part in zip(words.tolist(), np.split(of_all, ends), strict=True):
            self.near[word] = part[:, 0].astype(np.intp), part[:, 2]

    def _exactly(self, row: Indices, word: Indices) -> NDArray[np.float64]:
        """Return row, word and squared distance of the pairs that are near enough, (m, 3)."""
        # Of words that are all alike, as those without a vector are, the lowest serves.
        served = (self.gap[row] == 0) & (self.server[self.open[row]] < word)
        row, word = row[~served], word[~served]
        squared = np.empty(len(row))
        for start in range(0, len(row), _PAIRS):
            part = slice(start, start + _PAIRS)
            difference = self.rows[row[part]].astype(np.float64) - self.embeddings[word[part]]
            squared[part] = (difference**2).sum(axis=1)
        near = squared <= self.gap[row]
        return np.column_stack([row[near], word[near], squared[near]])

    def _answer(self, word: int) -> Indices:
        """Let the word stand in where it is nearest; return for which words."""
        rows, squared = self.near.pop(word)
        # Gaps may have fallen since it was looked up.
        lower = (squared == self.gap[rows]) & (word < self.server[self.open[rows]])
        nearer = (squared < self.gap[rows]) | lower
        rows, squared = rows[nearer], squared[nearer]
        self.gap[rows], self.server[self.open[rows]] = squared, word
        return self.open[rows]
