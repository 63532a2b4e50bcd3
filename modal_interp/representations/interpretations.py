"""Local interpretations: what each word or feature contributes to a net's prediction."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from skorch import NeuralNet

from modal_interp._out_of_core import Spool, empty_for, ranges
from modal_interp.nets.gradients import WordGradients, feature_gradients, word_gradients
from modal_interp.nets.inputs import check_features, check_word_ids
from modal_interp.nets.layers import check_read_by, reads_words
from modal_interp.nets.outputs import Classes, Target, check_explained
from modal_interp.nets.samples import distinct_rows


class WordInterpretations(NamedTuple):
    """The words of n samples one after the other, each with its local interpretation.

    Attributes
    ----------
    words : ndarray of shape (W,), int64
        Word ids. Padding is left out.
    values : ndarray of shape (W, A), float32
        The interpretation of each word, one column for each explained output.
    offsets : ndarray of shape (n + 1,), int64
        Sample i has the words from ``offsets[i]`` up to ``offsets[i + 1]``.

    Notes
    -----
    What :func:`word_interpretations` returns, ALDEN equation 4.

    Departs from the paper: none; it departs where :func:`word_interpretations` does.
    """

    words: NDArray[np.int64]
    values: NDArray[np.float32]
    offsets: NDArray[np.int64]

    def samples(self, rows: NDArray[np.integer[Any]] | slice) -> WordInterpretations:
        """Return the interpretations of these samples, in this order; a sample may come twice."""
        if isinstance(rows, slice) and rows.step in (None, 1):  # in one piece: nothing is copied
            offsets = self.offsets[rows.start : None if rows.stop is None else rows.stop + 1]
            piece = slice(offsets[0], offsets[-1])
            return WordInterpretations(self.words[piece], self.values[piece], offsets - offsets[0])
        starts, ends = self.offsets[:-1][rows], self.offsets[1:][rows]
        offsets = np.concatenate([[0], np.cumsum(ends - starts)])
        words, values = _empty(offsets[-1], self.values.shape[1])
        for block, places, _ in ranges(starts, ends):
            words[block], values[block] = self.words[places], self.values[places]
        return WordInterpretations(words, values, offsets)

    @classmethod
    def concatenate(cls, parts: list[WordInterpretations]) -> WordInterpretations:
        """Return the samples of all parts, one part after the other."""
        counts = np.concatenate([np.diff(part.offsets) for part in parts])
        return cls(
            np.concatenate([part.words for part in parts]),
            np.concatenate([part.values for part in parts]),
            np.concatenate([[0], np.cumsum(counts)]),
        )


def word_interpretations(
    net: NeuralNet,
    X: NDArray[np.integer[Any]],
    *,
    target: Target = "proba",
    classes: Classes = "all",
    verbose: int = 0,
    **read_by: Any,
) -> WordInterpretations:
    r"""Explain the prediction of each text word by word.

    .. math:: I_{ij} = \frac{\partial \hat y_i}{\partial e_{ij}} \, e_{ij}^\top

    Parameters
    ----------
    net : skorch.NeuralNet
        A fitted classifier whose module holds an embedding layer.
    X : ndarray of shape (n, T), integer
        Word ids, padded.
    target : {"proba", "logit"}, default="proba"
        The prediction :math:`\hat y`: the class probabilities, or the logits centred over the
        classes (softmax does not see a shift).
    classes : {"all", "predicted"}, default="all"
        Explain all classes, or for each sample the predicted one alone.
    verbose : int, default=0
        Greater than 0 shows a progress bar.
    **read_by
        Layers by name, ``embedding_layer=`` and ``output_layer=``, where the net is not read
        rightly without: :class:`~modal_interp.ReadBy`.

    Returns
    -------
    WordInterpretations
        ``values`` has A columns: one for two classes (:math:`p_1`, or :math:`z_1 - z_0`) and for
        ``classes="predicted"``, else one a class.

    Raises
    ------
    ValueError
        If a layer is not found, or if interpretations are not finite.
    OSError
        If there is no room for temporary files.

    Notes
    -----
    ALDEN [1]_ equation 4. Equal rows of `X` are explained once, so that their interpretations are
    equal to the last bit. Where `words` and `values` take more than scikit-learn's
    ``working_memory`` (1 GiB, unless set by :func:`sklearn.set_config`), they lie in temporary
    files, in the folder that ``TMPDIR`` names, which vanish with the arrays.

    Departs from the paper: for more than two classes, which the paper leaves open, a word has one
    component a class instead of a scalar.

    References
    ----------
    .. [1] Liu et al., "Deep Active Learning for Text Classification with Diverse
       Interpretations", CIKM 2021.
    """
    check_explained(target, classes, verbose)
    check_word_ids(net, X, param="X", **read_by)
    _check_rows(X)
    distinct, sample_of = distinct_rows(X)
    batches = word_gradients(
        net, distinct, target=target, classes=classes, verbose=verbose, **read_by
    )
    with closing(batches):  # the net is given back also where a batch fails
        explained = _in_order(_of_batch(batch) for batch in batches)
    return explained.samples(sample_of)


def feature_interpretations(
    net: NeuralNet,
    X: NDArray[np.floating[Any]],
    *,
    target: Target = "proba",
    classes: Classes = "all",
    verbose: int = 0,
    **read_by: Any,
) -> NDArray[np.float32]:
    r"""Explain the prediction of each sample of a table feature by feature.

    .. math:: I_i = \frac{\partial \hat y_i}{\partial x_i}

    Parameters
    ----------
    net : skorch.NeuralNet
        A fitted classifier of real features.
    X : ndarray of shape (n, d), float
        Samples.
    target, classes, verbose, **read_by
        As for :func:`word_interpretations`.

    Returns
    -------
    ndarray of shape (n, A, d), float32
        A as for :func:`word_interpretations`.

    Raises
    ------
    ValueError
        If interpretations are not finite.

    Notes
    -----
    DAMI [1]_ equation 1.

    Departs from the paper: for more than two classes, which the paper leaves open, a sample has
    one gradient a class.

    References
    ----------
    .. [1] Liu et al., "Deep Active Learning by Model Interpretability", 2020.
    """
    check_explained(target, classes, verbose)
    check_read_by(read_by)
    X = _checked_features(net, X)
    values = feature_gradients(net, X, target=target, classes=classes, verbose=verbose, **read_by)
    check_finite_gradients(values)
    return values


class _Batch(NamedTuple):
    """The words of a batch, sample by sample."""

    rows: NDArray[np.intp]  # (b,)
    counts: NDArray[np.int64]  # (b,) words of each row
    words: NDArray[np.int64]  # (w,)
    values: NDArray[np.float32]  # (w, A)


def _of_batch(batch: WordGradients) -> _Batch:
    """Return the words of a batch and their interpretations."""
    values = (batch.gradients @ batch.embeddings.unsqueeze(-1)).squeeze(-1)
    words = batch.ids[batch.is_word].cpu().numpy().astype(np.int64, copy=False)
    counts = batch.is_word.sum(dim=1).cpu().numpy()
    return _Batch(batch.rows, counts, words, values[batch.is_word].cpu().numpy())


def _in_order(batches: Iterable[_Batch]) -> WordInterpretations:
    """Put the samples of all batches in their order, and forget each batch when it is done."""
    rows_of, counts_of, spool = [], [], Spool()
    for batch in batches:
        check_finite_gradients(batch.values)
        rows_of.append(batch.rows)
        counts_of.append(batch.counts)
        spool.append(batch.words)
        spool.append(batch.values)
    counts = np.zeros(sum(map(len, rows_of)), dtype=np.int64)
    counts[np.concatenate(rows_of)] = np.concatenate(counts_of)
    offsets = np.concatenate([[0], np.cumsum(counts)])
    words, values = _empty(offsets[-1], batch.values.shape[1])
    parts = spool.drain()
    for rows, batch_words, batch_values in zip(rows_of, parts, parts, strict=True):
        for block, places, _ in ranges(offsets[rows], offsets[rows + 1]):
            words[places], values[places] = batch_words[block], batch_values[block]
    return WordInterpretations(words, values, offsets)


def _empty(n_words: int, n_columns: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return arrays for the words and values of so many words."""
    empty = empty_for(n_words * (8 + 4 * n_columns))
    return empty(n_words, np.int64), empty((n_words, n_columns), np.float32)


def _check_rows(X: NDArray[Any]) -> None:
    if not len(X):
        raise ValueError("X must hold at least one sample; found none.")


def _checked_features(net: NeuralNet, X: Any) -> NDArray[Any]:
    if reads_words(net):
        raise ValueError(
            "feature_interpretations explains real features; found a net with an embedding layer. "
            "Use word_interpretations."
        )
    X = np.asarray(X)
    check_features(X, param="X")
    return X


def check_finite_gradients(values: NDArray[np.floating[Any]]) -> None:
    """Raise a ValueError if gradients are not finite."""
    if not np.isfinite(values).all():
        raise ValueError(
            "the net's gradients must be finite; found NaN or infinity. Its training has "
            "diverged: look at its losses and train it again with a lower lr."
        )
