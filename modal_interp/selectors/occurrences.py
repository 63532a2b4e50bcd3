"""Words with values, sample by sample: checked, cut into parts, and sorted by word."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from modal_interp._out_of_core import BLOCK
from modal_interp.selectors.farthest_first import checked_points

# Samples of words with values: words (W,), values (W, A), offsets (n + 1,).
Occurrences: TypeAlias = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]


def checked_occurrences(given: Any, n_ids: int | None, param: str) -> Occurrences:
    """Return words, values and offsets as arrays; whole-numbered values in double precision.

    Without `n_ids` words may have any id.

    Raises
    ------
    ValueError
        Naming `param`, the rule and the value found.
    """
    words, values, offsets = (np.asarray(part) for part in given[:3])
    if words.ndim != 1 or words.dtype.kind not in "iu":
        raise ValueError(
            f"the words of {param} must be ids, whole numbers of shape (W,); found shape "
            f"{words.shape} of {words.dtype}."
        )
    top = np.iinfo(np.int64).max if n_ids is None else n_ids
    if len(words) and not 0 <= int(words.min()) <= int(words.max()) < top:
        found = int(words.max() if words.min() >= 0 else words.min())
        raise ValueError(
            f"the words of {param} must be rows of embeddings, from 0 to {top - 1}; found {found}."
        )
    if values.ndim != 2 or len(values) != len(words):
        raise ValueError(
            f"the values of {param} must have shape ({len(words)}, A), a row a word; found "
            f"{values.shape}."
        )
    if values.size:
        checked_points(values, f"the values of {param}")
    in_order = offsets.ndim == 1 and len(offsets) > 0 and offsets.dtype.kind in "iu"
    if not in_order or offsets[0] != 0 or offsets[-1] != len(words) or (np.diff(offsets) < 0).any():
        raise ValueError(
            f"the offsets of {param} must be whole numbers that rise from 0 to {len(words)}, the "
            f"number of words; found {offsets}."
        )
    single = values.dtype in (np.float32, np.float64)
    return words, values if single else values.astype(np.float64), offsets.astype(np.int64)


def some_samples(offsets: NDArray[Any], n_words: int) -> Iterator[tuple[int, int]]:
    """Yield the first and the last of samples that hold about so many words together."""
    cuts = np.searchsorted(offsets, [*range(0, offsets[-1], n_words), offsets[-1]])
    yield from pairwise(np.unique(cuts).tolist())


def sorted_by_word(
    word: NDArray[np.int32], offsets: NDArray[Any], n_words: int
) -> tuple[NDArray[Any], ...]:
    """Sort occurrences by word; return the order, the sample of each, and where words start."""
    shape = (len(offsets) - 1, n_words)
    # As the columns of a matrix of samples and words, which scipy counts instead of comparing.
    by_word = csr_array((np.arange(len(word)), word, offsets), shape=shape).tocsc()
    return by_word.data, by_word.indices, by_word.indptr


def numbers_of_words(
    words: NDArray[Any], labeled_words: NDArray[Any]
) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
    """Return a number for each word that occurs, -1 for others, and where each starts.

    That is, where its occurrences start among those of the pool, sorted by word.
    """
    n_ids = 1 + max(int(some.max(initial=0)) for some in (words, labeled_words))
    counts = np.zeros(n_ids, dtype=np.int64)
    size = max(BLOCK, n_ids)
    for start in range(0, len(words), size):
        counts += np.bincount(words[start : start + size], minlength=n_ids)
    present = counts > 0
    present[labeled_words] = True
    code = np.where(present, np.cumsum(present) - 1, -1)
    return code.astype(np.int32), np.concatenate([[0], np.cumsum(counts[present])])
