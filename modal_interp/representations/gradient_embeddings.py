"""Gradient embeddings: the gradient of each sample's loss by the weights of the output layer."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from skorch import NeuralNet

from modal_interp.nets.forward import Forward, forward
from modal_interp.nets.samples import distinct_rows


def gradient_embedding(
    net: NeuralNet, X: Any, *, verbose: int = 0, **read_by: Any
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    r"""Return the two factors of the loss's gradient by the weights of the output layer.

    .. math::

        g_i = (p_i - \mathrm{onehot}(\arg\max p_i)) \otimes h_i

    Parameters
    ----------
    net, X, verbose, **read_by
        As for :func:`features`.

    Returns
    -------
    a : ndarray of shape (n, C), float64
        :math:`p_i - \mathrm{onehot}(\arg\max p_i)`; for several labels :math:`p_i` less 1 where
        it is above 1/2.
    h : ndarray of shape (n, H), float32
        The features.

    Raises
    ------
    ValueError
        As for :func:`features`.

    Notes
    -----
    Ash et al. [1]_, equation 1, for the label that the net deems most probable. The (n, C H)
    matrix of the products is never built: selectors take the factors.

    Departs from the paper: none; for several labels, which the paper does not treat, the loss is
    the binary cross-entropy.

    References
    ----------
    .. [1] J. T. Ash, C. Zhang, A. Krishnamurthy, J. Langford and A. Agarwal. Deep batch active
       learning by diverse, uncertain gradient lower bounds. ICLR 2020.
    """
    distinct, sample_of = distinct_rows(X)
    found = forward(net, distinct, features=True, verbose=verbose, **read_by)
    return _residuals(found)[sample_of], found.features[sample_of]


def _residuals(found: Forward) -> NDArray[np.float64]:
    """Return the probabilities less the labels that are most probable, (n, C)."""
    proba = found.proba
    if found.several:
        return proba - (proba > 0.5)
    rows, predicted = np.arange(len(proba)), proba.argmax(axis=1)
    residuals = proba.copy()
    residuals[rows, predicted] = 0.0
    # Less the sum of the others, which is exact where the largest rounds to 1.
    residuals[rows, predicted] = -residuals.sum(axis=1)
    return residuals
