"""Passes with dropout, through modules of every make."""

import copy
from unittest.mock import patch

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import RandomState
from torch import nn

from modal_interp.estimators import (
    TabularMLPClassifier,
    TextBiLSTMClassifier,
    TextCNNClassifier,
    TextCNNLSTMClassifier,
)
from modal_interp.nets import dropout
from modal_interp.nets.dropout import check_passes, dropout_layers, dropout_passes
from tests.nets.test_gradients import assert_same, state_of
from tests.small_nets import (
    LengthSorter,
    MeanReader,
    SmoothTable,
    TwiceReader,
    initialized,
    small_net,
    table,
    table_net,
    twice_net,
    word_ids,
)
from tests.thoroughness import examples

K = 6


class Head(nn.Module):
    """Features of a table, then what the test is about, then logits."""

    def __init__(self, *layers, n_features=4):
        super().__init__()
        self.first = nn.Linear(n_features, 6)
        self.between = nn.Sequential(*layers)
        self.out = nn.Linear(6, 2)

    def forward(self, x):
        return self.out(self.between(torch.tanh(self.first(x))))


class Residual(Head):
    def forward(self, x):
        h = self.first(x)
        return self.out(h + self.between(h))


class Branches(Head):
    def forward(self, x):
        h = torch.tanh(self.first(x))
        return self.out(sum(layer(h) for layer in self.between))


class Twice(Head):
    """Calls one layer two times in a pass."""

    def forward(self, x):
        h = self.between(torch.tanh(self.first(x)))
        return self.out(self.between(torch.sigmoid(h)))


class InPlace(Head):
    """Counts on the layer to change what it is given."""

    def forward(self, x):
        h = torch.tanh(self.first(x))
        self.between(h)
        return self.out(h)


class Asserting(Head):
    def forward(self, x):
        h = self.between(torch.tanh(self.first(x)))
        assert len(h) == len(x)
        return self.out(h)


class Indexing(Head):
    def forward(self, x):
        h = self.between(torch.tanh(self.first(x)))
        return self.out(h.masked_fill((x > 9).all(dim=1)[:, None], 0.0)[x[:, 0] > -99])


class Channels(Head):
    """Sees the features as channels of a sequence, or of a picture."""

    def __init__(self, *layers, shape):
        super().__init__(*layers)
        self.shape = shape

    def forward(self, x):
        h = torch.tanh(self.first(x))
        h = h.reshape(len(h), *self.shape) * torch.ones(1, 1, *[2] * (len(self.shape) - 1))
        return self.out(self.between(h).flatten(2).mean(dim=2).reshape(len(x), -1))


class Normed(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(4, 6)
        self.norm = nn.BatchNorm1d(6)
        self.drop = nn.Dropout(0.5)
        self.out = nn.Linear(6, 2)
        self.modes = []

    def forward(self, x):
        self.modes.append((self.training, self.norm.training, self.drop.training))
        return self.out(self.drop(self.norm(self.first(x))))


class WordDropper(nn.Module):
    """Drops inside the encoder: of the embeddings (b, T, D), or (T, b, D)."""

    def __init__(self, n_words=12, dim=5, time_first=False):
        super().__init__()
        self.time_first = time_first
        self.words = nn.Embedding(n_words, dim)
        self.drop = nn.Dropout(0.4)
        self.out = nn.Linear(dim, 2)

    def forward(self, tokens):
        time = 0 if self.time_first else 1
        e = self.words(tokens.t() if self.time_first else tokens)
        return self.out(torch.tanh(2 * self.drop(e)).mean(dim=time))


class SortingDropper(LengthSorter):
    """Drops behind the recurrence, before (or after) it puts its samples back in order."""

    def __init__(self, n_words=12, late=False):
        super().__init__(n_words)
        self.late, self.drop = late, nn.Dropout(0.4)

    def forward(self, tokens):
        order = (tokens != 0).sum(dim=1).argsort(descending=True, stable=True)
        h = self.recurrent(self.words(tokens[order]))[0].mean(dim=1)
        if self.late:
            return self.out(self.drop(h[order.argsort()]))
        return self.out(self.drop(h))[order.argsort()]


class Recurrent(nn.Module):
    def __init__(self, n_words=12):
        super().__init__()
        self.words = nn.Embedding(n_words, 5)
        self.recurrent = nn.LSTM(5, 4, num_layers=2, dropout=0.5, batch_first=True)
        self.out = nn.Linear(4, 2)

    def forward(self, tokens):
        return self.out(self.recurrent(self.words(tokens))[0].mean(dim=1))


class Attentive(nn.Module):
    def __init__(self, n_words=12):
        super().__init__()
        self.words = nn.Embedding(n_words, 8)
        self.attend = nn.MultiheadAttention(8, 2, dropout=0.4, batch_first=True)
        self.out = nn.Linear(8, 2)

    def forward(self, tokens):
        e = self.words(tokens)
        return self.out(self.attend(e, e, e)[0].mean(dim=1))


class Transformer(nn.Module):
    """With a mask of the padding, torch would take paths on which no layer is called."""

    def __init__(self, n_words=12, attention=True):
        super().__init__()
        self.words = nn.Embedding(n_words, 8)
        layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.3, batch_first=True)
        layer.self_attn.dropout *= attention
        self.encoder = nn.TransformerEncoder(layer, 2)
        self.out = nn.Linear(8, 2)

    def forward(self, tokens):
        blank = tokens == 0
        blank = blank & ~blank.all(dim=1, keepdim=True)
        h = self.encoder(self.words(tokens), src_key_padding_mask=blank)
        return self.out(h.masked_fill((tokens == 0)[..., None], 0.0).sum(dim=1))


