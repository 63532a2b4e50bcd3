"""Measures of uncertainty of label distributions, in plain NumPy.

Distributions have shape (n, L, C): L is 1 where a sample has one of C classes. Of several labels,
each is a distribution over no and yes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr

Floats = NDArray[np.float64]


def distributions(proba: NDArray[Any], several: bool) -> Floats:
    """Return probabilities (..., C) as distributions: (..., 1, C), or (..., C, 2)."""
    proba = proba.astype(np.float64, copy=False)
    return np.stack([1 - proba, proba], axis=-1) if several else proba[..., None, :]


def least_confidence(proba: Floats) -> Floats:
    """Return one less the largest probability, mean over labels: (n,)."""
    # As the sum of the others, which is exact where the largest rounds to 1.
    return np.sort(proba, axis=2)[..., :-1].sum(axis=2).mean(axis=1)


def margin(proba: Floats) -> Floats:
    """Return one less the gap between the two largest probabilities, mean over labels: (n,)."""
    ordered = np.sort(proba, axis=2)
    return (ordered[..., :-1].sum(axis=2) + ordered[..., -2]).mean(axis=1)


def entropy(proba: Floats) -> Floats:
    """Return the entropy in nats, mean over labels: (n,)."""
    return entr(proba).sum(axis=2).mean(axis=1)


def mutual_information(proba: Floats) -> Floats:
    """Return the information between labels and parameters, sum over labels: (n,), in nats.

    `proba` has shape (n, K, L, C): the distributions under K samples of the parameters.
    """
    of_mean = entr(proba.mean(axis=1)).sum(axis=2)
    information = of_mean - entr(proba).sum(axis=3).mean(axis=1)
    # Rounding can bring a little less than nothing.
    return np.maximum(information, 0.0).sum(axis=1)
