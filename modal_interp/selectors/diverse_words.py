"""Greedy choice of the samples whose words differ most from the same words elsewhere."""

from __future__ import annotations

import heapq
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from modal_interp.selectors.nearest import Indices, lengths, nearest_with_key
from modal_interp.selectors.stand_ins import StandIns

# Samples at the top of the heap, whose words will probably be labelled next.
_SOON = 32
# Samples of words with values: words (W,), values (W, A), offsets (n + 1,).
Occurrences: TypeAlias = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]


def diverse_words(
    pool: Occurrences, labeled: Occurrences, embeddings: NDArray[np.floating[Any]], n: int
) -> tuple[Indices, NDArray[np.float64]]:
    r"""Choose n samples, each time the one with the word of most diverse value.

    .. math::

        D(x_i) = \max_j \min_{(m, w) \in L:\, x_{mw} = N(x_{ij})} \lVert v_{ij} - v_{mw} \rVert

    where :math:`N(x)` is the word x itself if L holds it, else the word of L with the nearest
    embedding. The sample with the largest D moves into L, and so on.

    Parameters
    ----------
    pool, labeled : tuple of (words, values, offsets)
        ``words`` (W,) are ids, ``values`` (W, A) belong to them, and sample i has the words from
        ``offsets[i]`` up to ``offsets[i + 1]``.
    embeddings : ndarray of shape (V, D)
        A row for each word id.
    n : int
        How many samples to choose, at most as many as the pool holds.

    Returns
    -------
    chosen : ndarray of shape (n,)
        Samples of the pool in the order of choice; of equally diverse ones the lowest index.
    diversity : ndarray of shape (n,), float64
        D of each when it was chosen: infinite while no labelled sample has a word, minus infinity
        for samples without words, which come last.

    Raises
    ------
    ValueError
        If n is not between 1 and the number of samples.

    Notes
    -----
    ALDEN equations 6 to 10. Of equally near stand-ins the lowest word id answers.

    Departs from the paper: ``values`` may have several components; ties, samples without words and
    a labelled set without words, which the paper leaves open, are as said above.

    The distance of each word is found once, by sorting or a tree, and kept up to date: a chosen
    sample can bring nearer only what its own words answer for. So an old D is an upper bound of
    the new one, and samples are looked at again only when their bound is the largest. The
    exception are words for which a newly labelled word becomes the stand-in: their distance can
    rise, and the bounds of their samples with it.
    """
    if not 1 <= n < len(pool[2]):
        raise ValueError(f"n must lie between 1 and {len(pool[2]) - 1} samples; found {n}.")
    coverage = _Coverage(pool, labeled, embeddings)
    bounds = coverage.diversities()
    heap = [(-bound, i) for i, bound in enumerate(bounds.tolist())]
    heapq.heapify(heap)
    chosen, diversity = np.empty(n, dtype=np.intp), np.empty(n)
    for k in range(n):
        chosen[k] = i = _most_diverse(heap, bounds, coverage)
        diversity[k] = bounds[i]
        if k == n - 1:
            break  # nothing is chosen by what this sample would change
        bounds[i] = np.nan  # out of the pool: equal to no entry of the heap
        for risen in coverage.label(i, bounds, soon=[next_ for _, next_ in heap[:_SOON]]):
            heapq.heappush(heap, (-bounds[risen], risen))
    return chosen, diversity


def _most_diverse(
    heap: list[tuple[float, int]], bounds: NDArray[np.float64], coverage: _Coverage
) -> int:
    """Return the sample of largest D, the lowest of equal ones; its bound is then its D."""
    while True:
        bound, i = heapq.heappop(heap)
        if -bound != bounds[i]:
            continue  # chosen already, or pushed again with another bound
        bounds[i] = coverage.diversity(i)
        if -bound == bounds[i]:
            return i
        heapq.heappush(heap, (-bounds[i], i))


