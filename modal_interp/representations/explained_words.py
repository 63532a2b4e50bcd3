"""Words with their local interpretations: those of batches, put in the order of the samples."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from modal_interp._out_of_core import Spool, empty_for, ranges
from modal_interp.nets.pieces import WordGradients, added_up
from modal_interp.nets.sequences import PieceWords, merged, numbered, renumbered, spelled


class WordInterpretations(NamedTuple):
    """The words of n samples one after the other, each with its local interpretation.

    Attributes
    ----------
    words : ndarray of shape (W,), int64
        Word ids. Padding is left out, and what else the net says is no word.
    values : ndarray of shape (W, A), float32
        The interpretation of each word, one column for each explained output.
    offsets : ndarray of shape (n + 1,), int64
        Sample i has the words from ``offsets[i]`` up to ``offsets[i + 1]``.
    pieces : PieceWords or None
        The words of several pieces, whose ids follow those of the pieces; None where each id is a
        word of its own.

    Notes
    -----
    What :func:`word_interpretations` returns, ALDEN equation 4.

    Departs from the paper: none; it departs where :func:`word_interpretations` does.
    """

    words: NDArray[np.int64]
    values: NDArray[np.float32]
    offsets: NDArray[np.int64]
    pieces: PieceWords | None = None

    def pieces_of(self, word: int) -> NDArray[np.int64]:
        """Return the ids of the pieces that a word is made of; of one piece, its id."""
        return (
            np.array([word]) if self.pieces is None else spelled(np.array([word]), self.pieces)[0]
        )

    def samples(self, rows: NDArray[np.integer[Any]] | slice) -> WordInterpretations:
        """Return the interpretations of these samples, in this order; a sample may come twice."""
        if isinstance(rows, slice) and rows.step in (None, 1):  # in one piece: nothing is copied
            offsets = self.offsets[rows.start : None if rows.stop is None else rows.stop + 1]
            piece = slice(offsets[0], offsets[-1])
            offsets = offsets - offsets[0]
            return self._replace(
                words=self.words[piece], values=self.values[piece], offsets=offsets
            )
        starts, ends = self.offsets[:-1][rows], self.offsets[1:][rows]
        offsets = np.concatenate([[0], np.cumsum(ends - starts)])
        words, values = _empty(offsets[-1], self.values.shape[1])
        for block, places, _ in ranges(starts, ends):
            words[block], values[block] = self.words[places], self.values[places]
        return self._replace(words=words, values=values, offsets=offsets)

    @classmethod
    def concatenate(cls, parts: list[WordInterpretations]) -> WordInterpretations:
        """Return the samples of all parts, one part after the other, with one id a word."""
        parts = numbered_alike(parts)
        counts = np.concatenate([np.diff(part.offsets) for part in parts])
        return cls(
            np.concatenate([part.words for part in parts]),
            np.concatenate([part.values for part in parts]),
            np.concatenate([[0], np.cumsum(counts)]),
            parts[0].pieces,
        )


def numbered_alike(parts: list[WordInterpretations]) -> list[WordInterpretations]:
    """Return parts in which a word of several pieces has the same id."""
    known = [part.pieces for part in parts if part.pieces is not None]
    if not known:
        return parts
    pieces, numbers = merged(known)
    of_part = iter(numbers)
    return [
        part._replace(
            words=renumbered(part.words, part.pieces, next(of_part) if part.pieces else None),
            pieces=pieces,
        )
        for part in parts
    ]


class BatchWords(NamedTuple):
    """The words of a batch, sample by sample."""

    rows: NDArray[np.intp]  # (b,)
    counts: NDArray[np.int64]  # (b,) words of each row
    words: NDArray[np.int64]  # (w,)
    values: NDArray[np.float32]  # (w, A)
    pieces: PieceWords | None


def of_batch(batch: WordGradients, n_ids: int) -> BatchWords:
    """Return the words of a batch and their interpretations."""
    of_all = (batch.gradients @ batch.embeddings.unsqueeze(-1)).squeeze(-1)
    words = batch.ids[batch.is_word].cpu().numpy().astype(np.int64, copy=False)
    values = of_all[batch.is_word].cpu().numpy()
    if batch.begins is None:
        return BatchWords(batch.rows, batch.is_word.sum(dim=1).cpu().numpy(), words, values, None)
    begins = batch.begins[batch.is_word].cpu().numpy()
    words, pieces = numbered(words, begins, n_ids)
    counts = batch.begins.sum(dim=1).cpu().numpy()
    return BatchWords(batch.rows, counts, words, added_up(values, begins), pieces)


def in_order(batches: Iterable[BatchWords]) -> WordInterpretations:
    """Put the samples of all batches in their order, and forget each batch when it is done."""
    rows_of, counts_of, pieces_of, spool = [], [], [], Spool()
    for batch in batches:
        check_finite_gradients(batch.values)
        rows_of.append(batch.rows)
        counts_of.append(batch.counts)
        pieces_of.append(batch.pieces)
        spool.append(batch.words)
        spool.append(batch.values)
    counts = np.zeros(sum(map(len, rows_of)), dtype=np.int64)
    counts[np.concatenate(rows_of)] = np.concatenate(counts_of)
    offsets = np.concatenate([[0], np.cumsum(counts)])
    words, values = _empty(offsets[-1], batch.values.shape[1])
    known = [several for several in pieces_of if several is not None]
    pieces, numbers_of = merged(known) if known else (None, [None] * len(rows_of))
    parts = spool.drain()
    for rows, own, numbers, batch_words, batch_values in zip(
        rows_of, pieces_of, numbers_of, parts, parts, strict=True
    ):
        batch_words = renumbered(batch_words, own, numbers)
        for block, places, _ in ranges(offsets[rows], offsets[rows + 1]):
            words[places], values[places] = batch_words[block], batch_values[block]
    return WordInterpretations(words, values, offsets, pieces)


def _empty(n_words: int, n_columns: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return arrays for the words and values of so many words."""
    empty = empty_for(n_words * (8 + 4 * n_columns))
    return empty(n_words, np.int64), empty((n_words, n_columns), np.float32)


def check_finite_gradients(values: NDArray[np.floating[Any]]) -> None:
    """Raise a ValueError if gradients are not finite."""
    if not np.isfinite(values).all():
        raise ValueError(
            "the net's gradients must be finite; found NaN or infinity. Its training has "
            "diverged: look at its losses and train it again with a lower lr."
        )
