"""Strategies against each other as a heat map."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from modal_interp.experiments.analysis.comparisons import WinMatrix, win_matrix
from modal_interp.experiments.analysis.displays._names import shown_names, text_look
from modal_interp.experiments.analysis.displays._style import new_axes


class PairwiseMatrixDisplay:
    """Shares of curve points at which each strategy beats each other one (DAMI figures 5 and 7).

    Made by `from_results`. The brighter the square, the more often the row's strategy beats the
    column's; a star marks a significant difference of the two, whichever is better.

    Parameters
    ----------
    matrix : WinMatrix
        Of `win_matrix`.
    alpha : float, default=0.05
        Holm-corrected p-values below it are marked.

    Attributes
    ----------
    ax_, figure_, im_, colorbar_
        Of matplotlib, from `plot` on.
    text_ : ndarray of shape (n_strategies, n_strategies), object
        The numbers in the squares, None on the diagonal.

    Notes
    -----
    Departs from the paper: numbers and marks of significance are added.

    Examples
    --------
    See `from_results`.
    """

    def __init__(self, matrix: WinMatrix, *, alpha: float = 0.05) -> None:
        self.matrix = matrix
        self.alpha = alpha

    @classmethod
    def from_results(
        cls,
        results: pd.DataFrame | Iterable[pd.DataFrame],
        *,
        strategies: Iterable[str] | None = None,
        alpha: float = 0.05,
        ax: Any = None,
    ) -> PairwiseMatrixDisplay:
        """Compare the strategies of one experiment or several, and draw the matrix.

        Parameters
        ----------
        results : DataFrame or iterable of DataFrames
            An experiment's frame, or those of several, whose points are pooled as in the paper;
            columns as for `win_matrix`.
        strategies : iterable of str, optional
            Those to compare, in this order; otherwise all, by alphabet.
        alpha : float, default=0.05
            Holm-corrected p-values below it are marked; see `win_matrix` for how many seeds that
            takes.
        ax : matplotlib Axes, optional
            Where to draw; otherwise a new figure.

        Returns
        -------
        PairwiseMatrixDisplay
            Drawn.

        Raises
        ------
        TypeError
            If `results` holds something else than DataFrames, or `strategies` is one str.
        ValueError
            If columns are missing or hold wrong values, there is no frame, or `strategies` names
            one that is not there.

        Notes
        -----
        Departs from the paper: numbers and marks of significance are added.

        Examples
        --------
        >>> import matplotlib
        >>> matplotlib.use("Agg")
        >>> import matplotlib.pyplot as plt
        >>> import pandas as pd
        >>> from modal_interp.experiments import PairwiseMatrixDisplay
        >>> results = pd.DataFrame({
        ...     "strategy": ["badge"] * 3 + ["random_sampling"] * 3, "seed": [0] * 6,
        ...     "round": [0, 1, 2] * 2, "n_labeled": [20, 40, 60] * 2,
        ...     "score": [0.5, 0.75, 1.0, 0.5, 0.5, 1.0]})
        >>> display = PairwiseMatrixDisplay.from_results(results)
        >>> display.text_[0, 1].get_text()
        '0.50'
        >>> plt.close(display.figure_)
        """
        return cls(win_matrix(results, strategies=strategies), alpha=alpha).plot(ax)

    def plot(self, ax: Any = None, *, cmap: str = "cividis") -> PairwiseMatrixDisplay:
        """Draw the matrix.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; otherwise a new figure.
        cmap : str, default="cividis"
            Name of a colour map of matplotlib, dark to bright.

        Returns
        -------
        PairwiseMatrixDisplay
            Itself.
        """
        import matplotlib as mpl

        names = shown_names(self.matrix.shares.columns)
        self.ax_ = new_axes(ax, (3.4 + 0.6 * len(names), 2.4 + 0.6 * len(names)))
        self.figure_ = self.ax_.figure
        colours = mpl.colormaps[cmap].with_extremes(bad="white")
        self.im_ = self.ax_.imshow(self.matrix.shares.to_numpy(), cmap=colours, vmin=0, vmax=1)
        self.colorbar_ = self.figure_.colorbar(self.im_, ax=self.ax_)
        self.colorbar_.set_label("share of points won by the row")
        self._write_numbers(colours)
        places = range(len(names))
        look = text_look(names)
        turned = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
        self.ax_.set_xticks(places, names, **turned, **look)
        self.ax_.set_yticks(places, names, **look)
        self.ax_.set(xlabel="compared strategy", ylabel="evaluated strategy")
        if (self.matrix.p_values < self.alpha).any(axis=None):
            self.ax_.set_title(
                f"* p < {self.alpha:g} (signed ranks over seeds, Holm)", fontsize="medium"
            )
        return self

    def _write_numbers(self, colours: Any) -> None:
        shares, p_values = self.matrix.shares.to_numpy(), self.matrix.p_values.to_numpy()
        self.text_ = np.full(shares.shape, None, dtype=object)
        for row, column in np.ndindex(shares.shape):
            if row == column:
                continue
            share = shares[row, column]
            star = "*" if p_values[row, column] < self.alpha else ""
            words = "?" if np.isnan(share) else f"{share:.2f}{star}"
            # The eye's weights of red, green and blue.
            light = np.dot(colours(share)[:3], (0.299, 0.587, 0.114)) > 0.5
            self.text_[row, column] = self.ax_.text(
                column, row, words, ha="center", va="center", color="black" if light else "white"
            )
