"""The outputs of a net that an interpretation explains."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
import torch
from skorch import NeuralNet
from torch import Tensor

Target = Literal["proba", "logit"]
Classes = Literal["all", "predicted"]


def check_explained(target: str, classes: str, verbose: object = 0) -> None:
    """Check the options that say which outputs are explained, and whether a bar is shown.

    Raises
    ------
    ValueError
        Naming the option, its values and the value found.
    """
    for param, value, kind in (("target", target, Target), ("classes", classes, Classes)):
        if value not in get_args(kind):
            allowed = " or ".join(repr(arg) for arg in get_args(kind))
            raise ValueError(f"{param} must be {allowed}; found {value!r}.")
    if not isinstance(verbose, int | np.integer):
        raise TypeError(f"verbose must be a whole number, 0 for no bar; found {verbose!r}.")


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
    _check_distribution(proba)
    if target == "proba":
        y = proba
    else:
        z = _logits(proba, output, kept)
        y = z - z.mean(dim=1, keepdim=True)
    if classes == "predicted":
        return y.gather(1, proba.argmax(dim=1, keepdim=True))
    if y.shape[1] > 2:
        return y
    return y[:, 1:] if target == "proba" else y[:, 1:] - y[:, :1]


def _check_distribution(proba: Tensor) -> None:
    one = proba.ndim == 2 and proba.shape[1] > 1
    # NaN passes: a diverged net is told of where its gradients are checked.
    if not one or ((proba.sum(dim=1) - 1).abs() > 1e-3).any():
        raise ValueError(
            "the net's predict_proba must give one distribution over at least two classes a "
            f"sample; found an output of shape {tuple(proba.shape)}"
            f"{' whose rows do not add up to 1' if one else ''}. Set the net's criterion or "
            "predict_nonlinearity accordingly."
        )


def _logits(proba: Tensor, output: Tensor, kept: list[Tensor]) -> Tensor:
    """Return logits: what skorch took the softmax of, else what the output layer gave."""
    if proba is not output:  # skorch made probabilities of the module's output
        z = _two_columns(output)
        if z.shape == proba.shape and torch.allclose(z.softmax(dim=1), proba):
            return z
    for layer_output in kept:
        z = _two_columns(layer_output)
        if z.shape == proba.shape and _is_log_of(z.log_softmax(dim=1), proba):
            return z
    raise ValueError(
        "target='logit' needs logits whose softmax is predict_proba; found them neither in the "
        "output layer nor in what the module returns. Name the layer that gives them by "
        "output_layer=, or explain the probabilities by target='proba'."
    )


def _two_columns(z: Tensor) -> Tensor:
    """Return logits of two classes where a module gives the one of class 1."""
    z = z.reshape(len(z), -1)
    return z if z.shape[1] > 1 else torch.cat([torch.zeros_like(z), z], dim=1)


def _is_log_of(log_proba: Tensor, proba: Tensor) -> bool:
    """Compare logarithms, in which other scales of logits differ also near 1/C, 0 and 1."""
    written = proba > 1e-30
    expected = proba.clamp(min=1e-30).log()
    spread = expected.amax(dim=1, keepdim=True) - expected.amin(dim=1, keepdim=True)
    close = (log_proba - expected).abs() <= 1e-6 + 1e-3 * spread
    return bool(torch.where(written, close, log_proba < -60).all())
