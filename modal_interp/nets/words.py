"""What an embedding layer makes of words, and which it read, in the order of the samples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from skorch import NeuralNet
from torch import Tensor

from modal_interp.nets.batches import Rows
from modal_interp.nets.hooks import untouched
from modal_interp.nets.layers import find_embedding
from modal_interp.nets.sequences import Ids, PieceWords, mean_rows, spelled


def embedding_rows(
    net: NeuralNet, ids: Ids, several: PieceWords | None = None, **read_by: Any
) -> NDArray[np.floating[Any]]:
    """Return the net's current embeddings of words, shape (len(ids), D).

    That of a word of several pieces is the mean of theirs, and all are then in double precision.
    """
    pieces, offsets = ids, None
    if several is not None and (ids >= several.n_ids).any():
        pieces, offsets = spelled(ids, several)
        pieces, which = np.unique(pieces, return_inverse=True)
    layer = find_embedding(net, **read_by)
    with untouched(net), torch.no_grad():
        # By the layer itself: with max_norm, say, its weights are not what the net reads.
        rows = layer(torch.from_numpy(pieces).to(layer.weight.device)).float().cpu().numpy()
    return rows if offsets is None else mean_rows(rows, which.reshape(-1), offsets)


def words_read(calls: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """Return the ids that the embedding layer read and their embeddings."""
    if not calls or any(not torch.equal(ids, calls[0][0]) for ids, _ in calls):
        raise ValueError(
            "the module must read one array of word ids by its embedding layer; it read "
            f"{len(calls) or 'none'}{', not all alike' if calls else ''}. Name the layer that "
            "reads the words by embedding_layer=."
        )
    ids, leaf = calls[0]
    return ids, leaf.detach()


def sample_first(
    rows: Rows, Xi: Any, ids: Tensor, embeddings: Tensor, gradients: Tensor, *, guesses: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Put samples first, in the order of the batch, whatever order the module reads them in.

    `guesses` is of how many layers the one that read them was guessed; such a one must have read
    words of the batch.
    """
    if ids.ndim != 2 or len(rows) not in ids.shape:
        raise ValueError(
            f"the embedding layer must read one row of ids a sample; it read {tuple(ids.shape)} "
            f"for {len(rows)} samples. Name the layer that reads the words by embedding_layer=."
        )
    as_read = (ids, embeddings, gradients)
    turned = (ids.t(), embeddings.transpose(0, 1), gradients.transpose(0, 1))
    given = _given(Xi)
    for found in (as_read, turned):
        if any(_in_place(part, found[0]) for part in given):
            return found
        for part in given:
            order = _order_in(part, found[0])
            if order is not None:
                return found[0][order], found[1][order], found[2][order]
    if given and (guesses > 1 or (guesses == 1 and _are_no_words(given, ids, len(rows)))):
        raise ValueError(
            "the first embedding layer must read the words of the samples, where nobody says which "
            f"one does; it read other ids (positions?): {ids.flatten()[:4].tolist()}. "
            "Name the layer of words by embedding_layer=."
        )
    # The module gives words ids of its own; then the shape alone tells.
    return as_read if len(ids) == len(rows) else turned


def _given(Xi: Any) -> list[Tensor]:
    """Return the arrays of ids in a batch."""
    parts = Xi.values() if isinstance(Xi, Mapping) else Xi if isinstance(Xi, list | tuple) else [Xi]
    return [
        part
        for part in parts
        if isinstance(part, Tensor) and part.ndim == 2 and not part.is_floating_point()
    ]


def _are_no_words(given: list[Tensor], ids: Tensor, n: int) -> bool:
    """Tell whether most texts that differ are read as equal, as where places are looked up."""
    ids = ids if len(ids) == n else ids.t()
    n_texts = max(len(part.unique(dim=0)) for part in given)
    return 2 * len(ids.unique(dim=0)) <= n_texts


def _in_place(Xi: Tensor, ids: Tensor) -> bool:
    """Tell whether the rows of `ids` are those of the batch, padding cut off."""
    if len(ids) != len(Xi) or ids.shape[1] > Xi.shape[1]:
        return False
    return torch.equal(Xi[:, : ids.shape[1]].to(ids), ids)


def _order_in(Xi: Tensor, ids: Tensor) -> Tensor | None:
    """Return which row of `ids` holds each sample: modules may sort a batch by length."""
    if len(ids) != len(Xi) or ids.shape[1] > Xi.shape[1]:
        return None
    given, read = (part.cpu().numpy() for part in (Xi[:, : ids.shape[1]], ids))
    by_content, read_by_content = (np.lexsort(part.T[::-1]) for part in (given, read))
    if not np.array_equal(given[by_content], read[read_by_content]):
        return None
    order = np.empty(len(given), dtype=np.intp)
    order[by_content] = read_by_content
    return torch.from_numpy(order).to(ids.device)
