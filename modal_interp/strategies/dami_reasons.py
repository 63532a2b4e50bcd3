"""Why DAMI asked for samples: whom each stands for, and what it is represented by."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from modal_interp.queries.learner import View
from modal_interp.queries.query import Query, labeled_views, picked
from modal_interp.representations.interpretation import distances_from_mean, interpretation
from modal_interp.selectors.k_medoids import clusters_of
from modal_interp.selectors.nearest import lengths
from modal_interp.strategies.contributions import all_read_words, explained_words, features_of
from modal_interp.strategies.reasons import (
    Features,
    Neighbours,
    Reason,
    Reasons,
    Represented,
    Words,
)

Places = NDArray[np.intp]
Floats = NDArray[Any]
_METRIC = "the number of samples in its cluster, which it stands for"
# Members of a cluster that are listed.
_LISTED = 10


class Clustered(NamedTuple):
    """What a query clustered."""

    query: Query
    Z: tuple[Floats, ...]  # (n, A D), by each net
    means: tuple[NDArray[np.float64] | None, ...]  # (A D,), by each net; of a table None
    options: dict[str, Any]  # target, classes and how the nets are read


def dami_reasons(chosen: Places, *, clustered: Clustered) -> Reasons:
    """Return whom each sample stands for, and by which word or features, in the order of choice.

    Raises
    ------
    ValueError
        If the samples are not in the order of their clusters' sizes.
    """
    query, Z = clustered.query, np.hstack(clustered.Z)
    has_words = ~np.isnan(Z).any(axis=1)
    medoids = chosen[has_words[chosen]]
    members = _members(Z, has_words, medoids)
    if not np.array_equal(chosen[: len(medoids)], list(members)):
        raise ValueError("dami_kmedoids asks for the medoids of large clusters first")
    if all_read_words(query.views):
        parts: list[Any] = _words(clustered, chosen)
    else:
        parts = _features(clustered, chosen)
    found = []
    for place, part in zip(chosen.tolist(), parts, strict=True):
        found.append(_reason(part, members.get(place), query))
    return Reasons(_METRIC, tuple(found), partial(_represent, clustered))


def _represent(clustered: Clustered) -> Represented:
    """Return what was clustered, and the same of the labelled samples among themselves."""
    explain: Any = partial(interpretation, **clustered.options)
    pool = np.hstack(clustered.Z)
    views = labeled_views(clustered.query.learner)
    of_nets = [[explain(view.net, X) for X in view.labeled] for view in views]
    labelled = np.hstack([np.concatenate(parts) for parts in of_nets]) if views else pool[:0]
    return Represented("interpretations", pool, labelled)


def _members(
    Z: Floats, has_words: NDArray[np.bool_], medoids: Places
) -> dict[int, tuple[Places, NDArray[np.float64]]]:
    """Return the members of each cluster and how far they are, large clusters first."""
    if not len(medoids):
        return {}
    explained = np.flatnonzero(has_words)
    clusters = clusters_of(Z[explained], np.searchsorted(explained, medoids))
    found = {}
    for number, medoid in enumerate(explained[clusters.medoids].tolist()):
        members = explained[clusters.labels == number]
        apart = lengths(Z[members].T.astype(np.float64) - Z[medoid][:, None])
        order = np.argsort(apart, kind="stable")
        found[medoid] = members[order], apart[order]
    return found


def _words(clustered: Clustered, chosen: Places) -> list[Words]:
    """Return the words of each text, and how far each is from the mean interpretation."""
    views, options = clustered.query.views, clustered.options
    by_net = [
        distances_from_mean(view.net, picked(view.pool, chosen), mean, Z[chosen], **options)
        for view, Z, mean in zip(views, clustered.Z, clustered.means, strict=True)
        if mean is not None
    ]
    found = []
    for words, *of_nets in zip(explained_words(views, chosen, **options), *by_net, strict=True):
        squared = np.sum([distances**2 for distances, _ in of_nets], axis=0)
        decided_by = tuple(place for _, place in of_nets)
        words = replace(
            words,
            scores=np.sqrt(squared),
            score_name="distance of its gradient from the mean over all texts",
        )
        if len(words.ids):
            most = int(np.bincount(decided_by).argmax())
            shown = int(np.abs(words.contributions[most]).argmax())
            words = replace(words, decided=most, decided_by=decided_by, shown=shown)
        found.append(words)
    return found


def _features(clustered: Clustered, chosen: Places) -> list[Features]:
    views: list[View] = clustered.query.views
    X = np.asarray(picked(views[0].pool, chosen))
    X = X.reshape(len(X), -1)
    gradients = [Z[chosen].reshape(len(chosen), -1, X.shape[1]) for Z in clustered.Z]
    target = clustered.options["target"]
    return features_of(X, np.concatenate(gradients, axis=1), target, decide=True)


def _reason(part: Any, cluster: tuple[Places, NDArray[np.float64]] | None, query: Query) -> Reason:
    words = part if isinstance(part, Words) else None
    features = part if isinstance(part, Features) else None
    if cluster is None:
        why = "It has no words, so that nothing explains it; such texts are asked for last."
        return Reason(1.0, why, words, features)
    members, apart = cluster
    alike = "are explained by like words; its own most telling word is “{word}”."
    if features is not None:
        alike = "hang on their features alike; it does most of all on “{feature}”."
    why = f"It stands for {len(members)} of {len(query.rows)} samples, which {alike}"
    # The sample itself is one of them, and the nearest.
    others, apart = members[1 : _LISTED + 1], apart[1 : _LISTED + 1]
    near = Neighbours("stands for", "pool", query.rows[others], apart, len(members) - 1)
    return Reason(float(len(members)), why, words, features, neighbours=(near,))
