"""Colours and markers that stay apart without colour vision and in print; new figures."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

# Of M. Okabe and K. Ito's palette, without the yellow, too pale for lines; the colour of texts is
# kept for what is no strategy. In an order in which neighbours differ in lightness; the last two
# do not.
_COLOURS = ("#0072B2", "#E69F00", "#D55E00", "#56B4E9", "#009E73", "#CC79A7")
# Another number of markers, with no common divisor: 66 pairs before one comes back.
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", "*", ">", "p")
_COLUMNS = 3
GREY = "#B0B0B0"
CHOSEN = _COLOURS[2]


def ink() -> str:
    """Return the colour that texts have, which shows on any background."""
    import matplotlib

    colour: str = matplotlib.rcParams["text.color"]
    return colour


def style(position: int) -> dict[str, Any]:
    """Return colour and marker of the strategy, or class, at this position."""
    return {
        "color": _COLOURS[position % len(_COLOURS)],
        "marker": _MARKERS[position % len(_MARKERS)],
    }


def new_axes(ax: Any, size: tuple[float, float] | None = None) -> Any:
    """Return the axes to draw on; where none are given, those of a new figure (size in inches)."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=size, layout="constrained")[1]


def new_panels(n: int) -> NDArray[Any]:
    """Return the axes of a new figure for n panels of one plane."""
    import matplotlib.pyplot as plt

    columns = min(n, _COLUMNS)
    height = -(-n // columns)
    _, axes = plt.subplots(
        height,
        columns,
        figsize=(3.6 * columns, 3.2 * height),
        sharex=True,
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    for ax in axes.flat[n:]:
        ax.remove()
    return axes.ravel()[:n]


def name_outer_axes(axes: NDArray[Any], names: tuple[str, str]) -> None:
    """Name the axes of panels in a grid where there is no other panel to the left or below."""
    for i, ax in enumerate(axes):
        if i % _COLUMNS == 0:
            ax.set_ylabel(names[1])
        if i + _COLUMNS >= len(axes):
            ax.set_xlabel(names[0])
            ax.tick_params(labelbottom=True)
