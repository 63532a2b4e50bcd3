"""Combinations of scores, for strategies of one's own."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata


def ranked_mean(*scores: ArrayLike) -> NDArray[np.float64]:
    r"""Return the mean over several scores of the share of samples that a sample outranks.

    .. math:: s_i = \frac{1}{m} \sum_{l=1}^{m} \frac{r_{li} - 1}{n - 1}

    Parameters
    ----------
    *scores : array-like of shape (n,), real numbers
        One or more scores of the same samples, in whatever units.

    Returns
    -------
    ndarray of shape (n,), float64
        From 0 to 1; of samples with equal scores each has the mean of their ranks :math:`r_{li}`.

    Raises
    ------
    ValueError
        If scores are missing, of several lengths, not real numbers or not finite.

    Notes
    -----
    Departs from the paper: none; the usual way to mix scores whose units differ.

    Examples
    --------
    >>> from modal_interp import ranked_mean
    >>> ranked_mean([0.1, 0.2, 0.9], [30.0, 10.0, 20.0])
    array([0.5 , 0.25, 0.75])
    """
    rows = _checked(scores)
    ranks = rankdata(rows, axis=1) - 1
    return ranks.mean(axis=0) / max(rows.shape[1] - 1, 1)


def product(*scores: ArrayLike) -> NDArray[np.float64]:
    r"""Return the product of several scores, :math:`s_i = \prod_l s_{li}`.

    Parameters
    ----------
    *scores : array-like of shape (n,), real numbers
        One or more scores of the same samples, none of them negative.

    Returns
    -------
    ndarray of shape (n,), float64
        In the product of their units.

    Raises
    ------
    ValueError
        If scores are missing, of several lengths, not real numbers, not finite or negative.

    Notes
    -----
    Departs from the paper: none; as in the information density of B. Settles and M. Craven, "An
    Analysis of Active Learning Strategies for Sequence Labeling Tasks", EMNLP 2008.

    Examples
    --------
    >>> from modal_interp import product
    >>> product([0.5, 0.2], [2.0, 4.0])
    array([1. , 0.8])
    """
    rows = _checked(scores)
    if rows.min() < 0:
        raise ValueError(
            f"scores must not be negative, because of two such the product is high; found "
            f"{rows.min():g}. Use ranked_mean, or shift them."
        )
    return rows.prod(axis=0)


def _checked(scores: tuple[Any, ...]) -> NDArray[np.float64]:
    """Return the scores as rows of a matrix, or raise an error that says what is wrong."""
    rows = [np.asarray(score) for score in scores]
    shapes = [row.shape for row in rows]
    if not rows or len(set(shapes)) > 1 or len(shapes[0]) != 1 or not shapes[0][0]:
        raise ValueError(
            f"scores must be one or more arrays of one shape (n,), n >= 1; found shapes {shapes}."
        )
    if any(row.dtype.kind not in "fiub" for row in rows):
        raise ValueError(
            f"scores must be real numbers; found dtypes {[str(row.dtype) for row in rows]}."
        )
    matrix = np.stack(rows).astype(np.float64)
    if not np.isfinite(matrix).all():
        raise ValueError(
            f"scores must be finite; found {int((~np.isfinite(matrix)).sum())} others."
        )
    return matrix
