"""Says how many words of an encoder have a vector, and why so few."""

from __future__ import annotations

import unicodedata
import warnings
from collections.abc import Callable, Collection, Mapping
from itertools import islice
from typing import TYPE_CHECKING

import numpy.typing as npt

if TYPE_CHECKING:
    from gensim.models import KeyedVectors

# Texts with names and slips of the pen find some 60 % of their words in good vectors.
_LOW = 0.5
# So much more must be found in another spelling for the spelling to be the reason.
_MORE = 0.1


def covered(words: Collection[str], vectors: KeyedVectors | Mapping[str, npt.ArrayLike]) -> float:
    """Return the share of words that vectors list; what fastText puts together is not counted."""
    listed = _listed(vectors)
    return sum(word in listed for word in words) / max(1, len(words))


def doubt_coverage(
    words: Collection[str],
    vectors: KeyedVectors | Mapping[str, npt.ArrayLike],
    *,
    stacklevel: int,
) -> None:
    """Warn where less than half of the words have a vector."""
    share = covered(words, vectors)
    if share < _LOW:
        warnings.warn(
            f"vectors hold {round(share * len(words))} of the encoder's {len(words)} words "
            f"({share:.1%}): {why_few(words, vectors)}",
            UserWarning,
            stacklevel=stacklevel,
        )


def why_few(words: Collection[str], vectors: KeyedVectors | Mapping[str, npt.ArrayLike]) -> str:
    """Return a hint: the spelling that finds most, or words of both sides to compare."""
    listed = _listed(vectors)
    lowered = {word.lower() for word in listed if isinstance(word, str)}
    plain = covered(words, vectors)
    ways: dict[str, tuple[Callable[[str], str], Collection[str], str]] = {
        "lower-casing the encoder's words": (str.lower, listed, "set lowercase=True"),
        "lower-casing the words of vectors": (str, lowered, "lower-case them when loaded"),
        "lower-casing both": (str.lower, lowered, "set lowercase=True and lower-case vectors"),
        "composing letters and marks (NFC)": (_composed, listed, "set normalize='NFC'"),
        "taking letters and marks apart (NFD)": (_apart, listed, "set normalize='NFD'"),
    }
    shares = {
        way: sum(spell(word) in known for word in words) / max(1, len(words))
        for way, (spell, known, _) in ways.items()
    }
    best = max(shares, key=lambda way: shares[way])
    if shares[best] >= plain + _MORE:
        return f"{best} would find {shares[best]:.1%}, so {ways[best][2]}"
    missing = islice((word for word in words if word not in listed), 3)
    return (
        f"lower-casing would find {shares['lower-casing both']:.1%}; missing are "
        f"{', '.join(map(repr, missing))}, while vectors hold "
        f"{', '.join(map(repr, islice(listed, 3)))}: check lowercase and tokenizer of the encoder "
        "and the language of vectors, or train_word_vectors on these texts"
    )


def _composed(word: str) -> str:
    return unicodedata.normalize("NFC", word)


def _apart(word: str) -> str:
    return unicodedata.normalize("NFD", word)


def _listed(vectors: KeyedVectors | Mapping[str, npt.ArrayLike]) -> Mapping[str, object]:
    return vectors if isinstance(vectors, Mapping) else vectors.key_to_index
