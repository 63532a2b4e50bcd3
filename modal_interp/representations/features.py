"""Features: what the output layer of a net reads of each sample."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from skorch import NeuralNet

from modal_interp.nets.forward import forward
from modal_interp.nets.samples import distinct_rows


def features(net: NeuralNet, X: Any, *, verbose: int = 0, **read_by: Any) -> NDArray[np.float32]:
    """Return what the output layer reads.

    Parameters
    ----------
    net : skorch.NeuralNet
        A fitted classifier.
    X : array of shape (n, ...), or whatever the net's ``dataset`` takes
        Samples.
    verbose : int, default=0
        Greater than 0 shows a progress bar.
    **read_by
        Layers by name, ``embedding_layer=`` and ``output_layer=``, where the net is not read
        rightly without: :class:`~modal_interp.ReadBy`.

    Returns
    -------
    ndarray of shape (n, H), float32
        Equal rows for equal samples.

    Raises
    ------
    ValueError
        If the layer is not found or does not read one row a sample, or if features are not finite.

    Notes
    -----
    The representation of Sener and Savarese [1]_.

    Departs from the paper: none; dropout is off.

    References
    ----------
    .. [1] O. Sener and S. Savarese. Active learning for convolutional neural networks: a core-set
       approach. ICLR 2018.
    """
    distinct, sample_of = distinct_rows(X)
    found = forward(net, distinct, features=True, verbose=verbose, **read_by)
    return found.features[sample_of]
