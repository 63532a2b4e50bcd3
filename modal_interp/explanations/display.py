"""A picture of an explanation, in the manner of scikit-learn's displays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from modal_interp.explanations.windows import strongest, visible

# Of M. Okabe and K. Ito's palette: told apart with any colour vision.
_ADDS, _TAKES, _NEUTRAL = "#0072B2", "#D55E00", "#707070"
_NAME, _PLAIN = 28, {"parse_math": False, "usetex": False}


class ExplanationDisplay:
    """What each word or feature of a sample contributes, and what is predicted of it, as bars.

    Made by `from_explanation`, or by ``.plot()`` of an explanation.

    Parameters
    ----------
    names : tuple of str
        Words or features, the largest contribution first.
    contributions : ndarray of shape (m,), float
        Of each, with its sign.
    decided : int or None
        Which of them the strategy decided by.
    meaning : str
        What a contribution is.
    classes : tuple of str
        Names of the classes or labels, the most probable first.
    proba, spread : ndarray of shape (C,), float64
        Their probabilities, and the standard deviations over passes or members; NaN where there
        are none.
    title : str
        Of the picture.

    Attributes
    ----------
    ax_, figure_
        Of matplotlib, from `plot` on.
    proba_ax_
        Where the probabilities are drawn: beside; None where `ax` is given, whose title they are.
    bars_, proba_bars_
        The bars, or None.

    Notes
    -----
    Departs from the paper: none; the papers show no explanations of single samples.

    Examples
    --------
    See `from_explanation`.
    """

    def __init__(
        self,
        names: tuple[str, ...],
        contributions: NDArray[Any],
        *,
        decided: int | None = None,
        meaning: str = "contribution",
        classes: tuple[str, ...] = (),
        proba: NDArray[Any] | None = None,
        spread: NDArray[Any] | None = None,
        title: str = "",
    ) -> None:
        self.names = names
        self.contributions = contributions
        self.decided = decided
        self.meaning = meaning
        self.classes = classes
        self.proba = np.empty(0) if proba is None else proba
        self.spread = np.full(len(self.proba), np.nan) if spread is None else spread
        self.title = title

    @classmethod
    def from_explanation(
        cls, explanation: Any, *, n: int = 10, ax: Any = None
    ) -> ExplanationDisplay:
        """Draw an explanation.

        Parameters
        ----------
        explanation : Explanation, or a sample of what `show_words` and `show_features` return
            What to draw.
        n : int, default=10
            Words or features, and classes, at most: the largest.
        ax : matplotlib Axes, optional
            Where to draw; otherwise a new figure.

        Returns
        -------
        ExplanationDisplay
            Drawn.

        Raises
        ------
        ValueError
            If `n` is less than 1.

        Notes
        -----
        Departs from the paper: none; the papers show no explanations of single samples.

        Examples
        --------
        >>> import matplotlib
        >>> matplotlib.use("Agg")
        >>> import matplotlib.pyplot as plt
        >>> from modal_interp import (
        ...     ExplanationDisplay, TabularMLPClassifier, make_sigmoid, show_features)
        >>> X, y = make_sigmoid(60, random_state=0)
        >>> net = TabularMLPClassifier(max_epochs=1, random_state=0).fit(X, y)
        >>> display = ExplanationDisplay.from_explanation(show_features(net, X[:2])[0])
        >>> len(display.bars_)
        2
        >>> plt.close(display.figure_)
        """
        if n < 1:
            raise ValueError(f"n must be at least 1; found {n!r}.")
        part = explanation.words if explanation.words is not None else explanation.features
        given: dict[str, Any] = {"names": (), "contributions": np.empty(0)}
        if part is not None and len(part.names):
            given = _contributions(part, n)
        proba = explanation.proba
        if proba is not None:
            order = np.argsort(-proba.mean, kind="stable")[:n]
            classes = tuple(proba.classes[c] if proba.classes else str(c) for c in order)
            spread = proba.spread[order] if len(proba.by) > 1 else None
            given |= {"classes": classes, "proba": proba.mean[order], "spread": spread}
        index = getattr(explanation, "index", explanation.place)
        return cls(**given, title=f"row {index}").plot(ax)

    proba_ax_: Any

    def plot(self, ax: Any = None) -> ExplanationDisplay:
        """Draw the bars.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; otherwise a new figure.

        Returns
        -------
        ExplanationDisplay
            Itself.
        """
        self.ax_, self.proba_ax_ = (ax, None) if ax is not None else self._new_axes()
        self.figure_ = self.ax_.figure
        self.bars_ = self._contributions() if len(self.names) else None
        self.proba_bars_ = None
        place = self.proba_ax_ if self.bars_ is not None else self.ax_
        if len(self.proba) and place is not None:
            self.proba_bars_ = self._probabilities(place)
        title = self.title
        if len(self.proba) and self.proba_bars_ is None:
            top = zip(self.classes[:3], self.proba, strict=False)
            title += ": " + ", ".join(f"{visible(name, _NAME)} {p:.0%}" for name, p in top)
        self.ax_.set_title(title, fontsize="medium", loc="left", **_PLAIN)
        return self

    def _new_axes(self) -> tuple[Any, Any]:
        import matplotlib.pyplot as plt

        both = len(self.names) > 0 and len(self.proba) > 0
        height = 1.2 + 0.3 * max(len(self.names), len(self.proba), 2)
        _, axes = plt.subplots(
            1,
            1 + both,
            figsize=(8.5 if both else 5.5, height),
            width_ratios=[3, 2] if both else [1],
            squeeze=False,
            layout="constrained",
        )
        return axes[0, 0], axes[0, 1] if both else None

    def _contributions(self) -> Any:
        ax, values = self.ax_, np.asarray(self.contributions, dtype=np.float64)
        colours = [_ADDS if value >= 0 else _TAKES for value in values]
        bars = ax.barh(np.arange(len(values)), values, color=colours, height=0.7)
        for bar, value in zip(bars, values, strict=True):
            if value < 0:
                bar.set_hatch("///")
                bar.set_edgecolor("white")
        ax.bar_label(bars, labels=[f"{value:+.3g}" for value in values], padding=3, fontsize=8)
        marks = ["\u25b6 " if k == self.decided else "" for k in range(len(values))]
        labels = [mark + visible(name, _NAME) for mark, name in zip(marks, self.names, strict=True)]
        _name_rows(ax, labels)
        if self.decided is not None:
            bars[self.decided].set(edgecolor=_ink(), linewidth=1.8)
            ax.get_yticklabels()[self.decided].set_fontweight("bold")
        ax.axvline(0, color=_ink(), linewidth=0.8)
        ax.margins(x=0.25)
        ax.set_xlabel(self.meaning, fontsize="small", wrap=True, **_PLAIN)
        return bars

    def _probabilities(self, ax: Any) -> Any:
        spread = self.spread if np.isfinite(self.spread).any() else None
        rows = np.arange(len(self.proba))
        bars = ax.barh(rows, self.proba, xerr=spread, color=_NEUTRAL, height=0.7, capsize=3)
        _name_rows(ax, [visible(name, _NAME) for name in self.classes])
        ax.set_xlim(0, 1)
        ax.set_ylim(max(len(rows), len(self.names)) - 0.5, -0.5)  # bars as thick as the others
        ax.xaxis.set_major_formatter("{x:.0%}")
        ax.set_xlabel("predicted probability", fontsize="small")
        return bars


def _contributions(part: Any, n: int) -> dict[str, Any]:
    values = part.contributions[:, part.shown]
    order = strongest(values, part.decided, n)
    of = f" of {part.outputs[part.shown]}" if part.outputs else ""
    return {
        "names": tuple(part.names[k] for k in order),
        "contributions": values[order],
        "decided": None if part.decided is None else order.index(part.decided),
        "meaning": f"{part.meaning}{of}",
    }


def _name_rows(ax: Any, names: list[str]) -> None:
    ax.set_yticks(range(len(names)), names, **_PLAIN)
    ax.invert_yaxis()


def _ink() -> str:
    import matplotlib

    colour: str = matplotlib.rcParams["text.color"]
    return colour
