"""Chooses the words of a file that are worth their memory, and counts all of them."""

from __future__ import annotations

import unicodedata
import warnings
from collections.abc import Iterable
from typing import Any

# So many words of a file are kept in any case: they show what it holds where few are found.
_SHOWN = 3
# The word2vec tool cuts words that are longer than this, at times within a character.
_CUT = 40


class ChosenWords:
    """Tells of each word whether it is wanted: those of a vocabulary, or all."""

    def __init__(self, vocabulary: Iterable[str] | None = None) -> None:
        self.wanted = None if vocabulary is None else set(map(_spelled_alike, vocabulary))
        self.n_words = 0
        self.n_foreign = 0

    def add(self, word: bytes) -> bool:
        """Count a word, and tell whether it is wanted."""
        text = word.decode(errors="replace")
        self.n_words += 1
        if "\ufffd" in text:
            self.n_foreign += len(word) < _CUT and "\ufffd".encode() not in word
        if self.wanted is None or self.n_words <= _SHOWN:
            return True
        return _spelled_alike(text) in self.wanted

    def doubt_encoding(self, *, stacklevel: int) -> None:
        """Warn where several words are not UTF-8."""
        if self.n_foreign > max(1, self.n_words / 100):
            warnings.warn(
                f"{self.n_foreign} of {self.n_words} words are not UTF-8, and texts will not find "
                "them: save the file as UTF-8",
                UserWarning,
                stacklevel=stacklevel,
            )


def check_vocabulary(vocabulary: Any) -> list[str] | None:
    """Return the words of a vocabulary, or raise an error that names the first that is none."""
    if vocabulary is None:
        return None
    rule = "vocabulary must be words, such as encoder.vocabulary_"
    if isinstance(vocabulary, str | bytes) or not isinstance(vocabulary, Iterable):
        raise TypeError(f"{rule}, got {type(vocabulary).__name__}: put words into a list")
    words = list(vocabulary)
    for word in words:
        if not isinstance(word, str):
            raise TypeError(f"{rule}, got {word!r} among them: convert words with str()")
    return words


def _spelled_alike(word: str) -> str:
    # One for all cases and forms, so that a warning can still say which spelling finds more.
    return word if word.isascii() and word.islower() else _folded(word)


def _folded(word: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", word).casefold())
