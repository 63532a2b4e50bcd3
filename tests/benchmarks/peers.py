"""Thin adapters: what peer packages compute, called with the arrays that modal_interp is given."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_info

from tests.benchmarks.workload import representations


class Kept:
    """Work that keeps what it gave last, so that checking results costs no run of its own."""

    def __init__(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        self.function, self.args, self.kwargs = function, args, kwargs
        self.result: Any = None

    def __call__(self) -> None:
        self.result = self.function(*self.args, **self.kwargs)


def traced_mb(work: Callable[[], object]) -> float:
    """Return how many MB of arrays the work holds at most, however short the peak is."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1] / 2**20
    finally:
        tracemalloc.stop()


def blas_threads() -> int:
    """Return how many threads NumPy multiplies with, for peers that bring threads of their own."""
    return max(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")


def posterior(n: int, n_passes: int, n_classes: int, n_features: int = 128) -> NDArray[np.float64]:
    """Return probabilities (n, K, C) of nets that agree on some samples and not on others."""
    proba, features = representations(n, n_features, n_classes)
    rng = np.random.RandomState(2)
    weights = rng.standard_normal((n_features, n_passes * n_classes)) / np.sqrt(n_features)
    logits = np.log(proba)[:, None] + (features @ weights).reshape(n, n_passes, n_classes)
    given = np.exp(logits - logits.max(axis=2, keepdims=True))
    return given / given.sum(axis=2, keepdims=True)


def gathered(n: int, n_features: int, n_groups: int = 10) -> NDArray[np.float32]:
    """Return features (n, H) that lie around the centres of groups, as those of classes do."""
    rng = np.random.RandomState(3)
    centers = 2 * rng.standard_normal((n_groups, n_features))
    noise = rng.standard_normal((n, n_features))
    return np.maximum(centers[rng.randint(n_groups, size=n)] + noise, 0).astype(np.float32)


def skactiveml_classifier(proba: NDArray[np.float64]) -> Any:
    """Return a fitted classifier of scikit-activeml that predicts what it is given.

    Probabilities are those of one net, (n, C), or of many, (n, K, C).
    """
    from skactiveml.base import SkactivemlClassifier

    class Given(SkactivemlClassifier):
        def __init__(self, proba: NDArray[np.float64]) -> None:
            super().__init__(classes=np.arange(proba.shape[-1]))
            self.proba, self.classes_ = proba, self.classes

        def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Given:
            return self

        def predict_proba(self, X: Any) -> NDArray[np.float64]:
            return self.proba

        def sample_proba(self, X: Any) -> NDArray[np.float64]:
            return self.proba.swapaxes(0, 1).copy()  # a new array, as a net gives: it is clipped

    return Given(proba)


def small_text_scores(strategy: Any, module: torch.nn.Module, ids: NDArray[np.int64]) -> Any:
    """Return the scores that a gradient-length strategy of small-text gives to each sentence."""
    classifier = SimpleNamespace(
        model=module, _create_collate_fn=lambda: lambda rows: (torch.stack([r[0] for r in rows]),)
    )
    data = [(row,) for row in torch.from_numpy(ids)]
    none = np.empty(0, dtype=np.int64)
    strategy.query(classifier, data, np.arange(len(ids)), none, none, n=len(ids) // 10)
    return strategy.scores_
