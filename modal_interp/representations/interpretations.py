"""Local interpretations: what each word or feature contributes to a net's prediction."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skorch import NeuralNet
from skorch.dataset import get_len

from modal_interp.nets.gradients import feature_gradients, word_gradients
from modal_interp.nets.inputs import check_features, check_word_ids
from modal_interp.nets.layers import check_read_by, find_embedding, reads_words
from modal_interp.nets.outputs import Classes, Target, check_explained
from modal_interp.nets.samples import distinct_rows
from modal_interp.representations.explained_words import (
    WordInterpretations,
    check_finite_gradients,
    in_order,
    of_batch,
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
        Layers by name and what counts as a word, where the net is not read rightly without:
        :class:`~modal_interp.ReadBy`.

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
    component a class instead of a scalar; the interpretations of its pieces add up.

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
        n_ids = find_embedding(net, **read_by).num_embeddings
        explained = in_order(of_batch(batch, n_ids) for batch in batches)
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


def _check_rows(X: NDArray[Any]) -> None:
    if not get_len(X):
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
