"""In which numbers a net is given samples: in their own, as ``predict_proba`` gives them on."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from skorch import NeuralNet
from torch import Tensor

from modal_interp.nets.layers import reads_words
from modal_interp.nets.outputs import first_output


def as_tensor(array: NDArray[Any]) -> Tensor:
    """Return an array as a tensor, in the nearest numbers that torch knows."""
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        array = array.astype(np.float64)
    return torch.from_numpy(array)


def dtype_read(net: NeuralNet, Xi: Tensor) -> torch.dtype:
    """Return the dtype in which the net's module is given samples like these.

    Their own where the module takes it, for ``predict_proba`` leaves it as it is. Else that of word
    ids, or that of its parameters.

    Raises
    ------
    TypeError
        If they are complex numbers, and the module takes none.
    """
    usual = _usual(net, Xi)
    # Of this package's estimators of tables, which make all numbers the same before they predict.
    own = torch.float32 if hasattr(net, "n_features_in_") else Xi.dtype
    alike = len({p.dtype for p in net.module_.parameters() if p.is_floating_point()}) <= 1
    if (own == usual[0] and alike) or not len(Xi):
        return usual[0]
    for dtype in dict.fromkeys([own, *usual]):
        if not (Xi.is_complex() and not dtype.is_complex) and _takes(net, Xi[:2].to(dtype)):
            return dtype
    if Xi.is_complex():
        raise TypeError(
            f"samples must reach the net as real numbers; found {Xi.dtype}, which its module does "
            "not take. Give it their real and imaginary parts as columns."
        )
    return usual[0]


def as_real(net: NeuralNet, Xi: Tensor) -> Tensor:
    """Return a copy of features as real numbers, by which gradients can be pulled.

    Raises
    ------
    ValueError
        If the net predicts nothing from real numbers, or something else.
    """
    if Xi.is_floating_point():
        return Xi.detach().clone()
    for dtype in dict.fromkeys([*_usual(net, Xi.float()), torch.float32]):
        real = Xi.to(dtype)
        if _takes(net, real[:1]) and _predicts_alike(net, Xi, real):
            return real
    raise ValueError(
        "features must be real numbers for the module, so that the prediction has a gradient by "
        f"them; it predicts only from {Xi.dtype} what it predicts. Words of an nn.Embedding can be "
        "explained, those of other layers that look ids up cannot."
    )


def _usual(net: NeuralNet, Xi: Tensor) -> list[torch.dtype]:
    """Return the dtypes in which modules are mostly written to read such samples."""
    floats = [p.dtype for p in net.module_.parameters() if p.is_floating_point()]
    if Xi.is_floating_point() or Xi.is_complex():
        return [*floats, torch.float32]
    return [torch.int64] if reads_words(net) else [*floats, torch.float32, torch.int64]


def _takes(net: NeuralNet, Xi: Tensor) -> bool:
    try:
        with torch.no_grad():
            net.infer(Xi.to(net.device))
    except Exception:  # of whatever kind: the module is the user's
        return False
    return True


def _predicts_alike(net: NeuralNet, Xi: Tensor, real: Tensor) -> bool:
    with torch.no_grad():
        given, found = first_output(net.infer(Xi)), first_output(net.infer(real))
    return torch.allclose(given.float(), found.float(), rtol=1e-2, atol=1e-3)
