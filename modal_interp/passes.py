"""Forward passes: what a net predicts, and the features that it predicts from."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from skorch import NeuralNet
from skorch.dataset import get_len
from skorch.utils import multi_indexing
from torch import Tensor

from modal_interp.batches import Rows, batches
from modal_interp.hooks import kept, untouched
from modal_interp.layers import find_output
from modal_interp.outputs import first_output, predicted


class Forward(NamedTuple):
    """What a net makes of n samples."""

    proba: NDArray[np.float32]  # (n, C)
    several: bool  # each column is a label of its own; else a row is one distribution
    features: NDArray[np.float32]  # (n, H) input of the output layer; H = 0 where not asked for


def forward(
    net: NeuralNet,
    X: Any,
    *,
    features: bool = False,
    output_layer: str | None = None,
    verbose: int = 0,
) -> Forward:
    """Return the probabilities of samples and, if asked for, their features.

    Parameters
    ----------
    net : skorch.NeuralNet
        A fitted classifier.
    X : array of shape (n, ...), or whatever the net's ``dataset`` takes
        Samples.
    features : bool
        Whether to return what the output layer reads.
    output_layer : str, optional
        Name of that layer. Without it, the last ``nn.Linear``.
    verbose : int
        Greater than 0 shows a progress bar.

    Returns
    -------
    Forward
        Rows in the order of `X`.

    Raises
    ------
    ValueError
        If the layer is not found or does not read one row a sample, or if what the net computes
        is not finite.
    """
    layer = find_output(net, output_layer) if features else None
    several = False
    rows_of: list[Rows] = []
    parts: list[tuple[NDArray[np.float32], NDArray[np.float32]]] = []
    with untouched(net), torch.no_grad(), kept(layer) as calls:
        for rows, Xi in batches(net, X, verbose=verbose):
            output = net.infer(Xi)
            proba, several = predicted(net, output)
            read = proba[:, :0] if layer is None else _features(net, Xi, output, calls)
            rows_of.append(rows)
            parts.append((as_array(proba), as_array(read)))
    proba_rows, feature_rows = (in_order(rows_of, part) for part in zip(*parts, strict=True))
    check_finite(proba_rows, feature_rows)
    return Forward(proba_rows, several, feature_rows)


def as_array(values: Tensor) -> NDArray[np.float32]:
    """Return a tensor as an array of single precision."""
    return values.detach().float().cpu().numpy()


def in_order(rows_of: list[Rows], parts: Any) -> NDArray[Any]:
    """Return the rows of all batches in the order of the samples, with one copy of them."""
    found = np.empty((sum(map(len, rows_of)), *parts[0].shape[1:]), dtype=parts[0].dtype)
    for rows, part in zip(rows_of, parts, strict=True):
        found[rows] = part
    return found


def check_finite(*arrays: NDArray[Any]) -> None:
    """Raise a ValueError if a net's numbers are not finite."""
    if not all(np.isfinite(values).all() for values in arrays):
        raise ValueError(
            "the net's predictions must be finite; found NaN or infinity. Its training has "
            "diverged: look at its losses and train it again with a lower lr."
        )


def distinct_rows(X: Any) -> tuple[Any, Any]:
    """Return the rows of `X` once each, and which of them each sample is.

    What is computed of them once is equal for equal samples to the last bit; in a batch, rounding
    follows a sample's place. What is no plain array is returned as it is.
    """
    if not isinstance(X, np.ndarray) or X.dtype.kind not in "iufb":
        return X, slice(None)
    distinct, sample_of = np.unique(X, axis=0, return_inverse=True)
    return distinct, sample_of.reshape(-1)


def _features(net: NeuralNet, Xi: Any, output: Any, calls: list[tuple[Tensor, Tensor]]) -> Tensor:
    """Return the features of a batch (b, H), in the order of its samples."""
    features, given = _of_samples(calls, get_len(Xi))
    if get_len(Xi) == 1 or _in_place(given, first_output(output)):
        return features
    # The module may read a batch in an order of its own, as for packed sequences: ask one by one.
    found = []
    for i in range(get_len(Xi)):
        net.infer(multi_indexing(Xi, slice(i, i + 1)))
        found.append(_of_samples(calls, 1)[0])
    return torch.cat(found)


def _of_samples(calls: list[tuple[Tensor, Tensor]], n: int) -> tuple[Tensor, Tensor]:
    if not calls or calls[0][0].shape[0] != n:
        found = f"an input of shape {tuple(calls[0][0].shape)}" if calls else "no call of it"
        raise ValueError(
            f"the output layer must read one row of features a sample; found {found} for {n} "
            "samples. Name the layer that gives the logits by output_layer=."
        )
    features, given = calls[0]
    return features.reshape(n, -1), given


def _in_place(given: Tensor, output: Tensor) -> bool:
    """Tell whether the layer's rows are surely in the order of the samples."""
    # Where all logits are alike, as of an output layer of zeros, they would fit in any order.
    return _is_made_of(given, output) and not _is_made_of(given.roll(1, dims=0), output)


def _is_made_of(given: Tensor, output: Tensor) -> bool:
    """Tell whether the output is, row by row, the logits themselves or a usual function of them."""
    given, output = given.reshape(len(given), -1), output.reshape(len(output), -1)
    if given.shape != output.shape:
        return False
    usual = (given, given.softmax(dim=1), given.sigmoid(), given.log_softmax(dim=1))
    return any(torch.allclose(values, output, rtol=1e-4, atol=1e-6) for values in usual)
