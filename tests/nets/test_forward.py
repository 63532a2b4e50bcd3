"""Forward passes: what a net predicts, and what it predicts from."""

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from modal_interp.estimators import (
    TabularMLPClassifier,
    TextBiLSTMClassifier,
    TextCNNClassifier,
    TextCNNLSTMClassifier,
)
from modal_interp.nets.forward import forward
from tests.nets.test_gradients import assert_same, state_of
from tests.small_nets import (
    LengthSorter,
    MeanReader,
    SmoothTable,
    TableReader,
    attention_net,
    gru_net,
    initialized,
    small_net,
    sorter_net,
    table,
    table_net,
    twice_net,
    word_ids,
)


def net_of(module, classes=(0, 1), **params):
    return initialized(module, classes=list(classes), criterion=nn.CrossEntropyLoss, **params)


def our_words(kind):
    return kind(classes=[0, 1, 2], n_words=12, random_state=0).initialize()


def our_table(several=False):
    y = np.arange(9) % 3
    y = np.eye(3, dtype=int)[y] if several else y
    return TabularMLPClassifier(max_epochs=1, random_state=0).fit(table(), y)


class WarmSorter(LengthSorter):
    """Scales its logits by a temperature, behind the output layer."""

    def forward(self, tokens):
        return super().forward(tokens) / 3.0


class WarmTable(TableReader):
    def forward(self, x):
        return (super().forward(x) / 3.0).softmax(dim=1)


class EndSorter(LengthSorter):
    """Puts its samples in order behind softmax."""

    def forward(self, tokens):
        return super().forward(tokens).softmax(dim=1)


class Many(TableReader):
    """Returns other things behind what it predicts."""

    def forward(self, x):
        return super().forward(x), x


NETS = {
    "attention": (attention_net, word_ids),
    "GRU, binary": (gru_net, word_ids),
    "sorter": (sorter_net, word_ids),
    "sorter, softmax": (lambda: initialized(EndSorter, classes=[0, 1]), word_ids),
    "sorter, temperature": (lambda: net_of(WarmSorter), word_ids),
    "twice": (twice_net, word_ids),
    "mean": (lambda: small_net(MeanReader, 3), word_ids),
    "table": (lambda: table_net(3), lambda n: table(n, 5)),
    "table, temperature": (lambda: initialized(WarmTable, classes=[0, 1]), lambda n: table(n, 5)),
    "table, dropout": (lambda: small_net(SmoothTable), table),
    "tuple": (lambda: net_of(Many), lambda n: table(n, 5)),
    "CNN": (lambda: our_words(TextCNNClassifier), word_ids),
    "BiLSTM": (lambda: our_words(TextBiLSTMClassifier), word_ids),
    "CNN-LSTM": (lambda: our_words(TextCNNLSTMClassifier), word_ids),
    "MLP": (our_table, table),
}
SEVERAL = {
    "mean": (lambda: small_net(MeanReader, 3, several=True), word_ids),
    "table": (lambda: small_net(SmoothTable, 3, several=True), table),
    "MLP": (lambda: our_table(several=True), table),
}
every = pytest.mark.parametrize("name", NETS)


def read_by_the_last_linear(net, x):
    """What the last Linear reads of one sample."""
    last = [m for m in net.module_.modules() if isinstance(m, nn.Linear)][-1]
    read = []
    hook = last.register_forward_hook(lambda _, args, output: read.append(args[0]))
    net.module_.eval()
    with torch.no_grad():
        net.infer(torch.from_numpy(x[None]))
    hook.remove()
    return read[0].reshape(-1).numpy()


@every
@pytest.mark.parametrize("size", [None, 1, 4])
def test_probabilities_are_those_of_predict_proba(name, size):
    make, samples = NETS[name]
    net, X = make(), samples(11)
    if size is not None:
        net.iterator_valid__batch_size = size
    found = forward(net, X)
    np.testing.assert_allclose(found.proba, net.predict_proba(X), atol=1e-6)
    assert not found.several
    assert found.features.shape == (11, 0)


@pytest.mark.parametrize("name", SEVERAL)
def test_probabilities_of_several_labels(name):
    make, samples = SEVERAL[name]
    net, X = make(), samples(11)
    found = forward(net, X, features=True)
    expected = net.predict_proba(X)
    # skorch gives a pair (1 - p, p) for each label.
    expected = expected[:, 1] if expected.ndim == 3 else expected
    np.testing.assert_allclose(found.proba, expected, atol=1e-6)
    assert found.several
    assert found.proba.shape == (11, 3)


