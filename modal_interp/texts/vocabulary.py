"""Checks texts and splits them into words, and gives words their ids."""

from __future__ import annotations

import re
import reprlib
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_scalar

from modal_interp.texts.words import FORMS, split_words

PADDING, UNKNOWN, FIRST_WORD = 0, 1, 2


def check_options(encoder: Any) -> None:
    """Raise an error if a parameter of the encoder breaks its rule."""
    if not (isinstance(encoder.lowercase, str) and encoder.lowercase == "tr"):
        check_scalar(encoder.lowercase, "lowercase", (bool, np.bool_))
    if encoder.normalize is not None and encoder.normalize not in FORMS:
        raise ValueError(
            f"normalize must be one of {', '.join(FORMS)} or None, got {encoder.normalize!r}: NFC "
            "writes each letter with its marks as one"
        )
    check_scalar(encoder.min_count, "min_count", Integral, min_val=1)
    for name in ("max_words", "max_length"):
        if (value := getattr(encoder, name)) is not None:
            check_scalar(value, name, Integral, min_val=1)


def ids_by_frequency(
    counts: Counter[str], n_texts: int, min_count: int, max_words: int | None
) -> dict[str, int]:
    """Give ids by falling frequency, ties in alphabetical order."""
    if not counts:
        raise ValueError(
            f"texts must hold a word to learn, got none in {n_texts} texts: pass texts, or a "
            "vocabulary, or check tokenizer"
        )
    frequent = [word for word, times in counts.items() if times >= min_count]
    if not frequent:
        raise ValueError(
            f"texts must hold a word at least min_count={min_count} times, got {len(counts)} rarer "
            f"words in {n_texts} texts: pass more texts, lower min_count, or check tokenizer"
        )
    ranked = sorted(frequent, key=lambda word: (-counts[word], word))
    return {word: number for number, word in enumerate(ranked[:max_words], FIRST_WORD)}


def given_ids(vocabulary: Any, prepare: Callable[[str], str]) -> dict[str, int]:
    """Return the ids of a vocabulary that the user gave, checked."""
    if isinstance(vocabulary, str | bytes) or not isinstance(vocabulary, Iterable):
        found = reprlib.repr(vocabulary)
        raise TypeError(f"vocabulary must be a dict of word to id, or a list of words, got {found}")
    # A set has another order in each process.
    unordered = isinstance(vocabulary, set | frozenset)
    words = sorted(vocabulary, key=str) if unordered else list(vocabulary)
    if isinstance(vocabulary, Mapping):
        ids = list(vocabulary.values())
    else:
        ids = list(range(FIRST_WORD, FIRST_WORD + len(words)))
    _check_vocabulary(words, ids)
    if never := next((word for word in words if prepare(word) != word), None):
        _warn_of_a_form(never, prepare(never))
    return {str(word): int(number) for word, number in zip(words, ids, strict=True)}


def _warn_of_a_form(word: str, prepared: str) -> None:
    if word.lower() != word:
        found = f"lowercase=True never finds words of vocabulary with upper case, such as {word!r}"
        remedy = "pass lowercase=False, or lower the words"
    else:
        found = f"normalize never finds words of vocabulary in another form, such as {word!a}"
        remedy = f"write it as {prepared!a}, or pass normalize=None"
    warnings.warn(f"{found}: {remedy}", stacklevel=5)


def _check_vocabulary(words: list[Any], ids: list[Any]) -> None:
    if not words:
        raise ValueError("vocabulary must hold a word, got none: pass None to learn it in fit")
    for word, number in zip(words, ids, strict=True):
        if not isinstance(word, str):
            raise TypeError(f"vocabulary must have str as words, got {word!r}: convert with str()")
        if isinstance(number, bool) or not isinstance(number, Integral):
            raise TypeError(f"vocabulary must have int as ids, got {number!r} for {word!r}")
        if number < FIRST_WORD:
            raise ValueError(
                f"vocabulary must have ids from {FIRST_WORD} on, got {number} for {word!r}: shift "
                "them, for 0 is padding and 1 an unknown word"
            )
    for kind, values in (("word", words), ("id", ids)):
        value, times = Counter(values).most_common(1)[0]
        if times > 1:
            raise ValueError(
                f"vocabulary must have each {kind} once, got {value!r} {times} times: drop repeats"
            )


def splitter(tokenizer: Any) -> Callable[[str], list[str]]:
    """Return the function that splits a text into words."""
    if tokenizer is split_words:
        return split_words
    if callable(tokenizer):
        return lambda text: _check_tokens(tokenizer(text), text)
    rule = f"tokenizer must be a callable or a regular expression of str, got {tokenizer!r}"
    if not isinstance(tokenizer, str | re.Pattern):
        raise TypeError(f"{rule}: pass a pattern of one word, such as r'\\w+'")
    try:
        pattern = re.compile(tokenizer)
    except re.error as error:
        raise ValueError(f"{rule}, which is no valid pattern ({error}): mend it") from error
    if isinstance(pattern.pattern, bytes) or pattern.groups > 1:
        raise ValueError(f"{rule}: pass a str pattern with one group at most, others as (?:...)")
    return pattern.findall


def _check_tokens(tokens: Any, text: str) -> list[str]:
    if isinstance(tokens, Iterable) and not isinstance(tokens, str):
        tokens = list(tokens)
        if all(isinstance(word, str) for word in tokens):
            return tokens
    raise TypeError(
        f"tokenizer must return a list of str, got {reprlib.repr(tokens)} for the text "
        f"{reprlib.repr(text)}: return the words as strings"
    )


def check_texts(texts: Any) -> list[str]:
    """Return the texts as a list, or raise an error that names the first offending one."""
    kind = type(texts).__name__
    if isinstance(texts, str):
        found = reprlib.repr(texts)
        raise ValueError(f"texts must be a collection of strings, got {found}: put it into a list")
    unordered = isinstance(texts, bytes | Mapping | set | frozenset)
    if unordered or not isinstance(texts, Iterable):
        raise TypeError(f"texts must be an ordered collection, got {kind}: pass a list of strings")
    shape = getattr(texts, "shape", (1,))
    if len(shape) != 1:
        raise ValueError(
            f"texts must be one-dimensional, got shape {tuple(shape)}: pass one column, such as "
            "array[:, 0] or frame['text'].to_numpy(dtype=object)"
        )
    strings = texts.tolist() if hasattr(texts, "tolist") else list(texts)
    for position, text in enumerate(strings):
        if not isinstance(text, str):
            raise _not_a_text(text, position)
    return strings


def _not_a_text(text: Any, position: int) -> TypeError | ValueError:
    found = (
        f"texts must hold strings only, got {reprlib.repr(text)} ({type(text).__name__}) at "
        f"position {position}"
    )
    if pd.api.types.is_scalar(text) and pd.isna(text):
        return ValueError(f"{found}: drop missing texts, or put '' in their place")
    if isinstance(text, bytes):
        return TypeError(f"{found}: decode it, e.g. with text.decode('utf-8')")
    return TypeError(f"{found}: convert it with str(), or join a list of words with ' '.join()")
