"""What a net predicts, and which of its outputs an interpretation explains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import torch
from skorch import NeuralNet, NeuralNetBinaryClassifier
from torch import Tensor, nn

Target = Literal["proba", "logit"]
Classes = Literal["all", "predicted"]

# Losses of nets that give each label a probability of its own.
_PER_LABEL = (nn.BCEWithLogitsLoss, nn.BCELoss)


class Prediction(NamedTuple):
    """Probabilities of b samples."""

    proba: Tensor  # (b, C)
    several: bool  # each column is a label of its own; else a row is one distribution


class Explained(NamedTuple):
    """The outputs that are explained."""

    y: Tensor  # (b, A)
    several: bool  # each column is a label of its own
    sums_to_constant: bool  # over the columns: one of their gradients follows from the others


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
    check_verbose(verbose)


def check_verbose(verbose: object) -> None:
    """Check that `verbose` is a whole number, or raise a TypeError."""
    if not isinstance(verbose, int | np.integer):
        raise TypeError(f"verbose must be a whole number, 0 for no bar; found {verbose!r}.")


def predicted(net: NeuralNet, output: Any) -> Prediction:
    """Return the probabilities that the net's ``predict_proba`` would give for one batch.

    Parameters
    ----------
    net : skorch.NeuralNet
        The net whose module gave `output`.
    output : Tensor, tuple that begins with it, or mapping that calls it ``"logits"``
        What the module returned for b samples.

    Returns
    -------
    Prediction
        Of several labels where the net says so (`multilabel_`), else where its loss is a binary
        cross-entropy over the columns of a matrix.

    Raises
    ------
    ValueError
        If these are not probabilities.
    """
    prediction = unchecked(net, output)
    check = _check_probabilities if prediction.several else _check_distribution
    check(prediction.proba)
    return prediction


def unchecked(net: NeuralNet, output: Any) -> Prediction:
    """Return what `predicted` returns, without looking at the values."""
    output = first_output(output)
    proba = net._get_predict_nonlinearity()(output)
    if not gives_several_labels(net) or output.ndim != 2:
        return Prediction(proba, False)
    # What skorch makes of the binary cross-entropy's logits has a column for "not".
    return Prediction(proba[:, 1] if proba.ndim == 3 else proba, True)


def precisely(net: NeuralNet, output: Any) -> Prediction:
    """Return what `predicted` returns, in double precision: not rounded to 0 and 1; on the CPU."""
    output = first_output(output).detach()
    try:
        return predicted(net, output.cpu().double())
    except RuntimeError:  # a predict_nonlinearity that takes only what the module gives
        proba, several = predicted(net, output)
        return Prediction(proba.detach().cpu().double(), several)


def first_output(output: Any) -> Tensor:
    """Return what the module predicts, where it returns other things with it.

    Raises
    ------
    ValueError
        If what it returns has names, and none is ``"logits"``.
    """
    if isinstance(output, Mapping):  # as the ModelOutput of transformers is
        if not isinstance(output.get("logits"), Tensor):
            raise ValueError(
                "a module that returns its outputs by name must call what it predicts from "
                f"'logits'; found {sorted(map(str, output))}. Return that tensor alone."
            )
        return output["logits"]
    return output[0] if isinstance(output, tuple) else output


def explained_outputs(
    net: NeuralNet, output: Any, kept: list[Tensor], target: Target, classes: Classes
) -> Explained:
    """Return the explained outputs of one batch.

    Parameters
    ----------
    net : skorch.NeuralNet
        The net whose module gave `output`.
    output : Tensor, tuple that begins with it, or mapping that calls it ``"logits"``
        What the module returned for b samples.
    kept : list of Tensor
        What its output layer gave; empty where that was not watched.
    target : {"proba", "logit"}
        The probabilities, or the logits: centred over the classes, but as they are where each
        stands for a label of its own.
    classes : {"all", "predicted"}
        All classes, or the predicted one alone; of several labels the most probable.

    Returns
    -------
    Explained
        One column for the predicted class; one for two classes, :math:`p_1` or
        :math:`z_1 - z_0`, which carry everything; else one a class or label.

    Raises
    ------
    ValueError
        If ``target="logit"`` and no logits are to be had.
    """
    proba, several = predicted(net, output)
    y = proba
    if target == "logit":
        y = _logits(proba, several, first_output(output), kept)
        y = y if several else y - y.mean(dim=1, keepdim=True)
    if classes == "predicted":
        return Explained(y.gather(1, proba.argmax(dim=1, keepdim=True)), several, False)
    if several or y.shape[1] > 2:
        return Explained(y, several, not several)
    return Explained(y[:, 1:] if target == "proba" else y[:, 1:] - y[:, :1], False, False)


def gives_several_labels(net: NeuralNet) -> bool:
    """Tell whether the net gives each label a probability of its own."""
    told = getattr(net, "multilabel_", None)
    if told is not None:
        return bool(told)
    per_label = isinstance(getattr(net, "criterion_", None), _PER_LABEL)
    return per_label and not isinstance(net, NeuralNetBinaryClassifier)


def _check_probabilities(proba: Tensor) -> None:
    # NaN passes: a diverged net is told of where its scores are checked.
    if ((proba < 0) | (proba > 1)).any():
        raise ValueError(
            "the net's predict_proba must give each label a probability from 0 to 1; found values "
            f"from {proba.min().item():g} to {proba.max().item():g}. Set the net's criterion or "
            "predict_nonlinearity accordingly."
        )


def _check_distribution(proba: Tensor) -> None:
    one = proba.ndim == 2 and proba.shape[1] > 1
    # NaN passes: a diverged net is told of where its gradients are checked.
    if not one or ((proba.sum(dim=1) - 1).abs() > 1e-3).any() or (proba < 0).any():
        raise ValueError(
            "the net's predict_proba must give one distribution over at least two classes a "
            f"sample; found an output of shape {tuple(proba.shape)}"
            f"{' whose rows are not chances that add up to 1' if one else ''}. Set the net's "
            "criterion or predict_nonlinearity accordingly; several labels a sample need "
            "BCEWithLogitsLoss."
        )


def _logits(proba: Tensor, several: bool, output: Tensor, kept: list[Tensor]) -> Tensor:
    """Return logits: what skorch made probabilities of, else what the output layer gave."""
    found = [output] if proba is not output else []
    for z in (_two_columns(z, several) for z in [*found, *kept]):
        if z.shape == proba.shape and _gives(z, proba, several):
            return z
    raise ValueError(
        "target='logit' needs logits whose softmax (sigmoid, for several labels) is "
        "predict_proba; found them neither in the output layer nor in what the module returns. "
        "Name the layer that gives them by output_layer=, or explain the probabilities by "
        "target='proba'."
    )


def _two_columns(z: Tensor, several: bool) -> Tensor:
    """Return logits of two classes where a module gives the one of class 1."""
    z = z.reshape(len(z), -1)
    return z if several or z.shape[1] > 1 else torch.cat([torch.zeros_like(z), z], dim=1)


def _gives(z: Tensor, proba: Tensor, several: bool) -> bool:
    """Tell whether these logits give these probabilities."""
    if not several:
        return is_log_of(z.log_softmax(dim=1), proba)
    # Each label by itself is a distribution over no and yes.
    log_proba = nn.functional.logsigmoid(torch.stack([-z, z], dim=-1))
    pairs = torch.stack([1 - proba, proba], dim=-1)
    return bool(torch.isclose(log_proba.exp(), pairs, rtol=1e-3, atol=1e-6).all())


def is_log_of(log_proba: Tensor, proba: Tensor) -> bool:
    """Compare logarithms, in which other scales of logits differ also near 1/C, 0 and 1."""
    written = proba > 1e-30
    expected = proba.clamp(min=1e-30).log()
    spread = expected.amax(dim=1, keepdim=True) - expected.amin(dim=1, keepdim=True)
    close = (log_proba - expected).abs() <= 1e-6 + 1e-3 * spread
    return bool(torch.where(written, close, log_proba < -60).all())
