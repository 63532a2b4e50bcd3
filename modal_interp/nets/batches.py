"""Reads samples in batches, as the net would, in the order that costs least."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from skorch import NeuralNet
from skorch.dataset import Dataset, get_len, unpack_data
from skorch.utils import is_dataset
from torch import Tensor
from torch.utils.data import DataLoader
from tqdm.auto import tqdm

from modal_interp.nets.inputs import check_batch
from modal_interp.nets.layers import reads_words
from modal_interp.nets.samples import Rows, Samples

# Samples of a pass, unless the net's iterator_valid__batch_size says otherwise. Batches for
# training are far smaller than what is fast without weight updates.
_BATCH_SIZE = 256
# Batches whose samples are sorted by length together: so far apart rows of a file are read.
_SORTED_TOGETHER = 256


def batches(net: NeuralNet, X: Any, *, verbose: int = 0) -> Iterator[tuple[Rows, Any]]:
    """Yield (rows, batch): the rows of `X` and what the net's module takes for them.

    A plain array is read texts of like length together, so that modules which trim padding have
    less of it to compute. Everything else (a data set of the user's, another iterator) is read as
    skorch reads it.

    Parameters
    ----------
    net : skorch.NeuralNet
        A fitted net.
    X : array of shape (n, ...), Samples, or whatever the net's ``dataset`` takes
        Samples.
    verbose : int
        Greater than 0 shows a progress bar, counted in batches.

    Yields
    ------
    rows : ndarray of shape (b,)
        Rows of `X`. Each row comes once.
    batch : Tensor on the net's device, or what the iterator gives
        The samples.

    Raises
    ------
    ValueError
        If a data set holds ids that the net's embedding layer does not know, or the net's own
        iterator leaves samples out or repeats them.
    """
    arrays = isinstance(X, np.ndarray | Samples) and net.dataset is Dataset
    read: Iterator[tuple[Rows, Any]]
    if arrays and _reads_as_usual(net) and net.iterator_valid is DataLoader and not _collates(net):
        size = _batch_size(net, len(X))
        read, n_batches = _by_length(net, X, size), -(-len(X) // size)
    else:
        X = X[np.arange(len(X))] if isinstance(X, Samples) else X
        read, n_batches = _as_skorch_reads(net, X), None
    # A bar that is not shown takes a lock of tqdm's all the same.
    shown = verbose > 0
    yield from tqdm(read, total=n_batches, unit="batch", leave=False) if shown else read


def _collates(net: NeuralNet) -> bool:
    return "collate_fn" in net.get_params_for("iterator_valid")


def _reads_as_usual(net: NeuralNet) -> bool:
    """Tell whether no subclass of the user's makes data sets or iterators in a way of its own."""
    makers = (type(net).get_dataset, type(net).get_iterator)
    return all(maker.__module__.split(".")[0] in ("skorch", "modal_interp") for maker in makers)


def _input_dtype(net: NeuralNet, X: Any) -> Any:
    """Return what the module computes with: word ids, or reals as precise as its parameters."""
    whole = X.dtype.kind in "iub"
    if whole and reads_words(net):
        return np.int64
    if whole and not hasattr(net, "n_features_in_"):
        return X.dtype  # ids, perhaps, that a module of the user's looks up in its own way
    return np.float64 if _is_double(net) else np.float32


def _is_double(net: NeuralNet) -> bool:
    return any(p.dtype == torch.float64 for p in net.module_.parameters())


def _batch_size(net: NeuralNet, n: int) -> int:
    size = net.get_params_for("iterator_valid").get("batch_size", _BATCH_SIZE)
    return max(1, n) if size == -1 else size


def _by_length(net: NeuralNet, X: Any, size: int) -> Iterator[tuple[Rows, Tensor]]:
    """Yield batches on the net's device, texts of like length together."""
    dtype = _input_dtype(net, X)
    for start in range(0, len(X), size * _SORTED_TOGETHER):
        together = np.arange(start, min(start + size * _SORTED_TOGETHER, len(X)))
        if X.ndim == 2 and X.dtype.kind in "iu":
            together = together[np.argsort(_lengths(X, together), kind="stable")]
        for first in range(0, len(together), size):
            rows = together[first : first + size]
            batch = np.asarray(X[rows]).astype(dtype, copy=False)
            yield rows, torch.from_numpy(batch).to(net.device)


def _lengths(X: Any, rows: Rows) -> Rows:
    """Return the place behind the last word of each text, a few texts at a time."""
    lengths = np.zeros(len(rows), dtype=np.intp)
    for start in range(0, len(rows), _BATCH_SIZE * 16):
        is_word = np.asarray(X[rows[start : start + _BATCH_SIZE * 16]]) != 0
        last = is_word.shape[1] - np.argmax(is_word[:, ::-1], axis=1)
        lengths[start : start + len(last)] = np.where(is_word.any(axis=1), last, 0)
    return lengths


def _of_data_set(net: NeuralNet, batch: Any) -> Any:
    """Return the samples of a batch that a data set gave: alone, by themselves or with targets."""
    alone = isinstance(batch, list | tuple) and len(batch) == 1
    Xi = batch if isinstance(batch, Tensor) else batch[0] if alone else unpack_data(batch)[0]
    check_batch(net, Xi)
    real = isinstance(Xi, Tensor) and Xi.is_floating_point()
    return Xi.double() if real and _is_double(net) else Xi.float() if real else Xi


def _as_skorch_reads(net: NeuralNet, X: Any) -> Iterator[tuple[Rows, Any]]:
    start, n = 0, get_len(X)
    for batch in net.get_iterator(net.get_dataset(X), training=False):
        Xi = _of_data_set(net, batch) if is_dataset(X) else unpack_data(batch)[0]
        rows = np.arange(start, start + get_len(Xi))
        start += len(rows)
        if start > n:
            break
        yield rows, Xi
    if start != n:
        raise ValueError(
            "the net's iterator_valid must give each sample once, in order; it gave "
            f"{'more than' if start > n else f'{start} of'} {n}. Leave drop_last and samplers to "
            "iterator_train, and let each worker of an IterableDataset give its own part."
        )