def net_of(module, **params):
    params = {f"module__{key}": value for key, value in params.items()}
    return initialized(module, classes=[0, 1], criterion=nn.CrossEntropyLoss, **params)


def module_of(make, *args, **params):
    """A net around a module that is built already."""
    return net_of(lambda: make(*args, **params))


def ours(kind, **params):
    return kind(classes=[0, 1], module__dropout=0.5, random_state=0, **params).initialize()


def our_table():
    net = TabularMLPClassifier(module__dropout=0.5, max_epochs=1, random_state=0)
    return net.fit(table(), np.arange(9) % 2)


def passes(net, X, k=K, seed=0):
    """The probabilities under each pass, (n, K, C)."""
    found = None
    for rows, proba, _ in dropout_passes(net, X, k, RandomState(seed)):
        if found is None:
            found = np.full((len(X), *proba.shape[1:]), np.nan)
        found[rows] = proba.numpy()
    return found


# One mask a layer for all samples.
SMALL = {"module__embedding_dim": 4, "module__hidden_size": 5}
SHARED = {
    "behind the encoder": (lambda: small_net(MeanReader, 3), word_ids),
    "several labels": (lambda: small_net(MeanReader, 3, several=True), word_ids),
    "two layers": (lambda: small_net(SmoothTable), table),
    "batch norm": (lambda: net_of(Normed), table),
    "max_norm": (twice_net, word_ids),
    "residual": (lambda: module_of(Residual, nn.Dropout(0.5)), table),
    "twice in a pass": (lambda: module_of(Twice, nn.Dropout(0.5)), table),
    "in place": (lambda: module_of(Head, nn.Dropout(0.5, inplace=True)), table),
    "in place, unassigned": (lambda: module_of(InPlace, nn.Dropout(0.5, inplace=True)), table),
    "everything": (lambda: module_of(Branches, nn.Dropout(1.0), nn.Dropout(0.5)), table),
    "asserts its rows": (lambda: module_of(Asserting, nn.Dropout(0.5)), table),
    "indexes its rows": (lambda: module_of(Indexing, nn.Dropout(0.5)), table),
    "channels": (lambda: module_of(Channels, nn.Dropout1d(0.5), shape=(6, 1)), table),
    "maps": (lambda: module_of(Channels, nn.Dropout2d(0.5), shape=(6, 1, 1)), table),
    "values of maps": (lambda: module_of(Channels, nn.Dropout(0.5), shape=(6, 1, 1)), table),
    "embeddings": (lambda: net_of(WordDropper), word_ids),
    "time first": (lambda: net_of(WordDropper, time_first=True), word_ids),
    "sorted": (lambda: net_of(SortingDropper), word_ids),
    "sorted back": (lambda: net_of(SortingDropper, late=True), word_ids),
    "CNN": (lambda: ours(TextCNNClassifier, n_words=12, module__embedding_dim=4), word_ids),
    "BiLSTM": (lambda: ours(TextBiLSTMClassifier, n_words=12, module__embedding_dim=4), word_ids),
    "deep BiLSTM": (
        lambda: ours(TextBiLSTMClassifier, n_words=12, **SMALL, module__n_layers=2),
        word_ids,
    ),
    "CNN-LSTM": (
        lambda: ours(TextCNNLSTMClassifier, n_words=12, **SMALL, module__n_filters=6),
        word_ids,
    ),
    "MLP": (our_table, table),
}
# torch draws inside these layers, for each sample.
NATIVE = {
    "LSTM": (lambda: net_of(Recurrent), word_ids),
    "attention": (lambda: net_of(Attentive), word_ids),
    "transformer": (lambda: net_of(Transformer), word_ids),
    "alpha": (lambda: module_of(Head, nn.AlphaDropout(0.5)), table),
    "feature alpha": (lambda: module_of(Head, nn.FeatureAlphaDropout(0.5)), table),
    "alpha and masks": (lambda: module_of(Head, nn.AlphaDropout(0.5), nn.Dropout(0.5)), table),
}
ALL = SHARED | NATIVE
every = pytest.mark.parametrize("name", ALL)
shared = pytest.mark.parametrize("name", SHARED)


