"""A map of the pool as a drawing in SVG, with its legend and in words."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from modal_interp.explanations.html.markup import Markup, css_class, tag

_WIDTH, _HEIGHT, _EDGE = 480, 320, 16
# Candidates and labelled samples that are drawn, besides the batch.
_CANDIDATES, _LABELLED = 1000, 300
# How readers call what a map is made of.
_NAMES = {"features": "their features, what the output layer reads"}


def drawn(found: Any, chosen: NDArray[np.intp], name: str = "map") -> Markup:
    """Return a figure: the map, its legend, and what it shows.

    Parameters
    ----------
    found : PoolMap
        The map.
    chosen : ndarray of shape (k,), intp
        Rows of the pool, in the order of choice.
    name : str
        Beginning of the ids of its parts, which a page holds once.
    """
    batch, candidates, labelled = _on_paper(found, chosen)
    told = _in_words(found, len(candidates) + len(batch), len(labelled))
    svg = tag(
        "svg",
        tag("title", "Map of the pool", id=f"{name}-title"),
        tag("desc", told, id=f"{name}-words"),
        tag("path", d=_marks(candidates), class_=css_class("dots")),
        tag("path", d=_marks(labelled), class_=css_class("squares")),
        *_diamonds(batch),
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        role="img",
        aria_labelledby=f"{name}-title {name}-words",
        class_=css_class("map"),
    )
    caption = tag("figcaption", told, class_=css_class("soft"))
    return tag("figure", svg, _legend(len(labelled)), caption)


def _in_words(found: Any, n: int, n_labelled: int) -> str:
    """Return what a map shows."""
    evenly = ", evenly drawn," * (n >= _CANDIDATES)
    labelled = f" and {_of(n_labelled, len(found.labelled))} labelled samples" * bool(n_labelled)
    first, second = found.explained
    return (
        f"Each mark is a sample; near marks are alike by {_NAMES.get(found.of, found.of)}. The "
        f"axes are the first two principal components and show {first:.0%} and {second:.0%} of the "
        f"variance. Shown are {_of(n, len(found.points))} candidates{evenly}{labelled}."
    )


def _of(n: int, n_all: int) -> str:
    return f"{n:,} of {n_all:,}" if n < n_all else f"all {n:,}"


def _on_paper(found: Any, chosen: NDArray[np.intp]) -> list[NDArray[np.float64]]:
    """Return the batch, candidates and labelled samples in the units of the drawing.

    Each axis is as long as it can be. Samples that lie nowhere, for they hold no words, are put in
    its middle if they were chosen, and left out if not.
    """
    places = np.searchsorted(found.indices, chosen)
    others = np.setdiff1d(np.flatnonzero(np.isfinite(found.points).all(axis=1)), places)
    labelled = found.labelled[np.isfinite(found.labelled).all(axis=1)]
    parts = [
        found.points[places],
        found.points[_evenly(others, _CANDIDATES)],
        _evenly(labelled, _LABELLED),
    ]
    every = np.concatenate([*parts, np.zeros((1, 2))]).astype(np.float64)
    low, high = np.nanmin(every, axis=0), np.nanmax(every, axis=0)
    extent = np.where(high > low, high - low, 1.0)
    scale = (np.array([_WIDTH, _HEIGHT]) - 2 * _EDGE) / extent * (1, -1)
    middle = np.array([_WIDTH, _HEIGHT]) / 2
    return [np.nan_to_num(part - (low + high) / 2) * scale + middle for part in parts]


def _evenly(found: NDArray[Any], at_most: int) -> NDArray[Any]:
    """Return so many rows at most, from first to last."""
    return found[np.unique(np.linspace(0, len(found) - 1, min(len(found), at_most)).astype(int))]


def _marks(points: Any) -> str:
    """Return a path of points that are lines of no length, whose ends the style draws."""
    return "".join(f"M{x:.0f} {y:.0f}h0" for x, y in points)


def _diamonds(points: Any) -> list[Markup]:
    shapes = [_diamond(x, y) for x, y in points]
    texts = [
        tag("text", str(k + 1), x=f"{x + 7:.0f}", y=f"{y + 3.5:.0f}")
        for k, (x, y) in enumerate(points)
    ]
    return [*shapes, *texts]


def _diamond(x: float, y: float, r: float = 6) -> Markup:
    d = f"M{x - r:.1f} {y:.1f}l{r} {-r} {r} {r} {-r} {r}z"
    return tag("path", d=d, class_=css_class("diamonds"))


def _legend(n_labelled: int) -> Markup:
    items = [(tag("path", d="M5 5h0", class_=css_class("dots")), "candidate")]
    if n_labelled:
        items.append((tag("path", d="M5 5h0", class_=css_class("squares")), "labelled"))
    items.append((_diamond(5, 5, 5), "chosen, with its place"))
    rows = [
        tag("li", tag("svg", mark, viewBox="0 0 10 10", aria_hidden="true"), said)
        for mark, said in items
    ]
    return tag("ul", *rows, class_=css_class("legend"))
