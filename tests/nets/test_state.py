"""A query leaves a net, and torch, as they were found: whatever the module does, and the thread."""

import sys
import threading
import warnings
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from modal_interp import strategies
from modal_interp.nets import state
from modal_interp.scores import (
    bald_scores,
    entropy_scores,
    expected_gradient_length,
    expected_word_gradient_length,
)
from tests.small_nets import MeanReader, SmoothTable, initialized, small_net, table, word_ids
from tests.strategies.conftest import learner_of
from tests.strategies.test_properties import EVERY, on_all_samples

N_WORDS = 30
LARGE = 9_000  # rows of 8: too many numbers to copy beforehand


class Rewriter(nn.Module):
    """Reads bags of words; what it rewrites in each pass is the part of its subclasses."""

    def __init__(self, n_words=N_WORDS):
        super().__init__()
        self.words, self.drop, self.out = nn.Embedding(n_words, 8), nn.Dropout(0.4), nn.Linear(8, 2)
        self.register_buffer("calls", torch.zeros((), dtype=torch.long))
        self.last = torch.zeros(3)

    def rewrite(self):
        pass

    def forward(self, x):
        self.rewrite()
        return self.out(self.drop(torch.tanh(self.words(x)).mean(dim=1)))


class CountsInPlace(Rewriter):
    def rewrite(self):
        self.calls += 1


class CountsAnew(Rewriter):
    def rewrite(self):
        self.calls = self.calls + 1


class CountsByNumber(Rewriter):
    n_calls = 0

    def rewrite(self):
        self.n_calls += 1


class KeepsTensors(Rewriter):
    def rewrite(self):
        self.last += 1.0
        self.cache = self.last.clone()


class Clips(Rewriter):
    def rewrite(self):
        self.out.weight.data.clamp_(-0.05, 0.05)


class Renorms(Rewriter):
    """As braindecode's layers with a constraint do."""

    def rewrite(self):
        self.words.weight.data = torch.renorm(self.words.weight.data, 2, 0, 0.5)


class ScalesInPlace(Rewriter):
    def rewrite(self):
        with torch.no_grad():
            self.words.weight.mul_(0.9)


class ScalesData(Rewriter):
    def rewrite(self):
        self.words.weight.data.mul_(0.9)


class TrainsItself(Rewriter):
    """Its statistics are those of training, whatever its mode."""

    def __init__(self, n_words=N_WORDS):
        super().__init__(n_words)
        self.norm = nn.BatchNorm1d(8)
        self.squeeze = parametrizations.spectral_norm(nn.Linear(8, 8))

    def forward(self, x):
        self.norm.train()
        self.squeeze.parametrizations.train()
        return self.out(self.squeeze(self.norm(self.words(x).mean(dim=1))) + self.norm.bias)


class Weighted(Rewriter):
    def __init__(self, n_words=N_WORDS):
        super().__init__(n_words)
        self.out = parametrizations.weight_norm(nn.Linear(8, 2))


class MaxNorm(Rewriter):
    def __init__(self, n_words=N_WORDS):
        super().__init__(n_words)
        self.words = nn.Embedding(n_words, 8, max_norm=0.5)


class Bag(nn.Module):
    def __init__(self, n_words=N_WORDS):
        super().__init__()
        self.words, self.drop = nn.EmbeddingBag(n_words, 8, max_norm=0.5), nn.Dropout(0.4)
        self.out = nn.Linear(8, 2)

    def forward(self, x):
        return self.out(self.drop(self.words(x)))


REWRITERS = [
    Bag,
    Clips,
    CountsAnew,
    CountsByNumber,
    CountsInPlace,
    KeepsTensors,
    MaxNorm,
    Renorms,
    ScalesData,
    ScalesInPlace,
    TrainsItself,
    Weighted,
]
make = partial(initialized, classes=[0, 1], criterion=nn.CrossEntropyLoss)


def state_of(net):
    """Parameters, buffers and attributes of all layers, in a form that == compares."""
    values = {name: held(value) for name, value in net.module_.state_dict().items()}
    for name, module in net.module_.named_modules():
        for key, value in vars(module).items():
            if isinstance(value, torch.Tensor | int):
                values[name, key] = held(value)
            elif "_hooks" in key:
                values[name, key] = list(value)
    required = [p.requires_grad for p in net.module_.parameters()]
    return values, required, sorted(vars(net)), torch.get_rng_state().numpy().tobytes()


