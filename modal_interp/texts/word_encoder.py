"""Texts to padded word ids."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.exceptions import NotFittedError

from modal_interp.texts.doubts import doubt_cuts, doubt_unknown, doubt_words, words_once
from modal_interp.texts.id_rows import joined_words, lengths_of, padded_ids
from modal_interp.texts.vocabulary import (
    PADDING,
    UNKNOWN,
    check_options,
    check_texts,
    given_ids,
    ids_by_frequency,
    splitter,
)
from modal_interp.texts.words import preparer, split_words


class WordEncoder(TransformerMixin, BaseEstimator):
    r"""Turn texts into rows of word ids, padded to one width.

    Id 0 is padding, id 1 an unknown word, and the words follow from id 2 on by falling frequency,
    ties in alphabetical order, so that the order of the texts does not matter.

    Parameters
    ----------
    tokenizer : str, re.Pattern or callable, default=split_words
        A regular expression of one word (with one group: the group is the word), or a function
        from a text to a list of words. Empty words are dropped. A lambda cannot be pickled. The
        default knows the words of all scripts (UAX 29) and cuts those without blanks by character.
    lowercase : bool or "tr", default=True
        Lower the texts before they are split: İ becomes i, ß stays (and STRASSE strasse), and so
        does ı. "tr" lowers as Turkish and Azerbaijani do: I becomes ı.
    normalize : {"NFC", "NFD", "NFKC", "NFKD"} or None, default="NFC"
        Unicode's normal form, taken before texts are split, which also drops characters that
        nobody sees (soft hyphens, byte order marks; joiners where they change nothing). None
        leaves both as they are.
    min_count : int, default=1
        Words that occur less often become unknown. Not used where `vocabulary` is given.
    max_words : int, default=None
        Keep at most so many words, the most frequent; padding and unknown are not counted.
        Not used where `vocabulary` is given.
    max_length : int, default=None
        Width of the ids; longer texts lose their end. By default nothing is ever cut: rows are as
        wide as the longest text seen in `fit`, or wider where `transform` meets a longer one.
    vocabulary : mapping of str to int, or iterable of str, default=None
        Fixed ids (unique, from 2 on; gaps are allowed), or words that get the ids 2, 3, ... in
        their order (a set: in alphabetical order). `fit` keeps them and `transform` needs no `fit`.

    Attributes
    ----------
    vocabulary_ : dict of str to int
        Id of each word.
    words_ : ndarray of shape (V,), dtype object
        Word of each id, with '<pad>' at 0, '<unk>' at 1 and at ids that the vocabulary leaves out.
    n_words_ : int
        Number V of ids, padding and unknown included: the rows of an embedding matrix.
    max_length_ : int
        Width of the ids, in words. This and what follows only after `fit`.
    word_counts_ : ndarray of shape (V,), dtype int64
        How often each word occurs in the texts, unknown ones together at 1.
    n_empty_texts_, n_cut_texts_, n_words_once_ : int
        Texts without a word, texts that `max_length` cuts, and different words that occur once.
    cut_share_ : float
        Share of the texts that `max_length` cuts, from 0 to 1.

    Notes
    -----
    An active learner refits its estimator on the labelled texts alone. Put a fitted encoder into
    `sklearn.frozen.FrozenEstimator`, or give it a `vocabulary`, and its ids never change.

    Departs from the paper: ALDEN and DAMI do not say how they split texts into words.

    Examples
    --------
    >>> from modal_interp.texts.word_encoder import WordEncoder
    >>> encoder = WordEncoder().fit(["A fine film.", "Not a film, sadly"])
    >>> encoder.transform(["a sadly FINE film", "", "a bore"])
    array([[2, 8, 6, 3, 0],
           [0, 0, 0, 0, 0],
           [2, 1, 0, 0, 0]])
    >>> encoder.inverse_transform([[2, 1, 0]])
    array(['a <unk>'], dtype=object)
    """

    def __init__(
        self,
        *,
        tokenizer: str | re.Pattern[str] | Callable[[str], Iterable[str]] = split_words,
        lowercase: bool | str = True,
        normalize: str | None = "NFC",
        min_count: int = 1,
        max_words: int | None = None,
        max_length: int | None = None,
        vocabulary: Mapping[str, int] | Iterable[str] | None = None,
    ) -> None:
        self.tokenizer = tokenizer
        self.lowercase = lowercase
        self.normalize = normalize
        self.min_count = min_count
        self.max_words = max_words
        self.max_length = max_length
        self.vocabulary = vocabulary

    def fit(self, texts: Iterable[str], y: object = None) -> WordEncoder:
        """Learn the words of the texts, or keep those given, and the width.

        Parameters
        ----------
        texts : iterable of n str
            List, tuple, 1-D array, Series or iterator.
        y : object, default=None
            Ignored.

        Returns
        -------
        WordEncoder
            The encoder itself.

        Raises
        ------
        TypeError, ValueError
            If a parameter or a text is not as described, or no word is left to learn.
        """
        self._learn(texts)
        return self

    def transform(self, texts: Iterable[str]) -> npt.NDArray[np.int64]:
        """Encode texts.

        Parameters
        ----------
        texts : iterable of n str
            List, tuple, 1-D array, Series or iterator. A text without words becomes a row of zeros.

        Returns
        -------
        ndarray of shape (n, T), dtype int64
            Word ids, each row padded with zeros at its end; T is at least 1.

        Raises
        ------
        NotFittedError
            If the encoder is neither fitted nor given a vocabulary.
        TypeError, ValueError
            If a parameter or a text is not as described.
        """
        check_options(self)
        self._require_vocabulary()
        return self._encode(self.tokenize(texts))

    def fit_transform(self, texts: Iterable[str], y: object = None) -> npt.NDArray[np.int64]:
        """Do `fit` and `transform` in one, splitting the texts only once; see there."""
        return self._encode(self._learn(texts))

    def tokenize(self, texts: Iterable[str]) -> list[list[str]]:
        """Split texts into words, known or not, without cutting; needs no `fit`.

        Parameters
        ----------
        texts : iterable of n str
            List, tuple, 1-D array, Series or iterator.

        Returns
        -------
        list of n lists of str
            Words of each text.

        Raises
        ------
        TypeError, ValueError
            If `tokenizer` or a text is not as described.

        Examples
        --------
        >>> WordEncoder().tokenize(["Don't stop!"])
        [["don't", 'stop', '!']]
        """
        split, prepare = splitter(self.tokenizer), preparer(self.normalize, self.lowercase)
        return [list(filter(None, split(prepare(text)))) for text in check_texts(texts)]

    def inverse_transform(self, ids: npt.ArrayLike) -> npt.NDArray[np.object_]:
        """Write ids as words again.

        Parameters
        ----------
        ids : array-like of shape (n, T), integers in [0, V)
            Word ids as `transform` gives them.

        Returns
        -------
        ndarray of shape (n,), dtype object
            The words of each row without padding, joined by spaces.

        Raises
        ------
        NotFittedError
            If the encoder is neither fitted nor given a vocabulary.
        ValueError
            If `ids` is not two-dimensional, of integers and within range.
        """
        return joined_words(ids, self.words_)

    @property
    def vocabulary_(self) -> dict[str, int]:
        """Id of each word."""
        self._require_vocabulary()
        return self._vocabulary

    @property
    def words_(self) -> npt.NDArray[np.object_]:
        """Word of each id."""
        self._require_vocabulary()
        return self._words

    @property
    def n_words_(self) -> int:
        """Number of ids, padding and unknown included."""
        return len(self.words_)

    def _learn(self, texts: Iterable[str]) -> list[list[str]]:
        check_options(self)
        given = None if self.vocabulary is None else self._given_ids()
        tokens = self.tokenize(texts)
        counts = Counter(chain.from_iterable(tokens))
        n = len(tokens)
        self._remember(given or ids_by_frequency(counts, n, self.min_count, self.max_words))
        self._count(counts, lengths_of(tokens))
        return tokens

    def _count(self, counts: Counter[str], lengths: npt.NDArray[np.int64]) -> None:
        self.max_length_ = int(self.max_length or lengths.max(initial=1))
        self.word_counts_ = np.zeros(len(self._words), dtype=np.int64)
        for word, number in self._vocabulary.items():
            self.word_counts_[number] = counts[word]
        self.word_counts_[UNKNOWN] = lengths.sum() - self.word_counts_.sum()
        self.n_empty_texts_ = int((lengths == 0).sum())
        self.n_cut_texts_ = int((lengths > self.max_length_).sum())
        self.cut_share_ = self.n_cut_texts_ / max(1, len(lengths))
        self.n_words_once_ = words_once(counts)
        doubt_words(counts, lengths)
        doubt_cuts(self.n_cut_texts_, lengths, self.max_length_)

    def _encode(self, tokens: list[list[str]]) -> npt.NDArray[np.int64]:
        width = self.max_length or lengths_of(tokens).max(initial=getattr(self, "max_length_", 1))
        if self.max_length is not None:
            tokens = [words[:width] for words in tokens]
        ids, n_unknown, n_words = padded_ids(tokens, self.vocabulary_, int(width))
        if self.max_words is None and self.min_count == 1:
            doubt_unknown(n_unknown, n_words)
        return ids

    def _require_vocabulary(self) -> None:
        if hasattr(self, "_vocabulary"):
            return
        if self.vocabulary is None:
            raise NotFittedError(
                "This WordEncoder has no words yet: call fit on all texts first, or give it a "
                "vocabulary"
            )
        # Kept, as CountVectorizer does, so that checks are paid for once and iterators read once.
        self._remember(self._given_ids())

    def _given_ids(self) -> dict[str, int]:
        return given_ids(self.vocabulary, preparer(self.normalize, self.lowercase))

    def _remember(self, vocabulary: dict[str, int]) -> None:
        # Object, not U: one long word would widen every entry of a U array.
        words = np.full(max(vocabulary.values()) + 1, "<unk>", dtype=object)
        words[PADDING] = "<pad>"
        words[list(vocabulary.values())] = list(vocabulary)
        self._vocabulary, self._words = vocabulary, words

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_vocabulary") or self.vocabulary is not None

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.requires_fit = self.vocabulary is None
        return tags
