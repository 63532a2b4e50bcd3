"""k-means++ seeding, on representations that are products of two factors."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.random import RandomState
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state

from modal_interp.selectors.farthest_first import checked_points
from modal_interp.selectors.top_k import checked_count

# Representations are outer products of the rows of A (n, C) and H (n, H), several side by side.
Factors: TypeAlias = list[tuple[NDArray[np.float64], NDArray[np.float64]]]

# A squared distance below this share of the squared norms is computed from differences.
_CLOSE = 1e-3
# Rows of one block of differences.
_ROWS = 256


def kmeans_pp(
    Z: ArrayLike | tuple[ArrayLike, ArrayLike] | list[tuple[ArrayLike, ArrayLike]],
    k: int,
    *,
    random_state: int | RandomState | None = None,
) -> NDArray[np.intp]:
    r"""Draw k samples, each with a chance in proportion to its squared distance from the others.

    .. math::

        P(i) = \frac{D^2(i)}{\sum_j D^2(j)}, \qquad
        D(i) = \min_{c \in \mathcal{C}} \lVert g_i - g_c \rVert, \qquad
        \langle g_i, g_c \rangle = \langle a_i, a_c \rangle \langle h_i, h_c \rangle

    where :math:`\mathcal{C}` are the samples drawn so far and :math:`g_i = a_i \otimes h_i`, which
    is never built.

    Parameters
    ----------
    Z : array-like of shape (n, d), or tuple of arrays (n, C) and (n, H), or list of such tuples
        Representations in any unit: g itself, or its factors a and h. The products of a list
        stand side by side: their squared distances add up.
    k : int
        How many samples to draw, from 1 to n.
    random_state : int, RandomState or None
        Seeds the draws. The global generator is used only with None.

    Returns
    -------
    ndarray of shape (k,), intp
        The samples in the order they were drawn, no index twice.

    Raises
    ------
    TypeError
        If `k` is not a whole number.
    ValueError
        If `Z` is not made of matrices of finite real numbers with one row a sample, or `k` is not
        between 1 and n.

    Notes
    -----
    Arthur and Vassilvitskii [1]_, section 2.2, steps 1a to 1c, as Ash et al. [2]_ use it in
    Algorithm 1.

    Departs from the paper: none. The first sample has equal chances, as in the papers (the code
    of [2]_ starts with the largest norm instead). Where all that is left coincides with samples
    drawn, which the papers do not treat, the next one has equal chances too.

    Each draw takes one uniform number, and the cumulative sum of :math:`D^2` turns it into an
    index. A squared distance is in error by at most :math:`8 (C + H + 8) \epsilon (\lVert g_i
    \rVert^2 + \lVert g_c \rVert^2)`, and is exactly zero between equal rows.

    References
    ----------
    .. [1] D. Arthur and S. Vassilvitskii. k-means++: the advantages of careful seeding. SODA 2007.
    .. [2] J. T. Ash, C. Zhang, A. Krishnamurthy, J. Langford and A. Agarwal. Deep batch active
       learning by diverse, uncertain gradient lower bounds. ICLR 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from modal_interp.selectors.kmeans_pp import kmeans_pp
    >>> Z = np.array([[0.0, 0.0], [0.0, 0.0], [5.0, 5.0]])
    >>> sorted(kmeans_pp(Z, 2, random_state=0).tolist())
    [1, 2]
    """
    factors = _factors(Z)
    n = len(factors[0][0])
    k = checked_count(k, n)
    rng = check_random_state(random_state)
    norms = sum(np.einsum("nc,nc->n", A, A) * np.einsum("nh,nh->n", H, H) for A, H in factors)
    chosen = np.empty(k, dtype=np.intp)
    nearest, left = np.full(n, np.inf), np.ones(n)
    for j in range(k):
        weights = nearest if 0 < nearest.max() < np.inf else left
        chosen[j] = c = _draw(weights, rng)
        np.minimum(nearest, _squared_distances(factors, norms, c), out=nearest)
        nearest[c] = left[c] = 0.0
    return chosen


def _draw(weights: NDArray[np.float64], rng: RandomState) -> int:
    """Draw an index in proportion to the weights, not one of weight zero."""
    cumulative = np.cumsum(weights)
    drawn = np.searchsorted(cumulative, rng.random_sample() * cumulative[-1], side="right")
    # The product can round up to the sum itself.
    return int(min(drawn, np.searchsorted(cumulative, cumulative[-1])))


def _factors(Z: Any) -> Factors:
    """Return the representations as factors in double precision, or raise an error."""
    if isinstance(Z, tuple):
        Z = [Z]
    if not (isinstance(Z, list) and Z and all(isinstance(pair, tuple) for pair in Z)):
        points = checked_points(Z)
        return [(np.ones((len(points), 1)), points.astype(np.float64, copy=False))]
    for pair in Z:
        if len(pair) != 2:
            raise ValueError(f"Z must hold pairs of factors; found a tuple of {len(pair)} arrays.")
    matrices = [tuple(checked_points(factor, "each factor in Z") for factor in pair) for pair in Z]
    sizes = sorted({len(matrix) for pair in matrices for matrix in pair})
    if len(sizes) > 1:
        raise ValueError(f"the factors in Z must have equally many rows; found {sizes}.")
    return [_balanced(A, H) for A, H in matrices]


def _balanced(A: NDArray[Any], H: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Scale the rows so that both factors of a product are of like norm, or zero if either is.

    Differences of the factors are then no larger than the norm of the product allows. Powers of
    two scale without rounding.
    """
    a, h = (
        np.sqrt(np.einsum("nd,nd->n", M, M, dtype=np.float64, casting="same_kind")) for M in (A, H)
    )
    zero = (a == 0) | (h == 0)
    a[zero] = h[zero] = 1.0
    scale = np.exp2(np.round(np.log2(h / a) / 2))
    return A * np.where(zero, 0.0, scale)[:, None], H * np.where(zero, 0.0, 1 / scale)[:, None]


def _squared_distances(factors: Factors, norms: NDArray[np.float64], c: int) -> NDArray[np.float64]:
    """Return the squared distance of each sample from sample c."""
    squared = norms + norms[c]
    close = _CLOSE * squared
    for A, H in factors:
        squared -= 2 * (A @ A[c]) * (H @ H[c])
    rows = np.flatnonzero(squared <= close)
    for start in range(0, len(rows), _ROWS):
        block = rows[start : start + _ROWS]
        squared[block] = sum(_squared_difference(A, H, block, c) for A, H in factors)
    return np.maximum(squared, 0.0)


def _squared_difference(
    A: NDArray[np.float64], H: NDArray[np.float64], rows: NDArray[np.intp], c: int
) -> NDArray[np.float64]:
    """Return |a h' - a_c h_c'|^2, as a h' - a_c h_c' = (a - a_c) h' + a_c (h - h_c)'.

    Where the samples are alike every term is small, so nothing is lost to cancellation.
    """
    a, h = A[rows] - A[c], H[rows] - H[c]
    first = np.einsum("nc,nc->n", a, a) * np.einsum("nh,nh->n", H[rows], H[rows])
    second = (A[c] @ A[c]) * np.einsum("nh,nh->n", h, h)
    both = (a @ A[c]) * np.einsum("nh,nh->n", H[rows], h)
    return first + second + 2 * both