def held(value):
    return value.detach().numpy().tobytes() if isinstance(value, torch.Tensor) else value


@pytest.mark.parametrize("n_words", [N_WORDS, LARGE])
@pytest.mark.parametrize("module", REWRITERS)
@pytest.mark.parametrize(
    "query", [entropy_scores, partial(bald_scores, random_state=0), expected_gradient_length]
)
def test_what_a_forward_pass_rewrites_is_put_back(query, module, n_words):
    if module is TrainsItself and query is expected_gradient_length:
        query = expected_word_gradient_length  # its BatchNorm takes no single text
    net = make(module, module__n_words=n_words, iterator_valid__batch_size=4)
    before = state_of(net)
    pointers = [p.data_ptr() for p in net.module_.parameters()]
    query(net, word_ids(9, n_words=N_WORDS))
    assert state_of(net) == before
    assert [p.data_ptr() for p in net.module_.parameters()] == pointers


class RewritesLate(Rewriter):
    """Leaves its large embedding alone in the first pass."""

    def rewrite(self):
        self.calls += 1
        if self.calls > 1:
            with torch.no_grad():
                self.words.weight.mul_(0.9)


def test_what_cannot_be_put_back_is_told():
    net = make(RewritesLate, module__n_words=LARGE, iterator_valid__batch_size=4)
    with pytest.warns(UserWarning, match=r"rewrites its Embedding.weight in some of its passes"):
        entropy_scores(net, word_ids(9, n_words=N_WORDS))
    small = make(RewritesLate, iterator_valid__batch_size=4)
    before = state_of(small)
    entropy_scores(small, word_ids(9, n_words=N_WORDS))
    assert state_of(small) == before


def test_a_net_whose_layers_have_no_shape_yet():
    net = make(Rewriter)
    net.module_.out = nn.LazyLinear(2)
    with pytest.raises(ValueError, match=r"must be fitted before a query; its module's LazyLinear"):
        entropy_scores(net, word_ids(9, n_words=N_WORDS))


# What holds around a query.


class double_by_default:  # noqa: N801
    def __enter__(self):
        torch.set_default_dtype(torch.float64)

    def __exit__(self, *error):
        torch.set_default_dtype(torch.float32)


class deterministic:  # noqa: N801
    def __enter__(self):
        torch.use_deterministic_algorithms(True)

    def __exit__(self, *error):
        torch.use_deterministic_algorithms(False)


class anomalies:  # noqa: N801
    def __enter__(self):
        with warnings.catch_warnings(action="ignore"):
            torch.set_anomaly_enabled(True)

    def __exit__(self, *error):
        torch.set_anomaly_enabled(False)


class MakesTensors(MeanReader):
    """Makes tensors without a dtype, as users do."""

    def forward(self, tokens):
        weight = torch.tensor([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]).sqrt() * torch.ones(6)
        pooled = torch.tanh(self.mix(self.words(tokens)) * weight).mean(dim=1)
        return self.out(self.drop(pooled))


AMBIENT = {
    "anomalies": anomalies,
    "autocast": partial(torch.autocast, "cpu", dtype=torch.bfloat16),
    "deterministic": deterministic,
    "double": double_by_default,
    "enable_grad": torch.enable_grad,
    "inference_mode": torch.inference_mode,
    "no_grad": torch.no_grad,
}


def switches():
    return (
        torch.get_default_dtype(),
        torch.is_autocast_enabled("cpu"),
        torch.is_anomaly_enabled(),
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.are_deterministic_algorithms_enabled(),
        torch.backends.mha.get_fastpath_enabled(),
        torch.backends.cudnn.enabled,
    )


@pytest.mark.parametrize("ambient", AMBIENT)
@pytest.mark.parametrize(("name", "kind"), on_all_samples(EVERY))
def test_ambient_modes_change_no_answer(name, kind, ambient):
    net = small_net(MakesTensors if kind == "text" else SmoothTable)
    X = word_ids(30, seed=1) if kind == "text" else table(30)
    learner = learner_of(net, getattr(strategies, name), X[:4], None)
    expected = learner.query(X[4:], n_instances=5, random_state=0)[0].tolist()
    with AMBIENT[ambient]():
        around, before = switches(), state_of(net)
        found = learner.query(X[4:], n_instances=5, random_state=0)[0].tolist()
        assert switches() == around
        assert state_of(net) == before
    assert found == expected


