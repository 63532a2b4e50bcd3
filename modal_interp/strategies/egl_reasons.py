"""Why expected gradient lengths asked for samples: by which word, or by which layers."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modal_interp.queries.query import Query, picked
from modal_interp.scores.gradient_lengths import lengths_by_parameter, word_gradient_lengths
from modal_interp.strategies.contributions import class_names, explained_words, verbatim
from modal_interp.strategies.reasons import Reason, Reasons, Shares

Places = NDArray[np.intp]
Floats = NDArray[np.float64]
_METRIC = "the expected length of the loss's gradient"


def egl_reasons(chosen: Places, *, query: Query, scores: Floats) -> Reasons:
    """Return which layers a label would move how much, for each sample."""
    found = [lengths_by_parameter(view.net, picked(view.pool, chosen)) for view in query.views]
    by_layer: dict[str, Floats] = {}
    for names, parts in found:
        for name, part in zip(names, parts.T, strict=True):
            layer = name.rpartition(".")[0] or name
            by_layer[layer] = by_layer.get(layer, np.zeros(len(chosen))) + part / len(found)
    layers, values = tuple(by_layer), np.stack(list(by_layer.values()), axis=1)
    reasons = []
    for score, of_layers in zip(scores[chosen], values, strict=True):
        largest = int(of_layers.argmax())
        share = of_layers[largest] / max(of_layers.sum(), np.finfo(float).tiny)
        why = (
            f"Its label is expected to move the net's parameters by {score:.3g}, {share:.0%} of it "
            f"in the layer {verbatim(layers[largest])}."
        )
        shares = Shares("expected gradient length by layer", layers, of_layers)
        reasons.append(Reason(float(score), why, shares=(shares,)))
    return Reasons(f"{_METRIC} by all parameters", tuple(reasons))


def egl_word_reasons(
    chosen: Places, *, query: Query, scores: Floats, read_by: dict[str, Any]
) -> Reasons:
    """Return the word whose embedding a label would move most, for each text."""
    rows = [(view.net, picked(view.pool, chosen)) for view in query.views]
    by_net = [word_gradient_lengths(net, X, **read_by) for net, X in rows]
    explained = explained_words(query.views, chosen, **read_by)
    reason = partial(_of_word, query=query)
    found = map(reason, scores[chosen], explained, zip(*by_net, strict=True))
    return Reasons(f"{_METRIC} by the embedding of its word", tuple(found))


def _of_word(score: float, words: Any, by_net: tuple[Floats, ...], *, query: Query) -> Reason:
    if not len(words.ids):
        return Reason(float(score), "It has no words, so that no label would move one.", words)
    parts = np.mean(by_net, axis=0)  # (n_words, C)
    decided_by = tuple(int(of_net.sum(axis=1).argmax()) for of_net in by_net)
    decided = int(np.bincount(decided_by).argmax())
    words = replace(
        words,
        scores=parts.sum(axis=1),
        score_name=f"{_METRIC} by the word",
        decided=decided,
        decided_by=decided_by,
        shown=int(np.abs(words.contributions[decided]).argmax()),
    )
    why = f"Its label is expected to move the embedding of its word “{{word}}” by {score:.3g}."
    names = tuple(class_names(query.views, parts.shape[1]))
    shares = Shares("expected gradient length by the word, by label", names, parts[decided])
    return Reason(float(score), why, words, shares=(shares,))
