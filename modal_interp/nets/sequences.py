"""Numbers for words of several pieces, and the embeddings that stand for them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from modal_interp._out_of_core import BLOCK, empty_for, ranges

Ids = NDArray[np.int64]


class PieceWords(NamedTuple):
    """Words of several pieces, whose ids follow those of the pieces.

    Attributes
    ----------
    n_ids : int
        Ids of pieces, the rows of the embedding layer: words of one piece keep its id.
    pieces : ndarray of shape (P,), int32
        The pieces of all words, one word after the other. Words are in lexicographic order.
    offsets : ndarray of shape (v + 1,), int64
        The word of id ``n_ids + k`` has the pieces from ``offsets[k]`` up to ``offsets[k + 1]``.

    Notes
    -----
    What ``WordInterpretations.pieces`` holds.

    Departs from the paper: the papers' words have no pieces.
    """

    n_ids: int
    pieces: NDArray[np.int32]
    offsets: Ids


def numbered(pieces: NDArray[np.integer], begins: NDArray[np.bool_], n_ids: int) -> tuple:
    """Return the id of each word (w,), and the words of several pieces that occur.

    Parameters
    ----------
    pieces : ndarray of shape (p,), int
        Ids of pieces, one word after the other.
    begins : ndarray of shape (p,), bool
        Where a word begins; the first piece does.
    n_ids : int
        Ids of pieces.
    """
    starts = np.flatnonzero(begins)
    counts = np.diff(starts, append=len(pieces))
    words, several = pieces[starts].astype(np.int64), counts > 1
    of_several = pieces[np.repeat(several, counts)].astype(np.int32)
    found, which = _distinct(n_ids, of_several, np.cumsum([0, *counts[several]]))
    words[several] = n_ids + which
    return words, found


def merged(parts: list[PieceWords]) -> tuple[PieceWords, list[Ids]]:
    """Return all words of several pieces once, and the new ids of the words of each part.

    Raises
    ------
    ValueError
        If the parts are of nets with other numbers of ids.
    """
    n_ids = parts[0].n_ids
    if any(part.n_ids != n_ids for part in parts):
        raise ValueError(
            "interpretations must be of nets that know equally many ids to be put together; found "
            f"{' and '.join(sorted({str(part.n_ids) for part in parts}))}."
        )
    counts = [np.diff(part.offsets) for part in parts]
    offsets = np.concatenate([[0], np.cumsum(np.concatenate(counts))])
    found, which = _distinct(n_ids, np.concatenate([part.pieces for part in parts]), offsets)
    ends = np.cumsum([len(of_part) for of_part in counts])[:-1]
    return found, np.split(n_ids + which, ends)


def renumbered(words: Ids, several: PieceWords | None, numbers: Ids | None) -> Ids:
    """Return words whose ids of several pieces are replaced by these numbers; one each."""
    if several is None or numbers is None or np.array_equal(numbers, _own_numbers(several)):
        return words
    found = empty_for(words.nbytes)(len(words), words.dtype)
    for start in range(0, len(words), BLOCK):
        block = words[start : start + BLOCK].copy()
        long = block >= several.n_ids
        block[long] = numbers[block[long] - several.n_ids]
        found[start : start + BLOCK] = block
    return found


def _own_numbers(several: PieceWords) -> Ids:
    return several.n_ids + np.arange(len(several.offsets) - 1)


def spelled(words: Ids, several: PieceWords) -> tuple[Ids, Ids]:
    """Return the pieces of words, one word after the other, and the offsets of each word's."""
    long = words >= several.n_ids
    counts = np.ones(len(words), dtype=np.int64)
    numbers = words[long] - several.n_ids
    starts, ends = several.offsets[numbers], several.offsets[numbers + 1]
    counts[long] = ends - starts
    pieces = np.empty(counts.sum(), dtype=np.int64)
    of_long = np.repeat(long, counts)
    pieces[~of_long] = words[~long]
    pieces[of_long] = _taken(several.pieces, starts, ends)
    return pieces, np.concatenate([[0], np.cumsum(counts)])


def mean_rows(rows: NDArray[np.floating], which: Ids, offsets: Ids) -> NDArray[np.float64]:
    """Return the mean of the rows of each range of `which`, in double precision.

    In which sums of single numbers are exact, so that words are equally near that should be.
    """
    counts = np.diff(offsets)
    shape = (len(counts), len(rows))
    picks = csr_array((np.ones(len(which)), which, offsets), shape=shape)
    return np.asarray(picks @ rows.astype(np.float64)) / counts[:, None]


def _distinct(n_ids: int, pieces: NDArray[np.int32], offsets: Ids) -> tuple[PieceWords, Ids]:
    """Return each of some sequences once, in lexicographic order, and which of them each is."""
    rank = _ranks(pieces, offsets)
    _, first, which = np.unique(rank, return_index=True, return_inverse=True)
    starts, ends = offsets[:-1][first], offsets[1:][first]
    counts = np.concatenate([[0], np.cumsum(ends - starts)])
    return PieceWords(n_ids, _taken(pieces, starts, ends), counts), which.reshape(-1)


def _taken(pieces: NDArray[np.int32], starts: Ids, ends: Ids) -> NDArray[np.int32]:
    """Return the pieces of these ranges, one range after the other."""
    return np.concatenate([pieces[:0], *(pieces[at] for _, at, _ in ranges(starts, ends))])


def _ranks(pieces: NDArray[np.int32], offsets: Ids) -> Ids:
    """Return how many sequences come before each in lexicographic order, equal ones not counted.

    By one place after the other, of those sequences alone that are not told apart yet.
    """
    starts, counts = offsets[:-1], np.diff(offsets)
    rank = np.zeros(len(counts), dtype=np.int64)
    alike, place = np.arange(len(counts)), 0
    while len(alike):
        goes_on = counts[alike] > place
        piece = np.full(len(alike), -1, dtype=np.int64)  # an end comes before every piece
        piece[goes_on] = pieces[starts[alike[goes_on]] + place]
        order = np.lexsort((piece, rank[alike]))
        alike, piece = alike[order], piece[order]
        before = rank[alike]
        is_other = np.diff(before, prepend=-1) != 0
        is_new = is_other | (np.diff(piece, prepend=-2) != 0)
        rank[alike] = before + _latest(is_new) - _latest(is_other)
        group = np.cumsum(is_new) - 1
        alike = alike[(piece >= 0) & (np.bincount(group)[group] > 1)]
        place += 1
    return rank


def _latest(marks: NDArray[np.bool_]) -> Ids:
    """Return of each place that of the latest mark."""
    return np.maximum.accumulate(np.where(marks, np.arange(len(marks)), 0))