@every
@pytest.mark.parametrize("size", [1, 4, 1000])
def test_features_are_what_the_last_linear_reads_of_each_sample(name, size):
    make, samples = NETS[name]
    net, X = make(), samples(11)
    net.iterator_valid__batch_size = size
    expected = [read_by_the_last_linear(net, x) for x in X]
    found = forward(net, X, features=True, output_layer=layer_of(name))
    np.testing.assert_allclose(found.features, expected, atol=1e-6)
    np.testing.assert_allclose(found.proba, net.predict_proba(X), atol=1e-6)


def layer_of(name):
    """Behind a temperature the logits are not what is predicted from: the layer must be named."""
    return "out" if "temperature" in name else None


@pytest.mark.parametrize("name", [name for name in NETS if "temperature" in name])
def test_a_layer_that_does_not_give_the_logits_must_be_named(name):
    make, samples = NETS[name]
    with pytest.raises(ValueError, match=r"must give the logits.*by output_layer="):
        forward(make(), samples(11), features=True)


def test_features_follow_their_samples_where_the_logits_are_alike():
    net, X = sorter_net(), word_ids(11)
    nn.init.zeros_(net.module_.out.weight)
    expected = [read_by_the_last_linear(net, x) for x in X]
    np.testing.assert_allclose(forward(net, X, features=True).features, expected, atol=1e-6)


def test_a_named_layer():
    net, X = small_net(SmoothTable), table()
    found = forward(net, X, features=True, output_layer="inner.0").features
    np.testing.assert_allclose(found, X, atol=1e-6)


@every
def test_net_is_left_as_it_was_found(name):
    make, samples = NETS[name]
    net = make()
    net.module_.train()
    before = state_of(net)
    forward(net, samples(11), features=True, output_layer=layer_of(name))
    assert_same(before, state_of(net))


@pytest.mark.parametrize("features", [False, True])
@pytest.mark.parametrize("make", [our_table, partial(small_net, SmoothTable, 3, True)])
def test_a_diverged_net_is_an_error(make, features):
    net = make()
    list(net.module_.parameters())[-1].data[0] = np.nan
    with pytest.raises(ValueError, match=r"predictions must be finite.*diverged.*lower lr"):
        forward(net, table(), features=features)


def test_features_that_are_not_finite_are_an_error():
    net = table_net()
    net.module_.inner.bias.data[0] = np.inf
    with pytest.raises(ValueError, match=r"predictions must be finite"):
        forward(net, table(9, 5), features=True)


class ByWord(nn.Module):
    """Applies a Linear to all words of all samples, behind another that is for the samples."""

    def __init__(self, n_words=12):
        super().__init__()
        self.words = nn.Embedding(n_words, 4)
        self.unused = nn.Linear(4, 4)
        self.flat = nn.Linear(4, 4)
        self.out = nn.Linear(4, 2)
        self.later = nn.Linear(4, 4)

    def forward(self, tokens):
        e = self.words(tokens)
        flat = self.flat(e.reshape(-1, 4)).reshape(e.shape)
        return self.out(torch.tanh(flat).mean(dim=1))


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("flat", r"one row of features a sample; found an input of shape \(\d+, 4\) for 9 samples"),
        ("unused", "one row of features a sample; found no call of it for 9 samples"),
        (None, "one row of features a sample; found no call of it.*by output_layer="),
        ("words", "'words' is a Embedding, not an nn.Linear"),
        ("nowhere", "no layer called 'nowhere'"),
    ],
)
def test_layers_that_do_not_read_a_row_a_sample(layer, message):
    net = net_of(ByWord)
    before = state_of(net)
    with pytest.raises(ValueError, match=message):
        forward(net, word_ids(), features=True, output_layer=layer)
    assert_same(before, state_of(net))
    assert forward(net, word_ids(), features=True, output_layer="out").features.shape == (9, 4)


def test_batches_that_leave_samples_out_are_refused():
    def collate(batch):  # one of the user's, so that skorch reads
        return torch.utils.data.default_collate(batch)

    net = small_net(MeanReader)
    net.iterator_valid__collate_fn, net.iterator_valid__drop_last = collate, True
    net.iterator_valid__batch_size = 4
    with pytest.raises(ValueError, match="it gave 8 of 10"):
        forward(net, word_ids(10))
