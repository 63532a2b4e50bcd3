"""Checks what a net is given, before any pass through it."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from numpy.typing import NDArray
from skorch import NeuralNet
from skorch.dataset import Dataset
from skorch.utils import is_dataset
from torch import nn

from modal_interp.nets.layers import find_embedding, n_guesses, reads_words
from modal_interp.nets.samples import Samples

# Texts whose ids are looked at together: a memory map is not to be read as a whole.
_LOOKED_AT = 2**14


def check_word_ids(net: NeuralNet, X: Any, *, param: str, **read_by: Any) -> None:
    """Check that `X` holds word ids of the net's embedding layer, an (n, T) integer array.

    Raises
    ------
    ValueError, TypeError
        Naming `param`, the rule and the value found.
    """
    n_words = find_embedding(net, **read_by).num_embeddings
    or_name = ", or name the layer that reads the words by embedding_layer=" * (
        n_guesses(net, **read_by) > 1
    )
    if isinstance(X, Samples):
        for array in X.arrays:
            check_word_ids(net, array, param=param, **read_by)
        return
    if is_dataset(X) or _is_named(X):
        _check_named_ids(net, X, param, **read_by)
        return  # what else it holds shows when it is read
    if not isinstance(X, np.ndarray) or X.dtype.kind in "OUST":
        raise TypeError(
            f"{param} must reach the net as word ids, an integer array of shape (n, T); found "
            f"{_described(X)}. Put a WordEncoder before the net: "
            "make_pipeline(FrozenEstimator(encoder), net)."
        )
    if X.ndim != 2 or X.shape[1] == 0:
        raise ValueError(
            f"{param} must have two dimensions, (n, T): one row of word ids a text, T at least 1; "
            f"found shape {X.shape}. A single text is a batch of one: X[None, :]."
        )
    if X.dtype.kind not in "iu":
        raise TypeError(
            f"{param} must hold integer word ids; found dtype {X.dtype}. Ids come from "
            "WordEncoder.transform as int64: keep that dtype."
        )
    if X.size and (X.min() < 0 or X.max() >= n_words):
        found = X.min() if X.min() < 0 else X.max()
        raise ValueError(
            f"{param} must hold word ids from 0 to {n_words - 1}, the rows of the embedding "
            f"layer; found {found}. Encode with the encoder the net was built for, or build the "
            f"net with n_words=encoder.n_words_{or_name}."
        )
    _check_by_net(net, X)


def check_batch(net: NeuralNet, Xi: Any) -> None:
    """Check word ids as they are read, where nothing could be checked beforehand.

    Raises
    ------
    ValueError
        Naming the rule and the value found.
    """
    whole = isinstance(Xi, torch.Tensor) and not Xi.is_floating_point() and Xi.ndim == 2
    if whole and Xi.numel() and _has_one_embedding(net):
        check_word_ids(net, Xi.cpu().numpy(), param="each sample of the data set")


def check_input(net: NeuralNet, X: Any, *, param: str) -> None:
    """Check that an array holds numbers that the net can read; word ids, if that is what it reads.

    Raises
    ------
    TypeError, ValueError
        Naming `param`, the rule and the value found.
    """
    if _is_named(X) and reads_words(net):
        _check_named_ids(net, X, param)
    own = net.dataset is not Dataset and not hasattr(net, "n_features_in_")
    if own or is_dataset(X):
        return  # as the user's own data set takes it
    if sp.issparse(X):
        raise TypeError(
            f"{param} must reach the net as a dense array; found a {type(X).__name__}. Put "
            "FunctionTransformer(lambda X: X.toarray()) before the net."
        )
    for array in X.arrays if isinstance(X, Samples) else [X]:
        _check_by_net(net, array)
    if not isinstance(X, np.ndarray):
        return
    _check_width(net, X, param)
    if _reads_one_kind_of_ids(net, X):
        check_word_ids(net, X, param=param)
    elif X.dtype.kind in "OUST":
        raise TypeError(
            f"{param} must reach the net as numbers; found {_described(X)}. Put a transformer "
            "before the net: make_pipeline(FrozenEstimator(transformer), net)."
        )
    elif not is_finite(X):
        raise ValueError(f"{param} must hold finite numbers; found NaN or infinity.")


def _check_by_net(net: NeuralNet, X: Any) -> None:
    """Let a net that knows more of the ids that it reads look at them, a few texts at a time."""
    check = getattr(net, "check_ids", None)
    if check is None or not isinstance(X, np.ndarray) or X.dtype.kind not in "iu" or X.ndim != 2:
        return
    for start in range(0, len(X), _LOOKED_AT):
        check(X[start : start + _LOOKED_AT])


def _is_named(X: Any) -> bool:
    """Tell whether samples reach the net as a dict of arrays, which its module takes by name."""
    return isinstance(X, dict) and not sp.issparse(X)


def _check_named_ids(net: NeuralNet, X: Any, param: str, **read_by: Any) -> None:
    """Check the ids among named arrays, where their name says that they are."""
    if _is_named(X) and "input_ids" in X:
        check_word_ids(net, X["input_ids"], param=f"{param}['input_ids']", **read_by)


def _reads_one_kind_of_ids(net: NeuralNet, X: NDArray[Any]) -> bool:
    """Tell whether all of `X` must be ids of the net's one embedding."""
    kinds = X.dtype.kind in "OUST" or (X.dtype.kind in "iu" and X.ndim == 2)
    return kinds and _has_one_embedding(net)


def _has_one_embedding(net: NeuralNet) -> bool:
    return sum(isinstance(layer, nn.Embedding) for layer in net.module_.modules()) == 1


def _check_width(net: NeuralNet, X: NDArray[Any], param: str) -> None:
    width = getattr(net, "n_features_in_", None)
    if width is not None and X.shape[1:] != (width,):
        raise ValueError(
            f"{param} must have the {width} columns that the net was trained on, shape (n, "
            f"{width}); found shape {X.shape}."
        )


def check_features(X: Any, *, param: str) -> None:
    """Check that `X` holds finite real features, an (n, d) array with at least one sample.

    Raises
    ------
    ValueError
        Naming `param`, the rule and the value found.
    """
    if (
        not isinstance(X, np.ndarray)
        or X.ndim < 2
        or X.dtype.kind not in "fiub"
        or not is_finite(X)
    ):
        raise ValueError(
            f"{param} must reach the net as finite real features, an array of shape (n, d); found "
            f"{_described(X)}{_where_not_finite(X)}."
        )
    if not len(X):
        raise ValueError(f"{param} must hold at least one sample; found none.")


def _where_not_finite(X: Any) -> str:
    if not isinstance(X, np.ndarray):
        return ""
    finite = X.dtype.kind != "f" or is_finite(X)
    return f", shape {X.shape}{'' if finite else ', with NaN or infinity'}"


def is_finite(X: NDArray[Any]) -> bool:
    """Tell whether all numbers are, without an array of its size: NaN and infinity are extreme."""
    return not X.size or bool(np.isfinite(X.min()) and np.isfinite(X.max()))


def _described(X: Any) -> str:
    if isinstance(X, np.ndarray):
        sample = f" such as {X.flat[0]!r}" if X.size else ""
        return f"an array of dtype {X.dtype}{sample}"
    return f"a {type(X).__name__}"
