"""Why CORESET and BADGE asked for samples: how far each is from the nearest ones known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modal_interp._out_of_core import working_memory
from modal_interp.queries.query import Query
from modal_interp.selectors.kmeans_pp import Factors, distances_of_products
from modal_interp.selectors.nearest import lengths
from modal_interp.strategies.reasons import Neighbours, Reason, Reasons, Represented

Places = NDArray[np.intp]
Floats = NDArray[np.float64]
# Labelled samples, and samples of the batch, that are listed.
_LISTED = 5


def coreset_reasons(
    chosen: Places, *, query: Query, seen: NDArray[Any], distance: Floats
) -> Reasons:
    """Return the nearest labelled and the nearest chosen sample of each; `seen` holds both."""
    n = len(query.rows)
    known, points = seen[n:], seen[chosen]
    reasons = []
    for k, point in enumerate(points):
        labeled = _apart(known, point), _apart(points[:k], point)
        near = _neighbours(*labeled, query.rows[chosen[:k]])
        why = (
            f"What the output layer reads of it is {distance[k]:.3g} from that of the nearest "
            "sample that is labelled or chosen before: none other was farther."
        )
        reasons.append(Reason(float(distance[k]), why, neighbours=near))
    name = "distance of its features from the nearest sample labelled or chosen before"
    return Reasons(name, tuple(reasons), lambda: Represented("features", seen[:n], known))


def badge_reasons(
    chosen: Places,
    *,
    query: Query,
    factors: Factors,
    labeled: Callable[[], Factors | None],
) -> Reasons:
    """Return how long the gradient of each is, and how far it is from the nearest ones."""
    known = labeled()
    asked = [(a[chosen], h[chosen]) for a, h in factors]
    together = asked if known is None else below(known, asked)
    n_known = len(together[0][0]) - len(chosen)
    metrics = badge_lengths(factors, chosen)
    reasons = []
    for k in range(len(chosen)):
        apart = distances_of_products(together, np.arange(n_known + k), n_known + k)
        near = _neighbours(apart[:n_known], apart[n_known:], query.rows[chosen[:k]])
        why = f"Its gradient is {metrics[k]:.3g} long"
        if k:
            why += f", and {apart[n_known:].min():.3g} from the nearest one of the batch before it"
        else:
            why += "; the first of a batch is drawn with equal chances"
        reasons.append(Reason(float(metrics[k]), f"{why}.", neighbours=near))
    name = "the length of the loss's gradient by the output layer"
    if not _fits(factors):
        return Reasons(name, tuple(reasons))

    def represent() -> Represented:
        pool = _products(factors)
        others = pool[:0] if known is None else _products(known)
        return Represented("gradient embeddings", pool, others)

    return Reasons(name, tuple(reasons), represent)


def _fits(factors: Factors) -> bool:
    """Tell whether gradients may be built, for a map."""
    return sum(4 * len(a) * a.shape[1] * h.shape[1] for a, h in factors) <= working_memory()


def _products(factors: Factors) -> NDArray[np.float32]:
    """Return the gradients themselves, (n, C H)."""
    parts = [a.astype(np.float32)[:, :, None] * h[:, None] for a, h in factors]
    return np.hstack([part.reshape(len(part), -1) for part in parts])


def badge_lengths(factors: Factors, chosen: Places) -> Floats:
    """Return the lengths of the gradients whose factors these are, side by side."""
    squared = [(a[chosen] ** 2).sum(axis=1) * (h[chosen] ** 2).sum(axis=1) for a, h in factors]
    return np.sqrt(np.sum(squared, axis=0, dtype=np.float64))


def _apart(points: NDArray[Any], point: NDArray[Any]) -> Floats:
    """Return the distance of each of some points from one."""
    difference = points.astype(np.float64) - point.astype(np.float64)
    return lengths(np.ascontiguousarray(difference.T)) if len(points) else np.empty(0)


def below(upper: Factors, lower: Factors) -> Factors:
    """Return the factors of some gradients, and below them those of others."""
    return [
        (np.concatenate([a, b]), np.concatenate([h, g]))
        for (a, h), (b, g) in zip(upper, lower, strict=True)
    ]


def _neighbours(
    to_labeled: Floats, to_chosen: Floats, before: NDArray[np.intp]
) -> tuple[Neighbours, ...]:
    """Return the nearest labelled samples and the nearest ones chosen before, where there are."""
    found = []
    if len(to_labeled):
        order = np.argsort(to_labeled, kind="stable")[:_LISTED]
        n_all = len(to_labeled)
        found.append(Neighbours("nearest labelled", "labelled", order, to_labeled[order], n_all))
    if len(to_chosen):
        order = np.argsort(to_chosen, kind="stable")[:_LISTED]
        near = Neighbours("nearest chosen", "pool", before[order], to_chosen[order], len(to_chosen))
        found.append(near)
    return tuple(found)
