"""Greedy choice of the samples whose words differ most from the same words elsewhere."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from modal_interp._out_of_core import BLOCK, empty_for, ranges
from modal_interp.selectors.farthest_first import checked_points
from modal_interp.selectors.nearest import LARGEST_SINGLE, Indices, lengths, nearest_with_key
from modal_interp.selectors.occurrences import (
    Occurrences,
    checked_occurrences,
    numbers_of_words,
    some_samples,
    sorted_by_word,
)
from modal_interp.selectors.stand_ins import StandIns
from modal_interp.selectors.top_k import checked_count

Rows: TypeAlias = NDArray[np.floating[Any]]
# Samples at the top of the heap, whose words will probably be labelled next.
_SOON = 32
# Words that are brought nearer together: a few arrays of 256 KB, which stay in the processor's
# cache.
_NEARER = 1 << 14
# Occurrences of a word that are worth a turn of their own.
_OFTEN = 1 << 10


def diverse_words(
    pool: Occurrences, labeled: Occurrences, embeddings: Rows | Callable[[Indices], Rows], n: int
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
    embeddings : ndarray of shape (V, D), or callable
        A row for each word id; or what gives the rows of some ids (v,): it is called once, with
        those that occur, in rising order.
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
    TypeError, ValueError
        If n is not a whole number between 1 and the number of samples, or an array is not as
        described above; numbers must be finite.
    OSError
        If there is no room for temporary files.

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

    Where the pool and what is held of its words take more than scikit-learn's ``working_memory``
    (1 GiB, unless set by :func:`sklearn.set_config`), the latter lies in temporary files, in the
    folder that ``TMPDIR`` names, and the choice is the same. `pool` may be mapped to files too.
    """
    if not callable(embeddings):
        embeddings = checked_points(embeddings, "embeddings")
    n_ids = None if callable(embeddings) else len(embeddings)
    pool = checked_occurrences(pool, n_ids, "pool")
    labeled = checked_occurrences(labeled, n_ids, "labeled")
    if pool[1].shape[1] != labeled[1].shape[1]:
        raise ValueError(
            "the values of pool and labeled must have equally many columns; found "
            f"{pool[1].shape[1]} and {labeled[1].shape[1]}."
        )
    n = checked_count(n, len(pool[2]) - 1, param="n")
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
        self,
        pool: Occurrences,
        labeled: Occurrences,
        embeddings: Rows | Callable[[Indices], Rows],
    ) -> None:
        labeled_words, labeled_values, _ = labeled
        self.pool = pool
        self.code, self.starts = numbers_of_words(pool[0], labeled_words)
        self.place, self.sample, self.values, self.nearest = _arrays_for(pool)
        self._sort()

        labeled_codes = self.code[labeled_words]
        n_words = len(self.starts) - 1
        rows = _rows_of(embeddings, np.flatnonzero(self.code >= 0))
        single = rows.dtype == np.float32 and np.abs(rows).max(initial=0) < LARGEST_SINGLE
        rows = rows if single else rows.astype(np.float64)
        self.words = StandIns(rows, np.bincount(labeled_codes, minlength=n_words) > 0)
        nearest_with_key(
            self.words.server.astype(np.int32),
            self.starts,
            self.values,
            labeled_codes,
            np.ascontiguousarray(labeled_values.T),
            self.nearest,
        )

    def _sort(self) -> None:
        """Put the occurrences in the order of their words, some samples after the others."""
        words, values, offsets = self.pool
        following = self.starts[:-1].copy()
        for first, last in some_samples(offsets, max(BLOCK, len(following))):
            here = slice(offsets[first], offsets[last])
            order, samples, starts = sorted_by_word(
                self.code[words[here]], offsets[first : last + 1] - here.start, len(following)
            )
            counts = np.diff(starts)
            places = np.arange(len(order)) + np.repeat(following - starts[:-1], counts)
            self.place[here][order] = places
            self.sample[places] = samples + first
            for of_component, values_here in zip(self.values, values[here].T, strict=True):
                of_component[places] = values_here[order]
            following += counts

    def diversities(self) -> NDArray[np.float64]:
        """Return D of each sample."""
        bounds = np.full(len(self.pool[2]) - 1, -np.inf)
        for start in range(0, len(self.sample), BLOCK):
            block = slice(start, start + BLOCK)
            np.maximum.at(bounds, self.sample[block], self.nearest[block])
        return bounds

    def diversity(self, i: int) -> float:
        """Return D of sample i."""
        return self.nearest[self._places(i)].max(initial=-np.inf)

    def label(self, i: int, bounds: NDArray[np.float64], soon: list[int]) -> Indices:
        """Move sample i into the labelled ones; raise `bounds`, and return whose were raised.

        `soon` are samples that will probably follow.
        """
        words, which = np.unique(self._words([i]), return_inverse=True)
        vectors = _one_a_word(self._vectors(self._places(i)), which)
        changed = self.words.label(words, partial(self._words, soon))
        rank = np.full(len(self.words.server), -1)
        rank[words] = np.arange(len(words))
        rank = rank[self.words.server]  # which of these words answers for each word, if any
        served = np.flatnonzero(rank >= 0)
        is_new = np.isin(served, changed)
        for places, owner in self._occurrences(served[~is_new], rank):
            distances = self._distances(places, owner, vectors)
            self.nearest[places] = np.minimum(self.nearest[places], distances)
        raised = [np.empty(0, dtype=np.intp)]
        for places, owner in self._occurrences(served[is_new], rank):
            self.nearest[places] = self._distances(places, owner, vectors)
            raised.append(self._raise_bounds(places, bounds))
        return np.unique(np.concatenate(raised))

    def _places(self, i: int) -> Indices:
        offsets = self.pool[2]
        return self.place[offsets[i] : offsets[i + 1]]

    def _words(self, samples: list[int]) -> Indices:
        """Return the words of these samples."""
        words, _, offsets = self.pool
        return self.code[np.concatenate([words[offsets[i] : offsets[i + 1]] for i in samples])]

    def _distances(
        self, places: Any, owner: Indices, vectors: list[NDArray[np.float64]]
    ) -> NDArray[np.float64]:
        """Return the distance of each value to the nearest of its owner's vectors."""
        values = self._vectors(places)
        nearest = lengths(values - vectors[0][:, owner])
        for others in vectors[1:]:
            nearest = np.minimum(nearest, lengths(values - others[:, owner]))
        return nearest

    def _vectors(self, places: Any) -> NDArray[np.float64]:
        """Return values in double precision, in which differences of float32 are exact."""
        return self.values[:, places].astype(np.float64)

    def _occurrences(self, words: Indices, rank: Indices) -> Iterator[tuple[Any, Indices]]:
        """Yield where the occurrences of these words lie and the rank of each, in blocks."""
        starts, ends, size = self.starts[words], self.starts[words + 1], _NEARER // len(self.values)
        often = ends - starts >= _OFTEN
        # Those of one word lie side by side: of a frequent one they need not be picked.
        for word in words[often].tolist():
            end = self.starts[word + 1]
            for start in range(self.starts[word], end, size):
                yield slice(start, min(start + size, end)), rank[word : word + 1]
        ranks = rank[words[~often]]
        for _, places, which in ranges(starts[~often], ends[~often], size):
            yield places, ranks[which]

    def _raise_bounds(self, places: Any, bounds: NDArray[np.float64]) -> Indices:
        """Raise the bounds of the samples with these occurrences; NaN marks the chosen ones."""
        samples = self.sample[places]
        before = bounds[samples]
        asked = ~np.isnan(before)
        samples, before = samples[asked], before[asked]
        np.maximum.at(bounds, samples, self.nearest[places][asked])
        return samples[bounds[samples] > before]


