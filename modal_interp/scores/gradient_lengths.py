"""Scores of expected change: how far a sample's label would move a net. Higher is sooner."""

from __future__ import annotations

from contextlib import closing
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from skorch import NeuralNet

from modal_interp.nets.forward import as_array, in_order
from modal_interp.nets.gradients import parameter_gradient_norms, word_gradients
from modal_interp.nets.inputs import check_word_ids
from modal_interp.nets.pieces import WordGradients
from modal_interp.nets.samples import distinct_rows
from modal_interp.nets.sequences import numbered
from modal_interp.representations.explained_words import check_finite_gradients

Scores = NDArray[np.float64]


def expected_gradient_length(net: NeuralNet, X: Any, *, verbose: int = 0) -> Scores:
    r"""Return the expected length of the loss's gradient by the net's parameters.

    .. math:: \sum_c p_{ic} \lVert \nabla_\theta \ell(x_i, c) \rVert_2, \qquad
        \ell(x_i, c) = -\ln p_{ic}

    Parameters
    ----------
    net : skorch.NeuralNet
        A fitted classifier.
    X : array of shape (n, ...), or whatever the net's ``dataset`` takes
        Samples.
    verbose : int, default=0
        Greater than 0 shows a progress bar.

    Returns
    -------
    ndarray of shape (n,), float64
        For several labels the mean over labels, each expected over its yes and no.

    Raises
    ------
    ValueError
        If gradients are not finite.

    Notes
    -----
    Settles et al. [1]_, as Zhang et al. [2]_ write it. As :math:`p_c \nabla \ln p_c = \nabla p_c`,
    the sum is that of :math:`\lVert \nabla_\theta p_{ic} \rVert`. For two classes both gradients
    are of one length: one backward pass a sample.

    Departs from the paper: only parameters that training changes count; frozen ones do not.

    References
    ----------
    .. [1] B. Settles, M. Craven and S. Ray. Multiple-instance active learning. NIPS 2007.
    .. [2] Y. Zhang, M. Lease and B. C. Wallace. Active discriminative text representation
       learning. AAAI 2017.
    """
    distinct, sample_of = distinct_rows(X)
    with closing(parameter_gradient_norms(net, distinct, verbose=verbose)) as batches:
        parts = [
            (rows, _expected(as_array(norms).astype(np.float64), several))
            for rows, norms, several in batches
        ]
    rows_of, lengths = zip(*parts, strict=True)
    scores = in_order(list(rows_of), lengths)
    check_finite_gradients(scores)
    return scores[sample_of]


def expected_word_gradient_length(
    net: NeuralNet, X: Any, *, verbose: int = 0, **read_by: Any
) -> Scores:
    r"""Return the largest expected length of the loss's gradient by the embedding of one word.

    .. math:: \max_{w \in x_i} \sum_c p_{ic}
        \Big\lVert \sum_{j:\, x_{ij} = w} \frac{\partial \ell(x_i, c)}{\partial e_{ij}}
        \Big\rVert_2

    Parameters
    ----------
    net : skorch.NeuralNet
        A fitted classifier whose module holds an embedding layer.
    X : ndarray of shape (n, T), integer
        Word ids, padded.
    verbose : int, default=0
        Greater than 0 shows a progress bar.
    **read_by
        Layers by name and what counts as a word, where the net is not read rightly without:
        :class:`~modal_interp.ReadBy`.

    Returns
    -------
    ndarray of shape (n,), float64
        0 for a text without words; for several labels the mean over labels, each expected over
        its yes and no.

    Raises
    ------
    ValueError
        If `X` does not suit the net, the layer is not found, or gradients are not finite.

    Notes
    -----
    Zhang et al. [1]_, EGL-word. A word's embedding is one parameter, so the gradients of its
    places in a text add up, as do those of its pieces. As
    :math:`p_c \nabla \ln p_c = \nabla p_c`, no logarithm is taken; for two classes both gradients
    are of one length: one backward pass a batch.

    Departs from the paper: none. Frozen embeddings are scored like trained ones.

    References
    ----------
    .. [1] Y. Zhang, M. Lease and B. C. Wallace. Active discriminative text representation
       learning. AAAI 2017.
    """
    check_word_ids(net, X, param="X", **read_by)
    distinct, sample_of = distinct_rows(X)
    batches = word_gradients(net, distinct, verbose=verbose, **read_by)
    with closing(batches):
        parts = [(batch.rows, _longest_word(batch)) for batch in batches]
    rows_of, lengths = zip(*parts, strict=True)
    scores = in_order(list(rows_of), lengths)
    check_finite_gradients(scores)
    return scores[sample_of]


