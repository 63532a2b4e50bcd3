"""Word vectors by gensim, trained or loaded, as an embedding matrix for a `WordEncoder`."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from numbers import Integral
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from joblib import effective_n_jobs
from sklearn.utils.validation import check_scalar
from tqdm import tqdm

from modal_interp._seeding import generator
from modal_interp.texts.coverage import doubt_coverage, why_few
from modal_interp.texts.vocabulary import PADDING
from modal_interp.texts.word_encoder import WordEncoder

# gensim takes a second to import, so each function imports it when it is called.
if TYPE_CHECKING:
    from gensim.models import KeyedVectors


def train_word_vectors(
    texts: Iterable[str],
    encoder: WordEncoder,
    *,
    dim: int = 100,
    window: int = 5,
    min_count: int = 1,
    epochs: int = 20,
    sg: bool = True,
    random_state: int | np.random.RandomState | None = None,
    n_jobs: int = 1,
    verbose: int = 0,
) -> KeyedVectors:
    """Train word2vec on texts, split into words as the encoder splits them.

    Words that the encoder does not know are left out before windows are laid, as word2vec itself
    leaves out rare words.

    Parameters
    ----------
    texts : iterable of n str
        Labelled and unlabelled texts alike; no labels are used.
    encoder : WordEncoder
        Fitted, or with a given vocabulary.
    dim : int, default=100
        Length D of a vector.
    window : int, default=5
        Most words between a word and one that it is trained to predict.
    min_count : int, default=1
        Words that occur less often in `texts` get no vector.
    epochs : int, default=20
        Passes over the texts. Five, gensim's own default, are too few for some thousand short
        texts: a network that starts from such vectors does worse than without (see Notes).
    sg : bool, default=True
        True: skip-gram, a word predicts each neighbour. False: CBOW, the neighbours predict the
        word.
    random_state : int, RandomState instance or None, default=None
        Given, the vectors are the same bit for bit in every process on one machine, which takes
        ``n_jobs=1``. The global random state is never drawn from.
    n_jobs : int, default=1
        Training threads; -1 for one a processor.
    verbose : int, default=0
        Above 0, a progress bar for each pass.

    Returns
    -------
    gensim.models.KeyedVectors
        Vectors of dtype float32, the most frequent word first.

    Raises
    ------
    NotFittedError
        If the encoder has no vocabulary.
    TypeError, ValueError
        If a parameter or a text is not as described, or no word is left to train on.

    Notes
    -----
    Mikolov, Chen, Corrado and Dean, "Efficient Estimation of Word Representations in Vector Space",
    ICLR workshop 2013, trained by negative sampling (Mikolov et al., NIPS 2013). ALDEN and DAMI
    train it on each data set with D = 100.

    Departs from the paper: negative sampling (5 words) stands for the hierarchical softmax of the
    first paper, and words that make up more than 0.1 % of the text are subsampled, both as in the
    second; a text is one sentence, of which the first 10,000 words are used. These are gensim's
    defaults. Skip-gram is the default because it served better: a logistic regression on mean
    vectors (3 folds, 5 epochs) reached 0.634 with it and 0.606 with CBOW on MR, 0.853 and 0.820 on
    Subj; training on MR took 9 s and 2 s. Passes: a CNN with 50 and 200 labels of TREC and paper
    titles had accuracy .390 without vectors, .377 with those of 5 passes and .446 with 20.

    Examples
    --------
    >>> from modal_interp.texts.word_encoder import WordEncoder
    >>> from modal_interp.texts.word_vectors import train_word_vectors
    >>> texts = ["a fine film", "a dull film", "a fine plot"]
    >>> encoder = WordEncoder().fit(texts)
    >>> train_word_vectors(texts, encoder, dim=8, random_state=0)["film"].shape
    (8,)
    """
    for name, value in (("dim", dim), ("window", window), ("min_count", min_count)):
        check_scalar(value, name, Integral, min_val=1)
    check_scalar(epochs, "epochs", Integral, min_val=1)
    check_scalar(sg, "sg", (bool, np.bool_, Integral))
    if random_state is not None and n_jobs != 1:
        raise ValueError(
            f"n_jobs must be 1 with a random_state, got {n_jobs}: threads take turns by chance, so "
            "pass n_jobs=1, or random_state=None"
        )
    sentences = _known_words(texts, encoder, min_count)
    from gensim.models import Word2Vec

    model = Word2Vec(
        sentences=_Passes(sentences) if verbose else sentences,
        vector_size=dim,
        window=window,
        min_count=min_count,
        epochs=epochs,
        sg=int(sg),
        seed=generator(random_state).randint(2**31),
        workers=effective_n_jobs(n_jobs),
        # gensim 4.4 hashes no words; its default, Python's hash, differs between processes.
        hashfxn=lambda word: zlib.crc32(word.encode()),
    )
    return model.wv


def embedding_matrix(
    encoder: WordEncoder,
    vectors: KeyedVectors | Mapping[str, npt.ArrayLike],
    *,
    random_state: int | np.random.RandomState | None = None,
) -> npt.NDArray[np.float32]:
    """Line word vectors up with the ids of an encoder.

    Parameters
    ----------
    encoder : WordEncoder
        Fitted, or with a given vocabulary; it has V ids.
    vectors : KeyedVectors or mapping of str to array-like of shape (D,)
        Finite vectors; words that the encoder does not know are not used. Those that fastText puts
        together from parts of a word are taken where the word itself has none.
    random_state : int, RandomState instance or None, default=None
        For the rows of words without a vector. The global random state is never drawn from.

    Returns
    -------
    ndarray of shape (V, D), dtype float32
        Row 0, the padding, is zero. A word with a vector has it as its row; every other row, that
        of the unknown word too, is drawn from a normal distribution around zero with the standard
        deviation of all entries of the rows that have a vector.

    Raises
    ------
    NotFittedError
        If the encoder has no vocabulary.
    TypeError, ValueError
        If `vectors` is not as described or has no word of the encoder.

    Warns
    -----
    UserWarning
        If less than half of the encoder's words have a vector: how many, and how many more would
        have one in another spelling. Words that fastText puts together do not count.

    Notes
    -----
    Words without a vector as in Kim, "Convolutional Neural Networks for Sentence Classification",
    EMNLP 2014, section 4.3.

    Departs from the paper: of equal variance, but normal where the paper draws uniformly.

    Examples
    --------
    >>> from modal_interp.texts.word_encoder import WordEncoder
    >>> from modal_interp.texts.word_vectors import embedding_matrix
    >>> encoder = WordEncoder().fit(["a fine film"])
    >>> embedding_matrix(encoder, {"fine": [1.0, 0.0], "film": [0.5, 0.5]}, random_state=0).shape
    (5, 2)
    """
    if not (isinstance(vectors, Mapping) or hasattr(vectors, "key_to_index")):
        raise TypeError(
            "vectors must be KeyedVectors or a mapping of word to vector, got "
            f"{type(vectors).__name__}: pass a dict, or the .wv of a gensim model"
        )
    vocabulary = _vocabulary(encoder)
    ids = {word: number for word, number in vocabulary.items() if word in vectors}
    if not ids:
        raise ValueError(
            f"vectors must hold a word of the encoder, got none of its {len(vocabulary)}: "
            + why_few(vocabulary, vectors)
        )
    doubt_coverage(vocabulary, vectors, stacklevel=3)
    known = _stack({word: vectors[word] for word in ids})
    matrix = np.zeros((encoder.n_words_, known.shape[1]), dtype=np.float32)
    missing = np.setdiff1d(np.arange(len(matrix)), [PADDING, *ids.values()])
    shape = (len(missing), known.shape[1])
    matrix[missing] = generator(random_state).normal(scale=known.std(), size=shape)
    matrix[list(ids.values())] = known
    return matrix


def _vocabulary(encoder: WordEncoder) -> dict[str, int]:
    # Not by isinstance: FrozenEstimator hands attributes through.
    if not hasattr(encoder, "tokenize"):
        raise TypeError(f"encoder must be a WordEncoder, got {type(encoder).__name__}: pass one")
    return encoder.vocabulary_


def _known_words(texts: Iterable[str], encoder: WordEncoder, min_count: int) -> list[list[str]]:
    vocabulary = _vocabulary(encoder)
    sentences = [[word for word in text if word in vocabulary] for text in encoder.tokenize(texts)]
    most = max(Counter(chain.from_iterable(sentences)).values(), default=0)
    if most < min_count:
        raise ValueError(
            f"texts must hold a word of the encoder at least min_count={min_count} times, got at "
            f"most {most} times: pass the texts that the encoder was fitted on, or lower min_count"
        )
    return sentences


class _Passes:
    """Show a progress bar for each pass over the sentences."""

    def __init__(self, sentences: list[list[str]]) -> None:
        self.sentences = sentences

    def __iter__(self) -> Iterator[list[str]]:
        yield from tqdm(self.sentences, desc="word2vec", unit="text")


def _stack(vectors: Mapping[str, npt.ArrayLike]) -> npt.NDArray[np.float32]:
    rows = {word: np.asarray(vector, dtype=np.float32) for word, vector in vectors.items()}
    shape = next(iter(rows.values())).shape
    for word, row in rows.items():
        if len(shape) != 1 or row.shape != shape:
            raise ValueError(
                f"vectors must all be of one shape (D,), got {row.shape} for {word!r} and {shape} "
                "for another word: load them again"
            )
        if not np.isfinite(row).all():
            raise ValueError(
                f"vectors must be finite, got {row[~np.isfinite(row)][0]} for {word!r}: drop the "
                "word, or train or load the vectors again"
            )
    return np.stack(list(rows.values()))
