"""Batches are what the net would be given, and no larger than there is room for."""

from functools import partial

import numpy as np
import pytest
import torch
from sklearn import config_context
from skorch.helper import SliceDict
from torch import nn
from torch.utils.data import TensorDataset

from modal_interp.estimators import TextCNNClassifier
from modal_interp.nets import batches as batches_module
from modal_interp.nets.batches import batches
from modal_interp.nets.gradients import word_gradients
from modal_interp.representations import feature_interpretations, features, word_interpretations
from modal_interp.scores import (
    bald_scores,
    entropy_scores,
    expected_gradient_length,
    expected_word_gradient_length,
    least_confidence_scores,
)
from tests.small_nets import MeanReader, SmoothTable, initialized, small_net, table, word_ids

make = partial(initialized, classes=[0, 1], criterion=nn.CrossEntropyLoss)


# Room.


def sizes(net, X, **options):
    return [tuple(Xi.shape) for _, Xi in batches(net, X, **options)]


@pytest.fixture
def little_room(monkeypatch):
    """As if a pass might take 64 KiB."""
    monkeypatch.setattr(batches_module, "_AT_LEAST", 2**16)
    with config_context(working_memory=0):
        yield


@pytest.mark.usefixtures("little_room")
@pytest.mark.parametrize("width", [1, 7, 50, 400])
@pytest.mark.parametrize("n_outputs", [0, 2, 40])
def test_a_batch_holds_so_many_words(width, n_outputs):
    net, X = small_net(MeanReader), np.ones((60, width), dtype=np.int64)
    found = sizes(net, X, n_outputs=n_outputs)
    held = 4 * 5 * (32 + 2 * n_outputs)  # bytes a word, in five dimensions
    assert sum(n for n, _ in found) == 60
    assert all(n == 1 or n * width * held <= 2**16 for n, _ in found)
    assert all((n + 1) * width * held > 2**16 for n, _ in found[:-1])


@pytest.mark.usefixtures("little_room")
def test_short_texts_do_not_pay_for_a_long_one():
    net = TextCNNClassifier(classes=[0, 1], n_words=12, max_epochs=1, module__embedding_dim=4)
    X = np.zeros((60, 500), dtype=np.int64)
    X[:, :4] = np.random.default_rng(0).integers(1, 12, (60, 4))
    X[7] = 1
    net.fit(X[:4], np.arange(4) % 2)
    parts = [rows for rows, _ in batches(net, X)]
    assert parts[-1].tolist() == [7]
    assert len(parts) < 30
    assert sorted(np.concatenate(parts).tolist()) == list(range(60))


@pytest.mark.usefixtures("little_room")
@pytest.mark.parametrize("form", ["data set", "dict", "list"])
def test_what_iterators_of_the_users_give_is_cut(form):
    net, ids = small_net(MeanReader), torch.from_numpy(word_ids(200, seed=3))
    X = {
        "data set": TensorDataset(ids),
        "dict": SliceDict(tokens=ids.numpy()),
        "list": [ids.numpy()],
    }[form]
    found = list(batches(net, X))
    assert len(found) > 1
    assert np.concatenate([rows for rows, _ in found]).tolist() == list(range(200))
    if form == "data set":
        assert torch.equal(torch.cat([Xi for _, Xi in found]), ids)


@pytest.mark.usefixtures("little_room")
@pytest.mark.parametrize("n_outputs", [2, 5])
@pytest.mark.parametrize(
    "query",
    [
        entropy_scores,
        features,
        partial(bald_scores, random_state=0),
        expected_gradient_length,
        expected_word_gradient_length,
        lambda net, X: word_interpretations(net, X).values,
    ],
)
def test_answers_do_not_depend_on_the_room(query, n_outputs):
    net, X = small_net(MeanReader, n_outputs), word_ids(150, width=30, seed=3)
    found = query(net, X)
    with config_context(working_memory=1024):
        expected = query(net, X)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-7)


@pytest.mark.usefixtures("little_room")
def test_many_outputs_make_small_batches():
    X = word_ids(64, seed=3)
    few, many = (
        [len(batch.rows) for batch in word_gradients(small_net(MeanReader, n), X)] for n in (2, 60)
    )
    assert max(many) < max(few)
    one = word_gradients(small_net(MeanReader, 60), X, classes="predicted")
    assert max(len(batch.rows) for batch in one) > max(many)


