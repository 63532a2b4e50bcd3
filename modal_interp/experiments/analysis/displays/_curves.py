"""Learning curves with bands across seeds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from modal_interp.experiments.analysis.displays._names import draw_legend, literal
from modal_interp.experiments.analysis.displays._points import (
    points_of_curves,
    points_of_parts,
    unit_of,
)
from modal_interp.experiments.analysis.displays._style import ink, new_axes, style
from modal_interp.experiments.analysis.frames import (
    check_confidence,
    check_results,
    chosen_strategies,
    full_scores,
    settings_of,
)

_STATISTICS = ("median", "mean")
_BANDS = ("quartiles", "confidence", None)
_PARTS = {"score": "test", "validation_score": "validation"}
_AXES = {"samples": "labelled samples", "share": "labelled share of the training split"}


_ONCE = "trained once, at random"


class LearningCurveDisplay:
    """Learning curves of several strategies (ALDEN figure 2, DAMI figures 4 and 6).

    Made by `from_results`.

    Parameters
    ----------
    curves : DataFrame
        One row a point, in the order to draw: ``strategy`` (str), ``x``, ``value``, ``low`` and
        ``high`` (float; the last two NaN without a band), ``n_seeds`` (int) and ``style`` (int),
        the place of the strategy's colour and marker.
    full_score : float, default=nan
        Score of full training, in units of the score; NaN draws no line.
    x_name, y_name : str
        Names of the axes.
    parts : DataFrame, optional
        Training once on parts of the labels drawn at random, ``x`` and ``value`` (float).

    Attributes
    ----------
    ax_, figure_
        Of matplotlib, from `plot` on.
    lines_, bands_ : list
        Line and band of each strategy; a band is None where there is none.
    full_line_
        Line of full training, or None.
    part_points_
        Points of training once on parts, or None.

    Notes
    -----
    Departs from the paper: bands, and what was trained without asking, are added.

    Examples
    --------
    See `from_results`.
    """

    def __init__(
        self,
        curves: pd.DataFrame,
        *,
        full_score: float = np.nan,
        x_name: str = _AXES["samples"],
        y_name: str = "test score",
        parts: pd.DataFrame | None = None,
    ) -> None:
        self.curves = curves
        self.full_score = full_score
        self.x_name = x_name
        self.y_name = y_name
        self.parts = parts

    @classmethod
    def from_results(
        cls,
        results: pd.DataFrame,
        *,
        statistic: str = "median",
        band: str | None = "quartiles",
        score: str = "score",
        x: str = "samples",
        confidence: float = 0.95,
        strategies: Iterable[str] | None = None,
        ax: Any = None,
    ) -> LearningCurveDisplay:
        """Draw the curves of an experiment.

        Parameters
        ----------
        results : DataFrame
            An experiment's frame with ``strategy``, ``seed``, ``round``, ``n_labeled``, ``score``
            and, for the line of full training, ``full_score``.
        statistic : {"median", "mean"}, default="median"
            Over seeds. ALDEN reports medians, DAMI means.
        band : {"quartiles", "confidence"} or None, default="quartiles"
            From the first to the third quartile of the seeds, or Student's interval of their mean,
            which goes with ``statistic="mean"`` alone.
        score : {"score", "validation_score"}, default="score"
            The column to draw. The line of full training goes with the former, points of training
            once on parts of the labels (see `full_training_scores`) with both.
        x : {"samples", "share"}, default="samples"
            Unit of the horizontal axis; shares need ``results.attrs["settings"]["n_train"]``.
        confidence : float, default=0.95
            Of ``band="confidence"``.
        strategies : iterable of str, optional
            Those to draw, in this order; otherwise all, by alphabet. Colour and marker of a
            strategy follow from the names in `results`, so that a choice does not change them.
        ax : matplotlib Axes, optional
            Where to draw; otherwise a new figure.

        Returns
        -------
        LearningCurveDisplay
            Drawn. A point is there where all seeds of the strategy have it: a curve that changed
            its seeds on the way would jump. Of unfinished curves, leave out seeds to see more. A
            strategy without such a point is left out.

        Raises
        ------
        TypeError
            If `results` is no DataFrame, or `strategies` is one str.
        ValueError
            If columns are missing or hold wrong values, or an option is none of the above.

        Notes
        -----
        Departs from the paper: none in the curves; bands and the line of full training are added.

        Examples
        --------
        >>> import matplotlib
        >>> matplotlib.use("Agg")
        >>> import matplotlib.pyplot as plt
        >>> import pandas as pd
        >>> from modal_interp.experiments import LearningCurveDisplay
        >>> results = pd.DataFrame({
        ...     "strategy": ["badge"] * 4, "seed": [0, 0, 1, 1], "round": [0, 1] * 2,
        ...     "n_labeled": [20, 40] * 2, "score": [0.5, 0.75, 0.5, 1.0]})
        >>> display = LearningCurveDisplay.from_results(results)
        >>> display.curves["value"].tolist()
        [0.5, 0.875]
        >>> plt.close(display.figure_)
        """
        _check_one_of("statistic", statistic, _STATISTICS)
        _check_one_of("band", band, _BANDS)
        _check_one_of("score", score, tuple(_PARTS))
        _check_one_of("x", x, tuple(_AXES))
        check_confidence(confidence)
        if band == "confidence" and statistic != "mean":
            raise ValueError(
                'band="confidence" is an interval of the mean and needs statistic="mean"; '
                f"found {statistic!r}."
            )
        with_full = score == "score" and "full_score" in getattr(results, "columns", ())
        frame = check_results(results, also=(score, "full_score") if with_full else (score,))
        curves = points_of_curves(
            frame, chosen_strategies(frame, strategies), score, statistic, band, confidence
        )
        parts = points_of_parts(results, score, statistic)
        for points in (curves, parts):
            points["x"] /= unit_of(results, x)
        full = full_scores(frame) if with_full else pd.Series([np.nan])
        name = settings_of(results).get("scoring")
        name = literal(name.replace("_", " ")) if isinstance(name, str) else "score"
        return cls(
            curves,
            full_score=float(getattr(full.dropna(), statistic)()),
            x_name=_AXES[x],
            y_name=f"{_PARTS[score]} {name}",
            parts=parts,
        ).plot(ax)

    def plot(self, ax: Any = None) -> LearningCurveDisplay:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; otherwise a new figure.

        Returns
        -------
        LearningCurveDisplay
            Itself.
        """
        self.ax_ = new_axes(ax)
        self.figure_ = self.ax_.figure
        self.lines_: list[Any] = []
        self.bands_: list[Any] = []
        curves = self.curves.groupby("strategy", sort=False)
        counts = curves["n_seeds"].first()
        names = []
        for strategy, curve in curves:
            # How many seeds there are is said where the curves cannot be compared at sight.
            seeds = f" ({_seeds(counts[strategy])})" if counts.nunique() > 1 else ""
            look = style(int(curve["style"].iloc[0]))
            names.append(f"{strategy}{seeds}")
            self.lines_ += self.ax_.plot(
                curve["x"], curve["value"], label=names[-1], markersize=4, **look
            )
            self.bands_.append(self._band(curve, look["color"]))
        self.full_line_ = None
        if np.isfinite(self.full_score):
            self.full_line_ = self.ax_.axhline(
                self.full_score, color=ink(), linestyle=":", label="all labels"
            )
        self.part_points_ = None
        if self.parts is not None and len(self.parts):
            (self.part_points_,) = self.ax_.plot(
                self.parts["x"], self.parts["value"], color=ink(), linestyle="", marker="+",
                label=_ONCE,
            )  # fmt: skip
        self.ax_.set(xlabel=self.x_name, ylabel=self.y_name)
        if self.x_name == _AXES["share"]:
            self.ax_.xaxis.set_major_formatter("{x:.0%}")
        self._name_lines(names)
        return self

    def _name_lines(self, names: list[str]) -> None:
        own = self.lines_
        for drawn, name in ((self.full_line_, "all labels"), (self.part_points_, _ONCE)):
            if drawn is not None:
                own, names = [*own, drawn], [*names, name]
        # What else is on axes of the user's own stays in the legend.
        entries = zip(*self.ax_.get_legend_handles_labels(), strict=True)
        others = [(handle, label) for handle, label in entries if handle not in own]
        handles = [*(handle for handle, _ in others), *own]
        draw_legend(self.ax_, handles, [*(label for _, label in others), *names])

    def _band(self, curve: pd.DataFrame, colour: str) -> Any:
        if curve["low"].isna().all():
            return None
        return self.ax_.fill_between(
            curve["x"], curve["low"], curve["high"], color=colour, alpha=0.15, linewidth=0
        )


def _seeds(n: int) -> str:
    return "1 seed" if n == 1 else f"{n} seeds"


def _check_one_of(name: str, value: Any, allowed: tuple[Any, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} must be one of {list(allowed)}; found {value!r}.")
