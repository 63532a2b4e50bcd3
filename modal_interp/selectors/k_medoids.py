"""K-medoids: the samples that lie most centrally in their clusters."""

from __future__ import annotations

import warnings
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.random import RandomState
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import ConvergenceWarning

from modal_interp._seeding import generator
from modal_interp.selectors.distances import Distances
from modal_interp.selectors.farthest_first import checked_points, farthest_first
from modal_interp.selectors.fasterpam import Swaps
from modal_interp.selectors.kmeans_pp import kmeans_pp
from modal_interp.selectors.nearest import Indices, nearest_rows
from modal_interp.selectors.top_k import checked_count

Floats = NDArray[np.float64]


class KMedoids(NamedTuple):
    """Medoids and their clusters, the largest cluster first.

    Attributes
    ----------
    medoids : ndarray of shape (k,), intp
        Rows of Z; of equally large clusters the lower row first.
    labels : ndarray of shape (n,), intp
        For each row of Z the place of its medoid in `medoids`.
    inertia : float
        The sum of the distances to the medoids, in the unit of Z.
    n_swaps : int
        Made by FasterPAM.
    converged : bool
        Whether it ended because no more would help.

    Notes
    -----
    What :func:`k_medoids` returns.

    Departs from the paper: none; it departs where :func:`k_medoids` does.
    """

    medoids: Indices
    labels: Indices
    inertia: float
    n_swaps: int
    converged: bool


def k_medoids(
    Z: ArrayLike,
    k: int,
    *,
    clustering: Literal["fasterpam", "alternate", "kcenter"] = "fasterpam",
    init: Literal["k-means++"] | ArrayLike = "k-means++",
    max_iter: int = 100,
    device: Any = None,
    random_state: int | RandomState | None = None,
    verbose: int = 0,
) -> KMedoids:
    r"""Choose the k samples to which all samples are nearest in sum.

    .. math::

        \operatorname*{arg\,min}_{M \subset \{1, \dots, n\},\, |M| = k} \;
        \sum_{i=1}^{n} \min_{m \in M} \lVert z_i - z_m \rVert

    Parameters
    ----------
    Z : array-like of shape (n, d), real numbers
        Representations of the samples, in any unit.
    k : int
        How many medoids to choose, from 1 to n.
    clustering : {"fasterpam", "alternate", "kcenter"}, default="fasterpam"
        Swap medoids while the sum falls [1]_; form clusters and choose the best sample of each in
        turn [2]_, by scikit-learn-extra with an (n, n) matrix; or choose by `farthest_first`,
        which minimises the largest distance instead of the sum.
    init : "k-means++" or array of shape (k,), default="k-means++"
        The medoids to start from: drawn by `kmeans_pp`, or these rows. "kcenter" uses none.
    max_iter : int, default=100
        The most passes over the samples.
    device : str or torch.device, optional
        Where "fasterpam" multiplies matrices, such as "cuda": in double precision, so that the
        medoids are the same. Without it, NumPy does.
    random_state : int, RandomState or None
        Seeds the start and the order in which "fasterpam" looks at the samples.
    verbose : int, default=0
        Greater than 0 prints a line after each pass of "fasterpam".

    Returns
    -------
    KMedoids
        ``medoids`` (k,), ``labels`` (n,), ``inertia`` (the sum, in the unit of `Z`), ``n_swaps``
        and ``converged``. Of equal rows the lowest is a medoid; where fewer than k differ, the
        lowest others fill up. A medoid is in its own cluster, any other row in that of the
        nearest medoid, of equally near ones the lowest row.

    Raises
    ------
    ImportError
        If ``clustering="alternate"`` and scikit-learn-extra does not import.
    TypeError, ValueError
        If a parameter is not as described above; `Z` must hold finite numbers.

    Notes
    -----
    FasterPAM [1]_ makes a swap as soon as one improves. With :math:`d_n(o)` the distance of o from
    its nearest medoid n(o), and :math:`d_s(o)` from its second-nearest, sample c in the place of
    medoid m changes the sum by

    .. math::

        \sum_{n(o) = m} d_s(o) - d_n(o) \; + \sum_{d(o, c) < d_n(o)} d(o, c) - d_n(o) \; +
        \sum_{n(o) = m,\, d(o, c) < d_s(o)} \max(d(o, c), d_n(o)) - d_s(o)

    The first is the paper's :math:`\Delta TD^{-m}`, the second its :math:`\Delta TD^{+c}`. The
    search ends when a pass over all samples brings no swap: then no single swap improves the sum.

    Departs from the paper: k-means++ draws the start; samples are looked at in a random order, in
    case theirs has a meaning; equal rows count as one of their number; a swap must lower the sum
    by more than rounding can; distances are computed anew, so that no (n, n) matrix is held,
    and by a few columns where these hold all rows but for the rounding of single precision.

    References
    ----------
    .. [1] E. Schubert and P. J. Rousseeuw. Fast and eager k-medoids clustering: O(k) runtime
       improvement of the PAM, CLARA, and CLARANS algorithms. Information Systems 101, 2021.
    .. [2] H.-S. Park and C.-H. Jun. A simple and fast algorithm for K-medoids clustering. Expert
       Systems with Applications 36, 2009.

    Examples
    --------
    >>> from modal_interp.selectors.k_medoids import k_medoids
    >>> found = k_medoids([[0.0], [1.0], [2.0], [3.0], [4.0], [7.0], [8.0], [9.0]], 2)
    >>> found.medoids, found.labels, found.inertia
    (array([2, 6]), array([0, 0, 0, 0, 0, 1, 1, 1]), 8.0)
    """
    check_clustering(clustering)
    if not isinstance(max_iter, int | np.integer) or max_iter < 1:
        raise ValueError(f"max_iter must be a whole number from 1; found {max_iter!r}.")
    points = checked_points(Z).astype(np.float64)
    k = checked_count(k, len(points))
    centred = points - np.median(points, axis=0)  # there products give distances most exactly
    if clustering == "kcenter":
        return _clusters(centred, farthest_first(points, k)[0], 0, True)
    rng = generator(random_state)
    start = _start(points, k, init, rng)
    if clustering == "alternate":
        return _clusters(centred, *_alternate(points, start, max_iter))
    return _clusters(centred, *_fasterpam(points, centred, start, max_iter, rng, device, verbose))


