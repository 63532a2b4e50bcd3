"""Samples that are read where they lie: stacked, picked and told apart without a copy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.intp]

# Rows that are looked at together, and their bytes at most: texts of 64 words.
_ROWS, _BYTES = 1 << 12, 1 << 21


class Samples:
    """Rows of arrays, one array below the other, of which none is copied.

    Parameters
    ----------
    arrays : list of ndarray of shape (n_k, ...)
        Alike in all but their length and their precision; in memory, or mapped to a file.
    rows : ndarray of shape (m,), optional
        Which of their rows, counted through all arrays. Without them, all.
    """

    def __init__(self, arrays: list[NDArray[Any]], rows: Rows | None = None) -> None:
        self.arrays, self.rows = arrays, rows
        self.ends = np.cumsum([len(array) for array in arrays])
        self.dtype = np.result_type(*arrays)
        self.ndim = arrays[0].ndim
        self.shape = (len(self), *arrays[0].shape[1:])

    def __len__(self) -> int:
        return int(self.ends[-1]) if self.rows is None else len(self.rows)

    def __getitem__(self, rows: Rows) -> NDArray[Any]:
        """Return a copy of these rows."""
        rows = rows if self.rows is None else self.rows[rows]
        if len(self.arrays) == 1:
            return np.asarray(self.arrays[0][rows])
        found = np.empty((len(rows), *self.shape[1:]), dtype=self.dtype)
        array_of = np.searchsorted(self.ends, rows, side="right")
        for number in np.unique(array_of):
            here = array_of == number
            array = self.arrays[number]
            found[here] = array[rows[here] - (self.ends[number] - len(array))]
        return found

    def pick(self, rows: Rows) -> Samples:
        """Return some of these samples."""
        return Samples(self.arrays, rows if self.rows is None else self.rows[rows])


def rows_at_once(X: Any) -> int:
    """Return how many rows of an array to look at together, however long they are."""
    return min(_ROWS, max(1, _BYTES // max(1, int(np.prod(X.shape[1:])) * X.dtype.itemsize)))


def stacked(parts: list[Any]) -> Any:
    """Return all samples of some collections, or None where these are not arrays alike.

    Of dicts of arrays a dict, in which they are copied.
    """
    if all(isinstance(part, dict) for part in parts):
        named = {key: stacked([part.get(key) for part in parts]) for key in parts[0]}
        known = all(part.keys() == parts[0].keys() for part in parts)
        if not known or any(found is None for found in named.values()):
            return None
        return {key: found[np.arange(len(found))] for key, found in named.items()}
    if not all(isinstance(part, np.ndarray) for part in parts):
        return None
    alike = len({(part.shape[1:], part.dtype.kind) for part in parts}) == 1
    return Samples(parts) if alike else None


def distinct_rows(X: Any) -> tuple[Any, Any]:
    """Return the rows of `X` once each, and which of them each sample is.

    What is computed of them once is equal for equal samples to the last bit; in a batch, rounding
    follows a sample's place. What is no plain array, nor a dict of these, is returned as it is.
    """
    if isinstance(X, dict) and all(isinstance(part, np.ndarray) for part in X.values()):
        return _distinct_by_name(X)
    if not isinstance(X, np.ndarray | Samples) or X.dtype.kind not in "iufb" or 0 in X.shape:
        return X, slice(None)
    samples = X if isinstance(X, Samples) else Samples([X])
    first, sample_of = _by_content(samples)
    if len(first) == len(samples):
        return X, slice(None)
    return samples.pick(first), sample_of


def _distinct_by_name(X: dict[str, NDArray[Any]]) -> tuple[Any, Any]:
    """Return the samples of a dict of arrays once each: those equal in all of these."""
    of_parts = [distinct_rows(part)[1] for part in X.values()]
    if any(isinstance(sample_of, slice) for sample_of in of_parts):
        return X, slice(None)  # one tells all apart, or cannot be compared
    sample_of = distinct_rows(np.column_stack(of_parts))[1]
    if isinstance(sample_of, slice):
        return X, slice(None)
    first = np.unique(sample_of, return_index=True)[1]
    return {key: part[first] for key, part in X.items()}, sample_of


def _by_content(samples: Samples) -> tuple[Rows, Rows]:
    """Return the first of equal rows, in their order, and which of these each row equals."""
    keys = np.concatenate([_hashes(rows) for _, rows in _bytes(samples)])
    _, first, group = np.unique(keys, return_index=True, return_inverse=True)
    if len(first) < len(keys) and not _are_equal(samples, first[group.reshape(-1)]):
        whole = np.concatenate([rows for _, rows in _bytes(samples)])  # different rows of one hash
        keys = whole.view(f"V{whole.itemsize * whole.shape[1]}").ravel()
        _, first, group = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return first[order], rank[group.reshape(-1)]


def _bytes(samples: Samples) -> Iterator[tuple[Rows, NDArray[np.uint64]]]:
    """Yield numbers of rows and what they hold, (b, w): equal where the rows are."""
    at_once = rows_at_once(samples)
    for start in range(0, len(samples), at_once):
        numbers = np.arange(start, min(start + at_once, len(samples)))
        yield numbers, _as_words(samples[numbers])


def _as_words(block: NDArray[Any]) -> NDArray[np.uint64]:
    block = block.reshape(len(block), -1)
    block = block + 0.0 if block.dtype.kind == "f" else block  # both zeros are one
    held = np.ascontiguousarray(block).view(np.uint8)
    padded = np.zeros((len(block), -(-held.shape[1] // 8) * 8), dtype=np.uint8)
    padded[:, : held.shape[1]] = held
    return padded.view(np.uint64)


def _hashes(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return a number of each row: that of equal rows is equal, of others it hardly ever is."""
    factors = np.random.RandomState(0).randint(0, 2**63, words.shape[1], dtype=np.uint64)
    mixed = (words ^ (words >> np.uint64(32))) * np.uint64(0x9E3779B97F4A7C15)
    return (mixed ^ (mixed >> np.uint64(29))) @ (2 * factors + 1)


def _are_equal(samples: Samples, others: Rows) -> bool:
    """Tell whether each row equals the other one that is named for it."""
    named = np.flatnonzero(others != np.arange(len(others)))
    at_once = rows_at_once(samples)
    blocks = (named[start : start + at_once] for start in range(0, len(named), at_once))
    return all(
        np.array_equal(_as_words(samples[rows]), _as_words(samples[others[rows]]))
        for rows in blocks
    )