def case(name):
    make, samples = ALL[name]
    return make(), samples()


@every
def test_gives_probabilities(name):
    found = passes(*case(name))
    assert ((found >= 0) & (found <= 1)).all()
    if name != "several labels":
        np.testing.assert_allclose(found.sum(axis=2), 1.0, atol=1e-5)


@every
def test_same_seed_same_passes_other_seed_others(name):
    net, X = case(name)
    first = passes(net, X)
    np.testing.assert_array_equal(first, passes(net, X))
    assert any(not np.array_equal(first, passes(net, X, seed=seed)) for seed in range(1, 5))


@every
def test_passes_differ(name):
    found = passes(*case(name), k=10)
    assert len(np.unique(found.round(6), axis=1).T) > 1
    assert np.ptp(found, axis=1).max() > 1e-4


@every
def test_net_is_left_as_it_was_found(name):
    net, X = case(name)
    net.module_.train()
    next(net.module_.children()).eval()
    before = state_of(net)
    passes(net, X)
    assert_same(before, state_of(net))
    assert torch.backends.mha.get_fastpath_enabled()


def test_net_is_left_as_it_was_found_by_a_reader_that_stops():
    net = small_net(MeanReader)
    before = state_of(net)
    batches = dropout_passes(net, word_ids(), K, RandomState(0))
    next(batches)
    batches.close()
    assert_same(before, state_of(net))


@shared
@pytest.mark.parametrize("size", [1, 2, 4, -1])
def test_passes_do_not_depend_on_the_size_of_batches(name, size):
    net, X = case(name)
    expected = passes(net, X)
    net.iterator_valid__batch_size = size
    np.testing.assert_allclose(passes(net, X), expected, atol=1e-6)


@shared
def test_passes_follow_their_samples(name):
    net, X = case(name)
    order = RandomState(1).permutation(len(X))
    np.testing.assert_allclose(passes(net, X[order]), passes(net, X)[order], atol=1e-6)


@pytest.mark.parametrize("time_first", [False, True])
@pytest.mark.parametrize("width", [3, 5, 9])
def test_as_many_words_as_samples(time_first, width):
    net, X = net_of(WordDropper, time_first=time_first), word_ids(9, width)
    found = passes(net, X)
    for i in range(len(X)):
        np.testing.assert_allclose(passes(net, X[i : i + 1])[0], found[i], atol=1e-6)


@shared
def test_at_once_equals_pass_by_pass(name, monkeypatch):
    net, X = case(name)
    found = passes(net, X)
    monkeypatch.setattr(dropout, "_can_replay", lambda *args: False)
    np.testing.assert_allclose(found, passes(net, X), atol=1e-6)


def calls_of(layer):
    calls = []
    layer.register_forward_hook(lambda *args: calls.append(1))
    return calls


@pytest.mark.parametrize(
    ("make", "samples", "first"),
    [
        (lambda: small_net(MeanReader), word_ids, lambda m: m.words),
        (lambda: small_net(SmoothTable), table, lambda m: m.inner[0]),
        (lambda: net_of(Normed), table, lambda m: m.first),
        (twice_net, word_ids, lambda m: m.inner),
        (SHARED["CNN"][0], word_ids, lambda m: m.embedding),
        (SHARED["BiLSTM"][0], word_ids, lambda m: m.lstm),
        (SHARED["CNN-LSTM"][0], word_ids, lambda m: m.lstm),
        (SHARED["MLP"][0], table, lambda m: m.layers[0]),
    ],
    ids=["mean", "table", "normed", "twice", "CNN", "BiLSTM", "CNN-LSTM", "MLP"],
)
def test_samples_are_encoded_once(make, samples, first):
    net, X = make(), samples(12)
    net.iterator_valid__batch_size = 4
    calls = calls_of(first(net.module_))
    passes(net, X, k=50)
    assert len(calls) == 3 + 2  # batches, and the two passes that try whether this is exact


