"""Texts to the padded ids of a pretrained encoder's tokenizer."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from numbers import Integral
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_scalar

from modal_interp.texts.pretrained import DEFAULT_MODEL
from modal_interp.texts.tokenizers import Vocabulary, load_tokenizer, spans_of_words, vocabulary_of
from modal_interp.texts.vocabulary import check_texts

# A tokenizer writes down how it was last told to cut, so that it serves one call at a time.
_one_at_a_time = Lock()
# Tokenizers that know no limit name one that nothing reaches.
_NO_LIMIT = 1_000_000


class TokenEncoder(TransformerMixin, BaseEstimator):
    """Turn texts into rows of token ids, padded to one width, by any Hugging Face tokenizer.

    The counterpart of :class:`WordEncoder` for pretrained encoders. There is nothing to fit: a
    pipeline that is fitted again on other texts gives the same ids.

    Parameters
    ----------
    model : str or Path, default="sentence-transformers/all-MiniLM-L6-v2"
        Name or folder of the model whose tokenizer it is: that of the
        :class:`TransformerClassifier` behind it. Files that lie here are read without network.
    max_length : int, default=None
        Width of the ids, marks such as ``[CLS]`` included; longer texts lose their end. By default
        rows are as wide as the longest text of the call, of which nothing is cut but what the
        tokenizer says its model cannot read; with a warning.
    tokenizer : transformers.PreTrainedTokenizerBase, default=None
        A tokenizer that is already loaded, instead of that of `model`.

    Attributes
    ----------
    n_words_ : int
        Number V of ids.
    padding_ : int
        Id of padding, which is not 0 for every tokenizer.
    no_words_ : tuple of int
        Ids that are no words: padding, and marks such as ``[CLS]`` and ``[SEP]``.
    begins_word_ : ndarray of shape (V,), bool
        Whether an id begins a word, or goes on with the one before it: in WordPiece ``##`` goes
        on; in byte-level BPE and SentencePiece the mark of the blank begins. Found from the
        vocabulary; one that marks neither is of whole words.

    Raises
    ------
    ImportError
        By all but the constructor, if transformers is not installed.
    TypeError, ValueError
        By all but the constructor, if a parameter or a text is not as described, the tokenizer is
        not to be had, or it has no id for padding.

    Notes
    -----
    Departs from the paper: ALDEN and DAMI explain words; those of pieces are put together by the
    queries (:class:`ReadBy`).

    Examples
    --------
    >>> from modal_interp import TokenEncoder
    >>> encoder = TokenEncoder("my-model")  # doctest: +SKIP
    >>> encoder.transform(["a fine film", ""])  # doctest: +SKIP
    array([[ 101, 1037, 2986, 2143,  102],
           [ 101,  102,    0,    0,    0]])
    """

    def __init__(
        self,
        model: str | Path = DEFAULT_MODEL,
        *,
        max_length: int | None = None,
        tokenizer: Any = None,
    ) -> None:
        self.model = model
        self.max_length = max_length
        self.tokenizer = tokenizer

    def fit(self, texts: Iterable[str], y: object = None) -> TokenEncoder:
        """Check the parameters; nothing is learnt of the texts.

        Parameters
        ----------
        texts : iterable of n str
            List, tuple, 1-D array, Series or iterator.
        y : object, default=None
            Ignored.

        Returns
        -------
        TokenEncoder
            The encoder itself.
        """
        self._check()
        return self

    def transform(self, texts: Iterable[str]) -> npt.NDArray[np.int64]:
        """Encode texts.

        Parameters
        ----------
        texts : iterable of n str
            List, tuple, 1-D array, Series or iterator.

        Returns
        -------
        ndarray of shape (n, T), dtype int64
            Ids, each row padded at its end; T is at least 1.

        Warns
        -----
        UserWarning
            If texts were cut by what the tokenizer says its model can read at most.
        """
        tokenizer, vocabulary = self._check()
        rows = self._rows(tokenizer, _whole_characters(check_texts(texts)))
        width = self.max_length or max(map(len, rows), default=0)
        ids = np.full((len(rows), max(1, width)), vocabulary.padding, dtype=np.int64)
        for place, row in enumerate(rows):
            ids[place, : len(row)] = row
        return ids

    def inverse_transform(self, ids: npt.ArrayLike) -> npt.NDArray[np.object_]:
        """Write ids as texts again, without marks.

        Parameters
        ----------
        ids : array-like of shape (n, T), integers
            Ids as `transform` gives them.

        Returns
        -------
        ndarray of shape (n,), dtype object
            The texts, as the tokenizer writes them.
        """
        tokenizer, vocabulary = self._check()
        rows = np.asarray(ids)
        if rows.ndim != 2 or rows.dtype.kind not in "iu":
            raise ValueError(
                f"ids must be integers of shape (n, T); found dtype {rows.dtype}, shape "
                f"{rows.shape}."
            )
        if rows.size and not 0 <= rows.min() <= rows.max() < vocabulary.size:
            raise ValueError(
                f"ids must lie between 0 and {vocabulary.size - 1}, the tokenizer's vocabulary; "
                f"found {rows.min()} to {rows.max()}."
            )
        texts = [tokenizer.decode(row, skip_special_tokens=True) for row in rows.tolist()]
        return np.array([*texts, None], dtype=object)[:-1]

    def word_spans(self, texts: Iterable[str]) -> list[list[tuple[int, int]]]:
        """Tell where the words that are read lie in each text.

        Parameters
        ----------
        texts : iterable of n str
            List, tuple, 1-D array, Series or iterator.

        Returns
        -------
        list of n lists of (int, int)
            The first character of each word and the one behind its last; no words where the
            tokenizer does not tell, as those that are written in Python do not.
        """
        tokenizer, vocabulary = self._check()
        texts = _whole_characters(check_texts(texts))
        if not getattr(tokenizer, "is_fast", False):
            return [[] for _ in texts]
        limit = self.max_length or tokenizer.model_max_length
        cut = {} if limit >= _NO_LIMIT else {"truncation": True, "max_length": limit}
        with _one_at_a_time:
            read = tokenizer(texts, return_offsets_mapping=True, verbose=False, **cut)
        rows = zip(texts, read["input_ids"], read["offset_mapping"], strict=True)
        return [spans_of_words(vocabulary, *row) for row in rows]

    @property
    def n_words_(self) -> int:
        """Number of ids."""
        return self._check()[1].size

    @property
    def padding_(self) -> int:
        """Id of padding."""
        return self._check()[1].padding

    @property
    def no_words_(self) -> tuple[int, ...]:
        """Ids that are no words."""
        return self._check()[1].no_words

    @property
    def begins_word_(self) -> npt.NDArray[np.bool_]:
        """Whether each id begins a word, (V,)."""
        return self._check()[1].begins_word

    def _check(self) -> tuple[Any, Vocabulary]:
        """Return the tokenizer and what its ids stand for, or raise what is wrong."""
        if self.max_length is not None:
            check_scalar(self.max_length, "max_length", Integral, min_val=1)
        tokenizer = self.tokenizer
        if tokenizer is None:
            check_scalar(self.model, "model", (str, Path))
            tokenizer = load_tokenizer(self.model)
        if not callable(tokenizer) or not hasattr(tokenizer, "get_vocab"):
            raise TypeError(
                "tokenizer must be one of transformers (AutoTokenizer.from_pretrained); found a "
                f"{type(tokenizer).__name__}."
            )
        vocabulary = vocabulary_of(tokenizer)
        n_marks = tokenizer.num_special_tokens_to_add()
        if self.max_length is not None and self.max_length <= n_marks:
            raise ValueError(
                f"max_length must leave room for a word beside the tokenizer's {n_marks} marks; "
                f"found {self.max_length}."
            )
        return tokenizer, vocabulary

    def _rows(self, tokenizer: Any, texts: list[str]) -> list[list[int]]:
        """Return the ids of each text, cut to what may be read."""
        if not texts:
            return []
        limit = self.max_length or tokenizer.model_max_length
        whole = {"return_attention_mask": False, "return_token_type_ids": False, "verbose": False}
        with _one_at_a_time:
            if limit >= _NO_LIMIT:
                return tokenizer(texts, **whole)["input_ids"]
            rows = tokenizer(texts, truncation=True, max_length=limit, **whole)["input_ids"]
            if self.max_length is None:
                self._tell_of_cuts(tokenizer, texts, rows, limit)
        return rows

    def _tell_of_cuts(
        self, tokenizer: Any, texts: list[str], rows: list[list[int]], limit: int
    ) -> None:
        full = [text for text, row in zip(texts, rows, strict=True) if len(row) >= limit]
        if not full:
            return
        lengths = map(len, tokenizer(full, verbose=False)["input_ids"])
        if n_cut := sum(length > limit for length in lengths):
            warnings.warn(
                f"{n_cut} of {len(texts)} texts are longer than the {limit} tokens that the "
                "tokenizer says its model reads, and lose their end: max_length= says how much of "
                "each is read, without this warning.",
                stacklevel=4,
            )

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.requires_fit = False
        return tags


def _whole_characters(texts: list[str]) -> list[str]:
    """Return the texts, or raise a ValueError where one holds half of a character."""
    for place, text in enumerate(texts):
        if not text.isascii():
            try:
                text.encode()
            except UnicodeEncodeError as error:
                raise ValueError(
                    "texts must be of whole characters, as tokenizers read them; found the half "
                    f"{text[error.start]!r} at position {place}. Put another in its place: "
                    "text.encode('utf-8', 'replace').decode()."
                ) from error
    return texts
