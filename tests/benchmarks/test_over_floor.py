"""What a query costs over the passes that it cannot do without."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

import modal_interp
from tests.benchmarks.floor import forward_pass, gradient_pass
from tests.benchmarks.workload import Workload, workload

K = 200

# The strategy, the pass that is its floor, and how many times that its query may take.
ROWS = [
    ("alden_diversity", "gradient", 1.3),
    ("egl_word", "gradient", 1.2),
    ("badge", "forward", 1.5),
    ("coreset", "forward", 1.5),
    ("bald", "forward", 1.5),
    ("least_confidence", "forward", 1.5),
]


def floor(kind: str, work: Workload, *, labeled: bool) -> partial:
    ids = np.concatenate([work.pool, work.labeled]) if labeled else work.pool
    return partial(gradient_pass if kind == "gradient" else forward_pass, work.net.module_, ids)


@pytest.mark.parametrize(("name", "kind", "limit"), ROWS, ids=[row[0] for row in ROWS])
@pytest.mark.parametrize("n", [2_000, 10_000, 50_000])
def test_query_over_floor(beside, name, kind, limit, n):
    work = workload(n, getattr(modal_interp, name))
    query = partial(work.learner.query, work.pool, n_instances=K, random_state=0)
    labeled = name in ("alden_diversity", "coreset")
    beside(query, floor(kind, work, labeled=labeled), row=f"{name}, n = {n:,}", limit=limit)
