"""Rows of word ids, padded to one width, at the cost of the words that they hold."""

from __future__ import annotations

import reprlib
from itertools import chain, repeat

import numpy as np
import numpy.typing as npt

from modal_interp._out_of_core import zeros_on_demand
from modal_interp.texts.doubts import Lengths, doubt_width, too_wide
from modal_interp.texts.vocabulary import PADDING, UNKNOWN


def lengths_of(tokens: list[list[str]]) -> Lengths:
    """Return the number of words of each text."""
    return np.fromiter(map(len, tokens), np.int64, count=len(tokens))


def padded_ids(
    tokens: list[list[str]], vocabulary: dict[str, int], width: int
) -> tuple[npt.NDArray[np.int64], int, int]:
    """Look words up and put each text into a row.

    Parameters
    ----------
    tokens : list of n lists of str
        Words of each text, at most `width`.
    vocabulary : dict of str to int
        Id of each word.
    width : int
        Length T of a row.

    Returns
    -------
    ids : ndarray of shape (n, T), int64
        Padded with zeros. Memory is taken for the words only, until the array is copied.
    n_unknown, n_words : int
        How many of the words are unknown, and how many there are.

    Raises
    ------
    MemoryError
        If no memory could be as large as the rows.
    """
    lengths = lengths_of(tokens)
    doubt_width(lengths, width)
    found = map(vocabulary.get, chain.from_iterable(tokens), repeat(UNKNOWN))
    flat = np.fromiter(found, np.int64, count=int(lengths.sum()))
    try:
        ids = zeros_on_demand((len(tokens), width), np.int64)
    except MemoryError as error:
        raise MemoryError(f"{too_wide(lengths, width)}; {error}: set max_length") from error
    # Row i starts at i * width among the ids and, without padding, at the words before it.
    shifts = np.arange(len(tokens)) * width - (np.cumsum(lengths) - lengths)
    ids.reshape(-1)[np.arange(len(flat)) + np.repeat(shifts, lengths)] = flat
    return ids, int((flat == UNKNOWN).sum()), len(flat)


def joined_words(ids: npt.ArrayLike, words: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
    """Return the words of each row, joined by spaces."""
    rows = np.asarray(ids)
    integers = rows.ndim == 2 and np.issubdtype(rows.dtype, np.integer)
    if not integers or not np.all((rows >= 0) & (rows < len(words))):
        raise ValueError(
            f"ids must be integers in [0, {len(words)}) of shape (n, T), got "
            f"{reprlib.repr(ids)}: pass what transform of this encoder returned"
        )
    return np.array([" ".join(words[row[row != PADDING]]) for row in rows], dtype=object)
