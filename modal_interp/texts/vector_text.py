"""Rows of a text file of word vectors: the last D fields are the numbers, the rest is the word."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain, islice, takewhile

import numpy as np
import numpy.typing as npt

from modal_interp.texts.chosen_words import ChosenWords

Words = list[bytes]
Matrix = npt.NDArray[np.float32]

# So many lines say what the length of a vector is where no header does.
_SAMPLE = 200
# A word may hold so many numbers that are not a vector.
_FEW = 3


def read_text(
    lines: Iterator[bytes],
    chosen: ChosenWords,
    dim: int | None = None,
    n_words: int | None = None,
) -> tuple[Words, Matrix]:
    """Read the chosen words and their vectors, the first line having number 1, or 2 below a header.

    Raises
    ------
    ValueError
        If a line is not a word and numbers, or there are not as many as the header promises.
    """
    header = dim is not None
    if dim is None:
        sample = list(islice(lines, _SAMPLE))
        dim, lines = _dimension(sample), chain(sample, lines)
    words, values = _rows(lines, chosen, dim, 2 if header else 1)
    if n_words is not None and n_words != chosen.n_words:
        raise ValueError(
            f"its first line promises {n_words} words, it has {chosen.n_words}: it was cut off "
            "after these, or its first line is of another file"
        )
    matrix = np.frombuffer(values, dtype=np.float32).reshape(-1, dim)
    if not np.isfinite(matrix).all():
        word = words[int(np.argmin(np.isfinite(matrix).all(axis=1)))].decode(errors="replace")
        raise ValueError(f"the vector of {word!r} holds NaN, infinity or what float32 cannot hold")
    return words, matrix


def _rows(
    lines: Iterable[bytes], chosen: ChosenWords, dim: int, start: int
) -> tuple[Words, array[float]]:
    words: Words = []
    values = array("f")
    for number, line in enumerate(lines, start=start):
        if line.isspace():
            continue
        word, *row = line.rsplit(maxsplit=dim) or [b""]
        try:
            numbers = list(map(float, row))
        except ValueError:
            row = []
        if len(row) != dim or b"_" in line[len(word) :] or _takes_numbers(word, row):
            shown = line[:40].decode(errors="replace")
            raise ValueError(
                f"line {number} is not a word and {dim} numbers, it ends in "
                f"{numbers_at_end(line)} and begins {shown!r}"
            )
        if chosen.add(word):
            words.append(word)
            values.extend(numbers)
    return words, values


def is_number(field: bytes) -> bool:
    """Tell whether a field is a number as files of vectors have it."""
    try:
        float(field)
    except ValueError:
        return False
    return b"_" not in field  # Python reads 1_000 as a number


def numbers_at_end(line: bytes) -> int:
    """Return how many fields at the end of a line are numbers, the first field aside."""
    return sum(1 for _ in takewhile(is_number, line.split()[:0:-1]))


def _dimension(sample: list[bytes]) -> int:
    # What most lines fit, not the first: its word may end in a number, as "area 51" does.
    lines = [line for line in sample if not line.isspace()]
    counts = Counter(map(numbers_at_end, lines)).most_common(5)
    dim = max(
        (count for count, _ in counts),
        key=lambda count: sum(_fits(line, count) for line in lines),
        default=0,
    )
    if dim < 1:
        raise ValueError("line 1, its first line, has no vector, nor have most lines after it")
    return dim


def _fits(line: bytes, dim: int) -> bool:
    if dim == 0:
        return numbers_at_end(line) == 0
    word, *row = line.rsplit(maxsplit=dim)
    return len(row) == dim and all(map(is_number, row)) and not _takes_numbers(word, row)


def _takes_numbers(word: bytes, row: list[bytes]) -> bool:
    """Tell whether a word of several fields holds numbers that belong to vectors.

    "area 51" and "web 2.0" are words. But a number with about as many decimals as those of the row
    is one number too many, and a word that holds a whole vector is a line without its end.
    """
    fields = word.split()
    if len(fields) < 2:
        return False
    numbers = list(filter(is_number, fields))
    if len(row) <= _FEW:
        numbers = [number for number in numbers if not _shorter(number, row)]
    if len(numbers) >= max(len(row), 2):
        return True
    last = fields[-1]
    return last[-1:].isdigit() and is_number(last) and not _shorter(last, row)


def _shorter(number: bytes, row: list[bytes]) -> bool:
    return 2 * _decimals(number) < max(map(_decimals, row))


def _decimals(number: bytes) -> int:
    return len(number.partition(b".")[2])