def _rows_of(embeddings: Rows | Callable[[Indices], Rows], words: Indices) -> Rows:
    if not callable(embeddings):
        return embeddings[words]
    rows = embeddings(words)
    return checked_points(rows, "embeddings") if len(words) else rows


def _one_a_word(vectors: NDArray[np.float64], which: Indices) -> list[NDArray[np.float64]]:
    """Return vectors (A, v) in turns of one a word; `which` is the word that each belongs to."""
    # Words that the sample repeats have further vectors; the others go round theirs.
    by_word = np.argsort(which, kind="stable")
    counts = np.bincount(which)
    first = np.cumsum(counts) - counts
    return [vectors[:, by_word[first + turn % counts]] for turn in range(counts.max(initial=0))]


def _arrays_for(pool: Occurrences) -> tuple[NDArray[Any], ...]:
    """Return arrays to be filled for the words of a pool: place, sample, value, distance."""
    words, values, _ = pool
    m, n_components = values.shape
    place = np.dtype(np.int32 if m < 2**31 else np.int64)
    own = place.itemsize + 4 + n_components * values.itemsize + 8
    empty = empty_for(words.nbytes + values.nbytes + m * own)
    return (
        empty(m, place),
        empty(m, np.int32),
        empty((n_components, m), values.dtype),
        empty(m, np.float64),
    )
