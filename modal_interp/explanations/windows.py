"""Which words of a text are shown, and where they stand in it as it was written."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from modal_interp.explanations.text import shown

# Words up to which a text is shown whole; of a longer one, the strongest that are shown, the words
# around each of them, and around the one that decided.
_WHOLE, STRONGEST, _AROUND, _AROUND_DECIDED = 150, 8, 4, 12
# Characters of a word, and of what stands between two.
_WORD, _BETWEEN = 60, 24


class Piece(NamedTuple):
    """A part of a shown text: a word, what stands between, or a remark on what is left out."""

    text: str
    word: int | None = None  # which word of the sample it is
    remark: bool = False


def strongest(values: NDArray[Any], decided: int | None, n: int = STRONGEST) -> list[int]:
    """Return the n largest by size, the largest first, and what decided among them."""
    order = [int(k) for k in np.argsort(-np.abs(values), kind="stable")]
    found = order[:n]
    return found if decided is None or decided in found else [*found[: n - 1], decided]


def shades(values: NDArray[Any], n: int) -> NDArray[np.int64]:
    """Return how strong each is beside the strongest, from 0 to n, with its sign."""
    sizes = np.abs(np.asarray(values, dtype=np.float64))
    largest = sizes.max(initial=0.0)
    if not largest or not np.isfinite(largest):
        return np.zeros(len(sizes), dtype=np.int64)
    levels = np.ceil(sizes / largest * n)
    levels[sizes < 0.03 * largest] = 0
    return np.asarray(np.sign(values) * levels, dtype=np.int64)


def pieces(sample: Any, words: Any) -> list[Piece]:
    """Return the parts of a text that are shown, as it was written where that is known.

    Parameters
    ----------
    sample : Any
        The text.
    words : Words
        Of the text, with their names.
    """
    values, n = words.contributions[:, words.shown], len(words.names)
    spans = words.spans if isinstance(sample, str) else ()
    found: list[Piece] = []
    last = 0
    for start, stop in _runs(n, strongest(values, words.decided), words.decided):
        if start > last:
            found.append(_left_out(start - last))
        for word in range(start, stop):
            found.append(Piece(_between(sample, spans, word, start)))
            name = sample[slice(*spans[word])] if spans else words.names[word]
            found.append(Piece(visible(name), word))
        last = stop
    if last < n:
        found.append(_left_out(n - last))
    elif spans:
        found += _unread(sample[spans[-1][1] :])
    return found


def excerpt(sample: Any, span: tuple[int, int] | None, limit: int) -> tuple[str, str, str]:
    """Return a sample in a short line: what stands before a word of it, the word, and the rest."""
    if span is None or not isinstance(sample, str):
        return shown(sample, limit), "", ""
    start, end = span
    first = max(0, start - limit // 2)
    if first:  # from the next blank on
        first += max(0, sample[first:start].find(" "))
    before = " ".join(sample[first:start].split()) + " " * sample[:start].endswith(" ")
    rest = sample[end : end + limit]
    after = " " * rest.startswith(" ") + shown(rest, max(limit - len(before), 2))
    more = "\u2026" if end + limit < len(sample) and not after.endswith("\u2026") else ""
    return ("\u2026 " if first else "") + before, visible(sample[start:end]), after + more


def visible(word: str, limit: int = _WORD) -> str:
    """Return a word that can be seen: one that nobody could as its code points, a long one cut."""
    hidden = {"Cc", "Cf", "Cs", "Co", "Cn", "Zs", "Zl", "Zp", "Mn", "Me"}
    if all(unicodedata.category(character) in hidden for character in word[:limit]):
        codes = "+".join(f"U+{ord(character):04X}" for character in word[:4])
        return f"\u27e8{codes or 'empty'}\u27e9"
    return word if len(word) <= limit else word[: limit - 1] + "\u2026"


def _runs(n: int, kept: Iterable[int], decided: int | None) -> list[tuple[int, int]]:
    """Return the ranges of words that are shown."""
    if n <= _WHOLE:
        return [(0, n)] if n else []
    around = [(word, _AROUND_DECIDED if word == decided else _AROUND) for word in kept]
    runs: list[tuple[int, int]] = []
    for start, stop in sorted((max(0, w - by), min(n, w + by + 1)) for w, by in around):
        if runs and start <= runs[-1][1] + 1:  # to leave out one word takes more room than it does
            runs[-1] = runs[-1][0], max(stop, runs[-1][1])
        else:
            runs.append((start, stop))
    return runs


def _between(sample: Any, spans: Any, word: int, start: int) -> str:
    """Return what stands before a word, of those from one on."""
    if not spans or (word == start and word):
        return " " if word else ""
    text = sample[spans[word - 1][1] if word else 0 : spans[word][0]]
    return text if len(text) <= _BETWEEN else "\u2026" + text[1 - _BETWEEN :]


def _left_out(n: int) -> Piece:
    return Piece(f" \u2026 {n:,} word{'s' * (n > 1)} left out \u2026", remark=True)


def _unread(rest: str) -> list[Piece]:
    """Return what stands behind the last word that the net reads."""
    n = sum(any(map(str.isalnum, part)) for part in rest.split())
    if n:
        text = f" \u2026 {n:,} more, which the net does not read \u2026"
        return [Piece(text, remark=True)]
    return [Piece(rest[:_BETWEEN])]
