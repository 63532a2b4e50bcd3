"""An embedding layer for words that nobody has counted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

# Word ids that it takes: ALDEN counts words in arrays that are as long as the largest id.
MOST_WORDS = 2**20
# The constants of splitmix64 (Steele, Lea & Flood 2014), as torch's signed numbers.
_STEP, _FIRST, _SECOND = (
    c - 2**64 for c in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
)
_AT_ONCE = 2**16  # rows


class OpenEmbedding(nn.Embedding):
    """Vectors of all word ids below 2**20, of which those of words trained on are stored.

    Every word starts from a vector that its id and `seed` decide, uniform in [-bound, bound]. A
    word that was not trained on still has it, so it need not be kept: it is computed where it is
    read. To store more words (`store`) therefore changes no output.

    Parameters
    ----------
    dim : int
        Length of a vector.
    bound : float
        Largest number in a first vector.
    freeze : bool
        Whether vectors stay as they start.

    Attributes
    ----------
    words : Tensor of shape (n_stored,), int64
        The ids stored, sorted; padding (0) and unknown (1) among them.
    seed : Tensor of shape (), int64
        Drawn from torch's generator.
    weight : Parameter of shape (n_stored, D)
        Their vectors.
    """

    weight: nn.Parameter
    words: Tensor
    seed: Tensor

    def __init__(self, dim: int, *, bound: float, freeze: bool) -> None:
        super().__init__(2, dim, padding_idx=0, _weight=torch.zeros(2, dim), _freeze=freeze)
        self.num_embeddings, self.bound, self.stores = MOST_WORDS, bound, False
        self.register_buffer("seed", torch.randint(2**62, ()))
        self.register_buffer("words", torch.arange(2))
        self.weight.data[1] = self.first_vectors(self.words[1:])[0]

    def first_vectors(self, ids: Tensor) -> Tensor:
        """Return what words start from, shape (n, D), for ids of shape (n,)."""
        vectors = self.weight.new_empty(len(ids), self.embedding_dim)
        for found, part in zip(vectors.split(_AT_ONCE), ids.split(_AT_ONCE), strict=True):
            found.copy_(self._mixed(part) * (2.0**-23 * self.bound) - self.bound)
        return vectors

    def _mixed(self, ids: Tensor) -> Tensor:
        """Return whole numbers below 2**24, shape (n, D), that look random."""
        columns = torch.arange(self.embedding_dim, device=ids.device)
        z = self.seed + (ids[:, None] * self.embedding_dim + columns) * _STEP
        for shift, factor in ((30, _FIRST), (27, _SECOND)):
            z = (z ^ _shifted(z, shift)) * factor
        return _shifted(z ^ _shifted(z, 31), 40)

    def forward(self, input: Tensor) -> Tensor:
        """Return vectors of shape (..., D) for word ids of any shape."""
        ids = input.contiguous()
        if self.stores:
            self.store(ids)
        return self._read(ids)

    def _read(self, ids: Tensor) -> Tensor:
        rows = torch.searchsorted(self.words, ids).clamp_(max=len(self.words) - 1)
        # The row of padding for words without one.
        new = self.words[rows] != ids
        vectors = nn.functional.embedding(
            rows.masked_fill(new, 0), self.weight, padding_idx=0, sparse=self.sparse
        )
        if not new.any():
            return vectors
        return vectors.masked_scatter(new[..., None], self.first_vectors(ids[new]))

    def store(self, ids: Tensor) -> Tensor:
        """Store vectors of more words, and return the rows that the stored ones have now."""
        words = torch.cat([self.words, ids.to(self.words).flatten()]).unique()
        with torch.no_grad():
            weight = self._read(words)
        rows = torch.searchsorted(words, self.words)
        self.words, self.weight.data = words, weight
        return rows

    @contextmanager
    def storing(self) -> Iterator[None]:
        """Store for a while what words are read, so that their vectors are parameters too."""
        before = self.words, self.weight.data
        self.stores = True
        try:
            yield
        finally:
            self.stores = False
            self.words, self.weight.data = before

    def _load_from_state_dict(self, state: Mapping[str, Any], prefix: str, *args: Any) -> None:
        # A net stores what it was trained on, and may take the words of another.
        words = state.get(f"{prefix}words")
        if words is not None:
            self.words = torch.empty_like(words, device=self.words.device)
            self.weight.data = self.weight.data.new_empty(len(words), self.embedding_dim)
        super()._load_from_state_dict(state, prefix, *args)


def _shifted(z: Tensor, n: int) -> Tensor:
    """Shift to the right as unsigned numbers are."""
    return (z >> n) & (2 ** (64 - n) - 1)
