"""Tokenizers of pretrained encoders: loaded, and asked which of their ids are words."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from modal_interp.texts.pretrained import import_transformers, local_first, stamp

# How vocabularies mark a piece that goes on with a word (WordPiece), or that begins one:
# byte-level BPE writes the blank before it so, SentencePiece so.
_GOES_ON, _BEGINS = "##", ("\u0120", "\u2581")


# What was found of a tokenizer: to look through 30,000 pieces takes as long as to encode 500 texts.
_FOUND: WeakKeyDictionary[Any, tuple[Any, Any]] = WeakKeyDictionary()


class Vocabulary(NamedTuple):
    """What a tokenizer's ids stand for."""

    size: int  # V, ids run from 0 to V - 1
    padding: int
    no_words: tuple[int, ...]  # of marks such as [CLS] and [SEP], and of padding
    begins_word: npt.NDArray[np.bool_]  # (V,) False where a piece goes on with the word before it


def load_tokenizer(model: str | Path) -> Any:
    """Load the tokenizer of a model: from its folder, from files downloaded before, or anew.

    Raises
    ------
    ImportError
        If transformers is not installed.
    ValueError
        If there is no such folder, it holds no tokenizer, or nothing can be downloaded.
    """
    return _loaded(str(model), stamp(model))


@lru_cache(maxsize=8)
def _loaded(model: str, files: Any) -> Any:
    transformers = import_transformers()
    tokenizer = local_first(transformers.AutoTokenizer.from_pretrained, model, "tokenizer")
    if len(tokenizer) <= len(tokenizer.all_special_ids):
        # Where files are missing, transformers makes one that knows no word, and says nothing.
        raise ValueError(
            f"model={model!r} is a folder without a tokenizer: none of its files holds a "
            "vocabulary. Save one there by tokenizer.save_pretrained, or pass it by tokenizer=."
        )
    return tokenizer


def vocabulary_of(tokenizer: Any) -> Vocabulary:
    """Return which ids of a tokenizer are words, and which begin one.

    Raises
    ------
    ValueError
        If it has no id for padding.
    """
    state = (len(tokenizer), tokenizer.pad_token_id, tuple(tokenizer.all_special_ids))
    held = _FOUND.get(tokenizer)
    if held is None or held[0] != state:
        held = _FOUND[tokenizer] = (state, _read(tokenizer))
    return held[1]


def _read(tokenizer: Any) -> Vocabulary:
    if tokenizer.pad_token_id is None:
        raise ValueError(
            f"the tokenizer must have an id for padding; {type(tokenizer).__name__} has none, as "
            "those of decoders. Set one before passing it by tokenizer=: "
            "tokenizer.pad_token = tokenizer.eos_token."
        )
    id_of = tokenizer.get_vocab()
    size = 1 + max(id_of.values())
    begins = np.ones(size, dtype=bool)
    is_beginning = _rule(id_of)
    for piece, number in id_of.items():
        begins[number] = is_beginning(piece)
    no_words = _no_words(tokenizer)
    begins[[number for number in no_words if number < size]] = True
    return Vocabulary(size, int(tokenizer.pad_token_id), no_words, begins)


def _no_words(tokenizer: Any) -> tuple[int, ...]:
    """Return the ids of marks; that of unknown words is one of words."""
    names = ("pad_token", "cls_token", "sep_token", "bos_token", "eos_token", "mask_token")
    marks = {getattr(tokenizer, f"{name}_id", None) for name in names}
    others = set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}
    return tuple(sorted({int(number) for number in marks | others if number is not None}))


def _rule(pieces: Any) -> Callable[[str], bool]:
    """Return what tells whether a piece begins a word, by the marks of the whole vocabulary."""
    counts = {mark: sum(piece.startswith(mark) for piece in pieces) for mark in _BEGINS}
    mark = max(counts, key=lambda mark: counts[mark])
    n_going_on = sum(piece.startswith(_GOES_ON) for piece in pieces)
    if n_going_on > counts[mark]:
        return lambda piece: not piece.startswith(_GOES_ON)
    if counts[mark]:
        return lambda piece: piece.startswith(mark)
    return lambda piece: True  # words, whole


def spans_of_words(
    vocabulary: Vocabulary, text: str, ids: list[int], spans: list[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Return where the words of a text lie in it, from where its pieces do."""
    found: list[tuple[int, int]] = []
    follows_word = False
    for number, (start, end) in zip(ids, spans, strict=True):
        is_word = number not in vocabulary.no_words
        known = number < len(vocabulary.begins_word)
        begins = not follows_word or not known or vocabulary.begins_word[number]
        while start < end and text[start].isspace():
            start += 1  # byte-level tokenizers count the blank before a word as its own
        if is_word and begins:
            found.append((start, end))
        elif is_word:
            found[-1] = (found[-1][0], end)
        follows_word = is_word
    return found
