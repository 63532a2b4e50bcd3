"""Texts as token ids: checked against what a pretrained encoder can read."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from modal_interp.estimators.encoders import is_pretrained, longest_text
from modal_interp.estimators.word_ids import as_word_ids
from modal_interp.texts.tokenizers import Vocabulary, load_tokenizer, vocabulary_of

# Texts that are looked through for the marks of a tokenizer.
_LOOKED_AT = 64


def vocabulary_for(model: Any, tokenizer: Any) -> tuple[Vocabulary | None, int]:
    """Return what the ids of a model stand for, and how many marks its tokenizer adds to a text.

    None, and no marks, of a model given by its configuration without a tokenizer: then id 0 is
    padding and each other id a word, as a `WordEncoder` has them.
    """
    if tokenizer is None:
        if not is_pretrained(model):
            return None, 0
        tokenizer = load_tokenizer(model)
    return vocabulary_of(tokenizer), int(tokenizer.num_special_tokens_to_add())


def as_token_ids(
    X: Any, encoder: nn.Module, vocabulary: Vocabulary | None, n_marks: int
) -> NDArray[np.int64]:
    """Return `X` as token ids (n, T), int64.

    Raises
    ------
    ValueError
        If these are no ids, those of another vocabulary, or more than the encoder has places for.
    """
    ids = as_word_ids(X, "TokenEncoder")
    n_words = encoder.get_input_embeddings().num_embeddings  # type: ignore[operator]
    if ids.max() >= n_words:
        raise ValueError(
            f"Token ids reach {ids.max()}, but the encoder's vocabulary has {n_words}: encode with "
            "the TokenEncoder of the same model."
        )
    if n_marks and vocabulary is not None:
        _check_marks(ids, vocabulary)
    padding = 0 if vocabulary is None else vocabulary.padding
    _check_lengths(ids, padding, longest_text(encoder))
    return ids


def _check_marks(ids: NDArray[np.int64], vocabulary: Vocabulary) -> None:
    marks = [number for number in vocabulary.no_words if number != vocabulary.padding]
    some = ids[:_LOOKED_AT]
    lengths = ((some != vocabulary.padding) * np.arange(1, some.shape[1] + 1)).max(axis=1)
    ends = np.stack([some[:, 0], some[np.arange(len(some)), lengths - 1]], axis=1)
    without = (lengths > 0) & ~np.isin(ends, marks).any(axis=1)
    if without.any():
        raise ValueError(
            "X must hold ids of the model's own tokenizer, which sets marks such as [CLS] "
            f"(ids {marks}) at an end of each text; found none at row {int(without.argmax())}. "
            "Encode with the TokenEncoder of the same model."
        )


def _check_lengths(ids: NDArray[np.int64], padding: int, limit: int | None) -> None:
    if limit is None or ids.shape[1] <= limit:
        return
    too_long = (ids[:, limit:] != padding).any(axis=1)
    if too_long.any():
        raise ValueError(
            f"Texts must have at most {limit} tokens, the places of the encoder; found "
            f"{int(too_long.sum())} longer ones, the first at row {int(too_long.argmax())}. Cut "
            f"them: TokenEncoder(..., max_length={limit})."
        )
