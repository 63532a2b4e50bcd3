"""Strategies against each other: shares of points won, and tests across seeds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import rankdata

from modal_interp.experiments.analysis.frames import Floats, check_results, chosen_strategies

# Differences this far below the scores are rounding: they count as none, and as equal ranks.
_DECIMALS = 12


@dataclass(frozen=True, eq=False)
class WinMatrix:
    """What `win_matrix` found: frames of shape (strategies, strategies), diagonals NaN.

    Parameters
    ----------
    shares : DataFrame of float
        Share of the curve points, 0 to 1, at which the row's strategy beats the column's.
    p_values : DataFrame of float
        Holm-corrected two-sided p-values, symmetric.
    differences : DataFrame of float
        Mean over seeds of the mean difference of scores, row less column, in units of the score.
    n_seeds : DataFrame of int
        Seeds in which the two have points in common; on the diagonal the strategy's own.

    Notes
    -----
    Departs from the paper: none; a record.

    Examples
    --------
    See `win_matrix`.
    """

    shares: pd.DataFrame
    p_values: pd.DataFrame
    differences: pd.DataFrame
    n_seeds: pd.DataFrame


def win_matrix(
    results: pd.DataFrame | Iterable[pd.DataFrame], *, strategies: Iterable[str] | None = None
) -> WinMatrix:
    r"""Return how often each strategy beats each other one along the curve, with a paired test.

    .. math:: W_{ab} = \frac{1}{|P_{ab}|} \sum_{(k, r) \in P_{ab}} [s_{akr} > s_{bkr}]

    where :math:`P_{ab}` are the points (seed k, round r >= 1) that both curves have. The test takes
    the mean difference of each seed, :math:`d_k = \mathrm{mean}_r (s_{akr} - s_{bkr})`, and asks
    by Wilcoxon's signed ranks whether they lie around 0.

    Parameters
    ----------
    results : DataFrame or iterable of DataFrames
        An experiment's frame with ``strategy``, ``seed``, ``round``, ``n_labeled`` and ``score``;
        or those of several experiments (data sets, models), whose points are pooled.
    strategies : iterable of str, optional
        Those to compare, in this order; otherwise all, by alphabet. The correction is for the
        pairs of these.

    Returns
    -------
    WinMatrix
        ``shares``, ``p_values``, ``differences`` and ``n_seeds``, each of shape (strategies,
        strategies). NaN where two strategies have no points in common; ``p_values`` also where
        they have less than two seeds in common.

    Raises
    ------
    TypeError
        If `results` holds something else than DataFrames.
    ValueError
        If columns are missing or hold wrong values, there is no frame, or `strategies` names one
        that is not there.

    Notes
    -----
    A tie counts for neither, so two opposite shares sum to at most 1. Round 0 is left out: all
    strategies of a seed share it. An unfinished curve counts as far as it goes.

    The test is exact, with ties, and leaves out seeds without a difference; if none has one, p is
    1. With n seeds p is at least :math:`2^{1 - n}`: 0.0625 with 5, so that no difference is
    significant at 0.05, and 0.002 with 10. Holm's method multiplies the smallest p by the number
    of pairs: of 6 strategies (15 pairs) significance at 0.05 takes 10 seeds. Seeds of one data
    set are splits of the same samples: the test speaks of that data set. Of pooled experiments a
    seed counts once, with the mean of its differences: two nets share the split of a seed, and
    are not two independent observations.

    Departs from the paper: DAMI (figures 5 and 7) says neither how ties count nor whether the seed
    set does, and has no test; the test is added.

    Examples
    --------
    >>> import pandas as pd
    >>> from modal_interp.experiments import win_matrix
    >>> results = pd.DataFrame({
    ...     "strategy": ["badge"] * 3 + ["random_sampling"] * 3, "seed": [0] * 6,
    ...     "round": [0, 1, 2] * 2, "n_labeled": [20, 40, 60] * 2,
    ...     "score": [0.5, 0.75, 1.0, 0.5, 0.5, 1.0]})
    >>> win_matrix(results).shares
    strategy         badge  random_sampling
    strategy
    badge              NaN              0.5
    random_sampling    0.0              NaN
    """
    scores = _points(results, strategies)
    names = scores.columns
    shares, p_values, differences = np.full((3, len(names), len(names)), np.nan)
    own = [len(_of_seeds(scores[name].dropna())) for name in names]
    n_seeds = np.diag(np.array(own, dtype=np.int64))
    # A rank does not see the unit; an experiment that scores nothing but 0 has no difference.
    unit = np.nanmax(np.abs(scores.to_numpy()), initial=0.0) or 1.0
    pairs = list(combinations(range(len(names)), 2))
    found = np.full(len(pairs), np.nan)
    for pair, (a, b) in enumerate(pairs):
        points = (scores.iloc[:, a] - scores.iloc[:, b]).dropna()
        if not len(points):
            continue
        shares[a, b], shares[b, a] = (points > 0).mean(), (points < 0).mean()
        of_seeds = _of_seeds(points)
        differences[a, b], differences[b, a] = of_seeds.mean(), -of_seeds.mean()
        n_seeds[a, b] = n_seeds[b, a] = len(of_seeds)
        if len(of_seeds) > 1:
            found[pair] = signed_rank_test(np.round(of_seeds / unit, _DECIMALS))
    for (a, b), p in zip(pairs, holm(found), strict=True):
        p_values[a, b] = p_values[b, a] = p
    matrices = (shares, p_values, differences, n_seeds)
    return WinMatrix(*(pd.DataFrame(matrix, names, names) for matrix in matrices))


def signed_rank_test(differences: ArrayLike) -> float:
    r"""Return the exact two-sided p-value of Wilcoxon's signed-rank test.

    The sum of the ranks of positive differences is compared with its distribution when each of
    the differences may have either sign, with ties as they are. Zeros are left out.

    Parameters
    ----------
    differences : array-like of shape (n,), float

    Returns
    -------
    float
        1 where no difference is left.

    Notes
    -----
    Departs from the paper: none; F. Wilcoxon, "Individual Comparisons by Ranking Methods", 1945.
    Approximations, which library functions resort to with ties or zeros, mislead for few seeds.

    Examples
    --------
    >>> from modal_interp.experiments.analysis.comparisons import signed_rank_test
    >>> signed_rank_test([0.1, 0.2, 0.3, 0.4, 0.5])
    0.0625
    """
    values = np.asarray(differences, dtype=np.float64)
    values = values[values != 0]
    if not len(values):
        return 1.0
    # Twice the ranks, for the mean rank of a tie to be an integer.
    ranks = np.rint(2 * rankdata(np.abs(values))).astype(np.int64)
    chances = np.ones(1)  # of each sum of the ranks so far that are positive
    for rank in ranks:
        chances = (np.pad(chances, (0, rank)) + np.pad(chances, (rank, 0))) / 2
    observed = ranks[values > 0].sum()
    tail = min(chances[: observed + 1].sum(), chances[observed:].sum())
    return float(min(2 * tail, 1.0))


def holm(p_values: ArrayLike) -> Floats:
    r"""Return p-values corrected for their number by Holm's step-down method.

    .. math:: \tilde p_{(i)} = \min \bigl(1, \max_{j \le i} (m - j + 1) \, p_{(j)} \bigr)

    Parameters
    ----------
    p_values : array-like of shape (m,), float
        NaN stays NaN and does not count.

    Returns
    -------
    ndarray of shape (m,), float64

    Notes
    -----
    Departs from the paper: none; S. Holm, "A Simple Sequentially Rejective Multiple Test
    Procedure", 1979.

    Examples
    --------
    >>> from modal_interp.experiments.analysis.comparisons import holm
    >>> holm([0.25, 0.0625, 0.125])
    array([0.25  , 0.1875, 0.25  ])
    """
    values = np.asarray(p_values, dtype=np.float64)
    known = np.flatnonzero(~np.isnan(values))
    order = known[np.argsort(values[known], kind="stable")]
    corrected = np.full(values.shape, np.nan)
    factors = np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(factors * values[order]), 1.0)
    return corrected


def _of_seeds(points: pd.Series) -> Floats:
    """Return the mean of each seed, over its experiments, of the mean over the curve."""
    curves = points.groupby(level=["experiment", "seed"]).mean()
    return curves.groupby(level="seed").mean().to_numpy()


def _points(
    results: pd.DataFrame | Iterable[pd.DataFrame], strategies: Iterable[str] | None
) -> pd.DataFrame:
    """Return scores by (experiment, seed, round >= 1) and strategy; NaN where there is none."""
    frames = [results] if isinstance(results, pd.DataFrame) else list(results)
    if not frames:
        raise ValueError("results must be one frame or more; found none.")
    checked = [check_results(frame).assign(experiment=i) for i, frame in enumerate(frames)]
    frame = pd.concat(checked, ignore_index=True)
    names = chosen_strategies(frame, strategies)
    table = frame.pivot(index=["experiment", "seed", "round"], columns="strategy", values="score")
    return table[table.index.get_level_values("round") > 0][names]