def lengths_by_parameter(net: NeuralNet, X: Any) -> tuple[list[str], Scores]:
    r"""Return the parts of the expected gradient length, one a parameter.

    .. math:: s_{il} = \sum_c p_{ic}
        \frac{\lVert \nabla_{\theta_l} \ell(x_i, c) \rVert_2^2}
        {\lVert \nabla_\theta \ell(x_i, c) \rVert_2}

    Parameters
    ----------
    net, X
        As for :func:`expected_gradient_length`; a backward pass a sample and class.

    Returns
    -------
    names : list of P str
        Parameters of the net's module that training changes.
    parts : ndarray of shape (n, P), float64
        They add up to :func:`expected_gradient_length`.
    """
    names = [name for name, p in net.module_.named_parameters() if p.requires_grad]
    rows_of, parts = [], []
    with closing(parameter_gradient_norms(net, X, each=True)) as batches:
        for rows, norms, several in batches:
            squared = as_array(norms).astype(np.float64) ** 2
            whole = np.sqrt(squared.sum(axis=2, keepdims=True))
            of_output = np.divide(squared, whole, out=np.zeros_like(squared), where=whole > 0)
            rows_of.append(rows)
            parts.append(_expected(of_output, several))
    return names, in_order(rows_of, parts)


def word_gradient_lengths(net: NeuralNet, X: Any, **read_by: Any) -> list[Scores]:
    """Return the expected gradient length by each word, in parts of one a class or label.

    Parameters
    ----------
    net, X, **read_by
        As for :func:`expected_word_gradient_length`.

    Returns
    -------
    list of n arrays of shape (n_words, C), float64
        Of each text its words in order; their sums over the columns are the expected lengths by
        the words, of which the largest is the score.
    """
    found: dict[int, Scores] = {}
    with closing(word_gradients(net, X, **read_by)) as batches:
        for batch in batches:
            of_batch = _words_of(batch)
            parts = _by_class(of_batch.lengths, batch.several)[of_batch.word_of]
            ends = np.cumsum(of_batch.counts)[:-1]
            found.update(zip(batch.rows.tolist(), np.split(parts, ends), strict=True))
    return [found[i] for i in range(len(found))]


def _expected(lengths: Scores, several: bool) -> Scores:
    """Return the sum over classes of the lengths (n, A), or the mean over labels: (n,)."""
    if several:  # of each label, yes and no
        return 2 * lengths.mean(axis=1)
    both = 2 if lengths.shape[1] == 1 else 1  # of two classes one was computed
    return both * lengths.sum(axis=1)


def _by_class(lengths: Scores, several: bool) -> Scores:
    """Return the parts of what `_expected` gives, one a class or label: (n, C)."""
    if several:
        return 2 * lengths / lengths.shape[1]
    return np.repeat(lengths, 2, axis=1) if lengths.shape[1] == 1 else lengths


class _Words(NamedTuple):
    """The distinct words of the texts of a batch, and where they occur."""

    text_of: NDArray[np.intp]  # (v,) row of the batch
    lengths: Scores  # (v, A)
    word_of: NDArray[np.intp]  # (w,) which distinct word each occurrence is, text by text
    counts: NDArray[np.intp]  # (b,) occurrences in each text


def _longest_word(batch: WordGradients) -> Scores:
    """Return the largest expected length over the distinct words of each text, (b,)."""
    words = _words_of(batch)
    longest = np.zeros(len(batch.rows))
    np.maximum.at(longest, words.text_of, _expected(words.lengths, batch.several))
    return longest


def _words_of(batch: WordGradients) -> _Words:
    is_word = batch.is_word.cpu().numpy()
    row = np.repeat(np.arange(len(is_word)), is_word.sum(axis=1))
    word = batch.ids[batch.is_word].cpu().numpy()
    begins = np.ones(len(word), dtype=bool)
    if batch.begins is not None:  # of each piece, which word it belongs to
        begins = batch.begins[batch.is_word].cpu().numpy()
        word = numbered(word, begins, word.max(initial=0) + 1)[0][np.cumsum(begins) - 1]
    n_words = word.max(initial=0) + 1
    pairs, place = np.unique(row * n_words + word, return_inverse=True)
    found = batch.gradients[batch.is_word]
    summed = found.new_zeros((len(pairs), *found.shape[1:]))
    summed.index_add_(0, torch.from_numpy(place.reshape(-1)).to(found.device), found)
    lengths = as_array(torch.linalg.vector_norm(summed, dim=2)).astype(np.float64)
    counts = np.bincount(row[begins], minlength=len(is_word))
    return _Words(pairs // n_words, lengths, place.reshape(-1)[begins], counts)
