"""Exact nearest neighbours, for many queries at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from modal_interp._out_of_core import BLOCK, ranges

Floats = NDArray[np.floating[Any]]
Indices = NDArray[np.intp]

# Beyond this the squares of single precision overflow.
LARGEST_SINGLE = 1e15
# Entries of one block of a distance matrix: 4 MB of float32, which stay in the processor's cache.
_BLOCK = 1 << 20
# So few references are not worth a search for equal ones.
_FEW = 64


class References:
    """Points to choose the nearest from, laid out so that one product compares them with others.

    Parameters
    ----------
    points : ndarray of shape (r, D), r >= 1
        The references; what they are compared with must be of like precision. It may be lower
        than that of the points which they stand for.
    """

    def __init__(self, points: Floats) -> None:
        norms = squared_norms(points)
        self.error = rounding(points)
        self.margin = self.error * norms + smallest(points)
        self.factor = np.column_stack([-2 * points, norms + self.margin])
        self.block_rows = max(1, _BLOCK // len(points))

    def candidates(
        self, queries: Floats, norms: Floats, within: NDArray[np.float64]
    ) -> tuple[Indices, Indices]:
        """Return the pairs (query, reference) that may be nearest and within reach.

        `norms` are the squared lengths of the queries, `within` the squared distances that they
        can reach.
        """
        highest = self._highest(queries)
        own: Any = self.error * norms
        limit = np.minimum(highest.min(axis=0) + own, within - norms) + own
        return self._below(highest, limit)

    def within_reach(
        self, queries: Floats, norms: Floats, within: NDArray[np.float64]
    ) -> tuple[Indices, Indices]:
        """Return all pairs (query, reference) that may be within reach."""
        return self._below(self._highest(queries), within - norms + self.error * norms)

    def _highest(self, queries: Floats) -> Floats:
        """Return upper bounds of the squared distances (r, q), without the query's own norm."""
        ones: Any = np.ones((len(queries), 1), dtype=queries.dtype)
        return self.factor @ np.hstack([queries, ones]).T

    def _below(self, highest: Floats, limit: NDArray[np.float64]) -> tuple[Indices, Indices]:
        """Return the pairs whose lower bounds do not lie above their query's limit."""
        # Rounded up to the precision of the product; then the few that are left, one by one.
        widest = (limit + 2 * self.margin.max()).astype(highest.dtype)
        near = np.flatnonzero(highest <= np.nextafter(widest, np.inf))
        found, row = np.divmod(near, highest.shape[1])
        near = highest.ravel()[near] - 2 * self.margin[found] <= limit[row]
        return row[near], found[near]


def rounding(points: Floats) -> float:
    """Return how far off |q|^2 - 2 <q, r> + |r|^2 can be, as a share of |q|^2 + |r|^2.

    It is below (D + 6) eps (|q| + |r|)^2, the rounding of the points themselves included, and
    (a + b)^2 <= 2 (a^2 + b^2). Twice that, for the sums that it is used in.
    """
    return 4 * (points.shape[1] + 6) * float(np.finfo(points.dtype).eps)


def smallest(points: Floats) -> float:
    """Return how far off it can be where squares underflow."""
    return 4 * (points.shape[1] + 6) * float(np.finfo(points.dtype).tiny)


def squared_norms(points: Floats) -> Floats:
    """Return the squared length of each row."""
    return np.einsum("nd,nd->n", points, points)


def nearest_rows(
    queries: Floats,
    references: Floats,
    within: NDArray[np.float64] | None = None,
    norms: Floats | None = None,
) -> tuple[Indices, Indices, NDArray[np.float64]]:
    """Find the nearest reference of each query, of those that have one within reach.

    Parameters
    ----------
    queries : ndarray of shape (q, D)
        Points to look up.
    references : ndarray of shape (r, D), r >= 1
        Points to choose from.
    within : ndarray of shape (q,), optional
        The squared distance that each query can reach. Without it all have a nearest reference.
    norms : ndarray of shape (q,), optional
        The squared lengths of the queries, for those who ask with the same queries again.

    Returns
    -------
    rows : ndarray of shape (m,)
        The queries with a reference within reach, in rising order.
    nearest : ndarray of shape (m,)
        Their nearest references; of equally near ones the lowest.
    squared : ndarray of shape (m,), float64
        Squared Euclidean distances, from the differences in double precision.

    Notes
    -----
    A matrix product in the precision of the input finds the few pairs that can be nearest, its
    rounding error allowed for. Only they are compared exactly.
    """
    within = np.full(len(queries), np.inf) if within is None else within
    norms = squared_norms(queries) if norms is None else norms
    lowest = _lowest_of_equal(references)
    search = References(references[lowest])
    parts = []
    for start in range(0, max(1, len(queries)), search.block_rows):
        block = slice(start, start + search.block_rows)
        rows, found = search.candidates(queries[block], norms[block], within[block])
        difference = queries[start + rows].astype(np.float64) - references[lowest[found]]
        squared = (difference**2).sum(axis=1)
        order = np.lexsort((found, squared, rows))
        order = order[squared[order] <= within[start + rows[order]]]
        nearest = order[np.diff(rows[order], prepend=-1) > 0]  # the first of each row
        parts.append((start + rows[nearest], found[nearest], squared[nearest]))
    rows, nearest, squared = (np.concatenate(part) for part in zip(*parts, strict=True))
    return rows, lowest[nearest], squared


