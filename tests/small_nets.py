"""Modules as users write them: they share no code and no names with ours."""

import copy

import numpy as np
import torch
from skorch import NeuralNetBinaryClassifier, NeuralNetClassifier
from torch import nn


class AttentionReader(nn.Module):
    """Self-attention over a frozen embedding whose rows also score the words (tied).

    Returns probabilities, as skorch's default criterion wants them.
    """

    def __init__(self, n_words=12, n_classes=2, dim=8):
        super().__init__()
        self.positions = nn.Parameter(torch.randn(40, dim) * 0.1)
        self.lookup = nn.Embedding.from_pretrained(torch.randn(n_words, dim), freeze=True)
        self.attend = nn.MultiheadAttention(dim, 2, batch_first=True)
        self.norm = nn.LayerNorm(dim)
        self.decide = nn.Linear(dim + n_words, n_classes)

    def logits(self, tokens):
        blank = tokens == 0
        blank = blank & ~blank.all(dim=1, keepdim=True)
        e = self.lookup(tokens) + self.positions[: tokens.shape[1]]
        h, _ = self.attend(e, e, e, key_padding_mask=blank)
        h = self.norm(h + e).masked_fill((tokens == 0)[..., None], 0.0).mean(dim=1)
        scores = torch.nn.functional.linear(h, self.lookup.weight)
        return self.decide(torch.cat([h, torch.tanh(scores)], dim=1))

    def forward(self, tokens):
        return self.logits(tokens).softmax(dim=1)


class TimeFirstGRU(nn.Module):
    """Reads (T, b) batches, has a padding id of its own, and gives one logit (binary)."""

    def __init__(self, n_words=12, dim=6):
        super().__init__()
        self.words = nn.Embedding(n_words, dim, padding_idx=3)
        self.recurrent = nn.GRU(dim, 5)
        self.score = nn.Linear(5, 1)

    def forward(self, tokens):
        h, _ = self.recurrent(self.words(tokens.t()))
        return self.score(h.mean(dim=0))


class LengthSorter(nn.Module):
    """Sorts a batch by length before it reads, as is done for packed sequences."""

    def __init__(self, n_words=12, n_classes=2, dim=6):
        super().__init__()
        self.words = nn.Embedding(n_words, dim)
        self.recurrent = nn.GRU(dim, 5, batch_first=True)
        self.out = nn.Linear(5, n_classes)

    def forward(self, tokens):
        order = (tokens != 0).sum(dim=1).argsort(descending=True, stable=True)
        h, _ = self.recurrent(self.words(tokens[order]))
        return self.out(h.mean(dim=1))[order.argsort()]


class TwiceReader(nn.Module):
    """Reads the same words twice, through a layer with max_norm, BatchNorm and dropout."""

    def __init__(self, n_words=12, n_classes=3, dim=6):
        super().__init__()
        self.first = nn.Embedding(n_words, dim, max_norm=1.0)
        self.norm = nn.BatchNorm1d(dim)
        self.drop = nn.Dropout(0.5)
        self.inner = nn.Linear(dim, dim)
        self.out = nn.Linear(dim, n_classes)

    def forward(self, tokens):
        e = torch.tanh(self.inner(self.first(tokens))) * self.first(tokens)
        return self.out(self.drop(self.norm(e.sum(dim=1))))


class TableReader(nn.Module):
    def __init__(self, n_features=5, n_classes=2):
        super().__init__()
        self.inner = nn.Linear(n_features, 16)
        self.out = nn.Linear(16, n_classes)

    def forward(self, x):
        return self.out(torch.relu(self.inner(x)))


class MeanReader(nn.Module):
    """Smooth everywhere, so that no gradient hangs on rounding; dropout behind the encoder."""

    def __init__(self, n_words=12, n_outputs=2, dim=5):
        super().__init__()
        self.words = nn.Embedding(n_words, dim)
        self.mix = nn.Linear(dim, 6)
        self.drop = nn.Dropout(0.4)
        self.out = nn.Linear(6, n_outputs)

    def forward(self, tokens):
        real = (tokens != 0)[..., None]
        # By its place a word weighs more or less, so that no two texts are alike by chance.
        places = torch.linspace(0.5, 1.5, tokens.shape[1]).to(self.mix.weight)[:, None]
        mixed = torch.tanh(2 * self.mix(self.words(tokens))) * real * places
        pooled = mixed.sum(dim=1) / real.sum(dim=1).clamp(min=1)
        return self.out(self.drop(torch.tanh(2 * pooled)))


class SmoothTable(nn.Module):
    """A table's net with two dropout layers."""

    def __init__(self, n_features=4, n_outputs=2):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(n_features, 7), nn.Tanh(), nn.Dropout(0.3))
        self.outer = nn.Sequential(nn.Linear(7, 6), nn.Tanh(), nn.Dropout(0.5))
        self.out = nn.Linear(6, n_outputs)

    def forward(self, x):
        return self.out(self.outer(self.inner(x)))