def test_dropout_inside_the_encoder_takes_all_passes():
    net = net_of(WordDropper)
    calls = calls_of(net.module_.words)
    passes(net, word_ids(), k=50)
    assert len(calls) == 50 + 2


def test_only_dropout_is_active():
    net = net_of(Normed)
    net.module_.train()
    with patch.object(net.module_.norm, "running_mean", torch.randn(6)):
        statistics = copy.deepcopy(net.module_.norm.state_dict())
        passes(net, table())
        torch.testing.assert_close(net.module_.norm.state_dict(), statistics, rtol=0, atol=0)
    # The layers' own dropout is off, too: drawn masks take its place.
    assert set(net.module_.modes) == {(False, False, False)}


class Linear(nn.Module):
    """Its probability of label 0 is linear in what dropout leaves."""

    def __init__(self, p):
        super().__init__()
        self.drop = nn.Dropout(p)
        self.weight = nn.Parameter(torch.linspace(0.0, 0.005, 4))

    def forward(self, x):
        first = 0.3 + self.drop(x) @ self.weight
        return torch.stack([first, 1 - first], dim=1)


@settings(max_examples=examples(20), deadline=None)
@given(st.integers(0, 2**31 - 1), st.sampled_from([0.1, 0.5, 0.8]))
def test_mean_over_many_passes_is_the_expectation(seed, p):
    net = initialized(Linear, module__p=p, classes=[0, 1])
    X = np.random.default_rng(seed).normal(size=(5, 4)).astype(np.float32)
    found = passes(net, X, k=400, seed=seed)[:, :, 0]
    terms = X * np.linspace(0.0, 0.005, 4)
    deviation = np.sqrt((terms**2).sum(axis=1) * p / (1 - p))
    assert (np.abs(found.mean(axis=1) - 0.3 - terms.sum(axis=1)) < 5 * deviation / 20).all()
    np.testing.assert_allclose(found.std(axis=1), deviation, rtol=0.35)


def test_all_is_dropped_at_p_1():
    net, X = module_of(Head, nn.Dropout(1.0)), table()
    bias = net.module_.out.bias.detach().softmax(dim=0).numpy()
    np.testing.assert_allclose(passes(net, X), np.broadcast_to(bias, (9, K, 2)), atol=1e-6)


def test_a_layer_used_twice_has_two_masks():
    layer = nn.Dropout(0.5)
    masks = dropout._Masks([layer], 0)
    masks.begin(range(1), 9)
    first, second = (masks.drop(layer, torch.ones(9, 6)) for _ in range(2))
    assert not torch.equal(first, second)


@pytest.mark.parametrize("name", ["channels", "maps"])
def test_whole_channels_are_dropped(name):
    layer = nn.Dropout1d(0.5) if name == "channels" else nn.Dropout2d(0.5)
    masks = dropout._Masks([layer], 0)
    masks.begin(range(1), 3)
    dropped = masks.drop(layer, torch.ones(3, 40, *[5] * (1 if name == "channels" else 2)))
    assert set(dropped.unique().tolist()) == {0.0, 2.0}
    assert (dropped.flatten(2) == dropped.flatten(2)[..., :1]).all()
    assert (dropped == dropped[:1]).all()


def test_a_shorter_batch_has_the_beginning_of_the_mask():
    layer = nn.Dropout(0.5)
    masks = dropout._Masks([layer], 0)
    drawn = []
    for width in (8, 3):
        masks.begin(range(1), 2)
        drawn.append(masks.drop(layer, torch.ones(2, width, 5)))
    torch.testing.assert_close(drawn[0][:, :3], drawn[1], rtol=0, atol=0)


@pytest.mark.parametrize("attention", [True, False])
def test_transformers_drop_also_where_texts_are_padded(attention):
    net, X = net_of(Transformer, attention=attention), word_ids()
    found = passes(net, X)
    assert np.ptp(found[X.any(axis=1)], axis=1).min(axis=0).max() > 1e-3


@pytest.mark.parametrize(
    "make",
    [
        table_net,
        lambda: module_of(Head, nn.Dropout(0.0)),
        lambda: module_of(Head, nn.Dropout(0.0), nn.AlphaDropout(0.0)),
    ],
)
def test_no_dropout_is_an_error(make):
    net = make()
    for use in (dropout_layers, lambda net: check_passes(net, 3), lambda net: passes(net, table())):
        with pytest.raises(ValueError, match=r"need a dropout layer with p > 0.*holds none"):
            use(net)


@pytest.mark.parametrize(("module", "n"), [(MeanReader, 1), (SmoothTable, 2), (TwiceReader, 1)])
def test_layers_that_drop_are_found(module, n):
    assert len(dropout_layers(net_of(module))) == n
