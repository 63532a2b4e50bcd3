"""Measures of learning curves: areas, labels needed to reach a score, and a table of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from modal_interp.experiments.analysis.frames import (
    Floats,
    check_confidence,
    check_results,
    curve_table,
    full_scores,
    mean_interval,
)


def normalized_auc(results: pd.DataFrame) -> pd.DataFrame:
    r"""Return each curve's mean share of the way from the seed set's score to full training's.

    .. math:: \mathrm{nAUC} = \frac{1}{R + 1} \sum_{r=0}^{R} \frac{s_r - s_0}{s_{full} - s_0}

    Parameters
    ----------
    results : DataFrame
        An experiment's frame with ``strategy``, ``seed``, ``round``, ``n_labeled``, ``score`` and
        ``full_score``, the test score after training on all labels with that seed. A value of
        ``full_score`` in any row of a seed serves all of its strategies.

    Returns
    -------
    DataFrame
        One row a (strategy, seed), sorted: ``strategy``, ``seed``, ``normalized_auc`` (float, no
        unit): 0 = no better than the seed set, 1 = as good as all labels. NaN where the curve
        lacks a round that another curve has, where full training was not run, and where it is no
        better than the seed set (:math:`s_{full} \le s_0`).

    Raises
    ------
    TypeError
        If `results` is no DataFrame.
    ValueError
        If columns are missing or hold wrong values, round 0 is missing, or a seed has several
        values of ``full_score``.

    Notes
    -----
    The mean runs over all points, the seed set's own among them, which is 0. Adding a number to
    all scores, or multiplying them by a positive one, changes nothing. Where full training is
    hardly better than the seed set the number is large and says little: over seeds prefer the
    median.

    Departs from the paper: ALDEN (CIKM 2021) reports this in table 1 without a definition; this
    is our reading.

    Examples
    --------
    >>> import pandas as pd
    >>> from modal_interp.experiments import normalized_auc
    >>> results = pd.DataFrame({
    ...     "strategy": ["badge"] * 3, "seed": [0] * 3, "round": [0, 1, 2],
    ...     "n_labeled": [20, 40, 60], "score": [0.5, 0.625, 0.75], "full_score": [1.0] * 3})
    >>> normalized_auc(results)
      strategy  seed  normalized_auc
    0    badge     0            0.25
    """
    frame = check_results(results, also=("full_score",))
    table = curve_table(frame, "score")
    if 0 not in table.columns:
        raise ValueError("results must hold round 0, the seed set's score; found none.")
    scores = table.to_numpy()
    start = scores[:, :1]
    way = full_scores(frame)[table.index.get_level_values("seed")].to_numpy()[:, None] - start
    shares = (scores - start) / np.where(way > 0, way, np.nan)
    return _by_curve(table, "normalized_auc", shares.mean(axis=1))


def area_under_curve(results: pd.DataFrame) -> pd.DataFrame:
    r"""Return each curve's mean score over the number of labels, by the trapezoid rule.

    .. math::
        A = \frac{1}{n_R - n_0} \sum_{r=1}^{R} (n_r - n_{r-1}) \, \frac{s_r + s_{r-1}}{2}

    Parameters
    ----------
    results : DataFrame
        An experiment's frame with ``strategy``, ``seed``, ``round``, ``n_labeled`` and ``score``.

    Returns
    -------
    DataFrame
        One row a (strategy, seed), sorted: ``strategy``, ``seed``, ``area`` (float, in units of
        the score). NaN where the curve lacks a round that another curve has. The area of a single
        point is its score.

    Raises
    ------
    TypeError
        If `results` is no DataFrame.
    ValueError
        If columns are missing or hold wrong values.

    Notes
    -----
    With equal steps this is the mean of the scores, the two ends counting half.

    Departs from the paper: none; neither ALDEN nor DAMI reports the plain area.

    Examples
    --------
    >>> import pandas as pd
    >>> from modal_interp.experiments import area_under_curve
    >>> results = pd.DataFrame({
    ...     "strategy": ["badge"] * 3, "seed": [0] * 3, "round": [0, 1, 2],
    ...     "n_labeled": [20, 40, 60], "score": [0.5, 0.75, 1.0]})
    >>> area_under_curve(results)
      strategy  seed  area
    0    badge     0  0.75
    """
    frame = check_results(results)
    table = curve_table(frame, "score")
    scores = table.to_numpy()
    if scores.shape[1] == 1:
        return _by_curve(table, "area", scores[:, 0])
    steps = np.diff(curve_table(frame, "n_labeled").to_numpy(), axis=1)
    heights = (scores[:, 1:] + scores[:, :-1]) / 2
    return _by_curve(table, "area", (steps * heights).sum(axis=1) / steps.sum(axis=1))


def labels_to_reach(results: pd.DataFrame, target: float) -> pd.DataFrame:
    r"""Return the number of labels at which each curve first reaches a score.

    .. math:: n = n_{r-1} + (n_r - n_{r-1}) \, \frac{target - s_{r-1}}{s_r - s_{r-1}},
        \qquad r = \min \{r : s_r \ge target\}

    Parameters
    ----------
    results : DataFrame
        An experiment's frame with ``strategy``, ``seed``, ``round``, ``n_labeled`` and ``score``.
    target : float
        The score to reach, in units of the score.

    Returns
    -------
    DataFrame
        One row a (strategy, seed), sorted: ``strategy``, ``seed``, ``labels`` (float), the straight
        line between two rounds taken for the curve. NaN where no round of the curve reaches the
        target, or where one before it is missing. A curve that reaches it with the seed set alone
        has the seed set's size, an upper bound.

    Raises
    ------
    TypeError
        If `results` is no DataFrame.
    ValueError
        If columns are missing or hold wrong values, or `target` is not a finite number.

    Notes
    -----
    NaN means "not within the budget", so a mean without the NaN is too low: count them, or take
    the median with NaN as infinity.

    Departs from the paper: none; neither ALDEN nor DAMI reports this.

    Examples
    --------
    >>> import pandas as pd
    >>> from modal_interp.experiments import labels_to_reach
    >>> results = pd.DataFrame({
    ...     "strategy": ["badge"] * 3, "seed": [0] * 3, "round": [0, 1, 2],
    ...     "n_labeled": [20, 40, 60], "score": [0.5, 0.75, 1.0]})
    >>> labels_to_reach(results, 0.875)
      strategy  seed  labels
    0    badge     0    50.0
    """
    if not isinstance(target, (int, float, np.number)) or not math.isfinite(target):
        raise ValueError(f"target must be a finite number; found {target!r}.")
    frame = check_results(results)
    table = curve_table(frame, "score")
    sizes = curve_table(frame, "n_labeled").to_numpy()
    found = [_crossing(n, s, target) for n, s in zip(sizes, table.to_numpy(), strict=True)]
    return _by_curve(table, "labels", np.array(found))


def summary(
    results: pd.DataFrame, confidence: float = 0.95, *, baseline: str = "random_sampling"
) -> pd.DataFrame:
    r"""Return a table of the strategies: areas, final scores, and differences from a baseline.

    The interval of a mean over n seeds is Student's,

    .. math:: \bar a \pm t_{(1 + c) / 2, \, n - 1} \, \frac{s}{\sqrt{n}},

    with c the confidence and s the standard deviation over seeds. Differences are paired by seed.

    Parameters
    ----------
    results : DataFrame
        An experiment's frame with ``strategy``, ``seed``, ``round``, ``n_labeled``, ``score`` and
        ``full_score`` (see `normalized_auc`).
    confidence : float, default=0.95
        Of each interval by itself, between 0 and 1; no correction for the number of strategies.
    baseline : str, default="random_sampling"
        The strategy to subtract.

    Returns
    -------
    DataFrame
        Index ``strategy``, by alphabet. Columns: ``n_seeds``, the whole curves, of which all means
        are taken; ``n_unfinished``, the curves that lack a round that another has; ``area``,
        ``area_low``, ``area_high`` (in units of the score, see `area_under_curve`);
        ``normalized_auc``, ``normalized_auc_low``, ``normalized_auc_high`` and
        ``normalized_auc_median``, of the seeds where it is known; ``final_score``, the mean at the
        last round. Where `results` holds the baseline also ``difference``, ``difference_low``,
        ``difference_high`` and ``difference_seeds``: the mean of area less the baseline's area,
        its interval, and how many seeds have both. NaN where no seed, for intervals less than
        two seeds, can be used.

    Raises
    ------
    TypeError
        If `results` is no DataFrame.
    ValueError
        If columns are missing or hold wrong values, round 0 is missing, a seed has several values
        of ``full_score``, or `confidence` is not between 0 and 1.

    Notes
    -----
    Departs from the paper: ALDEN takes the median of 10 runs, DAMI the mean, both without
    intervals; intervals and paired differences are added.

    Examples
    --------
    >>> import pandas as pd
    >>> from modal_interp.experiments import summary
    >>> results = pd.DataFrame({
    ...     "strategy": ["badge"] * 4, "seed": [0, 0, 1, 1], "round": [0, 1] * 2,
    ...     "n_labeled": [20, 40] * 2, "score": [0.5, 0.75, 0.5, 1.0], "full_score": [1.0] * 4})
    >>> summary(results).loc["badge", ["n_seeds", "area", "final_score"]].tolist()
    [2.0, 0.6875, 0.875]
    """
    check_confidence(confidence)
    areas = area_under_curve(results).set_index(["strategy", "seed"])["area"]
    normalized = normalized_auc(results).set_index(["strategy", "seed"])["normalized_auc"]
    finals = curve_table(check_results(results), "score").iloc[:, -1].where(areas.notna())
    rows = {}
    for strategy in areas.index.unique("strategy"):
        area, share, final = (known[strategy] for known in (areas, normalized, finals))
        row = {
            "n_seeds": int(area.notna().sum()),
            "n_unfinished": int(area.isna().sum()),
            **_mean("area", area, confidence),
            **_mean("normalized_auc", share, confidence),
            "normalized_auc_median": share.dropna().median(),
            "final_score": final.mean(),
        }
        if baseline in areas.index.unique("strategy"):
            difference = (area - areas[baseline]).dropna()
            row |= _mean("difference", difference, confidence)
            row["difference_seeds"] = len(difference)
        rows[strategy] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("strategy")


def _mean(name: str, values: pd.Series, confidence: float) -> dict[str, Any]:
    """Return the cells of a mean and its interval."""
    names = (name, f"{name}_low", f"{name}_high")
    return dict(zip(names, mean_interval(values.to_numpy(), confidence), strict=True))


def _crossing(sizes: Floats, scores: Floats, target: float) -> float:
    """Return where a curve first reaches the target; NaN if it does not, or not surely there."""
    reaching = np.flatnonzero(scores >= target)
    if not len(reaching) or np.isnan(scores[: reaching[0]]).any():
        return np.nan
    right = reaching[0]
    if right == 0:
        return float(sizes[0])
    left = right - 1
    share = (target - scores[left]) / (scores[right] - scores[left])
    return float(sizes[left] + share * (sizes[right] - sizes[left]))


def _by_curve(table: pd.DataFrame, name: str, values: Floats) -> pd.DataFrame:
    """Return a value of each curve of a table as a tidy frame."""
    return table.index.to_frame(index=False).assign(**{name: values})
