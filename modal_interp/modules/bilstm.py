"""A bidirectional LSTM for sentences."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from modal_interp.modules._words import check_dropout, check_size, trim, word_embedding


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
    dropout : float in [0, 1), default=0.5
        Share of the pooled features that training drops.
    embedding_matrix : array of shape (n_words, D), default=None
        Word vectors to start from; copied, row 0 set to zero.
    freeze_embedding : bool, default=False
        Leave the word vectors as they start.

    Attributes
    ----------
    embedding : nn.Embedding of shape (n_words, D)
        Word vectors; fresh ones are uniform in [-0.1, 0.1].
    lstm : nn.LSTM
        One bidirectional layer.
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
    The BiLSTM of ALDEN (section 4.2): one layer, ReLU, pooling, dropout. Each direction reads
    a text's own words and nothing else (packed sequences), so neither padding nor the other
    texts of the batch change a result. An empty text is read as one zero vector.

    Departs from the paper: ALDEN does not say how it pools; this takes the maximum over time.

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
        dropout: float = 0.5,
        embedding_matrix: Any = None,
        freeze_embedding: bool = False,
    ) -> None:
        super().__init__()
        hidden_size = check_size("hidden_size", hidden_size)
        n_classes = check_size("n_classes", n_classes)
        self.embedding = word_embedding(n_words, embedding_dim, embedding_matrix, freeze_embedding)
        self.lstm = nn.LSTM(
            self.embedding.embedding_dim, hidden_size, batch_first=True, bidirectional=True
        )
        self.dropout = nn.Dropout(check_dropout(dropout))
        self.output = nn.Linear(2 * hidden_size, n_classes)

    def forward(self, ids: Tensor) -> Tensor:
        """Return logits of shape (B, n_classes) for word ids of shape (B, T), int64."""
        ids, lengths = trim(ids)
        vectors = self.embedding(ids)
        # Packing wants a step for every text: an empty one reads a single zero vector.
        vectors = nn.functional.pad(vectors, (0, 0, 0, 1 if ids.shape[1] == 0 else 0))
        lengths = lengths.clamp(min=1)
        packed = pack_padded_sequence(
            vectors, lengths.cpu(), batch_first=True, enforce_sorted=False
        )
        # Padding comes back as zeros, and activations are >= 0: a zero never wins over a real
        # word and passes no gradient.
        states, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True)
        pooled = torch.relu(states).amax(dim=1)
        return self.output(self.dropout(pooled))
