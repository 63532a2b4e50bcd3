"""Says where words, or the rows that hold them, look wrong."""

from __future__ import annotations

import warnings
from collections import Counter

import numpy as np
import numpy.typing as npt

# Below so many texts or words, nothing looks wrong.
_FEW_TEXTS, _FEW_WORDS = 20, 100
# Bytes of ids that are no matter, and how many times the words they may take.
_SMALL, _TIMES = 64 * 2**20, 10

Lengths = npt.NDArray[np.int64]


def doubt_words(counts: Counter[str], lengths: Lengths) -> None:
    """Warn where hardly a word says anything: texts are empty, one word each, or all words new."""
    n_texts = len(lengths)
    empty, single = int((lengths == 0).sum()), int((lengths == 1).sum())
    if n_texts >= _FEW_TEXTS and empty > n_texts / 2:
        _warn(f"{empty} of {n_texts} texts hold no word: check the texts and tokenizer")
    # Marks between clauses come again in any script: they say nothing of the words.
    words = Counter({word: times for word, times in counts.items() if word[0].isalnum()})
    n_words, once = sum(words.values()), words_once(words)
    if n_texts >= _FEW_TEXTS and single > n_texts / 2 and once > n_words / 2:
        _warn(
            f"{single} of {n_texts} texts are one word each, most of them words that occur once: "
            "give a tokenizer that cuts texts of this script into words"
        )
    elif _many(n_texts, n_words) and once > 0.8 * n_words:
        _warn(
            f"{once} of {n_words} words occur once, so that hardly any is met again: give a "
            "tokenizer that cuts texts of this script into words, or check that the texts are not "
            "names or numbers"
        )


def _many(n_texts: int, n_words: int) -> bool:
    # Of ten short messages in English, 86 % of the words occur once; of twenty texts, 65 % at most.
    return n_words >= _FEW_WORDS * (1 if n_texts >= _FEW_TEXTS else 5)


def words_once(counts: Counter[str]) -> int:
    """Return how many words occur once."""
    return sum(times == 1 for times in counts.values())


def doubt_cuts(n_cut: int, lengths: Lengths, max_length: int) -> None:
    """Warn where most texts lose their end."""
    if len(lengths) >= _FEW_TEXTS and n_cut > len(lengths) / 2:
        enough = int(np.quantile(lengths, 0.95))
        _warn(
            f"max_length={max_length} cuts {n_cut} of {len(lengths)} texts, of "
            f"{lengths.mean():.0f} words on average: raise it, {enough} would cut 5 % of them"
        )


def doubt_unknown(n_unknown: int, n_words: int) -> None:
    """Warn where a vocabulary does not fit the texts."""
    if n_words >= _FEW_WORDS and n_unknown > n_words / 2:
        _warn(
            f"{n_unknown} of {n_words} words are unknown to the encoder: fit it on all texts, "
            "labelled and unlabelled, and freeze it (sklearn.frozen.FrozenEstimator), or check "
            "vocabulary, lowercase and normalize"
        )


def doubt_width(lengths: Lengths, width: int) -> None:
    """Warn where one text makes all rows far wider than the words they hold."""
    n_bytes, n_words = len(lengths) * width * 8, int(lengths.sum())
    if n_bytes < _SMALL or len(lengths) * width < _TIMES * n_words:
        return
    usual = int(np.quantile(lengths, 0.99))
    _warn(f"{too_wide(lengths, width)}: max_length={max(1, usual)} would cut 1 % of the texts")


def too_wide(lengths: Lengths, width: int) -> str:
    """Say which text makes rows how wide, and what that takes."""
    size = len(lengths) * width * 8
    amount = f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.0f} MiB"
    who = f"text {int(lengths.argmax())} has {int(lengths.max())} words"
    if lengths.max(initial=0) < width:
        who = f"the longest text of fit had {width} words"
    return (
        f"{who}, the middle one of {len(lengths)} has {int(np.median(lengths))}, and rows of one "
        f"width are {amount} of ids, nearly all padding, wherever they are copied"
    )


def _warn(message: str) -> None:
    # Behind fit or transform, whichever way it came here.
    warnings.warn(message, stacklevel=5)
