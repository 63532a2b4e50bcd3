"""BatchBALD's greedy: samples whose labels, taken together, tell the most about the parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import ArrayLike, NDArray
from scipy.special import entr

from modal_interp._seeding import generator
from modal_interp.selectors.configurations import Configurations, drawn, extended, gains, no_labels
from modal_interp.selectors.top_k import checked_count

# Gains closer than this, in nats, tie: far above rounding, far below what a label can matter.
_TIE = 1e-10
# Entries of one block of samples times configurations: 512 KB, which a core's cache holds.
_BLOCK = 1 << 16
# How far from one the probabilities of a sample may add up, as those of single precision do.
_SLACK = 1e-3


def joint_information(
    probs: ArrayLike,
    k: int,
    *,
    multilabel: bool = False,
    max_configurations: int = 1 << 15,
    n_samples: int = 1 << 11,
    random_state: int | RandomState | None = None,
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    r"""Choose k samples, each time the one that makes the labels of all tell the most about w.

    .. math::

        i^* = \operatorname*{arg\,max}_{i} \; I(y_1, \dots, y_b, y_i; w), \qquad
        I(y_1, \dots, y_b; w) = H(y_1, \dots, y_b) - \sum_{j = 1}^{b} E_w \, H(y_j \mid w)

    where :math:`w` is one of K posterior samples with equal chances, given which the labels are
    independent.

    Parameters
    ----------
    probs : array-like of shape (n, K, C), numbers from 0 to 1
        P(y_i = c | w_k): the class probabilities of each sample under each posterior sample. They
        add up to 1 over the classes, within 0.001, and are scaled to do so. With `multilabel` the
        shape is (n, K, L): the probability of each label.
    k : int
        How many samples to choose, from 1 to n.
    multilabel : bool, default=False
        Whether a sample has L labels of 0 or 1 instead of one of C classes. The information is
        that of each label over the batch, summed over labels.
    max_configurations : int, default=32768
        Up to how many joint labels of the chosen samples and one more are all counted.
    n_samples : int, default=2048
        How many joint labels of the chosen samples are drawn where there are more.
    random_state : int, RandomState or None
        Seeds the drawing. None draws anew each time; the global generator is never used.

    Returns
    -------
    chosen : ndarray of shape (k,), intp
        The samples in the order of choice; of equally good ones the lowest index.
    information : ndarray of shape (k,), float64
        I(y_1, ..., y_b; w) of the first b chosen samples, in nats: at first BALD of the first
        sample, never falling, at most log K (L log K with `multilabel`).

    Raises
    ------
    TypeError
        If `k`, `max_configurations` or `n_samples` is not a whole number.
    ValueError
        If `probs` is not an array of such probabilities, `k` is not between 1 and n, or a limit
        is below 1.

    Notes
    -----
    Kirsch, van Amersfoort and Gal [1]_, Algorithm 1, with the gain of a sample in the form

    .. math:: I(y_1, \dots, y_b, y_i; w) - I(y_1, \dots, y_b; w)
        = \sum_m P(m) \, \bigl[ H(y_i \mid m) - \textstyle\sum_k P(w_k \mid m) H(y_i \mid w_k)
        \bigr]

    over the configurations m, the joint labels of the chosen samples. Only P(m) and P(w_k | m)
    are kept, so nothing underflows in long batches.

    Departs from the paper: in the drawing. The paper draws configurations given the posterior
    samples; here the configurations kept so far get every label of the new sample, and once they
    outgrow `max_configurations` they are thinned to `n_samples` by systematic sampling, which
    leaves the expectation of each gain as it is, with a smaller error. The error was within
    0.03 nats for up to 100 samples of 2 or 3 classes, and within 0.08 for 60 samples of 10 classes
    under 100 posterior samples. Gains within 1e-10 nats of the largest tie.

    A gain cannot rise from one choice to the next while all configurations are kept, so older
    gains are upper bounds, and samples are scored only while theirs reaches the best gain. The
    choices are those of scoring all. After a thinning all samples are scored.

    References
    ----------
    .. [1] A. Kirsch, J. van Amersfoort and Y. Gal. BatchBALD: efficient and diverse batch
       acquisition for deep Bayesian active learning. NeurIPS 2019.

    Examples
    --------
    Samples 0 and 1 tell the same; 2 tells less than either, but something new.

    >>> import numpy as np
    >>> from modal_interp.selectors.joint_information import joint_information
    >>> p = np.array([[1.0, 1.0, 0.0, 0.0], [1.0, 1.0, 0.0, 0.0], [0.9, 0.1, 0.9, 0.1]])
    >>> chosen, information = joint_information(np.stack([1 - p, p], axis=2), 2)
    >>> chosen, information.round(3)
    (array([0, 2]), array([0.693, 1.061]))
    """
    outcomes = _checked_outcomes(probs, multilabel)
    k = checked_count(k, outcomes.shape[2])
    limits = (
        checked_limit(max_configurations, "max_configurations"),
        checked_limit(n_samples, "n_samples"),
    )
    chosen, gain = _greedy(outcomes, k, limits, generator(random_state))
    most = len(outcomes) * np.log(outcomes.shape[3])
    return chosen, np.minimum(np.cumsum(gain), most)


def _greedy(
    outcomes: NDArray[np.float64], k: int, limits: tuple[int, int], rng: RandomState
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the samples chosen and the gain of each; `outcomes` have shape (L, C, n, K)."""
    first, owner = _distinct(outcomes)
    left = np.ones(len(owner), dtype=bool)
    outcomes = outcomes[:, :, first]
    noise = entr(outcomes).sum(axis=1)
    tables = [no_labels(outcomes.shape[3])] * len(outcomes)
    bound = np.full(len(first), np.inf)  # of the gain of each distinct sample
    chosen, gain = np.empty(k, dtype=np.intp), np.empty(k)
    for j in range(k):
        best = _tighten(bound, tables, outcomes, noise)
        chosen[j] = i = (left & (bound[owner] >= best - _TIE)).argmax()
        gain[j] = max(0.0, bound[owner[i]])
        left[i] = False
        if not (left & (owner == owner[i])).any():
            bound[owner[i]] = -np.inf
        extensions = zip(tables, outcomes[:, :, owner[i]], strict=True)
        tables = [extended(table, outcome) for table, outcome in extensions]
        for label, table in enumerate(tables):
            if _outgrows(table, outcomes.shape[1], *limits):
                tables[label] = drawn(table, limits[1], rng)
                bound[bound > -np.inf] = np.inf
    return chosen, gain


