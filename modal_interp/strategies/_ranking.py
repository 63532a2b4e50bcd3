"""What the strategies share that rank samples by a score."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modal_interp.queries.query import Query
from modal_interp.selectors.top_k import top_k

Score = Callable[[Any, Any], NDArray[np.float64]]  # of a net and samples


def best_by(
    score: Score, query: Query, n_instances: int, *, reverse: bool, why: Callable[..., Any]
) -> Any:
    """Answer with the samples of highest score, for a committee by the mean over its members.

    `why` gives the reasons of those chosen, from the query and all scores.
    """
    scores = np.mean([score(view.net, view.pool) for view in query.views], axis=0)
    chosen = top_k(scores, n_instances, reverse=reverse)
    because = partial(why, query=query, scores=scores)
    return query.answer(chosen, scores[chosen], why=because)
