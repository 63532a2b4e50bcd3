"""Data and estimator of an experiment, by the names that the command line knows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import make_pipeline

import modal_interp.datasets as datasets
from modal_interp.estimators import (
    TabularMLPClassifier,
    TextBiLSTMClassifier,
    TextCNNClassifier,
    TextCNNLSTMClassifier,
)
from modal_interp.texts.coverage import covered
from modal_interp.texts.vector_files import load_word_vectors
from modal_interp.texts.word_encoder import WordEncoder
from modal_interp.texts.word_vectors import embedding_matrix, train_word_vectors

TEXTS = ("mr", "subj", "trec", "agnews", "paper_topics", "paper_projects", "reviews")
TABLES = ("employee", "telescope", "default", "news", "sigmoid")
TEXT_ESTIMATORS = {
    "cnn": TextCNNClassifier,
    "bilstm": TextBiLSTMClassifier,
    "cnn_lstm": TextCNNLSTMClassifier,
}


class Problem(NamedTuple):
    """What `run_experiment` needs, unfitted estimator, samples and labels; names for `explain=`."""

    estimator: Any
    X: NDArray[Any]
    y: NDArray[Any]
    names: Any = None  # the encoder of texts, or the columns of a table


def load_problem(dataset: str, estimator: str | None = None, **params: Any) -> Problem:
    """Return a public data set with an estimator for it.

    Parameters
    ----------
    dataset : str
        One of `TEXTS` or `TABLES`.
    estimator : {"cnn", "bilstm", "cnn_lstm", "mlp"}, optional
        "cnn" for texts and "mlp" for tables, if not given.
    **params : dict
        Parameters of the estimator, and for texts those of :func:`text_problem`.

    Returns
    -------
    Problem
        Data and estimator.

    Raises
    ------
    ValueError
        If the data set is unknown, or the estimator is unknown or not for such data.

    Notes
    -----
    Departs from the paper: none; a choice of data. The defaults of the nets are this package's.
    """
    if dataset in TEXTS:
        texts, y = _text_data(dataset)
        return text_problem(texts, y, estimator or "cnn", **params)
    if dataset not in TABLES:
        raise ValueError(f"dataset must be one of {', '.join(TEXTS + TABLES)}; found {dataset!r}.")
    if estimator not in (None, "mlp"):
        raise ValueError(f"estimator must be 'mlp' for the table {dataset!r}; found {estimator!r}.")
    net = TabularMLPClassifier(**params)
    if dataset == "sigmoid":
        return Problem(net, *datasets.make_sigmoid(2000, random_state=0))
    bunch = getattr(datasets, f"fetch_{dataset}")()
    return Problem(make_pipeline(bunch.preprocessing, net), bunch.data, bunch.target)


def _text_data(dataset: str) -> tuple[NDArray[Any], NDArray[Any]]:
    if dataset == "reviews":
        texts, y = datasets.make_reviews(2000, random_state=0)
        return texts, y
    bunch = getattr(datasets, f"fetch_{dataset}")()
    several = bunch.target.ndim == 2
    return bunch.data, bunch.target if several else np.array(bunch.target_names)[bunch.target]


def text_problem(
    texts: Any,
    labels: Any,
    estimator: str = "cnn",
    *,
    word_vectors: bool | str = True,
    word_vector_epochs: int = 20,
    max_length: int | None = None,
    tokenizer: Callable[[str], Iterable[str]] | None = None,
    verbose: int = 0,
    **params: Any,
) -> Problem:
    """Return texts as word ids, with a network for them.

    The vocabulary and the word vectors are of all texts, as in the papers; no label is used.

    Parameters
    ----------
    texts : sequence of n str
        Raw texts.
    labels : array-like of shape (n,)
        Their labels.
    estimator : {"cnn", "bilstm", "cnn_lstm"}, default="cnn"
        The network.
    word_vectors : bool or str, default=True
        Start the embeddings from word2vec trained on the texts, from vectors of a file, or at
        random.
    word_vector_epochs : int, default=20
        Passes of that training.
    max_length, tokenizer : optional
        As for :class:`~modal_interp.WordEncoder`.
    verbose : int, default=0
        Greater than 0 tells how many texts `max_length` cuts and how many words have a vector.
    **params : dict
        Parameters of the estimator.

    Returns
    -------
    Problem
        `X` are word ids of shape (n, T).

    Raises
    ------
    ValueError
        If the estimator is not one for texts.

    Notes
    -----
    Departs from the paper: none; ALDEN and DAMI train word2vec on each data set, without saying
    whether the texts of the test part belong to it.
    """
    if estimator not in TEXT_ESTIMATORS:
        known = ", ".join(TEXT_ESTIMATORS)
        raise ValueError(f"estimator must be one of {known} for texts; found {estimator!r}.")
    encoder = WordEncoder(max_length=max_length)
    if tokenizer is not None:
        encoder.set_params(tokenizer=tokenizer)
    X = encoder.fit_transform(texts)
    if max_length is not None and verbose > 0:
        print(f"  cut    {encoder.cut_share_:.1%} of the texts after {max_length} words")
    if word_vectors:
        vectors = (
            load_word_vectors(word_vectors, vocabulary=encoder.vocabulary_)
            if isinstance(word_vectors, str)
            else train_word_vectors(texts, encoder, epochs=word_vector_epochs, random_state=0)
        )
        if isinstance(word_vectors, str) and verbose > 0:
            share = covered(encoder.vocabulary_, vectors)
            print(f"  vectors    {share:.1%} of the words have one in {word_vectors}")
        params["embedding_matrix"] = embedding_matrix(encoder, vectors, random_state=0)
    net = TEXT_ESTIMATORS[estimator](n_words=encoder.n_words_, **params)
    return Problem(net, X, np.asarray(labels), encoder)
