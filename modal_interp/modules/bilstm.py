"""A bidirectional LSTM for sentences."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from modal_interp.modules._words import (
    check_dropout,
    check_size,
    lstm_states,
    trim,
    word_embedding,
)


class TextBiLSTM(nn.Module):
    """Classify sentences by a bidirectional LSTM and a maximum over time.

    Parameters
    ----------
    n_words : int or None
        As in :class:`TextCNN`.
    n_classes : int
        Number of outputs.
    embedding_dim : int, default=100
        Length of a word vector; not used where `embedding_matrix` is given.
    hidden_size : int, default=100
        Units of each direction.
    n_layers : int, default=1
        Bidirectional layers, each over the states of the one before.
    dropout : float in [0, 1), default=0.5
        Share that training drops of the pooled features, and of each state that one layer hands to
        the next.
    embedding_matrix : array of shape (n_words, D), default=None
        Word vectors to start from; copied, row 0 set to zero.
    freeze_embedding : bool, default=False
        Leave the word vectors as they start.

    Attributes
    ----------
    embedding : nn.Embedding of shape (n_words, D)
        Word vectors; fresh ones are uniform in [-0.1, 0.1].
    lstm : nn.LSTM
        The first bidirectional layer.
    between : nn.ModuleList of nn.Dropout
        Before each further layer.
    deeper : nn.ModuleList of nn.LSTM
        The further layers.
    dropout : nn.Dropout
        Before the output layer.
    output : nn.Linear
        From ``2 * hidden_size`` features to `n_classes` logits.

    Raises
    ------
    ValueError
        If a parameter breaks its rule; the message names it and the value found.

    Notes
    -----
    The BiLSTM of ALDEN (section 4.2): one layer, ReLU, pooling, dropout; with ``n_layers=2`` that
    of D. Cho's slides on the topics of papers. Each direction reads
    a text's own words and nothing else (packed sequences), so neither padding nor the other
    texts of the batch change a result. An empty text is read as one zero vector.

    Layers are stacked as ``nn.LSTM(num_layers=, dropout=)`` stacks them. That one draws its dropout
    by itself, for each sample; layers of their own let passes with dropout (:func:`bald`) draw one
    mask for all samples, so that a pass stands for one net and does not depend on batches.

    Departs from the paper: ALDEN and the slides do not say how they pool; this takes the maximum
    over time.

    Examples
    --------
    >>> import torch
    >>> from modal_interp.modules import TextBiLSTM
    >>> net = TextBiLSTM(n_words=50, n_classes=3, embedding_dim=8, hidden_size=4)
    >>> net(torch.tensor([[4, 7, 2, 9, 0], [3, 0, 0, 0, 0]])).shape
    torch.Size([2, 3])
    """

    # How the queries read it.
    read_by: ClassVar[dict[str, str]] = {"embedding_layer": "embedding", "output_layer": "output"}

    def __init__(
        self,
        n_words: int | None,
        n_classes: int,
        *,
        embedding_dim: int = 100,
        hidden_size: int = 100,
        n_layers: int = 1,
        dropout: float = 0.5,
        embedding_matrix: Any = None,
        freeze_embedding: bool = False,
    ) -> None:
        super().__init__()
        hidden_size = check_size("hidden_size", hidden_size)
        n_classes = check_size("n_classes", n_classes)
        self.embedding = word_embedding(n_words, embedding_dim, embedding_matrix, freeze_embedding)
        dim = self.embedding.embedding_dim
        first, *others = [dim] + [2 * hidden_size] * (check_size("n_layers", n_layers) - 1)
        dropout = check_dropout(dropout)
        self.lstm = _layer(first, hidden_size)
        self.between = nn.ModuleList(nn.Dropout(dropout) for _ in others)
        self.deeper = nn.ModuleList(_layer(width, hidden_size) for width in others)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(2 * hidden_size, n_classes)

    def forward(self, ids: Tensor) -> Tensor:
        """Return logits of shape (B, n_classes) for word ids of shape (B, T), int64."""
        ids, lengths = trim(ids)
        vectors = self.embedding(ids)
        # Packing wants a step for every text: an empty one reads a single zero vector.
        vectors = nn.functional.pad(vectors, (0, 0, 0, 1 if ids.shape[1] == 0 else 0))
        lengths = lengths.clamp(min=1)
        states = lstm_states(self.lstm, vectors, lengths)
        for drop, layer in zip(self.between, self.deeper, strict=True):
            states = lstm_states(layer, drop(states), lengths)
        # Padding comes back as zeros, and activations are >= 0: a zero never wins over a real
        # word and passes no gradient.
        pooled = torch.relu(states).amax(dim=1)
        return self.output(self.dropout(pooled))


def _layer(width: int, hidden_size: int) -> nn.LSTM:
    return nn.LSTM(width, hidden_size, batch_first=True, bidirectional=True)
