"""Texts as word ids: checked, with a vector for each word."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from modal_interp.estimators.classifier import _ModuleClassifier
from modal_interp.modules import TextBiLSTM, TextCNN, TextCNNLSTM
from modal_interp.modules._words import check_size
from modal_interp.modules.open_embedding import MOST_WORDS, OpenEmbedding

# Rows of the embedding that a module of the user's is built with at least, if nobody sized it.
LEAST_ROWS = 2**15


class _WordIdsClassifier(_ModuleClassifier):
    """A classifier of texts, given as word ids."""

    n_words_: int
    # CNN of filters 3, 4, 5; TREC and paper titles, 50 and 200 labels: accuracy .335 after 15
    # epochs, .390 after 100 steps, .392 after 300, .395 after 600.
    usual_epochs, usual_steps = 15, 100

    def __init__(
        self,
        module: type[nn.Module],
        *,
        n_words: int | None,
        embedding_matrix: Any,
        lr: float = 2e-3,
        **kwargs: Any,
    ) -> None:
        super().__init__(module, lr=lr, **kwargs)
        self.n_words = n_words
        self.embedding_matrix = embedding_matrix

    def _check_input(self, X: Any, *, reset: bool) -> NDArray[np.int64]:
        ids = as_word_ids(X)
        largest = int(ids.max(initial=0))
        n_words = self._count_rows(largest) if reset else self.n_words_
        if largest >= n_words:
            raise ValueError(
                f"Word ids reach {largest}, but the embedding has {n_words} rows: pass "
                "n_words=encoder.n_words_, or an embedding_matrix with a row for each word."
            )
        self.n_words_ = n_words
        return ids

    def _count_rows(self, largest: int) -> int:
        """Return the number of embedding rows: as told, else enough for words yet to come."""
        if self.embedding_matrix is not None:
            rows = len(self.embedding_matrix)
            if self.n_words not in (None, rows):
                raise ValueError(f"n_words={self.n_words}, but embedding_matrix has {rows} rows.")
            return rows
        if self.n_words is not None:
            return check_size("n_words", self.n_words, 2)
        if self._takes_any_word():
            return MOST_WORDS
        return min(max(LEAST_ROWS, 1 << largest.bit_length()), MOST_WORDS)

    def _takes_any_word(self) -> bool:
        """Tell whether the module stores the words of training alone, and knows all others."""
        unsized = self.n_words is None and self.embedding_matrix is None
        return unsized and self.module in (TextCNN, TextBiLSTM, TextCNNLSTM)

    def _module_sizes(self) -> dict[str, Any]:
        if "n_words_" not in vars(self):
            self.n_words_ = self._count_rows(0)
        n_words = None if self._takes_any_word() else self.n_words_
        return {"n_words": n_words, "embedding_matrix": self.embedding_matrix}

    def fit_loop(self, X: Any, y: Any = None, epochs: int | None = None, **fit_params: Any) -> Any:
        """Run skorch's loop, with a vector to train for each word of `X`."""
        embedding = getattr(self.module_, "embedding", None)
        if isinstance(embedding, OpenEmbedding) and isinstance(X, np.ndarray):
            rows = embedding.store(torch.from_numpy(np.unique(X)))
            _move_rows(self.optimizer_, embedding.weight, rows)
        return super().fit_loop(X, y, epochs, **fit_params)


def _move_rows(optimizer: torch.optim.Optimizer, weight: nn.Parameter, rows: Tensor) -> None:
    """Let the optimiser find what it keeps of the rows of `weight` where these are now."""
    weight.grad = None
    kept = optimizer.state.get(weight, {})
    for name, value in kept.items():
        if isinstance(value, Tensor) and value.ndim == weight.ndim:
            kept[name] = torch.zeros_like(weight, requires_grad=False)
            kept[name][rows] = value


def as_word_ids(X: Any, encoder: str = "WordEncoder") -> NDArray[np.int64]:
    """Return `X` as word ids (n, T), int64, or raise a ValueError that says what is wrong."""
    try:
        ids = np.asarray(X)
    except ValueError as error:
        raise ValueError("X must have rows of one length: pad them with 0.") from error
    if ids.dtype.kind in "US" or any(isinstance(item, str) for item in ids.ravel()[:1].tolist()):
        raise ValueError(f"X holds strings, not word ids: put a {encoder} before this classifier.")
    if not len(np.atleast_1d(ids)):
        raise ValueError(f"Found array with 0 sample(s) (shape={ids.shape}): X has a row a text.")
    if ids.ndim != 2 or not ids.size:
        raise ValueError(f"X must be word ids of shape (n, T), found shape {ids.shape}.")
    if ids.dtype.kind not in "iu":
        raise ValueError(f"X must hold integers (word ids), found dtype {ids.dtype}.")
    if ids.min() < 0:
        raise ValueError(f"Word ids must be >= 0, found {ids.min()}.")
    if ids.max() > np.iinfo(np.int64).max:  # it would become a negative number
        raise ValueError(f"Word ids must fit into int64, found {ids.max()}.")
    return np.require(ids, np.int64, "W")
