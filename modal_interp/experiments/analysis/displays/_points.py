"""Where the points of learning curves lie."""

from __future__ import annotations

import numpy as np
import pandas as pd

from modal_interp.experiments.analysis.frames import (
    Floats,
    chosen_strategies,
    curve_table,
    mean_interval,
    settings_of,
)
from modal_interp.experiments.analysis.full_training import full_training_scores


def points_of_curves(
    frame: pd.DataFrame,
    strategies: list[str],
    score: str,
    statistic: str,
    band: str | None,
    confidence: float,
) -> pd.DataFrame:
    """Return the points to draw."""
    scores, sizes = curve_table(frame, score), curve_table(frame, "n_labeled")
    styles = {name: i for i, name in enumerate(chosen_strategies(frame, None))}
    parts = []
    for name in strategies:
        common = scores.loc[name].dropna(axis=1)
        low, high = _ends(common.to_numpy(), band, confidence)
        parts.append(
            pd.DataFrame(
                {
                    "strategy": name,
                    "x": sizes.loc[name, common.columns].mean().to_numpy(),
                    "value": getattr(common, statistic)().to_numpy(),
                    "low": low,
                    "high": high,
                    "n_seeds": len(common),
                    "style": styles[name],
                }
            )
        )
    parts = [part for part in parts if len(part)]
    if not parts:
        raise ValueError(f"results must hold a {score} that all seeds of a strategy have.")
    return pd.concat(parts, ignore_index=True)


def points_of_parts(results: pd.DataFrame, score: str, statistic: str) -> pd.DataFrame:
    """Return where training once on parts of the labels lies: `x` and `value`, by rising `x`."""
    scores = full_training_scores(results)
    # That on all labels is a line; a count of 1 is one sample.
    of_part = [size != 1 or isinstance(size, int) for size in scores["size"]]
    parts = scores.loc[np.array(of_part, dtype=bool)]
    of_size = parts.groupby("n_labeled", as_index=False)[score].agg(statistic)
    return of_size.set_axis(["x", "value"], axis=1).astype(np.float64).dropna()


def _ends(scores: Floats, band: str | None, confidence: float) -> tuple[Floats, Floats]:
    """Return the lower and upper end of the band at each point; NaN where there is none."""
    n_seeds, n_points = scores.shape
    if band is None or n_seeds == 1:
        return np.full(n_points, np.nan), np.full(n_points, np.nan)
    if band == "quartiles":
        low, high = np.quantile(scores, [0.25, 0.75], axis=0)
        return low, high
    ends = np.array([mean_interval(point, confidence)[1:] for point in scores.T])
    return ends.reshape(-1, 2)[:, 0], ends.reshape(-1, 2)[:, 1]


def unit_of(results: pd.DataFrame, x: str) -> float:
    """Return how many samples are one unit of the horizontal axis."""
    if x == "samples":
        return 1.0
    n_train = settings_of(results).get("n_train")
    if not isinstance(n_train, (int, np.integer)) or n_train < 1:
        raise ValueError(
            'x="share" needs the size of the training split in results.attrs["settings"]'
            f'["n_train"], a positive int; found {n_train!r}. Use x="samples".'
        )
    return float(n_train)
