"""K-center greedy: each time the sample farthest from all that are covered."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from modal_interp.selectors.nearest import (
    LARGEST_SINGLE,
    Indices,
    References,
    lengths,
    rounding,
    smallest,
    squared_norms,
)
from modal_interp.selectors.top_k import checked_count

# Squares of products of two such numbers, and sums of them, are finite in double precision.
_LARGEST = 1e70
# Farther than any two such samples, and its square finite.
_FAR = 1e150
# Entries of a block of samples in double precision: 512 KB, which a core's cache holds.
_BLOCK = 1 << 16


def farthest_first(
    Z: ArrayLike, k: int, *, centers: ArrayLike | None = None
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    r"""Choose k samples, each time the one farthest from its nearest centre.

    .. math::

        i^* = \operatorname*{arg\,max}_{i} \; \min_{j \in \mathcal{C}} \lVert z_i - z_j \rVert,
        \qquad \mathcal{C} \leftarrow \mathcal{C} \cup \{i^*\}

    Parameters
    ----------
    Z : array-like of shape (n, d), real numbers
        Representations of the samples to choose from, in any unit.
    k : int
        How many samples to choose, from 1 to n.
    centers : array-like of shape (m, d), optional
        What is covered already: the representations of the labelled samples. Without them the
        first choice is the sample nearest to the coordinatewise median of `Z`.

    Returns
    -------
    chosen : ndarray of shape (k,), intp
        The samples in the order of choice; of equally far ones the lowest index.
    distance : ndarray of shape (k,), float64
        The Euclidean distance of each from its nearest centre when it was chosen, in the unit of
        `Z`; infinite for the first where there were no centres.

    Raises
    ------
    TypeError
        If `k` is not a whole number.
    ValueError
        If `Z` or `centers` is not a matrix of finite real numbers, their widths differ, or `k` is
        not between 1 and n.

    Notes
    -----
    Sener and Savarese [1]_, Algorithm 1, the greedy of Gonzalez [2]_. The largest distance left
    is at most twice the smallest that any k samples could leave.

    Departs from the paper: in the start without centres, which the paper leaves open. The median
    does not follow outliers, and not the order of the samples.

    Products in single precision tell which samples a new centre may be nearest to, their rounding
    error allowed for. Their distances come from differences in double precision, added
    up in the order of the columns, so that equal rows are at distance zero and ties are ties. Only
    the distance of each sample to its nearest centre is kept: O(n + m) memory beside `Z` in single
    precision.

    References
    ----------
    .. [1] O. Sener and S. Savarese. Active learning for convolutional neural networks: a core-set
       approach. ICLR 2018.
    .. [2] T. F. Gonzalez. Clustering to minimize the maximum intercluster distance. Theoretical
       Computer Science 38, 1985.

    Examples
    --------
    >>> import numpy as np
    >>> from modal_interp.selectors.farthest_first import farthest_first
    >>> Z = np.array([[0.0], [1.0], [5.0], [9.0]])
    >>> chosen, distance = farthest_first(Z, 2, centers=[[0.0]])
    >>> chosen, distance
    (array([3, 2]), array([9., 4.]))
    """
    Z = checked_points(Z)
    k = checked_count(k, len(Z))
    parts = [Z] if centers is None else [Z, _checked_centers(centers, Z)]
    # Numbers whose squares overflow in single precision are multiplied in double.
    dtype = np.float32 if max(map(_largest, parts)) < LARGEST_SINGLE else np.float64
    points: NDArray[Any] = Z.astype(dtype, copy=False)
    norms = squared_norms(points)
    gap = _start(Z) if centers is None else _gap_to(parts[1], Z, points, norms)
    chosen, distance = np.empty(k, dtype=np.intp), np.empty(k)
    for j in range(k):
        chosen[j] = i = int(gap.argmax())
        distance[j] = gap[i]
        _bring_nearer(gap, Z, points, norms, i)
        gap[i] = -1.0  # nearer than a sample that coincides with a centre: never chosen again
    return chosen, distance


def checked_points(Z: ArrayLike, param: str = "Z") -> NDArray[Any]:
    """Return `Z` as a matrix of finite real numbers, or raise an error that names it."""
    points = np.asarray(Z)
    if points.ndim != 2 or 0 in points.shape:
        raise ValueError(
            f"{param} must have shape (n, d), one row a sample; found shape {points.shape}."
        )
    if points.dtype.kind not in "fiub":
        raise ValueError(f"{param} must hold real numbers; found dtype {points.dtype}.")
    if not _largest(points) <= _LARGEST:
        raise ValueError(
            f"{param} must hold finite numbers of at most {_LARGEST:g} in magnitude; found "
            f"{points.flat[np.abs(points).argmax()]}."
        )
    return points


def _largest(points: NDArray[Any]) -> float:
    """Return the largest magnitude; NaN where there is one."""
    return float(np.maximum(abs(float(points.min())), abs(float(points.max()))))


def _checked_centers(centers: ArrayLike, Z: NDArray[Any]) -> NDArray[Any]:
    points = checked_points(centers, "centers")
    if points.shape[1] != Z.shape[1]:
        raise ValueError(
            f"centers must have as many columns as Z, {Z.shape[1]}; found shape {points.shape}."
        )
    return points


def _start(points: NDArray[Any]) -> NDArray[np.float64]:
    """Return gaps by which the sample nearest to the median comes first, and all else is far."""
    median = np.array([np.median(column.astype(np.float64)) for column in points.T])
    distance = np.empty(len(points))
    for rows in _blocks(np.arange(len(points)), points):
        distance[rows] = lengths(_columns(points, rows) - median[:, None])
    gap = np.full(len(points), _FAR)
    gap[distance.argmin()] = np.inf
    return gap


def _bring_nearer(
    gap: NDArray[np.float64], Z: NDArray[Any], points: NDArray[Any], norms: NDArray[Any], i: int
) -> None:
    """Lower the gaps of the samples that sample i is nearer to than all centres so far."""
    center = Z[i].astype(np.float64)[:, None]
    both = norms + norms[i]
    least = both - 2 * (points @ points[i]) - rounding(points) * both  # of the squared distance
    least -= smallest(points)
    for rows in _blocks(np.flatnonzero(least < gap * gap), Z):
        gap[rows] = np.minimum(gap[rows], lengths(_columns(Z, rows) - center))


def _gap_to(
    centers: NDArray[Any], Z: NDArray[Any], points: NDArray[Any], norms: NDArray[Any]
) -> NDArray[np.float64]:
    """Return the distance of each sample to the nearest centre, a few samples at a time.

    It is the smallest of what `lengths` gives for each centre, to the last bit.
    """
    # Once each: coinciding centres would all have to be compared exactly.
    centers = np.unique(centers, axis=0)
    search = References(centers.astype(points.dtype, copy=False))
    step = max(1, min(search.block_rows, points.size // 8 // len(centers)))
    gap = np.full(len(Z), np.inf)
    for start in range(0, len(Z), step):
        block = slice(start, start + step)
        rows, found = search.candidates(points[block], norms[block], gap[block])
        for pairs in _blocks(np.arange(len(rows)), Z):
            difference = _columns(Z[block], rows[pairs]) - _columns(centers, found[pairs])
            np.minimum.at(gap[block], rows[pairs], lengths(difference))
    return gap


def _blocks(rows: Indices, points: NDArray[Any]) -> list[Indices]:
    """Split rows so that a block of them takes little memory in double precision."""
    size = max(1, _BLOCK // points.shape[1])
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def _columns(points: NDArray[Any], rows: Indices) -> NDArray[np.float64]:
    """Return these rows in double precision, one column a sample."""
    return np.ascontiguousarray(points[rows].T, dtype=np.float64)