def _lowest_of_equal(references: Floats) -> Indices:
    """Return the lowest of equal references; of a few, all of them.

    Thousands of equal ones (words without a vector, say) would all be candidates.
    """
    if len(references) <= _FEW:
        return np.arange(len(references))
    return np.sort(np.unique(references, axis=0, return_index=True)[1])


def lengths(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Euclidean length of each column of `vectors` (A, m)."""
    if len(vectors) == 1:
        return np.abs(vectors[0])
    squared = vectors * vectors
    # Component by component: the same sum to the last bit however many columns there are. Of one
    # column alone NumPy would add in pairs.
    if squared.shape[1] == 1:
        return np.sqrt(np.repeat(squared, 2, axis=1).sum(axis=0)[:1])
    return np.sqrt(squared.sum(axis=0))


def nearest_with_key(
    keys: NDArray[Any],
    starts: Indices,
    values: Floats,
    reference_keys: NDArray[Any],
    references: Floats,
    distances: NDArray[np.float64],
) -> None:
    """Find the distance of each value to the nearest reference that has the same key.

    Parameters
    ----------
    keys : ndarray of shape (k,)
        Keys of the values.
    starts : ndarray of shape (k + 1,)
        The values from ``starts[i]`` up to ``starts[i + 1]`` have the key ``keys[i]``.
    values : ndarray of shape (A, m)
        One column a value.
    reference_keys : ndarray of shape (r,)
        Keys of the references.
    references : ndarray of shape (A, r)
        One column a reference.
    distances : ndarray of shape (m,), float64
        Filled with the Euclidean distances; infinite where no reference has the key.
    """
    if not len(reference_keys) or not len(distances):
        distances.fill(np.inf)
        return
    references = references.astype(np.float64)
    find = _Sorted if len(values) == 1 else _Tree
    search = find(reference_keys, references, reach=np.maximum(values.max(), -values.min()))
    for block, _, which in ranges(starts[:-1], starts[1:], BLOCK // len(values)):
        distances[block] = search.nearest(keys[which], values[:, block].astype(np.float64))


class _Sorted:
    """References of one component, sorted by key and value."""

    def __init__(self, keys: NDArray[Any], references: NDArray[np.float64], reach: float) -> None:
        order = np.lexsort((references[0], keys))
        self.values = references[0, order]
        self.starts = np.searchsorted(keys[order], np.arange(keys.max() + 2))

    def nearest(self, keys: NDArray[Any], values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the distance of each value (1, m) to the nearest reference of its key."""
        value = values[0]
        known = np.clip(keys, 0, len(self.starts) - 2)
        start, end = self.starts[known], self.starts[known + 1]
        end = np.where(keys == known, end, start)
        place = self._first_not_below(value, start, end)
        last = len(self.values) - 1
        after = np.where(place < end, self.values[np.minimum(place, last)], np.inf)
        before = np.where(place > start, self.values[np.maximum(place - 1, 0)], -np.inf)
        return np.minimum(after - value, value - before)

    def _first_not_below(self, value: NDArray[np.float64], start: Indices, end: Indices) -> Indices:
        """Return by bisection, of all values at once, where in its key each would be put."""
        low, high = start.copy(), end.copy()
        for _ in range(int((end - start).max(initial=0)).bit_length()):
            middle = (low + high) // 2
            below = (middle < high) & (
                self.values[np.minimum(middle, len(self.values) - 1)] < value
            )
            low = np.where(below, middle + 1, low)
            high = np.where(below, high, middle)
        return low


class _Tree:
    """References of several components, and their key as one more."""

    def __init__(self, keys: NDArray[Any], references: NDArray[np.float64], reach: float) -> None:
        self.keys, self.references = keys, references
        # Set so far apart that another key is never nearer.
        self.spread = 1.0 + 2.0 * np.sqrt(len(references)) * max(reach, np.abs(references).max())
        self.tree = cKDTree(np.vstack([keys * self.spread, references]).T)

    def nearest(self, keys: NDArray[Any], values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the distance of each value (A, m) to the nearest reference of its key."""
        distances = np.full(len(keys), np.inf)
        asked = np.isin(keys, self.keys)
        if not asked.any():
            return distances
        # The two nearest by the tree, because its rounding is not that of `lengths`.
        nth = range(1, min(2, len(self.keys)) + 1)
        points = np.vstack([keys * self.spread, values])[:, asked].T
        _, found = self.tree.query(points, k=nth, workers=-1)
        for near in found.T:
            exact = lengths(values[:, asked] - self.references[:, near])
            exact[self.keys[near] != keys[asked]] = np.inf
            distances[asked] = np.minimum(distances[asked], exact)
        return distances
