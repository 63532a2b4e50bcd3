"""Training lasts for epochs, and for steps where these are few."""

import pickle
from functools import partial

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback
from skorch.dataset import ValidSplit
from torch.utils.data import DataLoader

from modal_interp.estimators import (
    TabularMLPClassifier,
    TextBiLSTMClassifier,
    TextCNNClassifier,
    TextCNNLSTMClassifier,
)

WORDS = {"n_words": 40, "module__embedding_dim": 4, "random_state": 0}
KINDS = [
    partial(TextCNNClassifier, **WORDS, module__n_filters=2),
    partial(TextBiLSTMClassifier, **WORDS, module__hidden_size=2),
    partial(TabularMLPClassifier, module__hidden=(4,), random_state=0),
]


@pytest.fixture(params=KINDS, ids=["cnn", "bilstm", "mlp"])
def make(request):
    return request.param


def data(n=60):
    rng = np.random.RandomState(0)
    return rng.randint(1, 40, (n, 5)), np.arange(n) % 2


def steps(net):
    return sum(len(epoch["batches"]) for epoch in net.history)


def epochs(net):
    return len(net.history)


@pytest.mark.parametrize(
    ("max_epochs", "min_steps", "expected"),
    [(3, 0, 3), (3, None, 3), (3, 6, 3), (3, 7, 4), (3, 8, 4), (1, 21, 11), (0, 3, 2), (0, 0, 0)],
)
def test_epochs_are_added_until_the_steps_are_done(make, max_epochs, min_steps, expected):
    X, y = data()
    net = make(max_epochs=max_epochs, min_steps=min_steps, batch_size=40).fit(X, y)
    assert epochs(net) == expected
    assert steps(net) == 2 * expected >= (min_steps or 0)


def test_none_takes_what_the_class_says(make):
    X, y = data()
    net = make()
    for batch_size in (50, 10):
        net.set_params(batch_size=batch_size).fit(X, y)
        steps_an_epoch = -(-60 // batch_size)
        assert epochs(net) == max(net.usual_epochs, -(-net.usual_steps // steps_an_epoch))
    assert epochs(make(min_steps=0).fit(X, y)) == net.usual_epochs
    assert epochs(make(max_epochs=2).fit(X, y)) == 2


def test_what_the_documentation_says():
    kinds = [*(kind.func for kind in KINDS), TextCNNLSTMClassifier]
    length = {kind: (kind.usual_epochs, kind.usual_steps) for kind in kinds}
    assert length == {
        TextCNNClassifier: (15, 100),
        TextBiLSTMClassifier: (15, 100),
        TextCNNLSTMClassifier: (15, 100),
        TabularMLPClassifier: (50, 0),
    }


def test_each_call_takes_the_steps(make):
    X, y = data()
    options = {"max_epochs": 1, "min_steps": 6, "classes": [0, 1]}
    net = make(**options).partial_fit(X, y).partial_fit(X, y)
    assert epochs(net) == 6
    net = make(**options, warm_start=True).fit(X[:10], y[:10])
    assert epochs(net) == 6  # a batch each
    assert epochs(net.fit(X, y)) == 6 + 3
    assert epochs(net.partial_fit(X, y, epochs=2)) == 9 + 2  # who says how many has said it
    again = pickle.loads(pickle.dumps(net))
    assert epochs(again.fit(X, y)) == 11 + 3


def test_it_trains_as_more_epochs_do(make):
    X, y = data()
    by_steps = make(max_epochs=1, min_steps=12).fit(X, y)
    by_epochs = make(max_epochs=6).fit(X, y)
    np.testing.assert_array_equal(by_steps.predict_proba(X), by_epochs.predict_proba(X))


def test_held_out_samples_make_no_steps(make):
    X, y = data()
    held_out = {"train_split": ValidSplit(4, stratified=True), "batch_size": 15}
    net = make(max_epochs=1, min_steps=7, **held_out).fit(X, y)
    assert epochs(net) == 3  # 45 samples are left
    net = make(max_epochs=1, min_steps=7, batch_size=15, early_stopping=True,
               validation_fraction=0.25, n_iter_no_change=99).fit(X, y)  # fmt: skip
    assert epochs(net) == 3


def test_early_stopping_ends_it_sooner(make):
    X, y = data()
    y = np.random.RandomState(1).permutation(y)
    net = make(early_stopping=True, n_iter_no_change=2, lr=0.05, min_steps=400).fit(X, y)
    assert steps(net) < 400


class Until(Callback):
    """Ends training after so many epochs, as skorch's own callbacks do."""

    def __init__(self, n):
        self.n = n

    def on_epoch_end(self, net, **kwargs):
        if len(net.history) == self.n:
            raise KeyboardInterrupt


class Endless(DataLoader):
    """A loader that does not know how many batches it has."""

    def __len__(self):
        raise TypeError


def test_callbacks_and_loaders_of_the_users_own(make):
    X, y = data()
    assert epochs(make(min_steps=40, callbacks=[("until", Until(4))]).fit(X, y)) == 4
    net = make(max_epochs=2, min_steps=40, iterator_train=Endless).fit(X, y)
    assert epochs(net) == 2  # by epochs alone


@pytest.mark.parametrize("value", [-1, 1.5, "100", True, np.nan])
@pytest.mark.parametrize("name", ["max_epochs", "min_steps"])
def test_lengths_that_are_none(make, name, value):
    X, y = data()
    net = make(**{name: value})
    with pytest.raises(ValueError, match=f"{name} must be an integer >= 0, found"):
        net.fit(X, y)
    assert not hasattr(net, "module_")
    net = make(max_epochs=1, warm_start=True).fit(X, y)
    before = torch.cat([p.detach().ravel() for p in net.module_.parameters()])
    for train in (net.fit, net.partial_fit):
        with pytest.raises(ValueError, match=f"{name} must be"):
            net.set_params(**{name: value}) and train(X, y)
    after = torch.cat([p.detach().ravel() for p in net.module_.parameters()])
    assert torch.equal(before, after)
