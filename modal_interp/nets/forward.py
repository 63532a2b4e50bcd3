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

from modal_interp.nets.batches import Rows, batches
from modal_interp.nets.hooks import kept, untouched
from modal_interp.nets.inputs import is_finite
from modal_interp.nets.layers import find_output, how_read
from modal_interp.nets.outputs import first_output, is_log_of, precisely


class Forward(NamedTuple):
    """What a net makes of n samples."""

    proba: NDArray[np.float64]  # (n, C)
    several: bool  # each column is a label of its own; else a row is one distribution
    features: NDArray[np.float32]  # (n, H) input of the output layer; H = 0 where not asked for


def forward(
    net: NeuralNet,
    X: Any,
    *,
    features: bool = False,
    verbose: int = 0,
    **read_by: Any,
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
    verbose : int
        Greater than 0 shows a progress bar.
    **read_by : dict
        How the net is read, as in `ReadBy`.

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
    layer = find_output(net, **read_by) if features else None
    named = how_read(net, **read_by).output_layer is not None
    several = False
    probabilities, seen = InOrder(get_len(X)), InOrder(get_len(X))
    with untouched(net), torch.no_grad(), kept(layer) as calls:
        for rows, Xi in batches(net, X, verbose=verbose):
            output = net.infer(Xi)
            proba, several = precisely(net, output)
            read = proba[:, :0]
            if layer is not None:
                read = _features(net, Xi, output, calls, named=named)
            probabilities.put(rows, proba.numpy())
            seen.put(rows, as_array(read))
    check_finite(probabilities.values, seen.values)
    return Forward(probabilities.values, several, seen.values)


def as_array(values: Tensor) -> NDArray[np.float32]:
    """Return a tensor as an array of single precision."""
    return values.detach().float().cpu().numpy()


class InOrder:
    """Rows of n samples, filled in batch by batch, in the order of the samples."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.values: NDArray[Any] = np.empty(0)

    def put(self, rows: Rows, part: NDArray[Any]) -> None:
        """Fill in these rows."""
        if not len(self.values):
            self.values = np.empty((self.n, *part.shape[1:]), dtype=part.dtype)
        self.values[rows] = part


def in_order(rows_of: list[Rows], parts: Any) -> NDArray[Any]:
    """Return the rows of all batches in the order of the samples."""
    found = InOrder(sum(map(len, rows_of)))
    for rows, part in zip(rows_of, parts, strict=True):
        found.put(rows, part)
    return found.values


def check_finite(*arrays: NDArray[Any]) -> None:
    """Raise a ValueError if a net's numbers are not finite."""
    if not all(map(is_finite, arrays)):
        raise ValueError(
            "the net's predictions must be finite; found NaN or infinity. Its training has "
            "diverged: look at its losses and train it again with a lower lr."
        )


def _features(
    net: NeuralNet, Xi: Any, output: Any, calls: list[tuple[Tensor, Tensor]], *, named: bool
) -> Tensor:
    """Return the features of a batch (b, H), in the order of its samples."""
    features, given = _of_samples(calls, get_len(Xi))
    diverged = not torch.isfinite(given).all()  # an error of its own
    if diverged or _in_place(given, first_output(output)):
        return features
    # The module may read a batch in an order of its own, as for packed sequences: ask one by one.
    found = []
    for i in range(get_len(Xi)):
        output = net.infer(multi_indexing(Xi, slice(i, i + 1)))
        features, given = _of_samples(calls, 1)
        if not named and not _is_made_of(given, first_output(output)):
            raise ValueError(
                "the output layer must give the logits; what the last nn.Linear of "
                f"{type(net.module_).__name__} gives is not what the net predicts from. Name the "
                "layer that gives the logits by output_layer=."
            )
        found.append(features)
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
    if given.numel() != output.numel():
        return False
    given = given.reshape(len(given), -1)
    output = output.reshape(given.shape)
    if (output >= 0).all() and is_log_of(given.log_softmax(dim=1), output):
        return True  # which tells sure predictions apart where the probabilities round to 1
    usual = (given, given.sigmoid(), given.log_softmax(dim=1))
    return any(torch.allclose(values, output, rtol=1e-4, atol=1e-6) for values in usual)
