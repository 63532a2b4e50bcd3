"""The work that is measured: sentences like those of film reviews, and a learner for them."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np
from modAL.models import ActiveLearner
from numpy.typing import NDArray

from modal_interp import TabularMLPClassifier, TextCNNClassifier

N_WORDS = 18_000  # MR has some 18,700
LENGTH, LONGEST = 20, 50  # words of a sentence: mean, most
# The papers' sizes, not the package's defaults.
SIZES = {
    TextCNNClassifier: {"module__kernel_sizes": (3, 4, 5)},
    TabularMLPClassifier: {"module__hidden": (16, 8), "lr": 0.01},
}
N_LABELED = 1_000


class Workload(NamedTuple):
    """A learner taught 1,000 sentences, and the pool."""

    learner: ActiveLearner
    pool: NDArray[np.int64]  # (n, T) word ids

    @property
    def net(self) -> Any:
        return self.learner.estimator

    @property
    def labeled(self) -> NDArray[np.int64]:
        return self.learner.X_training


@lru_cache(maxsize=1)
def sentences(n: int, n_words: int = N_WORDS, random_state: int = 0) -> NDArray[np.int64]:
    """Return the word ids of n sentences, padded with 0: 4 to 50 words, by Zipf's law."""
    rng = np.random.RandomState(random_state)
    lengths = np.clip(rng.normal(LENGTH, 9, size=n).round(), 4, LONGEST).astype(int)
    share = 1 / (np.arange(n_words - 1) + 2.7)
    words = np.searchsorted(np.cumsum(share / share.sum()), rng.random_sample(lengths.sum())) + 1
    ids = np.zeros((n, LONGEST), dtype=np.int64)
    ids[np.arange(LONGEST) < lengths[:, None]] = np.minimum(words, n_words - 1)
    return ids


def labels(ids: NDArray[np.int64], n_words: int, n_classes: int) -> NDArray[np.int64]:
    """Return classes that follow from hidden leanings of the words."""
    leaning = np.random.RandomState(1).standard_normal((n_words, n_classes))
    leaning[0] = 0.0
    scores = np.stack([column[ids].sum(axis=1) for column in leaning.T], axis=1)
    return scores.argmax(axis=1)


@cache
def taught_net(estimator: type = TextCNNClassifier, n_classes: int = 2) -> Any:
    """Return a net trained on 1,000 sentences, and these."""
    ids = sentences(N_LABELED, random_state=7)
    y = labels(ids, N_WORDS, n_classes)
    net = estimator(
        classes=list(range(n_classes)), n_words=N_WORDS, max_epochs=8, random_state=0, device="cpu",
        **SIZES.get(estimator, {}),
    )  # fmt: skip
    return net.fit(ids, y), ids, y


def workload(
    n: int, strategy: Any, estimator: type = TextCNNClassifier, n_classes: int = 2
) -> Workload:
    """Return a learner with a trained net, and n sentences for it to choose from."""
    net, ids, y = taught_net(estimator, n_classes)
    learner = ActiveLearner(estimator=net, query_strategy=strategy)
    learner.X_training, learner.y_training = ids, y
    return Workload(learner, sentences(n))


def embedded(n: int, strategy: Any, n_columns: int = 384) -> tuple[ActiveLearner, Any]:
    """Return a learner taught 60 embeddings of two classes, and n for it to choose from."""
    rng = np.random.RandomState(0)
    topics = rng.standard_normal((20, n_columns))
    X = topics[rng.randint(20, size=60 + n)] + 2 * rng.standard_normal((60 + n, n_columns))
    y = (X @ rng.standard_normal(n_columns) > 0).astype(int)
    X = (X / np.linalg.norm(X, axis=1, keepdims=True)).astype(np.float32)
    net = TabularMLPClassifier(classes=[0, 1], random_state=0, device="cpu")
    learner = ActiveLearner(net, strategy, X_training=X[:60], y_training=y[:60])
    return learner, X[60:]


def representations(n: int, n_features: int, n_classes: int, random_state: int = 0) -> Any:
    """Return probabilities (n, C) and features (n, H) as a trained net gives them."""
    rng = np.random.RandomState(random_state)
    features = np.maximum(rng.standard_normal((n, n_features)), 0).astype(np.float32)
    weights = rng.standard_normal((n_features, n_classes)) / np.sqrt(n_features)
    logits = 3 * features @ weights
    proba = np.exp(logits - logits.max(axis=1, keepdims=True))
    return proba / proba.sum(axis=1, keepdims=True), features
