"""Which labelled word answers for each word: itself, or the nearest by its embedding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modal_interp.selectors.nearest import Indices, References, nearest_rows, squared_norms


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
        labeled = np.flatnonzero(is_labeled)
        self.embeddings, self.is_labeled = embeddings, is_labeled.copy()
        self.server = np.where(is_labeled, np.arange(len(embeddings)), -1)
        # Words that need a stand-in, until they are labelled too.
        self.open = np.flatnonzero(~is_labeled)
        self.rows = embeddings[self.open]
        self.norms = squared_norms(self.rows)
        self.gap = np.full(len(self.open), np.inf)  # squared, to the stand-in
        # For words that will be labelled: the open words that each is near enough to answer for.
        self.near: dict[int, tuple[Indices, NDArray[np.float64]]] = {}
        if len(labeled) and len(self.open):
            _, found, self.gap = nearest_rows(self.rows, embeddings[labeled], norms=self.norms)
            self.server[self.open] = labeled[found]

    def label(self, words: Indices, soon: Callable[[], Indices]) -> Indices:
        """Label these words; return those that have another server than before.

        `soon` gives words that will probably be labelled next: looking for what these are near to
        together costs little more than for one.
        """
        words = words[~self.is_labeled[words]]
        if any(word not in self.near for word in words.tolist()):
            upcoming = soon()
            self._look_up(np.union1d(words, upcoming[~self.is_labeled[upcoming]]))
        self.is_labeled[words] = True
        self.server[words] = words
        self.gap[self.is_labeled[self.open]] = -1.0  # no other word is as near as the word itself
        changed = [words, *(self._answer(word) for word in words.tolist())]
        return np.unique(np.concatenate(changed))

    def _look_up(self, words: Indices) -> None:
        words = np.array([w for w in words.tolist() if w not in self.near], dtype=np.intp)
        search = References(self.embeddings[words])
        rows, found = search.within_reach(self.rows, self.norms, self.gap)
        difference = self.rows[rows].astype(np.float64) - self.embeddings[words[found]]
        squared = (difference**2).sum(axis=1)
        order = np.argsort(found, kind="stable")
        ends = np.searchsorted(found[order], np.arange(1, len(words)))
        for word, part in zip(words.tolist(), np.split(order, ends), strict=True):
            self.near[word] = rows[part], squared[part]

    def _answer(self, word: int) -> Indices:
        """Let the word stand in where it is nearest; return for which words."""
        rows, squared = self.near.pop(word)
        # Gaps may have fallen since it was looked up.
        lower = (squared == self.gap[rows]) & (word < self.server[self.open[rows]])
        nearer = (squared < self.gap[rows]) | lower
        rows, squared = rows[nearer], squared[nearer]
        self.gap[rows], self.server[self.open[rows]] = squared, word
        return self.open[rows]
