"""The k samples of highest score."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def top_k(scores: ArrayLike, k: int, *, reverse: bool = False) -> NDArray[np.intp]:
    r"""Choose the k samples of highest score.

    .. math::

        i_1 = \operatorname*{arg\,max}_i s_i, \qquad
        i_{j + 1} = \operatorname*{arg\,max}_{i \notin \{i_1, \dots, i_j\}} s_i

    Parameters
    ----------
    scores : array-like of shape (n,), real numbers
        One score a sample, in any unit; infinite ones count as such.
    k : int
        How many samples to choose, from 1 to n.
    reverse : bool, default=False
        Choose the k lowest scores instead, the lowest first.

    Returns
    -------
    ndarray of shape (k,), intp
        The chosen samples, the best first; of equal scores the lowest index comes first, whichever
        way `reverse` says.

    Raises
    ------
    TypeError
        If `k` is not a whole number.
    ValueError
        If `scores` is not a row of real numbers, holds NaN, or `k` is not between 1 and n.

    Notes
    -----
    Departs from the paper: none; every strategy that ranks samples by a score ends here. Finding
    the k-th score costs O(n), only the k chosen ones are sorted.

    Examples
    --------
    >>> from modal_interp.selectors.top_k import top_k
    >>> top_k([0.1, 0.7, 0.3, 0.7], 3)
    array([1, 3, 2])
    >>> top_k([0.1, 0.7, 0.3, 0.7], 3, reverse=True)
    array([0, 2, 1])
    """
    scores = _checked_scores(scores)
    k = checked_count(k, len(scores))
    place = k - 1 if reverse else len(scores) - k
    boundary = np.partition(scores, place)[place]
    better = np.flatnonzero(scores < boundary if reverse else scores > boundary)
    tied = np.flatnonzero(scores == boundary)[: k - len(better)]
    chosen = np.sort(np.concatenate([better, tied]))
    # Ranks can be negated where scores cannot: unsigned numbers, the lowest integer.
    _, rank = np.unique(scores[chosen], return_inverse=True)
    return chosen[np.argsort(rank if reverse else -rank, kind="stable")]


def checked_count(k: Any, n: int, param: str = "k") -> int:
    """Return `k` as an int from 1 to n, or raise an error that names it."""
    if isinstance(k, bool | np.bool_) or not isinstance(k, int | np.integer):
        raise TypeError(f"{param} must be a whole number; found {k!r}.")
    if not 1 <= k <= n:
        raise ValueError(f"{param} must lie between 1 and the number of samples, {n}; found {k}.")
    return int(k)


def _checked_scores(scores: ArrayLike) -> NDArray[Any]:
    scores = np.asarray(scores)
    if scores.ndim != 1 or not len(scores):
        raise ValueError(f"scores must have shape (n,), n >= 1; found shape {scores.shape}.")
    if scores.dtype.kind not in "fiub":
        raise ValueError(f"scores must be real numbers; found dtype {scores.dtype}.")
    if np.isnan(scores).any():
        raise ValueError(
            f"scores must not hold NaN; found {np.isnan(scores).sum()}, the first at index "
            f"{np.isnan(scores).argmax()}."
        )
    return scores
