"""K-center greedy: each time the sample farthest from all that are covered."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from modal_interp.selectors.nearest import candidates, distance_to
from modal_interp.selectors.top_k import checked_count

# Squares of products of two such numbers, and sums of them, are finite in double precision.
_LARGEST = 1e70
# Entries of one block of the distances to the centres given: 32 MB.
_BLOCK = 1 << 22


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

    Distances come from differences in double precision, added up in the order of the columns, so
    that equal rows are at distance zero and ties are ties. Only the distance of each sample to
    its nearest centre is kept: O((n + m) d) memory.

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
    gap = None if centers is None else _gap_to(_checked_centers(centers, Z.shape[1]), Z)
    # One column a sample: `distance_to` adds up the same way however many there are.
    samples = np.ascontiguousarray(Z.T, dtype=np.float64)
    if gap is None:
        gap = np.full(len(Z), np.finfo(np.float64).max)
        gap[_most_central(samples)] = np.inf
    chosen, distance = np.empty(k, dtype=np.intp), np.empty(k)
    for j in range(k):
        chosen[j] = i = gap.argmax()
        distance[j] = gap[i]
        np.minimum(gap, distance_to(samples, samples[:, i]), out=gap)
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
    for extreme in (points.min(), points.max()):
        if not abs(float(extreme)) <= _LARGEST:
            raise ValueError(
                f"{param} must hold finite numbers of at most {_LARGEST:g} in magnitude; found "
                f"{extreme}."
            )
    return points


def _checked_centers(centers: ArrayLike, width: int) -> NDArray[Any]:
    points = checked_points(centers, "centers")
    if points.shape[1] != width:
        raise ValueError(
            f"centers must have as many columns as Z, {width}; found shape {points.shape}."
        )
    return points


def _most_central(samples: NDArray[np.float64]) -> int:
    median = np.array([np.median(column) for column in samples])
    return int(distance_to(samples, median).argmin())


def _gap_to(centers: NDArray[Any], Z: NDArray[Any]) -> NDArray[np.float64]:
    """Return the distance of each row of `Z` to the nearest centre, a few rows at a time.

    It is the smallest of what `distance_to` gives for each centre, to the last bit.
    """
    # Once each: coinciding centres would all have to be compared exactly.
    centers = np.unique(centers, axis=0).astype(np.float64, copy=False)
    norms = np.einsum("md,md->m", centers, centers)
    gap = np.full(len(Z), np.inf)
    # A block holds rows and their differences in double precision, and distances to all centres.
    step = max(1, min(len(Z) // 8, min(_BLOCK, Z.size // 4) // len(centers)))
    for start in range(0, len(Z), step):
        block = Z[start : start + step].astype(np.float64)
        rows, found = candidates(block, centers, norms, gap[start : start + step])
        difference = (block[rows] - centers[found]).T
        distance = distance_to(difference, np.zeros(len(difference)))
        np.minimum.at(gap[start : start + step], rows, distance)
    return gap
