"""The label configurations of the samples chosen, and what one more sample would tell."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

# Configurations less likely than this are left out: all of them weigh less than rounding.
_NEGLIGIBLE = 1e-20
# The smallest normal number: its logarithm is finite.
_TINY = np.finfo(np.float64).tiny


class Configurations(NamedTuple):
    """Labels the chosen samples may have, by what they say of the posterior samples.

    Attributes
    ----------
    mass : ndarray of shape (M,), float64
        P(configuration), or its share of the configurations drawn; the sum is 1.
    posterior : ndarray of shape (M, K), float64
        P(w_k | configuration). Unlike P(configuration | w_k) it cannot underflow.
    """

    mass: NDArray[np.float64]
    posterior: NDArray[np.float64]


def no_labels(n_posterior: int) -> Configurations:
    """Return the one configuration of no samples: every posterior sample has equal chances."""
    return Configurations(np.ones(1), np.full((1, n_posterior), 1 / n_posterior))


def gains(
    configurations: Configurations, outcomes: NDArray[np.float64], noise: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return I(y_i; w | labels of the chosen samples) of each sample, (n,), in nats.

    It is the mean over configurations of H(y_i | configuration) - E_w[H(y_i | w) | configuration].
    The `outcomes` P(y_i = c | w_k) have shape (C, n, K), the `noise` H(y_i | w_k) shape (n, K).
    """
    mass, posterior = configurations
    gain = -(noise @ (mass @ posterior))
    for outcome in outcomes:
        predictive = outcome @ posterior.T
        logarithm = np.log(np.maximum(predictive, _TINY))
        logarithm *= predictive
        gain -= logarithm @ mass
    return gain


def extended(configurations: Configurations, outcome: NDArray[np.float64]) -> Configurations:
    """Return the configurations with each label of one more sample, P(c | w_k) of shape (C, K)."""
    mass, posterior = configurations
    predictive = posterior @ outcome.T
    joint = mass[:, None] * predictive
    parent, label = np.nonzero(joint > _NEGLIGIBLE)
    following = posterior[parent]
    following *= outcome[label]
    following /= predictive[parent, label][:, None]
    following[following < _NEGLIGIBLE] = 0.0  # arithmetic on subnormal numbers is slow
    return Configurations(joint[parent, label], following)


def drawn(configurations: Configurations, n_samples: int, rng: RandomState) -> Configurations:
    """Draw configurations in proportion to their mass, by systematic sampling.

    One random number places `n_samples` equal steps on the cumulative mass. Every mean over the
    configurations keeps its expectation. Neighbours favour the same posterior sample about as
    strongly, so what is drawn represents what is not.
    """
    mass, posterior = configurations
    rounded = posterior.round(9)  # so that the last bits do not decide about the order
    order = np.lexsort((rounded.max(axis=1), rounded.argmax(axis=1)))
    cumulative = np.cumsum(mass[order])
    steps = (np.arange(n_samples) + rng.random_sample()) * (cumulative[-1] / n_samples)
    # The last step can round up to the sum itself.
    place = np.minimum(np.searchsorted(cumulative, steps, side="right"), len(mass) - 1)
    place, count = np.unique(place, return_counts=True)
    return Configurations(count / n_samples, posterior[order[place]])