@pytest.mark.parametrize("ambient", AMBIENT)
@pytest.mark.parametrize(
    "query", [entropy_scores, expected_gradient_length, expected_word_gradient_length]
)
def test_ambient_modes_change_no_number(query, ambient):
    net, X = small_net(MakesTensors), word_ids(30, seed=1)
    expected = query(net, X)
    with AMBIENT[ambient]():
        found = query(net, X)
    np.testing.assert_array_equal(found, expected)


# Interruptions.


def interrupted_at(line, work):
    """Run `work` and interrupt it at the n-th line that it runs; tell whether it came so far."""
    left = line

    def trace(frame, event, argument):
        nonlocal left
        if event == "line":
            left -= 1
            if left == 0:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("query", "module"),
    [
        (partial(bald_scores, n_passes=2, random_state=0), Renorms),
        (entropy_scores, MaxNorm),
        (expected_gradient_length, CountsInPlace),
        (expected_word_gradient_length, ScalesInPlace),
    ],
)
def test_interruptions_leave_nothing_changed(query, module, monkeypatch):
    monkeypatch.setattr(state, "_SMALL", 100)  # so that the embedding counts as large
    net, X = make(module), word_ids(2, n_words=N_WORDS)
    work = partial(query, net, X)
    before, around = state_of(net), switches()
    n_lines = _count_lines(work)
    rng = np.random.default_rng(0)
    for line in rng.integers(1, n_lines + 1, 125).tolist():
        interrupted_at(line, work)
        assert state_of(net) == before, f"interrupted at line {line}"
        assert switches() == around
    other = threading.Thread(target=work, daemon=True)  # the lock is free again
    other.start()
    other.join(30)
    assert not other.is_alive()


def _count_lines(work):
    n = 0

    def count(frame, event, argument):
        nonlocal n
        n += event == "line"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        work()
    finally:
        sys.settrace(before)
    return n


@pytest.mark.filterwarnings("ignore")
def test_every_line_that_puts_back_may_be_interrupted(monkeypatch):
    monkeypatch.setattr(state, "_SMALL", 100)
    net, X = make(MaxNorm), word_ids(3, n_words=N_WORDS)
    work = partial(entropy_scores, net, X)
    before, around = state_of(net), switches()
    n_lines = _count_lines(work)
    for line in range(max(1, n_lines - 400), n_lines + 1):
        interrupted_at(line, work)
        assert state_of(net) == before, f"interrupted at line {line}"
        assert switches() == around


# Threads.


def all_of(works):
    """Run all in threads of their own; return what they give, in their order."""
    found = [None] * len(works)

    def run(place, work):
        found[place] = work()

    threads = [threading.Thread(target=run, args=pair, daemon=True) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not any(thread.is_alive() for thread in threads)
    return found


def query_by(name, kind, net=None):
    net = net or small_net(MeanReader if kind == "text" else SmoothTable, 3)
    X = word_ids(120, seed=1) if kind == "text" else table(120)
    learner = learner_of(net, getattr(strategies, name), X[:6], None)

    def ask(seed):
        return learner.query(X[6:], n_instances=5, random_state=seed)[0].tolist()

    return ask, net


@pytest.mark.parametrize(("name", "kind"), on_all_samples(EVERY))
def test_eight_threads_ask_one_learner(name, kind):
    ask, net = query_by(name, kind)
    expected = [ask(seed) for seed in range(8)]
    before = state_of(net)
    assert all_of([partial(ask, seed) for seed in range(8)]) == expected
    assert state_of(net) == before


def test_every_strategy_at_once_by_two_learners():
    _, net = query_by("entropy", "text")
    asks = [query_by(name, "text", net)[0] for name in EVERY]
    asks += [query_by(name, kind)[0] for name, kind in on_all_samples(EVERY) if kind == "table"]
    expected, around = [ask(0) for ask in asks], switches()
    before = state_of(net)
    assert all_of([partial(ask, 0) for ask in asks]) == expected
    assert state_of(net) == before
    assert switches() == around


def test_a_query_while_another_net_is_trained():
    ask, _ = query_by("egl_word", "text")
    expected = ask(0)
    net, X = small_net(SmoothTable, 3), table(60)
    train = partial(net.partial_fit, X, np.arange(60) % 3)
    found = all_of([train, partial(ask, 0), partial(ask, 0)])
    assert found[1] == found[2] == expected
