"""Scores of uncertainty: how little a classifier knows of each sample's label. Higher is sooner.

First the measures, of label distributions of shape (n, L, C): L is 1 where a sample has one of C
classes; of several labels, each is a distribution over no and yes.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from scipy.special import entr
from skorch import NeuralNet

from modal_interp._seeding import generator
from modal_interp.nets.dropout import check_passes, dropout_passes
from modal_interp.nets.forward import check_finite, in_order
from modal_interp.nets.predictions import predictions
from modal_interp.nets.samples import distinct_rows

Floats = NDArray[np.float64]
Seed = int | RandomState | None


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


def least_confidence_scores(
    net: NeuralNet,
    X: Any,
    *,
    n_passes: int | None = None,
    random_state: Seed = None,
    verbose: int = 0,
) -> Floats:
    r"""Return what the most probable class lacks of certainty, :math:`1 - \max_c p_{ic}`.

    Parameters
    ----------
    net : skorch.NeuralNet, or without `n_passes` any classifier with ``predict_proba``
        A fitted classifier.
    X : array of shape (n, ...), or whatever the classifier takes
        Samples.
    n_passes : int, optional
        Score the mean probabilities of so many passes with dropout. Without it, those of one pass
        without.
    random_state : int, RandomState or None
        Seeds the dropout.
    verbose : int, default=0
        Greater than 0 shows a progress bar.

    Returns
    -------
    ndarray of shape (n,), float64
        From 0 to 1 - 1/C; for several labels the mean over labels.

    Raises
    ------
    ValueError
        If `n_passes` breaks its rule or the net has no dropout, or if predictions are not finite.

    Notes
    -----
    Departs from the paper: none (B. Settles, "Active Learning Literature Survey", 2009, section
    3.1); several labels are the mean over their binary scores.
    """
    return _of_probabilities(least_confidence, net, X, n_passes, random_state, verbose)


def margin_scores(
    net: NeuralNet,
    X: Any,
    *,
    n_passes: int | None = None,
    random_state: Seed = None,
    verbose: int = 0,
) -> Floats:
    r"""Return how close the two most probable classes are, :math:`1 - (p_{i(1)} - p_{i(2)})`.

    Parameters
    ----------
    net, X, n_passes, random_state, verbose
        As for :func:`least_confidence_scores`.

    Returns
    -------
    ndarray of shape (n,), float64
        From 0 to 1; for several labels the mean over labels.

    Raises
    ------
    ValueError
        As for :func:`least_confidence_scores`.

    Notes
    -----
    Departs from the paper: one less the margin, so that higher is sooner (T. Scheffer, C. Decomain
    and S. Wrobel, "Active Hidden Markov Models for Information Extraction", 2001).
    """
    return _of_probabilities(margin, net, X, n_passes, random_state, verbose)


def entropy_scores(
    net: NeuralNet,
    X: Any,
    *,
    n_passes: int | None = None,
    random_state: Seed = None,
    verbose: int = 0,
) -> Floats:
    r"""Return the entropy of the prediction, :math:`-\sum_c p_{ic} \ln p_{ic}`.

    Parameters
    ----------
    net, X, n_passes, random_state, verbose
        As for :func:`least_confidence_scores`.

    Returns
    -------
    ndarray of shape (n,), float64
        In nats, from 0 to ln C; for several labels the mean over labels.

    Raises
    ------
    ValueError
        As for :func:`least_confidence_scores`.

    Notes
    -----
    Departs from the paper: none (B. Settles, "Active Learning Literature Survey", 2009, section
    3.1); several labels are the mean over their binary scores.
    """
    return _of_probabilities(entropy, net, X, n_passes, random_state, verbose)


def bald_scores(
    net: NeuralNet, X: Any, *, n_passes: int = 20, random_state: Seed = None, verbose: int = 0
) -> Floats:
    r"""Return what the label would tell of the parameters, in nats.

    .. math::

        I(y_i; \omega) = H\Big(\frac{1}{K} \sum_k p_{ik}\Big) - \frac{1}{K} \sum_k H(p_{ik})

    Parameters
    ----------
    net, X, random_state, verbose
        As for :func:`least_confidence_scores`.
    n_passes : int, default=20
        K, the number of passes with dropout.

    Returns
    -------
    ndarray of shape (n,), float64
        From 0 to the lower of ln C and ln K; for several labels the sum over labels.

    Raises
    ------
    ValueError
        As for :func:`least_confidence_scores`.

    Notes
    -----
    Houlsby et al. [1]_, equation 2, by dropout as in Gal et al. [2]_. Batches are passed through
    one by one: O(n C) memory.

    Departs from the paper: the masks of a pass are the same for all samples, so that the order of
    samples and the size of batches do not matter.

    References
    ----------
    .. [1] N. Houlsby, F. Huszar, Z. Ghahramani and M. Lengyel. Bayesian active learning for
       classification and preference learning. arXiv:1112.5745, 2011.
    .. [2] Y. Gal, R. Islam and Z. Ghahramani. Deep Bayesian active learning with image data. ICML
       2017.
    """

    def information(proba: Floats, several: bool) -> Floats:
        return mutual_information(distributions(proba, several))

    return _over_passes(information, net, X, n_passes, random_state, verbose)[0]


def dropout_probabilities(
    net: NeuralNet,
    X: Any,
    *,
    n_passes: int = 20,
    random_state: Seed = None,
    verbose: int = 0,
) -> tuple[NDArray[np.float64], bool]:
    """Return the probabilities under each pass with dropout.

    Parameters
    ----------
    net, X, n_passes, random_state, verbose
        As for :func:`bald_scores`.

    Returns
    -------
    proba : ndarray of shape (n, K, C), float64
        Those of one pass belong to one net, drawn from the approximate posterior.
    several : bool
        Whether each column is a label of its own; else the rows are distributions.

    Raises
    ------
    ValueError
        As for :func:`least_confidence_scores`.

    Notes
    -----
    Gal and Ghahramani, "Dropout as a Bayesian approximation", ICML 2016.

    Departs from the paper: the masks of a pass are the same for all samples.
    """
    return _over_passes(lambda proba, _: proba, net, X, n_passes, random_state, verbose)


def _of_probabilities(
    measure: Callable[[Floats], Floats],
    net: NeuralNet,
    X: Any,
    n_passes: int | None,
    random_state: Seed,
    verbose: int,
) -> Floats:
    """Measure the probabilities of one pass, or the mean ones of passes with dropout."""
    if n_passes is not None:

        def of_mean(proba: Floats, several: bool) -> Floats:
            return measure(distributions(proba, several).mean(axis=1))

        return _over_passes(of_mean, net, X, n_passes, random_state, verbose)[0]
    return measure(distributions(*predictions(net, X, verbose=verbose)))


def _over_passes(
    measure: Callable[[Floats, bool], Floats],
    net: NeuralNet,
    X: Any,
    n_passes: int,
    random_state: Seed,
    verbose: int,
) -> tuple[Floats, bool]:
    """Measure the probabilities (b, K, C) of each batch, and tell whether labels are several."""
    check_passes(net, n_passes)
    distinct, sample_of = distinct_rows(X)
    rng = generator(random_state)
    several = False
    rows_of, parts = [], []
    with closing(dropout_passes(net, distinct, n_passes, rng, verbose=verbose)) as batches:
        for rows, proba, several in batches:
            rows_of.append(rows)
            parts.append(measure(proba.numpy(), several))
    measured = in_order(rows_of, parts)
    check_finite(measured)
    return measured[sample_of], several
