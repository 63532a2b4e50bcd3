"""Reads samples in batches, as the net would, in the order that costs least."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from skorch import NeuralNet
from skorch.dataset import Dataset, get_len, unpack_data
from torch.utils.data import DataLoader
from tqdm.auto import tqdm

from modal_interp.nets.layers import reads_words

Rows = NDArray[np.intp]

# Samples of a pass, unless the net's iterator_valid__batch_size says otherwise. Batches for
# training are far smaller than what is fast without weight updates.
_BATCH_SIZE = 256


def batches(net: NeuralNet, X: Any, *, verbose: int = 0) -> Iterator[tuple[Rows, Any]]:
    """Yield (rows, batch): the rows of `X` and what the net's module takes for them.

    A plain array is read texts of like length together, so that modules which trim padding have
    less of it to compute. Everything else (a data set of the user's, another iterator) is read as
    skorch reads it.

    Parameters
    ----------
    net : skorch.NeuralNet
        A fitted net.
    X : array of shape (n, ...), or whatever the net's ``dataset`` takes
        Samples.
    verbose : int
        Greater than 0 shows a progress bar, counted in batches.

    Yields
    ------
    rows : ndarray of shape (b,)
        Rows of `X`. Each row comes once.
    batch : Tensor on the net's device, or what the iterator gives
        The samples.
    """
    plain = isinstance(X, np.ndarray) and net.dataset is Dataset and _reads_as_usual(net)
    if plain and net.iterator_valid is DataLoader and not _collates(net):
        parts = _by_length(X, _batch_size(net, len(X)))
        dtype = _input_dtype(net, X)
        read: Iterator[Any] = (
            (rows, torch.from_numpy(X[rows].astype(dtype, copy=False)).to(net.device))
            for rows in parts
        )
        n_batches: int | None = len(parts)
    else:
        read, n_batches = _as_skorch_reads(net, X), None
    yield from tqdm(read, total=n_batches, unit="batch", leave=False, disable=verbose <= 0)


def distinct_rows(X: Any) -> tuple[Any, Any]:
    """Return the rows of `X` once each, and which of them each sample is.

    What is computed of them once is equal for equal samples to the last bit; in a batch, rounding
    follows a sample's place. What is no plain array is returned as it is.
    """
    if not isinstance(X, np.ndarray) or X.dtype.kind not in "iufb" or X.size == 0:
        return X, slice(None)
    rows = X.reshape(len(X), -1)
    # By their bytes, which is many times faster than column by column; both zeros are one.
    rows = np.ascontiguousarray(rows + 0.0 if X.dtype.kind == "f" else rows)
    keys = rows.view(f"V{rows.itemsize * rows.shape[1]}").ravel()
    _, first, sample_of = np.unique(keys, return_index=True, return_inverse=True)
    return X[first], sample_of.reshape(-1)


def _collates(net: NeuralNet) -> bool:
    return "collate_fn" in net.get_params_for("iterator_valid")


def _reads_as_usual(net: NeuralNet) -> bool:
    """Tell whether no subclass of the user's makes data sets or iterators in a way of its own."""
    makers = (type(net).get_dataset, type(net).get_iterator)
    return all(maker.__module__.split(".")[0] in ("skorch", "modal_interp") for maker in makers)


def _input_dtype(net: NeuralNet, X: NDArray[Any]) -> Any:
    """Return what the module computes with: word ids, or reals as precise as its parameters."""
    whole = X.dtype.kind in "iub"
    if whole and reads_words(net):
        return np.int64
    if whole and not hasattr(net, "n_features_in_"):
        return X.dtype  # ids, perhaps, that a module of the user's looks up in its own way
    double = any(p.dtype == torch.float64 for p in net.module_.parameters())
    return np.float64 if double else np.float32


def _batch_size(net: NeuralNet, n: int) -> int:
    size = net.get_params_for("iterator_valid").get("batch_size", _BATCH_SIZE)
    return n if size == -1 else size


def _by_length(X: NDArray[Any], size: int) -> list[Rows]:
    order = np.arange(len(X))
    if X.ndim == 2 and X.dtype.kind in "iu":
        is_word = X != 0
        last_word = X.shape[1] - np.argmax(is_word[:, ::-1], axis=1)
        order = np.argsort(np.where(is_word.any(axis=1), last_word, 0), kind="stable")
    return [order[start : start + size] for start in range(0, len(X), size)]


def _as_skorch_reads(net: NeuralNet, X: Any) -> Iterator[tuple[Rows, Any]]:
    start = 0
    for batch in net.get_iterator(net.get_dataset(X), training=False):
        Xi, _ = unpack_data(batch)
        rows = np.arange(start, start + get_len(Xi))
        start += len(rows)
        yield rows, Xi
