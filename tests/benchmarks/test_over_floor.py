"""What a query costs over the passes that it cannot do without."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from sklearn.metrics import pairwise_distances

import modal_interp
from tests.benchmarks.floor import feature_gradient_pass, forward_pass, gradient_pass
from tests.benchmarks.measure import n_threads
from tests.benchmarks.workload import Workload, embedded, workload

K = 200

# The strategy, the pass that is its floor, and how many times that its query may take.
ROWS = [
    ("alden_diversity", "gradient", 1.3),
    ("egl_word", "gradient", 1.2),
    ("badge", "forward", 1.5),
    ("coreset", "forward", 1.5),
    ("bald", "forward", 1.5),
    ("least_confidence", "forward", None),
    ("margin", "forward", None),
    ("entropy", "forward", None),
]
SIZES = [2_000, 10_000, 50_000]
LARGE = [200_000, 1_000_000]


def floor(kind: str, work: Workload, *, labeled: bool) -> partial:
    """Return the pass over the pool, and over the labelled sentences where they are needed."""
    ids = np.concatenate([work.pool, work.labeled]) if labeled else work.pool
    return partial(gradient_pass if kind == "gradient" else forward_pass, work.net.module_, ids)


def asked(work: Workload, n_instances: int = K, **options: object) -> partial:
    return partial(work.learner.query, work.pool, n_instances=n_instances, **options)


@pytest.mark.parametrize(("name", "kind", "limit"), ROWS, ids=[row[0] for row in ROWS])
@pytest.mark.parametrize(
    "n", [*SIZES, *(pytest.param(size, marks=pytest.mark.slow) for size in LARGE)]
)
def test_query_over_floor(beside, name, kind, limit, n):
    work = workload(n, getattr(modal_interp, name))
    labeled = name in ("alden_diversity", "coreset")
    query, passes = asked(work, random_state=0), floor(kind, work, labeled=labeled)
    beside(query, passes, row=name, limit=limit, n=n, rounds=1 if n in LARGE else 5)


@pytest.mark.parametrize("name", ["alden_diversity", "egl_word"])
def test_five_classes_over_floor(beside, name):
    work = workload(2_000, getattr(modal_interp, name), n_classes=5)
    query = asked(work, 50, random_state=0)
    passes = floor("gradient", work, labeled=name == "alden_diversity")
    beside(query, passes, row=f"{name}, C = 5, K = 50", limit=None, n=2_000)


@pytest.mark.parametrize(("name", "kind"), [("egl", "gradient"), ("batch_bald", "forward")])
def test_slow_query_over_floor(beside, name, kind):
    work = workload(2_000, getattr(modal_interp, name))
    query, passes = asked(work, 20, random_state=0), floor(kind, work, labeled=False)
    beside(query, passes, row=f"{name}, K = 20", limit=None, n=2_000)


def test_dami_over_gradients_and_kmedoids(beside, benchmark):
    kmedoids = pytest.importorskip("kmedoids")
    work = workload(10_000, modal_interp.dami_kmedoids)
    Z = modal_interp.interpretation(work.net, work.pool)
    distances = np.sqrt(
        np.maximum(((Z**2).sum(1)[:, None] + (Z**2).sum(1) - 2 * Z @ Z.T), 0), dtype=np.float32
    )
    passes = floor("gradient", work, labeled=False)

    def other() -> None:
        passes()
        kmedoids.fasterpam(distances, K, init="random", random_state=0, n_cpu=n_threads())

    query = asked(work, random_state=0)
    beside(query, other, row="dami_kmedoids", limit=2.0, n=10_000)
    benchmark.extra_info["note"] = (
        "Over one gradient pass and the search of the kmedoids package, which is given the matrix "
        "of distances."
    )


def test_dami_of_embeddings(beside, benchmark):
    learner, pool = embedded(2_200, modal_interp.dami_kmedoids)
    Z = modal_interp.interpretation(learner.estimator, pool).astype(np.float64)

    def other() -> None:
        feature_gradient_pass(learner.estimator.module_, pool)
        pairwise_distances(Z)

    query = partial(learner.query, pool, n_instances=50, random_state=0)
    beside(query, other, row="dami_kmedoids, 384 columns, K = 50", limit=None, n=len(pool))
    benchmark.extra_info["note"] = (
        "Over one gradient pass and one matrix of distances, neither of which a search can do "
        "without; the query is to take at most 1 s."
    )