def _outgrows(
    table: Configurations, n_classes: int, max_configurations: int, n_samples: int
) -> bool:
    return len(table.mass) * n_classes > max_configurations and len(table.mass) > n_samples


def _tighten(
    bound: NDArray[np.float64],
    tables: list[Configurations],
    outcomes: NDArray[np.float64],
    noise: NDArray[np.float64],
) -> float:
    """Replace bounds by gains wherever one could reach the largest gain, and return that gain."""
    if bound.max() <= _TIE:  # no gain is below zero: all tie
        return float(bound.max())
    order = np.argsort(-bound, kind="stable")[: np.count_nonzero(bound > -np.inf)]
    size = max(1, _BLOCK // max(len(table.mass) for table in tables))
    best = -np.inf
    for start in range(0, len(order), size):
        rows = order[start : start + size]
        if bound[rows[0]] < best - 2 * _TIE:  # rounding included, below what ties
            break
        bound[rows] = 0.0
        for label, table in enumerate(tables):
            bound[rows] += gains(table, outcomes[label][:, rows], noise[label][rows])
        best = max(best, float(bound[rows].max()))
    return best


def _distinct(outcomes: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return an index of each distinct sample, and which of these each sample equals.

    Equal samples have to be scored once, however many share the best gain.
    """
    n = outcomes.shape[2]
    rows = np.ascontiguousarray(np.moveaxis(outcomes, 2, 0).reshape(n, -1))
    rows = rows + 0.0  # the bytes of -0.0 and 0.0 differ
    whole = rows.view(np.dtype((np.void, rows.itemsize * rows.shape[1]))).ravel()
    _, first, owner = np.unique(whole, return_index=True, return_inverse=True)
    return first, owner


def _checked_outcomes(probs: ArrayLike, multilabel: bool) -> NDArray[np.float64]:
    """Return P(y = c | w_k) per label, (L, C, n, K), each distribution adding up to 1."""
    p = np.asarray(probs)
    names = "(n, K, L)" if multilabel else "(n, K, C)"
    if p.ndim != 3 or 0 in p.shape:
        raise ValueError(f"probs must have shape {names}, none of them 0; found shape {p.shape}.")
    if p.dtype.kind not in "fiub":
        raise ValueError(f"probs must hold real numbers; found dtype {p.dtype}.")
    p = p.astype(np.float64)
    for extreme in (p.min(), p.max()):
        if not 0 <= extreme <= 1 + _SLACK:
            raise ValueError(f"probs must lie between 0 and 1; found {extreme}.")
    if multilabel:
        p = np.minimum(p, 1.0).transpose(2, 0, 1)
        return np.stack([1 - p, p], axis=1)
    total = p.sum(axis=2)
    worst = np.unravel_index(np.abs(total - 1).argmax(), total.shape)
    if not abs(total[worst] - 1) <= _SLACK:
        raise ValueError(
            f"probs must add up to 1 over the classes; found {total[worst]} at sample {worst[0]}, "
            f"posterior sample {worst[1]}."
        )
    p /= total[:, :, None]
    return np.ascontiguousarray(p.transpose(2, 0, 1))[None]


def checked_limit(limit: Any, param: str) -> int:
    """Return `limit` as an int of at least 1, or raise an error that names it."""
    if isinstance(limit, bool | np.bool_) or not isinstance(limit, int | np.integer):
        raise TypeError(f"{param} must be a whole number; found {limit!r}.")
    if limit < 1:
        raise ValueError(f"{param} must be at least 1; found {limit}.")
    return int(limit)