class PieceReader(nn.Module):
    """A small transformer over pieces of words, which says itself how its ids are read."""

    def __init__(self, n_ids=10, n_outputs=2, dim=4, padding=0, counts=None, freeze=False):
        super().__init__()
        self.counts = counts or {}
        self.pieces = nn.Embedding(n_ids, dim, padding_idx=padding)
        self.pieces.weight.requires_grad_(not freeze)
        self.places = nn.Parameter(torch.randn(12, dim) * 0.3)
        self.ask, self.tell = nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.drop = nn.Dropout(0.4)
        self.out = nn.Linear(dim, n_outputs)

    @property
    def read_by(self):
        return {"embedding_layer": "pieces", "output_layer": "out", **self.counts}

    def forward(self, ids):
        real = ids != self.pieces.padding_idx
        e = self.pieces(ids) + self.places[: ids.shape[1]]
        scores = (self.ask(e) @ e.transpose(1, 2)).masked_fill(~real[:, None], -1e9)
        h = torch.tanh(e + scores.softmax(dim=2) @ self.tell(e)) * real[..., None]
        pooled = h.sum(dim=1) / real.sum(dim=1, keepdim=True).clamp(min=1)
        return self.out(self.drop(torch.tanh(2 * pooled)))


def initialized(module, *, kind=NeuralNetClassifier, classes=None, **params):
    """A net that counts as fitted, with the weights it was born with."""
    params.setdefault("train_split", None)
    if kind is NeuralNetClassifier:
        params["classes"] = classes
    return kind(module, verbose=0, **params).initialize()


def attention_net(n_classes=2):
    return initialized(AttentionReader, module__n_classes=n_classes, classes=list(range(n_classes)))


def gru_net():
    return initialized(TimeFirstGRU, kind=NeuralNetBinaryClassifier)


def twice_net(n_classes=3):
    return initialized(
        TwiceReader,
        module__n_classes=n_classes,
        classes=list(range(n_classes)),
        criterion=nn.CrossEntropyLoss,
    )


def sorter_net(n_classes=2):
    return initialized(
        LengthSorter,
        module__n_classes=n_classes,
        classes=list(range(n_classes)),
        criterion=nn.CrossEntropyLoss,
    )


def table_net(n_classes=2):
    return initialized(
        TableReader,
        module__n_classes=n_classes,
        classes=list(range(n_classes)),
        criterion=nn.CrossEntropyLoss,
    )


def word_ids(n=9, width=7, n_words=12, seed=0):
    """Padded ids with unknown words (1), repeated words, an empty text and a double."""
    rng = np.random.default_rng(seed)
    ids = rng.integers(1, n_words, (n, width))
    ids[np.arange(width) >= rng.integers(1, width + 1, n)[:, None]] = 0
    ids[0, :3] = [5, 5, 1]
    if n > 3:
        ids[2] = 0
        ids[3] = ids[0]
    return ids


def rounding_decides(net, ids, gap=1e-7):
    """Tell whether rounding may decide which windows of a text a filter of a CNN takes.

    Computed in double precision: windows that are just within, or just not, what counts as equal
    to the largest, and activations near zero, where a filter goes on or off.
    """
    module = copy.deepcopy(net.module_).double()
    for row in ids:
        n = int(np.flatnonzero(row).max(initial=-1)) + 1
        vectors = module.embedding(torch.from_numpy(row[:n])[None]).transpose(1, 2)
        vectors = nn.functional.pad(vectors, (0, max(module.largest_kernel - n, 0)))
        for convolution in module.convolutions:
            n_windows = max(n - convolution.kernel_size[0] + 1, 1)
            found = convolution(vectors)[0, :, :n_windows].detach()
            first = found.amax(dim=1, keepdim=True)
            to_the_edge = (first - found - 1e-6 * (1 + first)).abs()
            if ((first > 0) & (to_the_edge < gap)).any() or (found.abs() < gap).any():
                return True
    return False


def small_net(module, n_outputs=2, several=False, **params):
    """A net of `MeanReader`, `SmoothTable` or `PieceReader`, of classes or of several labels."""
    criterion = nn.BCEWithLogitsLoss if several else nn.CrossEntropyLoss
    return initialized(
        module,
        module__n_outputs=n_outputs,
        classes=list(range(n_outputs)),
        criterion=criterion,
        **params,
    )


def table(n=9, n_features=4, seed=0):
    """Rows of numbers, with a double and a row of zeros."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, n_features)).astype(np.float32)
    if n > 3:
        X[2], X[3] = 0.0, X[0]
    return X
