"""Where in the space of samples the chosen ones lie."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.utils import check_array, column_or_1d

from modal_interp.experiments.analysis.displays._names import (
    draw_legend,
    shown_names,
    text_look,
)
from modal_interp.experiments.analysis.displays._style import (
    CHOSEN,
    GREY,
    ink,
    name_outer_axes,
    new_panels,
    style,
)
from modal_interp.experiments.analysis.frames import Floats, check_results, chosen_strategies

Rows = NDArray[np.int64]

_LARGEST = 1e300  # matplotlib adds margins, which must be numbers too
_MOST_CLASSES = 10  # with more, colours and markers are too many to look up


class SelectionDisplay:
    """Which samples each strategy chose, as points in the plane (DAMI figure 3).

    Made by `from_results`. The first panel shows all samples by class, then one a strategy shows
    its choice before the others in grey.

    Parameters
    ----------
    points : ndarray of shape (n, 2)
        All samples.
    y : ndarray of shape (n,), optional
        Their classes.
    seed_sets, chosen : mapping of str to ndarray of int64
        For each strategy, rows of `points` that were labelled at the start and chosen later.
    names : tuple of two str
        Of the plane's axes.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes, shape (1 + n_strategies,)
        From `plot` on: all samples, then the strategies.
    figure_
        Of matplotlib.

    Notes
    -----
    Departs from the paper: the seed set is marked too.

    Examples
    --------
    See `from_results`.
    """

    def __init__(
        self,
        points: Floats,
        *,
        seed_sets: Mapping[str, Rows],
        chosen: Mapping[str, Rows],
        y: NDArray[Any] | None = None,
        names: tuple[str, str] = ("x1", "x2"),
    ) -> None:
        self.points = points
        self.seed_sets = seed_sets
        self.chosen = chosen
        self.y = y
        self.names = names

    @classmethod
    def from_results(
        cls,
        results: pd.DataFrame,
        X: Any,
        y: ArrayLike | None = None,
        *,
        seed: int | None = None,
        strategies: Iterable[str] | None = None,
        rounds: int | None = None,
        axes: Any = None,
    ) -> SelectionDisplay:
        """Draw where the samples lie that each strategy chose with one seed.

        Parameters
        ----------
        results : DataFrame
            An experiment's frame with ``strategy``, ``seed``, ``round``, ``n_labeled``, ``score``
            and ``queried``, the rows of `X` labelled in the round (in round 0 the seed set).
        X : array-like or sparse matrix of shape (n, d), d >= 2
            All samples of the experiment, in its order. Two columns are drawn as they are. More
            are projected on the two main directions of all rows: those of scikit-learn's PCA, or
            its TruncatedSVD where `X` is sparse, both with ``random_state=0``. Of texts, give
            representations.
        y : array-like of shape (n,), optional
            Classes, for the colours of the first panel.
        seed : int, optional
            Which seed to show; otherwise the smallest.
        strategies : iterable of str, optional
            Those to draw, in this order; otherwise all that have the seed, by alphabet.
        rounds : int, optional
            How many rounds after the seed set to show; otherwise all.
        axes : array-like of matplotlib Axes, shape (1 + n_strategies,), optional
            Where to draw; otherwise a new figure.

        Returns
        -------
        SelectionDisplay
            Drawn.

        Raises
        ------
        TypeError
            If `results` is no DataFrame, or `strategies` is one str.
        ValueError
            If columns are missing or hold wrong values, `X` is not a matrix of two or more columns
            of finite numbers, `y` has another length, the seed is not there, `rounds` is less
            than 1, ``queried`` holds something else than rows of `X`, or `axes` has another size.

        Notes
        -----
        Departs from the paper: the seed set is marked too.

        Examples
        --------
        >>> import matplotlib
        >>> matplotlib.use("Agg")
        >>> import matplotlib.pyplot as plt
        >>> import numpy as np
        >>> import pandas as pd
        >>> from modal_interp.experiments import SelectionDisplay
        >>> results = pd.DataFrame({
        ...     "strategy": ["badge"] * 2, "seed": [0, 0], "round": [0, 1], "n_labeled": [2, 4],
        ...     "score": [0.5, 0.75], "queried": [np.array([0, 1]), np.array([5, 3])]})
        >>> X = np.random.default_rng(0).random((8, 2))
        >>> display = SelectionDisplay.from_results(results, X)
        >>> display.chosen["badge"]
        array([5, 3])
        >>> plt.close(display.figure_)
        """
        if rounds is not None and (not isinstance(rounds, (int, np.integer)) or rounds < 1):
            raise ValueError(f"rounds must be a positive int or None; found {rounds!r}.")
        frame = check_results(results, also=("queried",))
        frame = _of_seed(frame, seed)
        shown = chosen_strategies(frame, strategies)
        points, names = _plane(X)
        classes = None if y is None else column_or_1d(y)
        if classes is not None and len(classes) != len(points):
            raise ValueError(
                f"y must have one label a row of X, {len(points)}; found {len(classes)}."
            )
        last = frame["round"].max() if rounds is None else rounds
        later = frame[(frame["round"] > 0) & (frame["round"] <= last)]
        return cls(
            points,
            seed_sets=_rows(frame[frame["round"] == 0], shown, len(points)),
            chosen=_rows(later, shown, len(points)),
            y=classes,
            names=names,
        ).plot(axes)

    def plot(self, axes: Any = None) -> SelectionDisplay:
        """Draw the panels.

        Parameters
        ----------
        axes : array-like of matplotlib Axes, shape (1 + n_strategies,), optional
            Where to draw; otherwise a new figure.

        Returns
        -------
        SelectionDisplay
            Itself.
        """
        n_panels = 1 + len(self.chosen)
        self.axes_ = new_panels(n_panels) if axes is None else np.ravel(np.asarray(axes, object))
        if len(self.axes_) != n_panels:
            raise ValueError(
                "axes must be one for all samples and one a strategy, "
                f"{n_panels}; found {len(self.axes_)}."
            )
        self.figure_ = self.axes_[0].figure
        self._draw_all(self.axes_[0])
        titles = shown_names(self.chosen, longest=30)
        for ax, strategy, title in zip(self.axes_[1:], self.chosen, titles, strict=True):
            ax.set_title(title, **text_look(titles))
            self._draw_choice(ax, strategy)
        if axes is None:
            name_outer_axes(self.axes_, self.names)
            # Below the panels no point is hidden.
            handles, labels = self._entries(self.axes_[:2])
            # As many columns as fit: a letter is about a twelfth of an inch wide, a mark half.
            room = self.figure_.get_figwidth() / (0.5 + max(map(len, shown_names(labels))) / 12)
            columns = min(6, max(1, int(room)))
            draw_legend(self.figure_, handles, labels, loc="outside lower center", ncols=columns)
            return self
        for ax in self.axes_:
            ax.set(xlabel=self.names[0], ylabel=self.names[1])
        for ax in self.axes_[:2]:
            draw_legend(ax, *self._entries([ax]), fontsize="small")
        return self

    def _draw_all(self, ax: Any) -> None:
        ax.set_title("all samples")
        if self.y is None:
            ax.scatter(*self.points.T, s=8, color=GREY, linewidths=0)
            return
        for i, label in enumerate(np.unique(self.y)):
            ax.scatter(
                *self.points[self.y == label].T,
                s=10,
                linewidths=0,
                label=f"class {label if str(label).strip() else repr(str(label))}",
                **style(i),
            )

    def _draw_choice(self, ax: Any, strategy: str) -> None:
        ax.scatter(*self.points.T, s=8, color=GREY, alpha=0.5, linewidths=0)
        start, chosen = self.points[self.seed_sets[strategy]], self.points[self.chosen[strategy]]
        ax.scatter(*start.T, s=20, color=ink(), marker="x", linewidths=1, label="seed set")
        ax.scatter(*chosen.T, s=28, color=CHOSEN, edgecolors=ink(), linewidths=0.6, label="chosen")

    def _entries(self, axes: Any) -> tuple[list[Any], list[str]]:
        """Return handles and labels of the legend, without the classes where they are many."""
        handles, labels = [], []
        for ax in axes:
            if ax is self.axes_[0] and len(ax.collections) > _MOST_CLASSES:
                continue
            for handle, label in zip(*ax.get_legend_handles_labels(), strict=True):
                handles.append(handle)
                labels.append(label)
        return handles, labels


def _of_seed(frame: pd.DataFrame, seed: int | None) -> pd.DataFrame:
    there = sorted(int(value) for value in frame["seed"].unique())
    if seed is not None and seed not in there:
        raise ValueError(f"seed must be one of {there}; found {seed!r}.")
    return frame[frame["seed"] == (there[0] if seed is None else seed)]


def _plane(X: Any) -> tuple[Floats, tuple[str, str]]:
    """Return the samples as points of a plane, and the names of its axes."""
    matrix = check_array(
        X, accept_sparse="csr", dtype=np.float64, ensure_min_features=2, input_name="X"
    )
    size = float(np.abs(matrix).max())
    if size > _LARGEST:
        raise ValueError(
            f"X must hold numbers of at most {_LARGEST:g} to be drawn; found {size:g}. Scale it."
        )
    if matrix.shape[1] == 2:
        return (matrix.toarray() if issparse(matrix) else matrix), ("x1", "x2")
    # Squares of huge and tiny numbers are none: directions are found at another scale.
    unit = 1.0 if size == 0 or 1e-100 < size < 1e100 else size
    kind = "singular direction" if issparse(matrix) else "principal component"
    reduction = TruncatedSVD if issparse(matrix) else PCA
    with np.errstate(invalid="ignore", divide="ignore"):  # shares of no variance at all
        found = reduction(2, random_state=0).fit_transform(matrix / unit) * unit
    return found, (f"first {kind}", f"second {kind}")


def _rows(frame: pd.DataFrame, strategies: list[str], n: int) -> dict[str, Rows]:
    """Return for each strategy the rows of X in `queried`, in the order of the rounds."""
    found = {}
    for strategy in strategies:
        parts = [np.asarray(part) for part in frame.loc[frame["strategy"] == strategy, "queried"]]
        if any(part.ndim != 1 or part.dtype.kind not in "iu" for part in parts):
            raise ValueError(f"queried must hold one-dimensional arrays of int; not of {strategy}.")
        rows = np.concatenate([np.empty(0, np.int64), *parts]).astype(np.int64)
        if len(rows) and not 0 <= rows.min() <= rows.max() < n:
            wrong = rows[(rows < 0) | (rows >= n)][0]
            raise ValueError(
                f"queried must hold rows of X, 0 to {n - 1}; found {wrong} of {strategy}. "
                "Is X all samples of the experiment?"
            )
        found[strategy] = rows
    return found
