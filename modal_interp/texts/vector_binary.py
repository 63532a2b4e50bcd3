"""Entries of a binary file of word vectors: a word, a blank, and D numbers of four bytes.

A word may hold blanks itself, and the file does not say where it ends. So each blank may be the
end; the right one is followed by numbers of a sane size, and those by another word.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from modal_interp.texts.chosen_words import ChosenWords
from modal_interp.texts.vector_text import Matrix, Words, is_number

# Letters taken for numbers are beyond these, and so are most numbers that are read askew: a blank
# in the last byte, for one, is 2e-19.
_LEAST, _MOST = np.array([1e-10, 1e4], dtype="<f4").view("<u4")
# No vector at all, whatever the words around it look like.
_ABSURD = 1e10
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
_CONTROL_BYTE = re.compile(rb"[\x00-\x08\x0e-\x1f]")
# What is sane, a word and followed by one; below the doubtful, it is no entry.
_SURE, _DOUBTFUL = 7, 3
# How far the blank that ends a word is looked for.
_BLANKS, _LONGEST = 40, 2000
_BLOCK = 1024


def holds_binary(sample: bytes, dim: int) -> bool:
    """Tell from the bytes below the header whether they are a binary file's."""
    fields = sample.partition(b"\n")[0].split()
    if len(fields) > dim and all(map(is_number, fields[-dim:])):
        return False
    if _CONTROL_BYTE.search(sample):
        return True
    try:
        sample.decode()
    except UnicodeDecodeError as error:
        # The sample may end within a character.
        return error.reason != "unexpected end of data"
    return False


def read_binary(
    content: bytes | mmap.mmap, chosen: ChosenWords, start: int, dim: int, n_words: int
) -> tuple[Words, Matrix]:
    """Read the chosen words and their vectors, the first of which begins at byte `start`.

    Raises
    ------
    ValueError
        If an entry is not a word and numbers of sane size, or the file ends too early or too late.
    """
    entries = _Entries(content, dim, n_words, newline=content[-1:] == b"\n")
    words: Words = []
    kept: list[int] = []  # where these words end
    at, block = start, 1
    while (done := chosen.n_words) < n_words:
        # As many as look right at the first blank, then one by trying all blanks.
        ends = entries.first_blanks(at, min(block, n_words - done))
        sure = entries.sure(ends, n_words - done)
        block = min(_BLOCK, 2 * block) if sure == len(ends) > 0 else 1
        ends = ends[:sure] if sure else [(at, entries.best_blank(at, done))]
        for begin, end in ends:
            word = content[begin:end].lstrip(b"\n")
            if chosen.add(word):
                words.append(word)
                kept.append(end)
        at = entries.after(ends[-1][1])
    entries.check_end(at)
    matrix = entries.vectors(kept)
    if _sane(matrix).mean() < 0.5:
        raise ValueError(
            f"most vectors, from byte {start} on, hold numbers of no sane size: written in another "
            "order of bytes, or damaged"
        )
    return words, matrix


@dataclass(frozen=True)
class _Entries:
    content: bytes | mmap.mmap
    dim: int
    n_words: int
    newline: bool  # the tool word2vec writes one after each vector, gensim none

    def after(self, end: int) -> int:
        return end + 1 + 4 * self.dim

    def vector(self, end: int) -> Matrix:
        return np.frombuffer(self.content, dtype="<f4", count=self.dim, offset=end + 1)

    def first_blanks(self, at: int, count: int) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        while len(found) < count:
            end = self.content.find(b" ", at)
            if end < 0 or self.after(end) > len(self.content):
                break
            found.append((at, end))
            at = self.after(end)
        return found

    def vectors(self, ends: list[int]) -> Matrix:
        rows = np.empty((len(ends), self.dim), dtype="<f4")
        for first in range(0, len(ends), _BLOCK):
            block = ends[first : first + _BLOCK]
            numbers = b"".join([self.content[end + 1 : self.after(end)] for end in block])
            rows[first : first + len(block)] = np.frombuffer(numbers, "<f4").reshape(-1, self.dim)
        return rows

    def sure(self, ends: list[tuple[int, int]], left: int) -> int:
        """Return how many of the first entries are beyond doubt, by words and vectors alike."""
        if not ends:
            return 0
        rows = self.vectors([end for _, end in ends])
        words = [self.is_word(begin, end) for begin, end in ends]
        words.append(self.goes_on(self.after(ends[-1][1]), last=len(ends) == left))
        right = _sane(rows) & [here and after for here, after in pairwise(words)]
        return len(ends) if right.all() else int(right.argmin())

    def best_blank(self, at: int, done: int) -> int:
        scores: dict[int, int] = {}
        for end in self._blanks(at):
            scores[end] = self._score(at, end, done + 1 == self.n_words)
            if scores[end] == _SURE:
                return end
        if not scores:
            raise ValueError(
                f"it ends after {done} of {self.n_words} words, at byte {len(self.content)}"
            )
        end = max(scores, key=lambda end: scores[end])
        if scores[end] < _DOUBTFUL or not np.abs(self.vector(end)).max() < _ABSURD:
            raise ValueError(
                f"word {done + 1}, at byte {at}, is not followed by {self.dim} numbers of sane size"
            )
        return end

    def _blanks(self, at: int) -> Iterator[int]:
        first = end = self.content.find(b" ", at)
        for _ in range(_BLANKS):
            if end < 0 or self.after(end) > len(self.content) or end - first > _LONGEST:
                return
            # What is no word and as long as a vector has swallowed one.
            if end - first < 4 * self.dim or self.is_word(at, end):
                yield end
            end = self.content.find(b" ", end + 1)

    def _score(self, at: int, end: int, last: bool) -> int:
        # Numbers say most. Words may be cut within a letter, or be of another encoding, but the
        # next one less likely than a word that has swallowed its vector.
        sane = bool(_sane(self.vector(end)[None])[0])
        goes_on = self.goes_on(self.after(end), last)
        return 4 * sane + 2 * self.is_word(at, end) + goes_on

    def goes_on(self, at: int, last: bool) -> bool:
        if last:
            return not self.content[at : at + 2].strip()
        if self.newline and self.content[at : at + 1] != b"\n":
            return False
        end = self.content.find(b" ", at, at + _LONGEST)
        return self.is_word(at, end if end >= 0 else min(at + _LONGEST, len(self.content)))

    def is_word(self, begin: int, end: int) -> bool:
        try:
            word = self.content[begin:end].decode().lstrip("\n")
        except UnicodeDecodeError:
            return False
        return word != "" and not _CONTROL.search(word)

    def check_end(self, at: int) -> None:
        rest = self.content[at : at + 2]
        if rest.strip():
            raise ValueError(
                f"its first line promises {self.n_words} words, which end at byte {at}, but "
                f"{len(self.content) - at} bytes follow"
            )


def _sane(rows: Matrix) -> np.ndarray:
    """Tell of each row whether all its numbers are zero or of a size that vectors have."""
    size = rows.view("<u4") & np.uint32(0x7FFFFFFF)
    return ((size == 0) | ((size > _LEAST) & (size < _MOST))).all(axis=1)
