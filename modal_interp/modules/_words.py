"""What the text modules share: the embedding layer and the bookkeeping of padding."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from modal_interp.modules.open_embedding import OpenEmbedding

# Kim's code has 0.25. The CNN on MR with 640 and with 8,529 labels, best epoch: accuracy 0.642 and
# 0.768 from 0.1, 0.631 and 0.759 from 0.25; a standard normal, torch's default, gave 0.571.
EMBEDDING_BOUND = 0.1


def check_size(name: str, value: object, smallest: int = 1) -> int:
    """Return `value` as an int of at least `smallest`, or raise a ValueError that names it."""
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or int(value) < smallest:  # type: ignore[call-overload]
        raise ValueError(f"{name} must be an integer >= {smallest}, found {value!r}.")
    return int(value)  # type: ignore[call-overload]


def check_sizes(name: str, values: Any) -> list[int]:
    """Return `values` as a list of positive ints, or raise a ValueError that names them."""
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise ValueError(f"{name} must be a sequence of integers, found {values!r}.")
    return [check_size(name, value) for value in values]


def check_dropout(value: object) -> float:
    """Return `value` as a float in [0, 1), or raise a ValueError."""
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not number or not 0 <= float(value) < 1:  # type: ignore[arg-type]
        raise ValueError(f"dropout must be a number in [0, 1), found {value!r}.")
    return float(value)  # type: ignore[arg-type]


def word_embedding(n_words: int | None, dim: int, matrix: Any, freeze: bool) -> nn.Embedding:
    """Build the embedding layer from `matrix`, else from uniform(-0.1, 0.1).

    Row 0 is padding: always the zero vector, never trained.
    """
    if n_words is None and matrix is None:
        dim = check_size("embedding_dim", dim)
        return OpenEmbedding(dim, bound=EMBEDDING_BOUND, freeze=freeze)
    n_words = len(matrix) if n_words is None else n_words
    n_words = check_size("n_words", n_words, 2)
    if matrix is None:
        weight = torch.empty(n_words, check_size("embedding_dim", dim))
        weight.uniform_(-EMBEDDING_BOUND, EMBEDDING_BOUND)
    else:
        weight = _check_matrix(matrix, n_words)
    weight[0] = 0.0
    return nn.Embedding.from_pretrained(weight, freeze=freeze, padding_idx=0)


def _check_matrix(matrix: Any, n_words: int) -> Tensor:
    """Return a float32 copy of `matrix` after checking that it is a finite (n_words, D) table."""
    # A copy: training must never write into the caller's array.
    weight = torch.as_tensor(matrix).detach().to("cpu", torch.float32, copy=True)
    if weight.ndim != 2 or len(weight) != n_words or not weight.shape[1]:
        raise ValueError(
            f"embedding_matrix must have shape (n_words, embedding_dim) with n_words={n_words}, "
            f"found {tuple(weight.shape)}."
        )
    if not torch.isfinite(weight).all():
        raise ValueError("embedding_matrix must be finite, found NaN or infinity in it.")
    return weight


def trim(ids: Tensor, padding: int = 0) -> tuple[Tensor, Tensor]:
    """Drop the columns in which every text is padding.

    Parameters
    ----------
    ids : Tensor of shape (B, T), int64
        Word ids.
    padding : int
        The id that is padding.

    Returns
    -------
    ids : Tensor of shape (B, T'), int64
        T' = longest length in the batch.
    lengths : Tensor of shape (B,), int64
        Index of each text's last id that is no padding, plus one; 0 for an empty text.
    """
    if ids.ndim != 2:
        raise ValueError(f"ids must have shape (B, T), found {tuple(ids.shape)}.")
    positions = torch.arange(1, ids.shape[1] + 1, device=ids.device)
    # One more column of zeros, so that the maximum exists where T = 0.
    lengths = nn.functional.pad((ids != padding) * positions, (0, 1)).amax(dim=1)
    longest = int(lengths.max()) if len(lengths) else 0
    return ids[:, :longest], lengths


def lstm_states(lstm: nn.Module, vectors: Tensor, lengths: Tensor) -> Tensor:
    """Return the states (B, T, H) of an LSTM that reads each text's own steps and nothing else.

    Parameters
    ----------
    lstm : nn.LSTM
        One that takes the batch first.
    vectors : Tensor of shape (B, T, D)
        What it reads, T at least 1.
    lengths : Tensor of shape (B,), int64
        Steps of each text, from 1 up to T, which one of them has. States behind them are zero.
    """
    packed = pack_padded_sequence(vectors, lengths.cpu(), batch_first=True, enforce_sorted=False)
    return pad_packed_sequence(lstm(packed)[0], batch_first=True)[0]
