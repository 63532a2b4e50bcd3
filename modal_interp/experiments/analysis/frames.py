"""The frame of a learning-curve experiment, checked and laid out for measures and pictures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import t

Floats = NDArray[np.float64]

# What each measure needs; other columns only where they are asked for.
CURVE = ("strategy", "seed", "round", "n_labeled", "score")
_COUNTS = ("seed", "round", "n_labeled")
_SCORES = ("score", "validation_score", "full_score")


def check_results(results: pd.DataFrame, also: Iterable[str] = ()) -> pd.DataFrame:
    """Return the checked columns of the results, sorted by strategy, seed and round.

    Parameters
    ----------
    results : DataFrame
        One row a (strategy, seed, round), in any order: ``strategy`` (str), ``seed``, ``round``
        (0 = the seed set alone) and ``n_labeled`` (int), ``score`` (float, higher is better, NaN =
        not known). Curves may have fewer rounds than others.
    also : iterable of str, optional
        Further columns that are needed.

    Returns
    -------
    DataFrame
        A copy with the columns above and those of `also`, rows numbered from 0, without attrs.

    Raises
    ------
    TypeError
        If `results` is no DataFrame.
    ValueError
        If columns are missing, the frame is empty, a column holds other values than it should, a
        (strategy, seed, round) stands twice, strategies have different numbers of labels at the
        same seed and round, or a curve's number of labels does not rise.

    Notes
    -----
    Departs from the paper: none; a check.

    Examples
    --------
    >>> import pandas as pd
    >>> from modal_interp.experiments.analysis.frames import check_results
    >>> results = pd.DataFrame({"strategy": ["badge"] * 2, "seed": [0, 0], "round": [1, 0],
    ...                         "n_labeled": [40, 20], "score": [0.7, 0.5], "note": ["", ""]})
    >>> check_results(results)
      strategy  seed  round  n_labeled  score
    0    badge     0      0         20    0.5
    1    badge     0      1         40    0.7
    """
    if not isinstance(results, pd.DataFrame):
        raise TypeError(f"results must be a pandas DataFrame; found {type(results).__name__}.")
    columns = list(dict.fromkeys([*CURVE, *also]))
    missing = [name for name in columns if name not in results.columns]
    if missing:
        raise ValueError(
            f"results must have the columns {columns}; missing are {missing}, "
            f"found {list(results.columns)}."
        )
    if not len(results):
        raise ValueError("results must have at least one row; found none.")
    frame = results.loc[:, columns].copy()
    frame.attrs = {}
    _check_values(frame)
    frame = frame.sort_values(["strategy", "seed", "round"], ignore_index=True)
    _check_points(frame)
    return frame


def chosen_strategies(frame: pd.DataFrame, strategies: Iterable[str] | None) -> list[str]:
    """Return the strategies asked for, in the order given, or all of them by alphabet."""
    there = sorted(frame["strategy"].unique())
    if strategies is None:
        return there
    if isinstance(strategies, str):
        raise TypeError(
            f"strategies must be several names, not one str; found {strategies!r}. "
            f"Write [{strategies!r}]."
        )
    asked = list(dict.fromkeys(strategies))
    unknown = [name for name in asked if name not in there]
    if unknown or not asked:
        raise ValueError(
            f"strategies must be names among {there}, at least one; "
            f"found {unknown if unknown else 'none'}."
        )
    return asked


def curve_table(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return a column of checked results by (strategy, seed) and round; NaN where there is none.

    The table's rounds are those of all curves together, so that a row without NaN is a curve
    that has all of them.
    """
    table = frame.pivot(index=["strategy", "seed"], columns="round", values=column)
    return table.astype(np.float64)