def clusters_of(Z: ArrayLike, medoids: Indices) -> KMedoids:
    """Return the clusters of given medoids, as :func:`k_medoids` forms them.

    Parameters
    ----------
    Z : array-like of shape (n, d), real numbers
        Representations of the samples.
    medoids : ndarray of shape (k,), intp
        Distinct rows of `Z`, in any order.
    """
    points = checked_points(Z).astype(np.float64)
    return _clusters(points - np.median(points, axis=0), np.asarray(medoids), 0, True)


def _start(points: Floats, k: int, init: ArrayLike, rng: RandomState) -> Indices:
    if isinstance(init, str) and init == "k-means++":
        return kmeans_pp(points, k, random_state=rng)
    start, n = np.asarray(init), len(points)
    whole = start.dtype.kind in "iu" and start.shape == (k,)
    if not whole or len(np.intersect1d(start, np.arange(n))) < k:
        rule = f"'k-means++' or {k} distinct whole numbers from 0 to {n - 1}"
        raise ValueError(f"init must be {rule}; found {init!r}.")
    return start.astype(np.intp)


def _filled(chosen: Indices, k: int, n: int) -> Indices:
    """Return k distinct rows in rising order: the chosen ones, and the lowest others."""
    chosen = np.unique(chosen)
    return np.union1d(chosen, np.setdiff1d(np.arange(n), chosen)[: k - len(chosen)])


def _clusters(points: Floats, medoids: Indices, n_swaps: int, converged: bool) -> KMedoids:
    """Give each row, near zero, to its medoid, and put the medoids of large clusters first."""
    medoids = np.sort(medoids)
    # Of medoids that coincide the first gathers the rows.
    first = np.sort(np.unique(points[medoids], axis=0, return_index=True)[1])
    _, nearest, squared = nearest_rows(points, points[medoids[first]])
    labels = first[nearest]
    labels[medoids] = np.arange(len(medoids))
    order = np.argsort(-np.bincount(labels), kind="stable")
    inertia = float(np.sqrt(squared).sum())
    return KMedoids(medoids[order], np.argsort(order)[labels], inertia, n_swaps, converged)


def check_clustering(clustering: str) -> None:
    """Check that this way of clustering is known, and installed.

    Raises
    ------
    ImportError, ValueError
        With the line that installs it, or naming those that are known.
    """
    if clustering not in ("fasterpam", "alternate", "kcenter"):
        raise ValueError(
            f"clustering must be 'fasterpam', 'alternate' or 'kcenter'; found {clustering!r}."
        )
    if clustering == "alternate":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of its age on import
            _alternate_search()


def _alternate_search() -> Any:
    try:
        from sklearn_extra.cluster import KMedoids as AlternateKMedoids
    except (ImportError, ValueError) as error:  # ValueError: built for another numpy
        install = "pip install 'modal-interp[sklearn-extra]'"
        raise ImportError(f"clustering='alternate' needs {install} ({error}).") from error
    return AlternateKMedoids


def _alternate(points: Floats, start: Indices, max_iter: int) -> tuple[Indices, int, bool]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        search = _alternate_search()(len(start), method="alternate", max_iter=max_iter)
        # As `init` it would take coordinates, and every row that has them.
        search._initialize_medoids = lambda *_: start.copy()
        search.fit(points)
    converged = ConvergenceWarning not in [warning.category for warning in caught]
    return _filled(search.medoid_indices_, len(start), len(points)), 0, converged


def _fasterpam(
    points: Floats,
    centred: Floats,
    start: Indices,
    max_iter: int,
    rng: RandomState,
    device: Any,
    verbose: int,
) -> tuple[Indices, int, bool]:
    _, lowest, inverse, counts = np.unique(
        points, axis=0, return_index=True, return_inverse=True, return_counts=True
    )
    k, n, n_swaps, converged = len(start), len(lowest), 0, True
    medoids = _filled(inverse.reshape(-1)[start], min(k, n), n)
    if k < n:
        search = Swaps(Distances(centred[lowest], device), counts.astype(np.float64), medoids)
        n_swaps, converged = search.run(rng.permutation(n), max_iter, verbose)
        medoids = search.medoids
    return _filled(lowest[medoids], k, len(points)), n_swaps, converged
