"""Why uncertain samples were asked for: what is predicted of them, and where predictions differ."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from scipy.special import entr

from modal_interp.queries.query import Query
from modal_interp.scores.uncertainty import distributions, mutual_information
from modal_interp.strategies.contributions import (
    as_probabilities,
    class_names,
    passes,
    predicted,
    verbatim,
)
from modal_interp.strategies.reasons import Number, Probabilities, Reason, Reasons, Shares

Places = NDArray[np.intp]
Floats = NDArray[np.float64]


class Passes(NamedTuple):
    """Passes with dropout that a query made."""

    n_passes: int
    random_state: RandomState  # as it was before


def uncertainty_reasons(
    chosen: Places,
    *,
    query: Query,
    scores: Floats,
    measure: Callable[[Floats], Floats],
    made: Passes | None,
) -> Reasons:
    """Return what is predicted of each sample, and how uncertain that is."""
    if made is None:
        proba = predicted(query.views, chosen)
    else:

        def are_those(found: list[Floats], several: bool) -> bool:
            of_each = [measure(distributions(p, several).mean(axis=1)) for p in found]
            return np.allclose(np.mean(of_each, axis=0), scores[chosen], rtol=1e-4, atol=1e-6)

        found, several = passes(query.views, chosen, *made, are_those)
        of = "members and passes" if len(found) > 1 else "passes"
        proba = as_probabilities(np.concatenate(found, axis=1), of, several)
    names = class_names(query.views, len(proba[0].mean))
    metric = _METRICS[measure.__name__] + ", mean over labels" * proba[0].several
    reasons = [
        Reason(float(score), f"{_what(p, names)}; {metric}, is {score:.3g}.", proba=p)
        for score, p in zip(scores[chosen], proba, strict=True)
    ]
    return Reasons(metric, tuple(reasons))


_METRICS = {
    "least_confidence": "uncertainty, 1 less the largest probability",
    "margin": "uncertainty, 1 less the gap between the two largest probabilities",
    "entropy": "uncertainty, the entropy of the prediction in nats",
}


def bald_reasons(chosen: Places, *, query: Query, scores: Floats, made: Passes | None) -> Reasons:
    """Return how much the passes or members disagree about each sample."""

    def are_those(found: list[Floats], several: bool) -> bool:
        known = mutual_information(distributions(found[0], several))
        return np.allclose(known, scores[chosen], rtol=1e-4, atol=1e-6)

    if made is None:
        proba = predicted(query.views, chosen)
    else:
        found, several = passes(query.views, chosen, *made, are_those)
        proba = as_probabilities(found[0], "passes", several)
    names = class_names(query.views, len(proba[0].mean))
    reasons = []
    for score, p in zip(scores[chosen], proba, strict=True):
        why = f"{_what(p, names)}, and {_disagree(p)}: its label tells {score:.3g} nats of them."
        reasons.append(Reason(float(score), why, proba=p, numbers=_entropies(p)))
    return Reasons("what its label tells of the net's parameters, in nats", tuple(reasons))


def batch_bald_reasons(
    chosen: Places,
    *,
    query: Query,
    proba: Floats,
    several: bool,
    information: Floats,
) -> Reasons:
    """Return what each label tells, and what of it the batch before told already."""
    of = "members" if len(query.views) > 1 else "passes"
    predictions = as_probabilities(proba[chosen], of, several)
    names = class_names(query.views, proba.shape[2])
    alone = mutual_information(distributions(proba[chosen], several))
    reasons = []
    for k, (p, own) in enumerate(zip(predictions, alone.tolist(), strict=True)):
        before = float(information[k - 1]) if k else 0.0
        new = float(information[k]) - before
        why = (
            f"{_what(p, names)}, and {_disagree(p)}: its label alone tells {own:.3g} nats of them, "
            f"{new:.3g} of which the batch before it does not tell."
        )
        told = Shares(
            "information in nats",
            ("new", "told by the batch before"),
            np.array([new, max(own - new, 0.0)]),
        )
        numbers = (Number("alone", own, "nats"), *_entropies(p))
        reasons.append(Reason(float(information[k]), why, proba=p, shares=(told,), numbers=numbers))
    name = "what the labels of it and the batch before tell of the net's parameters, in nats"
    return Reasons(name, tuple(reasons))


def _what(p: Probabilities, names: list[str]) -> str:
    """Say in words what is predicted."""
    order = np.argsort(-p.mean, kind="stable")
    by = {"net": "The net", "passes": "The mean of the passes"}.get(p.of, "The mean of the members")
    if p.several:
        unsure = int(np.abs(p.mean - 0.5).argmin())
        return f"{by} is least sure of {verbatim(names[unsure])} ({p.mean[unsure]:.1%})"
    first, second = (f"{verbatim(names[c])} ({p.mean[c]:.1%})" for c in order[:2])
    return f"{by} gives {first} and {second}"


def _disagree(p: Probabilities) -> str:
    by = "members" if p.of == "members" else "passes"
    return f"the {len(p.by)} {by} differ by up to {np.ptp(p.by, axis=0).max():.1%}"


def _entropies(p: Probabilities) -> tuple[Number, ...]:
    """Return the two terms whose difference is the information."""
    of_each: Any = distributions(p.by, p.several)  # (K, L, C)
    of_mean = float(entr(of_each.mean(axis=0)).sum())
    mean = float(entr(of_each).sum(axis=(1, 2)).mean())
    return Number("entropy of the mean", of_mean, "nats"), Number("mean entropy", mean, "nats")