def full_scores(frame: pd.DataFrame) -> pd.Series:
    """Return the score of full training by seed; NaN where it was not run.

    It does not depend on the strategy: the value of any row of the seed serves them all.
    """
    by_seed = frame.groupby("seed")["full_score"]
    several = by_seed.nunique()
    several = several[several > 1]
    if len(several):
        seed = several.index[0]
        known = frame.loc[frame["seed"] == seed, "full_score"].dropna()
        found = sorted(known.unique().tolist())
        raise ValueError(
            f"full_score must be one number a seed; seed {seed} has {found}. "
            "Are these results of several experiments?"
        )
    return by_seed.first().astype(np.float64)


def mean_interval(values: Floats, confidence: float) -> tuple[float, float, float]:
    """Return the mean of what is not NaN, and the ends of Student's interval around it.

    Without a value all is NaN; with one the interval is.
    """
    values = values[~np.isnan(values)]
    n = len(values)
    if not n:
        return np.nan, np.nan, np.nan
    # Squares of huge and tiny numbers are none.
    size = float(np.abs(values).max())
    unit = 1.0 if size == 0 or 1e-100 < size < 1e100 else size
    values = values / unit
    mean = float(values.mean() * unit)
    if n == 1:
        return mean, np.nan, np.nan
    half = float(t.ppf((1 + confidence) / 2, n - 1) * values.std(ddof=1) / np.sqrt(n) * unit)
    return mean, mean - half, mean + half


def check_confidence(confidence: Any) -> None:
    """Raise an error unless the confidence is a number between 0 and 1."""
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1; found {confidence!r}.")


def settings_of(results: pd.DataFrame) -> dict[str, Any]:
    """Return the settings that the experiment noted on its frame; empty where there are none."""
    settings = results.attrs.get("settings")
    return settings if isinstance(settings, dict) else {}


def _check_values(frame: pd.DataFrame) -> None:
    """Check each column by itself."""
    if not all(isinstance(name, str) for name in frame["strategy"]):
        raise ValueError("strategy must hold names (str); found other values.")
    # Categories would bring strategies that have no row.
    frame["strategy"] = frame["strategy"].astype(object)
    for name in _COUNTS:
        if frame[name].dtype.kind not in "iu" or frame[name].isna().any():
            raise ValueError(f"{name} must hold integers; found {_described(frame[name])}.")
    for name in _columns_among(frame, _SCORES):
        if frame[name].dtype.kind not in "iuf":
            raise ValueError(f"{name} must hold real numbers; found {_described(frame[name])}.")
        frame[name] = frame[name].astype(np.float64)
        if np.isinf(frame[name]).any():
            raise ValueError(f"{name} must be finite, or NaN where it is not known; found inf.")
    if frame["round"].min() < 0:
        raise ValueError(f"round must not be negative; found {frame['round'].min()}.")


def _check_points(frame: pd.DataFrame) -> None:
    """Check that the rows of sorted results make curves that can be compared."""
    twice = frame.duplicated(["strategy", "seed", "round"])
    if twice.any():
        raise ValueError(
            "each (strategy, seed, round) must stand once; "
            f"{_point(frame, twice)} and {int(twice.sum()) - 1} others stand again."
        )
    sizes = frame.groupby(["seed", "round"])["n_labeled"].transform("nunique")
    if (sizes > 1).any():
        at = _point(frame, sizes > 1)
        raise ValueError(
            "n_labeled must be the same for all strategies at one seed and round; it is not at "
            f"{at}. Are these results of several experiments?"
        )
    level = frame.groupby(["strategy", "seed"])["n_labeled"].diff() <= 0
    if level.any():
        raise ValueError(f"n_labeled must rise from round to round; not at {_point(frame, level)}.")


def _columns_among(frame: pd.DataFrame, names: Sequence[str]) -> list[str]:
    return [name for name in names if name in frame.columns]


def _described(column: pd.Series) -> str:
    missing = " with missing values" if column.isna().any() else ""
    return f"dtype {column.dtype}{missing}"


def _point(frame: pd.DataFrame, where: pd.Series) -> tuple[str, int, int]:
    """Return the first (strategy, seed, round) where something holds."""
    row = frame[where].iloc[0]
    return (row["strategy"], int(row["seed"]), int(row["round"]))
