"""k-means++ seeding, on representations that are products of two factors."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.random import RandomState
from numpy.typing import ArrayLike, NDArray

from modal_interp._seeding import generator
from modal_interp.selectors.farthest_first import checked_points
from modal_interp.selectors.top_k import checked_count

# Representations are outer products of the rows of A (n, C) and H (n, H), several side by side.
Factors: TypeAlias = list[tuple[NDArray[Any], NDArray[Any]]]

# A squared distance below this share of the squared norms is computed from differences.
_CLOSE = 1e-3
# Entries of a block of samples in double precision: 512 KB, which a core's cache holds.
_BLOCK = 1 << 16


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
        Seeds the draws. None draws anew each time; the global generator is never used.

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
    index. Products in the precision of the factors tell which samples a drawn one may be nearest
    to, their rounding error allowed for; only these are computed in double precision. Their
    squared distance is in error by at most :math:`8 (C + H + 8) \epsilon (\lVert g_i \rVert^2 +
    \lVert g_c \rVert^2)`, and is exactly zero between equal rows.

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
    norms = _norms(factors)
    n = len(norms)
    k = checked_count(k, n)
    rng = generator(random_state)
    chosen = np.empty(k, dtype=np.intp)
    nearest, left = np.full(n, np.inf), np.ones(n)
    for j in range(k):
        weights = nearest if 0 < nearest.max() < np.inf else left
        chosen[j] = c = _draw(weights, rng)
        _bring_nearer(nearest, factors, norms, c)
        nearest[c] = left[c] = 0.0
    return chosen


def distances_of_products(factors: Factors, rows: NDArray[np.intp], c: int) -> NDArray[np.float64]:
    """Return the distances of some representations, given by their factors, from that of row c."""
    return np.sqrt(_squared_distances(factors, _norms(factors), rows, c))


def _norms(factors: Factors) -> NDArray[np.float64]:
    """Return the squared length of each representation."""
    return np.sum([_squared_norms(A) * _squared_norms(H) for A, H in factors], axis=0)


def _draw(weights: NDArray[np.float64], rng: RandomState) -> int:
    """Draw an index in proportion to the weights, not one of weight zero."""
    cumulative = np.cumsum(weights)
    drawn = np.searchsorted(cumulative, rng.random_sample() * cumulative[-1], side="right")
    # The product can round up to the sum itself.
    return int(min(drawn, np.searchsorted(cumulative, cumulative[-1])))


def _factors(Z: Any) -> Factors:
    """Return the representations as factors, or raise an error."""
    if isinstance(Z, tuple):
        Z = [Z]
    if not (isinstance(Z, list) and Z and all(isinstance(pair, tuple) for pair in Z)):
        points = _floats(checked_points(Z))
        return [(np.ones((len(points), 1)), points)]
    for pair in Z:
        if len(pair) != 2:
            raise ValueError(f"Z must hold pairs of factors; found a tuple of {len(pair)} arrays.")
    matrices = [tuple(checked_points(factor, "each factor in Z") for factor in pair) for pair in Z]
    sizes = sorted({len(matrix) for pair in matrices for matrix in pair})
    if len(sizes) > 1:
        raise ValueError(f"the factors in Z must have equally many rows; found {sizes}.")
    return [(_floats(A), _floats(H)) for A, H in matrices]


def _floats(points: NDArray[Any]) -> NDArray[Any]:
    """Return single precision as it is where no squares overflow or underflow; else double."""
    if points.dtype == np.float32:
        smallest, norms = np.finfo(np.float32).tiny, np.einsum("nd,nd->n", points, points)
        normal = norms[(norms != 0) | points.any(axis=1)] > smallest / np.finfo(np.float32).eps
        if normal.all() and norms.max() < 1 / smallest:
            return points
    return points.astype(np.float64, copy=False)


def _squared_norms(points: NDArray[Any]) -> NDArray[np.float64]:
    """Return the squared length of each row, in double precision a few rows at a time."""
    norms = np.empty(len(points))
    for start in range(0, len(points), size := max(1, _BLOCK // points.shape[1])):
        block = points[start : start + size].astype(np.float64, copy=False)
        norms[start : start + size] = np.einsum("nd,nd->n", block, block)
    return norms


def _bring_nearer(
    nearest: NDArray[np.float64], factors: Factors, norms: NDArray[np.float64], c: int
) -> None:
    """Lower the squared distances of the samples that sample c is nearer to than all so far."""
    both = norms + norms[c]
    least = both.copy()  # of the squared distance
    for A, H in factors:
        # Single precision can hold either product where it cannot hold that of both.
        least -= 2 * (A @ A[c]).astype(np.float64) * (H @ H[c])
    widths = sum(A.shape[1] + H.shape[1] + 8 for A, H in factors)
    coarse = max(np.finfo(M.dtype).eps for pair in factors for M in pair)
    least -= 4 * widths * coarse * both
    rows = np.flatnonzero(least < nearest)
    size = max(1, _BLOCK // max(M.shape[1] for pair in factors for M in pair))
    for start in range(0, len(rows), size):
        block = rows[start : start + size]
        squared = _squared_distances(factors, norms, block, c)
        nearest[block] = np.minimum(nearest[block], squared)


def _squared_distances(
    factors: Factors, norms: NDArray[np.float64], rows: NDArray[np.intp], c: int
) -> NDArray[np.float64]:
    """Return the squared distances of these samples from sample c."""
    pairs = [(_with_center(A, rows, c), _with_center(H, rows, c)) for A, H in factors]
    both = norms[rows] + norms[c]
    squared = both - sum(2 * (A[:-1] @ A[-1]) * (H[:-1] @ H[-1]) for A, H in pairs)
    close = np.flatnonzero(squared <= _CLOSE * both)
    squared[close] = sum(
        _squared_difference(*_balanced(A[[*close, -1]], H[[*close, -1]])) for A, H in pairs
    )
    return np.maximum(squared, 0.0)


def _with_center(points: NDArray[Any], rows: NDArray[np.intp], c: int) -> NDArray[np.float64]:
    """Return these rows in double precision, and behind them row c."""
    return points[np.append(rows, c)].astype(np.float64, copy=False)


def _balanced(A: NDArray[Any], H: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Scale the rows so that both factors of a product are of like norm, or zero if either is.

    Differences of the factors are then no larger than the norm of the product allows. Powers of
    two scale without rounding.
    """
    a, h = (np.sqrt(np.einsum("nd,nd->n", M, M)) for M in (A, H))
    zero = (a == 0) | (h == 0)
    a[zero] = h[zero] = 1.0
    scale = np.exp2(np.round(np.log2(h / a) / 2))
    return A * np.where(zero, 0.0, scale)[:, None], H * np.where(zero, 0.0, 1 / scale)[:, None]


def _squared_difference(A: NDArray[np.float64], H: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return |a h' - a_c h_c'|^2 of each row and the last, the sample c.

    As a h' - a_c h_c' = (a - a_c) h' + a_c (h - h_c)': where the samples are alike every term is
    small, so nothing is lost to cancellation.
    """
    center, rows = A[-1], H[:-1]
    a, h = A[:-1] - A[-1], H[:-1] - H[-1]
    first = np.einsum("nc,nc->n", a, a) * np.einsum("nh,nh->n", rows, rows)
    second = (center @ center) * np.einsum("nh,nh->n", h, h)
    both = (a @ center) * np.einsum("nh,nh->n", rows, h)
    return first + second + 2 * both
