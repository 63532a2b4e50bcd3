"""Greedy choice of the samples whose words differ most from the same words elsewhere."""

from __future__ import annotations

import heapq
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from modal_interp.selectors.nearest import distance_to, nearest_rows, nearest_with_key

Indices = NDArray[np.intp]
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
        for risen in coverage.label(i, bounds):
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
        self.vocabulary, codes = np.unique(
            np.concatenate([words, labeled_words]), return_inverse=True
        )
        codes, labeled_codes = codes[: len(words)], codes[len(words) :]
        rows = embeddings[self.vocabulary]
        self.embeddings = rows if rows.dtype.kind == "f" else rows.astype(np.float64)

        order = np.argsort(codes, kind="stable")
        self.place = np.empty(len(order), dtype=np.intp)
        self.place[order] = np.arange(len(order))
        self.word = codes[order]
        self.sample = np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))[order]
        # Component by component, in double precision: differences of float32 are then exact.
        self.values = np.ascontiguousarray(values.T[:, order], dtype=np.float64)
        self.starts = np.searchsorted(self.word, np.arange(len(self.vocabulary) + 1))

        self.is_labeled = np.zeros(len(self.vocabulary), dtype=bool)
        self.server = np.full(len(self.vocabulary), -1)
        self.gap = np.full(len(self.vocabulary), np.inf)
        self._serve(np.unique(labeled_codes))
        self.nearest = nearest_with_key(
            self.server[self.word],
            self.values,
            labeled_codes,
            np.ascontiguousarray(labeled_values.T, dtype=np.float64),
        )

    def diversities(self) -> NDArray[np.float64]:
        """Return D of each sample."""
        bounds = np.full(len(self.offsets) - 1, -np.inf)
        np.maximum.at(bounds, self.sample, self.nearest)
        return bounds

    def diversity(self, i: int) -> float:
        """Return D of sample i."""
        return self.nearest[self._places(i)].max(initial=-np.inf)

    def label(self, i: int, bounds: NDArray[np.float64]) -> Indices:
        """Move sample i into the labelled ones; raise `bounds`, and return whose were raised."""
        places = self._places(i)
        words = self.word[places]
        served_anew = self._serve(np.unique(words[~self.is_labeled[words]]))
        anew = self._occurrences(served_anew)
        self.nearest[anew] = np.inf
        for word in np.unique(words):
            vectors = self.values[:, places[words == word]].T
            self._bring_nearer(slice(self.starts[word], self.starts[word + 1]), vectors)
        self._bring_followers_nearer(places, words)
        return self._raise_bounds(anew, bounds)

    def _places(self, i: int) -> Indices:
        return self.place[self.offsets[i] : self.offsets[i + 1]]

    def _serve(self, new: Indices) -> Indices:
        """Label the words `new`; return the words with another server than before."""
        if not len(new):
            return new
        self.is_labeled[new] = True
        self.server[new] = new
        self.gap[new] = -1.0  # no other word is as near as the word itself
        rows, found, squared = nearest_rows(self.embeddings, self.embeddings[new], self.gap)
        candidate = new[found]
        nearer = (squared < self.gap[rows]) | (candidate < self.server[rows])
        rows = rows[nearer]
        self.server[rows], self.gap[rows] = candidate[nearer], squared[nearer]
        return np.concatenate([new, rows])

    def _bring_followers_nearer(self, places: Indices, words: Indices) -> None:
        """Let the words in `places` answer for the unlabelled words that they stand in for."""
        answers = np.zeros(len(self.vocabulary), dtype=bool)
        answers[words] = True
        followers = np.flatnonzero(~self.is_labeled & answers[self.server])
        followers = followers[np.argsort(self.server[followers], kind="stable")]
        for word in np.unique(self.server[followers]):
            vectors = self.values[:, places[words == word]].T
            group = followers[self.server[followers] == word]
            self._bring_nearer(self._occurrences(group), vectors)

    def _bring_nearer(self, occurrences: Any, vectors: NDArray[np.float64]) -> None:
        for vector in vectors:
            distance = distance_to(self.values[:, occurrences], vector)
            self.nearest[occurrences] = np.minimum(self.nearest[occurrences], distance)

    def _occurrences(self, words: Indices) -> Indices:
        """Return where the occurrences of all of these words lie."""
        starts, counts = self.starts[words], self.starts[words + 1] - self.starts[words]
        ends = np.cumsum(counts)
        return np.arange(counts.sum()) + np.repeat(starts - ends + counts, counts)

    def _raise_bounds(self, occurrences: Indices, bounds: NDArray[np.float64]) -> Indices:
        """Raise the bounds of the samples with these occurrences; NaN marks the chosen ones."""
        occurrences = occurrences[~np.isnan(bounds[self.sample[occurrences]])]
        samples = self.sample[occurrences]
        before = bounds[samples]
        np.maximum.at(bounds, samples, self.nearest[occurrences])
        return np.unique(samples[bounds[samples] > before])