class _Coverage:
    """How near the labelled samples come to each word of the pool.

    The occurrences of the pool's words are kept sorted by word, so that those of one word lie
    together. A word is answered for by its server: itself where it is labelled, else its stand-in.
    """

    def __init__(
        self, pool: Occurrences, labeled: Occurrences, embeddings: NDArray[np.floating[Any]]
    ) -> None:
        words, values, self.offsets = pool
        labeled_words, labeled_values, _ = labeled
        code, n_words = _codes(len(embeddings), words, labeled_words)
        self.word = code[words]
        order, self.sample, self.starts = _sorted_by_word(self.word, self.offsets, n_words)
        self.place = np.empty_like(order)
        self.place[order] = np.arange(len(order))
        # Component by component.
        self.values = np.ascontiguousarray(values[order].T)

        labeled_codes = code[labeled_words]
        rows = embeddings[np.flatnonzero(code >= 0)]
        rows = rows if rows.dtype.kind == "f" else rows.astype(np.float64)
        self.words = StandIns(rows, np.bincount(labeled_codes, minlength=n_words) > 0)
        self.nearest = nearest_with_key(
            np.repeat(self.words.server.astype(np.int32), np.diff(self.starts)),
            self.values,
            labeled_codes,
            np.ascontiguousarray(labeled_values.T),
        )

    def diversities(self) -> NDArray[np.float64]:
        """Return D of each sample."""
        bounds = np.full(len(self.offsets) - 1, -np.inf)
        np.maximum.at(bounds, self.sample, self.nearest)
        return bounds

    def diversity(self, i: int) -> float:
        """Return D of sample i."""
        return self.nearest[self._places(i)].max(initial=-np.inf)

    def label(self, i: int, bounds: NDArray[np.float64], soon: list[int]) -> Indices:
        """Move sample i into the labelled ones; raise `bounds`, and return whose were raised.

        `soon` are samples that will probably follow.
        """
        words, which = np.unique(self._words([i]), return_inverse=True)
        anew = self._occurrences(self.words.label(words, partial(self._words, soon)))
        self.nearest[anew] = np.inf
        self._bring_nearer(words, which, self._vectors(self._places(i)))
        return self._raise_bounds(anew, bounds)

    def _places(self, i: int) -> Indices:
        return self.place[self.offsets[i] : self.offsets[i + 1]]

    def _words(self, samples: list[int]) -> Indices:
        """Return the words of these samples."""
        return np.concatenate([self.word[self.offsets[i] : self.offsets[i + 1]] for i in samples])

    def _bring_nearer(self, words: Indices, which: Indices, vectors: NDArray[np.float64]) -> None:
        """Let the vectors (A, v) answer wherever the word that each belongs to is the server."""
        rank = np.full(len(self.words.server), -1)
        rank[words] = np.arange(len(words))
        rank = rank[self.words.server]
        served = np.flatnonzero(rank >= 0)
        places, owner = self._occurrences(served), np.repeat(rank[served], self._counts(served))
        values, nearest = self._vectors(places), self.nearest[places]
        # Words that the sample repeats have further vectors; the others go round theirs.
        by_word = np.argsort(which, kind="stable")
        counts = np.bincount(which)
        first = np.cumsum(counts) - counts
        for turn in range(counts.max(initial=0)):
            vector = vectors[:, by_word[first + turn % counts]]
            nearest = np.minimum(nearest, lengths(values - vector[:, owner]))
        self.nearest[places] = nearest

    def _vectors(self, places: Indices) -> NDArray[np.float64]:
        """Return values in double precision, in which differences of float32 are exact."""
        return self.values[:, places].astype(np.float64)

    def _counts(self, words: Indices) -> Indices:
        return self.starts[words + 1] - self.starts[words]

    def _occurrences(self, words: Indices) -> Indices:
        """Return where the occurrences of all of these words lie."""
        counts = self._counts(words)
        return np.arange(counts.sum()) + np.repeat(
            self.starts[words] - counts.cumsum() + counts, counts
        )

    def _raise_bounds(self, occurrences: Indices, bounds: NDArray[np.float64]) -> Indices:
        """Raise the bounds of the samples with these occurrences; NaN marks the chosen ones."""
        occurrences = occurrences[~np.isnan(bounds[self.sample[occurrences]])]
        samples = self.sample[occurrences]
        before = bounds[samples]
        np.maximum.at(bounds, samples, self.nearest[occurrences])
        return np.unique(samples[bounds[samples] > before])


def _codes(n_ids: int, *words: NDArray[Any]) -> tuple[NDArray[np.int32], int]:
    """Return a number for each word that occurs, -1 for others, and how many occur."""
    present = np.zeros(n_ids, dtype=bool)
    for ids in words:
        present[ids] = True
    code = np.where(present, np.cumsum(present) - 1, -1)
    return code.astype(np.int32), int(present.sum())


def _sorted_by_word(word: NDArray[np.int32], offsets: Indices, n_words: int) -> tuple[Any, ...]:
    """Sort occurrences by word; return the order, the sample of each, and where words start."""
    shape = (len(offsets) - 1, n_words)
    # As the columns of a matrix of samples and words, which scipy counts instead of comparing.
    entries = np.arange(len(word), dtype=np.int32 if len(word) < 2**31 else np.int64)
    by_word = csr_array((entries, word, offsets), shape=shape).tocsc()
    return by_word.data, by_word.indices, by_word.indptr
