"""Reads samples in batches, as the net would, in the order that costs least."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from skorch import NeuralNet
from skorch.dataset import Dataset, get_len, unpack_data
from skorch.utils import is_dataset, multi_indexing
from torch import Tensor, nn
from torch.utils.data import DataLoader
from tqdm.auto import tqdm

from modal_interp._out_of_core import cuts_with_room, working_memory
from modal_interp.nets.inputs import check_batch
from modal_interp.nets.layers import padding_id, reads_words
from modal_interp.nets.precision import as_tensor, dtype_read
from modal_interp.nets.samples import Rows, Samples, rows_at_once

# Samples of a pass, unless the net's iterator_valid__batch_size says otherwise. Batches for
# training are far smaller than what is fast without weight updates.
_BATCH_SIZE = 256
# What layers behind the input hold of each of its floats, about.
_HIDDEN = 32
_EMBEDDINGS = (nn.Embedding, nn.EmbeddingBag)
# Bytes that a pass may take at least: below, it would take longer, and save nothing.
_AT_LEAST = 2**26
# Floats that the widest layer of a transformer gives of a batch on a CPU: 4 MB, which its cache
# holds. Larger batches take up to twice the time.
_CACHED = 2**20
# Batches whose samples are sorted by length together: so far apart rows of a file are read.
_SORTED_TOGETHER = 256


def batches(
    net: NeuralNet, X: Any, *, n_outputs: int = 0, verbose: int = 0
) -> Iterator[tuple[Rows, Any]]:
    """Yield (rows, batch): the rows of `X` and what the net's module takes for them.

    A plain array is read texts of like length together, so that modules which trim padding have
    less of it to compute. Batches of long texts, or of many outputs, are smaller: what a pass holds
    of them is to fit into scikit-learn's ``working_memory``. Everything else (a data set of the
    user's, another iterator) is read as skorch reads it, and large batches in parts.

    Parameters
    ----------
    net : skorch.NeuralNet
        A fitted net.
    X : array of shape (n, ...), Samples, or whatever the net's ``dataset`` takes
        Samples.
    n_outputs : int
        How many outputs' gradients by each input are held.
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
        size, room = _batch_size(net, len(X)), _room(net, n_outputs)
        whole = size * int(np.prod(X.shape[1:])) <= room
        read = _by_length(net, X, size, room)
        n_batches = -(-len(X) // size) if whole else None
    else:
        X = X[np.arange(len(X))] if isinstance(X, Samples) else X
        read, n_batches = _in_parts(_as_skorch_reads(net, X), _room(net, n_outputs)), None
    # A bar that is not shown takes a lock of tqdm's all the same.
    shown = verbose > 0
    yield from tqdm(read, total=n_batches, unit="batch", leave=False) if shown else read


def _collates(net: NeuralNet) -> bool:
    return "collate_fn" in net.get_params_for("iterator_valid")


def _reads_as_usual(net: NeuralNet) -> bool:
    """Tell whether no subclass of the user's makes data sets or iterators in a way of its own."""
    makers = (type(net).get_dataset, type(net).get_iterator)
    return all(maker.__module__.split(".")[0] in ("skorch", "modal_interp") for maker in makers)


def _room(net: NeuralNet, n_outputs: int) -> int:
    """Return how many words or features of a batch are to be passed at once."""
    layers = list(net.module_.modules())
    width = max((m.embedding_dim for m in layers if isinstance(m, _EMBEDDINGS)), default=0)
    n_floats, most = _HIDDEN * max(1, width), np.inf
    if width:  # all of what the other layers may hold of a word
        others = [m for m in layers if not isinstance(m, _EMBEDDINGS)]
        tables = [p.shape[0] for m in others for p in m.parameters(recurse=False) if p.ndim > 1]
        n_floats = max(n_floats, sum(tables))
        if any(map(_attends, layers)) and torch.device(net.device).type == "cpu":
            most = _CACHED / max(tables, default=1)
    n_floats += 2 * n_outputs * max(1, width)  # where they are pulled and where they are looked at
    return max(1, int(min(most, max(_AT_LEAST, working_memory()) / (4 * n_floats))))


def _attends(layer: nn.Module) -> bool:
    """Tell whether words look at each other here, as they do in transformers."""
    of_transformers = type(layer).__module__.split(".")[0] == "transformers"
    return of_transformers or isinstance(layer, nn.MultiheadAttention)


def _batch_size(net: NeuralNet, n: int) -> int:
    size = net.get_params_for("iterator_valid").get("batch_size", _BATCH_SIZE)
    return max(1, n) if size == -1 else size


def _by_length(net: NeuralNet, X: Any, size: int, room: int) -> Iterator[tuple[Rows, Tensor]]:
    """Yield batches on the net's device, texts of like length together."""
    dtype = dtype_read(net, as_tensor(np.asarray(X[np.arange(min(2, len(X)))])))
    texts = X.ndim == 2 and X.dtype.kind in "iu"
    padding = padding_id(net) if texts and reads_words(net) else 0
    for start in range(0, len(X), size * _SORTED_TOGETHER):
        rows = np.arange(start, min(start + size * _SORTED_TOGETHER, len(X)))
        read = np.full(len(rows), int(np.prod(X.shape[1:])))
        if texts:
            lengths = _lengths(X, rows, padding)
            order = np.argsort(lengths, kind="stable")
            rows = rows[order]
            # Only of a module that is known to trim padding are not all columns read.
            read = lengths[order] if _trims(net) else read
        for cut in cuts_with_room(read, room, size):
            yield rows[cut], as_tensor(np.asarray(X[rows[cut]])).to(net.device, dtype)


def _trims(net: NeuralNet) -> bool:
    module = getattr(net.module_, "_orig_mod", net.module_)  # of a compiled one
    return type(module).__module__.startswith("modal_interp.modules")


def _in_parts(read: Iterator[tuple[Rows, Any]], room: int) -> Iterator[tuple[Rows, Any]]:
    """Yield batches that an iterator of the user's gave, large ones in parts."""
    for rows, Xi in read:
        tensors = (
            list(Xi.values()) if type(Xi) is dict else Xi if type(Xi) in (list, tuple) else [Xi]
        )
        whole = not all(isinstance(x, Tensor) and x.ndim and len(x) == len(rows) for x in tensors)
        if whole or sum(x.numel() for x in tensors) <= room:
            yield rows, Xi
            continue
        n_rows = max(1, room // max(1, sum(x[0].numel() for x in tensors)))
        for first in range(0, len(rows), n_rows):
            part = slice(first, first + n_rows)
            yield rows[part], multi_indexing(Xi, part)


def _lengths(X: Any, rows: Rows, padding: int) -> Rows:
    """Return the place behind the last word of each text, a few texts at a time."""
    lengths = np.zeros(len(rows), dtype=np.intp)
    at_once = rows_at_once(X)
    for start in range(0, len(rows), at_once):
        is_word = np.asarray(X[rows[start : start + at_once]]) != padding
        last = is_word.shape[1] - np.argmax(is_word[:, ::-1], axis=1)
        lengths[start : start + len(last)] = np.where(is_word.any(axis=1), last, 0)
    return lengths


def _of_data_set(net: NeuralNet, batch: Any) -> Any:
    """Return the samples of a batch that a data set gave: alone, by themselves or with targets."""
    alone = isinstance(batch, list | tuple) and len(batch) == 1
    Xi = batch if isinstance(batch, Tensor) else batch[0] if alone else unpack_data(batch)[0]
    check_batch(net, Xi)
    return Xi


def _as_skorch_reads(net: NeuralNet, X: Any) -> Iterator[tuple[Rows, Any]]:
    start, n = 0, get_len(X)
    read_as: dict[torch.dtype, torch.dtype] = {}
    for batch in net.get_iterator(net.get_dataset(X), training=False):
        Xi = _of_data_set(net, batch) if is_dataset(X) else unpack_data(batch)[0]
        if isinstance(Xi, Tensor):
            Xi = (
                Xi.clone() if Xi.is_inference() else Xi
            )  # which no gradient could be pulled through
            if Xi.dtype not in read_as:
                read_as[Xi.dtype] = dtype_read(net, Xi)
            Xi = Xi.to(read_as[Xi.dtype])
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
