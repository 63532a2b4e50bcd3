"""Tables of numbers with a bar each, drawn in SVG so that nothing needs a style of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from modal_interp.explanations.html.markup import Markup, css_class, tag


class Bar(NamedTuple):
    """A row of a table of bars."""

    name: str
    said: str  # the number, as it is written
    bar: Markup
    more: str = ""  # another number, in a column of its own
    strong: bool = False
    remark: str = ""  # behind the name, in words


def table(
    title: str, bars: Sequence[Bar], heads: tuple[str, ...], n_all: int | None = None
) -> Markup:
    """Return a table of bars.

    Parameters
    ----------
    title : str
        Its caption.
    bars : sequence of Bar
        Its rows.
    heads : tuple of str
        Names of the columns: that of the names, of `more` where there is one, of the numbers.
    n_all : int, optional
        How many there are, where those are the largest.
    """
    left = 0 if n_all is None else n_all - len(bars)
    caption = title + (f"; {left:,} smaller ones left out" if left > 0 else "")
    with_more = len(heads) > 2
    columns = [tag("th", head, scope="col", class_=_numeric(k)) for k, head in enumerate(heads)]
    columns.append(tag("td", class_=css_class("bar-cell")))
    rows = [_row(bar, with_more) for bar in bars]
    return tag(
        "table",
        tag("caption", caption, dir="auto"),
        tag("thead", tag("tr", *columns)),
        tag("tbody", *rows),
        class_=css_class("bars"),
    )


def signed(value: float, largest: float) -> Markup:
    """Return a bar from the middle, to the right where it adds."""
    width = 50 * min(abs(value) / largest, 1.0) if largest and np.isfinite(value) else 0.0
    start = 50 - width * (value < 0)
    kind = "adds" if value >= 0 else "takes"
    return _svg(_rect(start, width, kind, 0.0 if value >= 0 else 2.5), _line(50, "axis"))


def part_of_whole(value: float, whole: float, spread: float = 0.0) -> Markup:
    """Return a bar from the left, with its spread as a line through its end."""
    value, spread = (100 * float(v) / whole if whole else 0.0 for v in (value, spread))
    value = min(max(value, 0.0), 100.0) if np.isfinite(value) else 0.0
    drawn = [_rect(0, 100, "track", 0.0), _rect(0, value, "neutral", 0.0)]
    if spread:
        ends = max(value - spread, 0.0), min(value + spread, 100.0)
        between = tag(
            "line", x1=_short(ends[0]), x2=_short(ends[1]), y1=5, y2=5, class_=css_class("spread")
        )
        drawn += [between, *(_line(end, "spread", 2, 8) for end in ends)]
    return _svg(*drawn)


def _row(bar: Bar, with_more: bool) -> Markup:
    remark = tag("span", f" ({bar.remark})", class_=css_class("soft")) if bar.remark else None
    named = tag("bdi", bar.name, class_=css_class("strong") if bar.strong else None)
    cells = [tag("th", named, remark, scope="row")]
    if with_more:
        cells.append(tag("td", bar.more, class_=css_class("number")))
    cells.append(tag("td", bar.said, class_=css_class("number")))
    return tag("tr", *cells, tag("td", bar.bar, class_=css_class("bar-cell")))


def _numeric(column: int) -> str | None:
    return css_class("number") if column else None


def _svg(*drawn: Any) -> Markup:
    # The number stands beside it, so nothing is said twice.
    return tag(
        "svg",
        *drawn,
        viewBox="0 0 100 10",
        preserveAspectRatio="none",
        aria_hidden="true",
        class_=css_class("bar"),
    )


def _rect(start: float, width: float, kind: str, inset: float) -> Markup:
    return tag(
        "rect",
        x=_short(start),
        y=_short(inset),
        width=_short(width),
        height=_short(10 - 2 * inset),
        class_=css_class(f"fill-{kind}"),
    )


def _line(x: float, kind: str, top: int = 0, bottom: int = 10) -> Markup:
    return tag("line", x1=_short(x), x2=_short(x), y1=top, y2=bottom, class_=css_class(kind))


def _short(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")
