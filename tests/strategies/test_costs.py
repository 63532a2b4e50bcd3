"""What the documentation promises of time and memory."""

import tracemalloc

import numpy as np
import pytest
import torch
from modAL.models import ActiveLearner
from torch import nn

from modal_interp.scores.uncertainty import bald_scores
from modal_interp.strategies import badge, bald, coreset, egl_word
from tests.small_nets import MeanReader, attention_net, initialized, small_net, word_ids
from tests.strategies.conftest import learner_of


class Wide(nn.Module):
    """Few features in, many hidden ones."""

    def __init__(self, n_features=4, n_hidden=128, n_outputs=2):
        super().__init__()
        self.first = nn.Linear(n_features, n_hidden)
        self.out = nn.Linear(n_hidden, n_outputs)

    def forward(self, x):
        return self.out(torch.tanh(self.first(x)))


@pytest.fixture
def backward_passes(monkeypatch):
    calls, grad = [], torch.autograd.grad
    monkeypatch.setattr(torch.autograd, "grad", lambda *a, **k: calls.append(1) or grad(*a, **k))
    return calls


@pytest.mark.parametrize(
    ("net", "expected"),
    [
        (lambda: attention_net(2), 1),
        (lambda: attention_net(5), 4),
        (lambda: small_net(MeanReader, 2), 1),
        (lambda: small_net(MeanReader, 3), 2),
        (lambda: small_net(MeanReader, 2, several=True), 2),
        (lambda: small_net(MeanReader, 3, several=True), 3),
    ],
    ids=["2 classes", "5 classes", "2 logits", "3 logits", "2 labels", "3 labels"],
)
@pytest.mark.parametrize("n_batches", [1, 4])
def test_backward_passes_of_egl_word(net, expected, n_batches, backward_passes):
    net = net()
    net.iterator_valid__batch_size = 12 // n_batches
    pool = np.stack([np.arange(12), np.full(12, 5), np.full(12, 7)], axis=1)
    egl_word(learner_of(net, egl_word, word_ids(4), None), pool, 5)
    assert len(backward_passes) == expected * n_batches


@pytest.mark.parametrize("ask", ["strategy", "scores"])
def test_bald_encodes_once(ask):
    net, calls = small_net(MeanReader), []
    net.module_.words.register_forward_hook(lambda *args: calls.append(1))
    if ask == "strategy":
        bald(learner_of(net, bald, word_ids(4), None), word_ids(50), 5, n_passes=100)
    else:
        bald_scores(net, word_ids(50), n_passes=100)
    assert len(calls) == 1 + 2  # and the two passes that try whether this is exact


def peak_of(ask):
    """The largest number of bytes that a call holds at a time."""
    tracemalloc.start()
    try:
        ask()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("strategy", [badge, coreset])
@pytest.mark.parametrize("n_labeled", [5, 200])
def test_memory_is_that_of_the_features(strategy, n_labeled):
    n, n_hidden = 20_000, 128
    rng = np.random.default_rng(0)
    learner = ActiveLearner(
        estimator=initialized(Wide, classes=[0, 1], criterion=nn.CrossEntropyLoss)
    )
    learner.X_training = rng.normal(size=(n_labeled, 4)).astype(np.float32)
    pool = rng.normal(size=(n, 4)).astype(np.float32)
    strategy(learner, pool[:300], 2, random_state=0)
    peak = peak_of(lambda: strategy(learner, pool, 20, random_state=0))
    assert peak < 4 * (4 * n * n_hidden) + 4e6