def test_gradients_by_all_parameters_are_held_a_chunk_at_a_time(monkeypatch):
    """torch.func.vmap is given a function of which only the length is left."""
    given = []
    vmap = torch.func.vmap

    def watched(function, **options):
        inner = vmap(function, **options)

        def run(*args):
            found = inner(*args)
            given.append(found.shape)
            return found

        return run

    monkeypatch.setattr(torch.func, "vmap", watched)
    expected_gradient_length(small_net(SmoothTable, 3), table(20))
    assert given == [(19, 3)]  # one row of the table comes twice


# Numbers.


class Recorder(nn.Module):
    """Remembers in which dtypes it was asked, and computes in that of its layer."""

    def __init__(self, dtype=torch.float32, refuses=()):
        super().__init__()
        self.out = nn.Linear(4, 2).to(dtype)
        self.refuses, self.seen = refuses, []

    def forward(self, x):
        if x.dtype in self.refuses:
            raise RuntimeError(f"no {x.dtype}")
        self.seen.append(x.dtype)
        return self.out(x.to(self.out.weight.dtype)).float()


NUMBERS = [np.int64, np.int32, np.int8, np.uint8, np.bool_, np.float16, np.float32, np.float64]


@pytest.mark.parametrize("dtype", NUMBERS)
@pytest.mark.parametrize("query", [entropy_scores, features, expected_gradient_length])
def test_the_module_is_given_what_predict_proba_gives_it(query, dtype):
    net, X = make(Recorder), (table(9) * 3).astype(dtype)
    net.predict_proba(X)
    asked = set(net.module_.seen)
    net.module_.seen.clear()
    query(net, X)
    assert set(net.module_.seen) == asked


@pytest.mark.parametrize("dtype", NUMBERS)
@pytest.mark.parametrize("precision", [torch.float32, torch.float64])
def test_what_a_plain_module_refuses_is_cast(precision, dtype):
    net, X = small_net(SmoothTable), (table(9) * 3).astype(dtype)
    net.module_.to(precision)
    expected = net.predict_proba(X.astype(str(precision).removeprefix("torch.")))
    found = entropy_scores(net, X)
    np.testing.assert_allclose(found, -(expected * np.log(expected)).sum(axis=1), rtol=1e-4)
    assert np.isfinite(feature_interpretations(net, X)).all()
    assert np.isfinite(expected_gradient_length(net, X)).all()


@pytest.mark.parametrize("dtype", [">f4", ">f8", ">i4", np.longdouble, np.uint16, np.uint32])
def test_numbers_that_torch_does_not_know(dtype):
    net, X = small_net(SmoothTable), np.abs(table(9) * 3).astype(dtype)
    expected = entropy_scores(net, X.astype(np.float32))
    np.testing.assert_allclose(entropy_scores(net, X), expected, rtol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision(dtype):
    net, X = small_net(SmoothTable), table(9)
    net.module_.to(dtype)
    for query in (entropy_scores, expected_gradient_length, features, feature_interpretations):
        assert np.isfinite(query(net, X)).all()
    of_set = entropy_scores(net, TensorDataset(torch.from_numpy(X)))
    np.testing.assert_array_equal(of_set, entropy_scores(net, X))


def test_parameters_of_two_precisions():
    class Mixed(SmoothTable):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones((), dtype=torch.float64))

        def forward(self, x):
            return super().forward(x) * self.scale

    for X in (table(9), table(9).astype(np.float64), (table(9) * 3).astype(np.int64)):
        net = make(Mixed)
        assert np.isfinite(expected_gradient_length(net, X)).all()
        assert np.isfinite(feature_interpretations(net, X)).all()


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
def test_complex_numbers_are_refused(dtype):
    with pytest.raises(TypeError, match=r"must reach the net as real numbers; found torch.complex"):
        entropy_scores(small_net(SmoothTable), table(9).astype(dtype))


class Halves(nn.Module):
    """Predicts something else of whole numbers than of real ones."""

    def __init__(self):
        super().__init__()
        self.out = nn.Linear(4, 2)

    def forward(self, x):
        return self.out(x.float() if x.is_floating_point() else (x // 2).float() * 9)


def test_whole_numbers_that_are_no_real_ones_are_not_explained():
    net, X = make(Halves), np.arange(1, 37).reshape(9, 4)
    with pytest.raises(ValueError, match=r"it predicts only from torch.int64 what it predicts"):
        feature_interpretations(net, X)
    unsure = 1 - net.predict_proba(X).max(axis=1)
    np.testing.assert_allclose(least_confidence_scores(net, X), unsure, atol=1e-6)
