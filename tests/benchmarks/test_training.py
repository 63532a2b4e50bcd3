"""What training costs over a bare torch loop of the same steps, and over skorch's own."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from skorch import NeuralNetClassifier
from torch import nn

from modal_interp import TabularMLPClassifier, TextBiLSTMClassifier, TextCNNClassifier
from tests.benchmarks.floor import training_loop
from tests.benchmarks.workload import N_LABELED, N_WORDS, SIZES, labels, sentences

BATCH_SIZE = 50
N_ROWS, N_COLUMNS = 5_000, 10

# The classifier, its epochs, and how many times the bare loop's time its training may take.
ROWS = [
    (TextCNNClassifier, 5, 1.15),
    (TextBiLSTMClassifier, 3, 1.15),
    # A step takes half a millisecond, most of it torch's calls, so that skorch's own are seen:
    # callbacks told of each batch, a history of each. No limit is set.
    (TabularMLPClassifier, 10, None),
]


def table() -> tuple[np.ndarray, np.ndarray]:
    """Return rows of numbers, and two classes that follow from them."""
    rng = np.random.RandomState(0)
    X = rng.standard_normal((N_ROWS, N_COLUMNS)).astype(np.float32)
    return X, (X[:, 0] * X[:, 1] + X[:, 2] > 0).astype(np.int64)


def task(estimator: type, epochs: int) -> tuple[Any, np.ndarray, np.ndarray]:
    """Return a classifier, and the input and targets that it trains on."""
    options = {"classes": [0, 1], "max_epochs": epochs, "random_state": 0, "device": "cpu"}
    options |= SIZES.get(estimator, {})
    if estimator is TabularMLPClassifier:
        return estimator(**options), *table()
    ids = sentences(N_LABELED, random_state=7)
    return estimator(**options, n_words=N_WORDS), ids, labels(ids, N_WORDS, 2)


def untrained(net: Any, X: np.ndarray, y: np.ndarray) -> nn.Module:
    """Return the module that `net` starts from."""
    epochs = net.max_epochs
    module = net.set_params(max_epochs=0).fit(X, y).module_
    net.set_params(max_epochs=epochs)
    return module


def loss_of(module: nn.Module, X: np.ndarray, y: np.ndarray) -> float:
    """Return the mean loss without dropout."""
    with torch.inference_mode():
        logits = module.eval()(torch.from_numpy(X))
        return float(nn.functional.cross_entropy(logits, torch.from_numpy(y)))


def check_same_work(net: Any, bare: partial, X: np.ndarray, y: np.ndarray) -> None:
    """Check that both make as many steps, and learn as much by them from the same start.

    They draw shuffles and dropout of their own, so that the losses are only near.
    """
    start = loss_of(bare.args[0], X, y)
    module, n_steps = bare()
    net.fit(X, y)
    assert n_steps == net.max_epochs * -(-len(X) // BATCH_SIZE)
    assert {int(state["step"]) for state in net.optimizer_.state.values()} == {n_steps}
    drops = [start - loss_of(trained, X, y) for trained in (module, net.module_)]
    assert min(drops) > 0.05
    assert drops[0] == pytest.approx(drops[1], rel=0.2)


@pytest.mark.parametrize(("estimator", "epochs", "limit"), ROWS)
def test_training_over_a_bare_loop(beside, estimator, epochs, limit):
    net, X, y = task(estimator, epochs)
    module = untrained(net, X, y)
    options = {"epochs": epochs, "batch_size": net.batch_size, "lr": net.lr}
    bare = partial(training_loop, module, X, y, **options)
    check_same_work(net, bare, X, y)
    row = f"fit of {estimator.__name__}, over a bare torch loop"
    beside(partial(net.fit, X, y), bare, row=row, limit=limit)


def test_training_over_skorch(beside):
    """The steps of the text nets are too long for skorch's part in them to be seen."""
    net, X, y = task(TabularMLPClassifier, 10)
    net.fit(X, y)
    skorchs = NeuralNetClassifier(
        net.module,
        **{f"module__{name}": size for name, size in net._module_sizes().items()},
        module__n_classes=2,
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        optimizer__fused=True,
        lr=net.lr,
        batch_size=net.batch_size,
        max_epochs=net.max_epochs,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
    )
    row = "fit of TabularMLPClassifier, over skorch's NeuralNetClassifier"
    beside(partial(net.fit, X, y), partial(skorchs.fit, X, y), row=row, limit=1.0)
