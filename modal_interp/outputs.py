"""The outputs of a net that an interpretation explains."""

from __future__ import annotations

from typing import Any, Literal, get_args

import torch
from skorch import NeuralNet
from torch import Tensor

Target = Literal["proba", "logit"]
Classes = Literal["all", "predicted"]


def check_explained(target: str, classes: str) -> None:
    """Check the two options that say which outputs are explained.

    Raises
    ------
    ValueError
        Naming the option, its values and the value found.
    """
    for param, value, kind in (("target", target, Target), ("classes", classes, Classes)):
        if value not in get_args(kind):
            allowed = " or ".join(repr(arg) for arg in get_args(kind))
            raise ValueError(f"{param} must be {allowed}; found {value!r}.")


def explained_outputs(
    net: NeuralNet, output: Any, kept: list[Tensor], target: Target, classes: Classes
) -> Tensor:
    """Return the explained outputs of one batch.

    Parameters
    ----------
    net : skorch.NeuralNet
        The net whose module gave `output`.
    output : Tensor, or tuple that begins with it
        What the module returned for b samples.
    kept : list of Tensor
        What its output layer gave; empty where that was not watched.
    target : {"proba", "logit"}
        The probabilities, or the logits centred over the classes.
    classes : {"all", "predicted"}
        All classes, or the predicted one alone.

    Returns
    -------
    Tensor of shape (b, A)
        One column for the predicted class; one for two classes, :math:`p_1` or
        :math:`z_1 - z_0`, which carry everything; else one a class.

    Raises
    ------
    ValueError
        If ``target="logit"`` and no logits are to be had.
    """
    output = output[0] if isinstance(output, tuple) else output
    proba = net._get_predict_nonlinearity()(output)
    if target == "proba":
        y = proba
    else:
        z = _logits(proba, [*kept, output])
        y = z - z.mean(dim=1, keepdim=True)
    if classes == "predicted":
        return y.gather(1, proba.argmax(dim=1, keepdim=True))
    if y.shape[1] > 2:
        return y
    return y[:, 1:] if target == "proba" else y[:, 1:] - y[:, :1]


def _logits(proba: Tensor, candidates: list[Tensor]) -> Tensor:
    """Return the first candidate whose softmax (sigmoid, for a single column) is `proba`."""
    for candidate in candidates:
        z = candidate.reshape(len(candidate), -1)
        if z.shape[1] == 1:
            z = torch.cat([torch.zeros_like(z), z], dim=1)
        if z.shape == proba.shape and torch.allclose(z.softmax(dim=1), proba, atol=1e-4):
            return z
    raise ValueError(
        "target='logit' needs logits whose softmax is predict_proba; found them neither in the "
        "output layer nor in what the module returns. Name the layer that gives them by "
        "output_layer=, or explain the probabilities by target='proba'."
    )
