"""Exact nearest neighbours, for many queries at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Floats = NDArray[np.floating[Any]]
Indices = NDArray[np.intp]

# Entries of one block of the distance matrix: 64 MB of float32.
_BLOCK = 1 << 24


def nearest_rows(
    queries: Floats, references: Floats, within: NDArray[np.float64] | None = None
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
    # Of equal references the lowest alone: thousands of them (words without a vector, say) would
    # all be candidates.
    _, lowest = np.unique(references, axis=0, return_index=True)
    lowest.sort()
    references = references[lowest]
    norms = np.einsum("rd,rd->r", references, references)
    step = max(1, _BLOCK // len(references))
    parts = []
    for start in range(0, len(queries), step):
        block = slice(start, start + step)
        rows, found = candidates(queries[block], references, norms, within[block])
        rows += start
        difference = queries[rows].astype(np.float64) - references[found]
        squared = (difference**2).sum(axis=1)
        order = np.lexsort((found, squared, rows))
        order = order[squared[order] <= within[rows[order]]]
        rows, first = np.unique(rows[order], return_index=True)
        parts.append((rows, found[order[first]], squared[order[first]]))
    rows, nearest, squared = (np.concatenate(part) for part in zip(*parts, strict=True))
    return rows, lowest[nearest], squared


def candidates(
    block: Floats, references: Floats, reference_norms: Floats, within: NDArray[np.float64]
) -> tuple[Indices, Indices]:
    """Return the pairs (row of the block, reference) that may be nearest and within reach."""
    norms = np.einsum("qd,qd->q", block, block)
    # Without the query's own norm, which is the same for all references.
    squared = block @ references.T
    squared *= -2
    squared += reference_norms
    # |rounding error| <= (D + 4) eps (|q| + |r|)^2, and (a + b)^2 <= 2 (a^2 + b^2).
    bound = 4 * (block.shape[1] + 4) * np.finfo(squared.dtype).eps
    own, others = bound * norms, bound * reference_norms
    limit = np.minimum((squared + others).min(axis=1) + own, within - norms) + own
    squared -= others
    rows, found = np.nonzero(squared <= limit[:, None])
    return rows, found


def distance_to(values: NDArray[np.float64], vector: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Euclidean distance of each column of `values` (A, m) from `vector` (A,)."""
    if len(values) == 1:
        return np.abs(values[0] - vector[0])
    # Component by component: the same sum to the last bit however many columns there are.
    squared = np.zeros(values.shape[1])
    for component, coordinate in zip(values, vector, strict=True):
        squared += (component - coordinate) ** 2
    return np.sqrt(squared)


def nearest_with_key(
    keys: Indices,
    values: NDArray[np.float64],
    reference_keys: Indices,
    references: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the distance of each value to the nearest reference that has the same key.

    Parameters
    ----------
    keys : ndarray of shape (m,)
        Keys of the values.
    values : ndarray of shape (A, m), float64
        One column a value.
    reference_keys : ndarray of shape (r,)
        Keys of the references.
    references : ndarray of shape (A, r), float64
        One column a reference.

    Returns
    -------
    ndarray of shape (m,)
        Euclidean distances; infinite where no reference has the key.
    """
    if len(values) == 1:
        return _nearest_scalar(keys, values[0], reference_keys, references[0])
    distances = np.full(len(keys), np.inf)
    asked = np.isin(keys, reference_keys)
    if asked.any():
        # One more coordinate, the key, set so far apart that another key is never nearer.
        spread = 1.0 + 2.0 * np.sqrt(len(values)) * max(
            np.abs(values).max(), np.abs(references).max()
        )
        tree = cKDTree(np.vstack([reference_keys * spread, references]).T)
        # The two nearest by the tree, because its rounding is not that of distance_to.
        nth = range(1, min(2, len(reference_keys)) + 1)
        _, found = tree.query(np.vstack([keys * spread, values])[:, asked].T, k=nth, workers=-1)
        for near in found.T:
            exact = distance_to(values[:, asked] - references[:, near], np.zeros(len(values)))
            exact[reference_keys[near] != keys[asked]] = np.inf
            distances[asked] = np.minimum(distances[asked], exact)
    return distances


def _nearest_scalar(
    keys: Indices, values: Floats, reference_keys: Indices, references: Floats
) -> NDArray[np.float64]:
    """Sort values and references together; the nearest reference stands next before or after."""
    n = len(values)
    both_keys = np.concatenate([keys, reference_keys])
    both = np.concatenate([values, references])
    order = np.lexsort((both, both_keys))
    sorted_keys, sorted_values, is_reference = both_keys[order], both[order], order >= n
    place = np.arange(len(order))
    before = np.maximum.accumulate(np.where(is_reference, place, -1))
    after = np.minimum.accumulate(np.where(is_reference, place, len(order))[::-1])[::-1]
    distances = np.full(len(order), np.inf)
    for neighbour in (before, after):
        exists = (neighbour >= 0) & (neighbour < len(order))
        exists[exists] = sorted_keys[neighbour[exists]] == sorted_keys[exists]
        gap = np.abs(sorted_values[exists] - sorted_values[neighbour[exists]])
        distances[exists] = np.minimum(distances[exists], gap)
    result = np.empty(len(order))
    result[order] = distances
    return result[:n]
