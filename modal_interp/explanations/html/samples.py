"""Explanations as HTML: of one sample, of a query, and of any texts and tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from modal_interp.explanations.html import parts
from modal_interp.explanations.html.markup import Markup, css_class, joined, tag
from modal_interp.explanations.html.styles import style
from modal_interp.explanations.html.words import shaded
from modal_interp.explanations.rows import in_a_line
from modal_interp.explanations.text import shown

# Samples that a notebook shows, and characters of one of which no words are known.
_SHOWN, _SAMPLE = 10, 400
_EMPTY = "The text is empty."


def notebook(*content: Any) -> Markup:
    """Return content that stands for itself in a page of others, with its styles."""
    return tag("div", style(), *content, class_="modal-interp")


def one_sample(one: Any) -> Markup:
    """Return why one sample was asked for, as a notebook shows it."""
    return notebook(sample(one))


def query_in_short(query: Any) -> Markup:
    """Return why the samples of a query were asked for, as a notebook shows it."""
    title = tag("div", f"{query.strategy}: {asked(query)}", class_=css_class("title"))
    return notebook(title, parts.facts(about(query)), _first(query, sample))


def interpretations(found: Any, title: str) -> Markup:
    """Return texts with their words shaded, or samples with the bars of their features."""
    return notebook(tag("div", title, class_=css_class("title")), _first(found, interpreted))


def sample(one: Any, heading: str = "div", **attributes: Any) -> Markup:
    """Return why one sample was asked for.

    Parameters
    ----------
    one : Explanation
        Of the sample.
    heading : str
        The element that names it, so that headings of a page come in order.
    **attributes
        Of the whole.
    """
    metric = f", metric {one.metric:.4g}" if one.metric == one.metric else ""
    title = tag(heading, f"{one.place + 1}. Row {one.index}{metric}", class_=css_class("title"))
    said = tag("p", one.sentence, dir="auto")
    other = None if one.counterpart is None else parts.counterpart(one)
    left = [
        None if one.counterpart is None else parts.both(one.counterpart, one.words),
        _predicted(one),
        *map(parts.shares, one.shares),
        parts.numbers(one.numbers),
    ]
    near = [parts.neighbours(near, one.features) for near in one.neighbours]
    inner = [title, said, _itself(one), other, _side_by_side(left, _contributions(one)), *near]
    return tag("div", *inner, class_=css_class("sample"), **attributes)


def interpreted(one: Any) -> Markup:
    """Return a sample with what its parts contribute, whoever asked for it."""
    title = tag("div", f"{one.place + 1}.", class_=css_class("title"))
    details = _side_by_side([_predicted(one)], _contributions(one))
    return tag("div", title, _itself(one), details, class_=css_class("sample"))


def asked(query: Any) -> str:
    """Return what was asked for."""
    one = "sample" if len(query) == 1 else "samples"
    return f"asked for {len(query):,} {one} of a pool of {query.n_pool:,}"


def about(query: Any) -> Iterable[tuple[str, Any]]:
    """Yield the facts of a query with their names."""
    if query.options:
        told = [tag("code", f"{k}={shown(repr(v), 80)}") for k, v in query.options.items()]
        yield "options", joined(*told, by=", ")
    for step in query.narrowing:
        yield "candidates", f"{step.by} left {step.n_left:,} of {step.n_before:,}"
    yield "metric", query.metric_name
    if query.n_members > 1:
        yield "members", f"{query.n_members} were asked"
    if not query.checked:
        yield "checked", "no: that the strategy chose just these samples could not be checked"


def _itself(one: Any) -> Markup:
    """Return the sample: its text with words shaded, else what it holds."""
    if one.words is not None:
        return shaded(one.sample, one.words)
    if one.features is not None:
        return tag("p", in_a_line(one.sample, one.features, _SAMPLE, 12), dir="auto")
    text = shown(one.sample, _SAMPLE)
    if not text:
        return tag("p", _EMPTY, class_=css_class("soft")) if one.sample == "" else joined()
    return tag("p", text, class_=css_class("text"), dir="auto")


def _predicted(one: Any) -> Markup | None:
    return None if one.proba is None else parts.predicted(one.proba)


def _contributions(one: Any) -> list[Markup | None]:
    return [
        None if one.words is None else parts.contributions("word", one.words),
        None if one.features is None else parts.contributions("feature", one.features, 12),
    ]


def _side_by_side(*columns: Iterable[Markup | None]) -> Markup:
    """Return parts in columns, where there is room for them."""
    boxes = [joined(*column) for column in columns]
    return tag("div", *(tag("div", box) for box in boxes if box), class_=css_class("parts"))


def _first(query: Any, show: Callable[[Any], Markup]) -> Markup:
    """Return the first samples, and how to see the others."""
    first = joined(*map(show, islice(query, _SHOWN)))
    left = len(query) - _SHOWN
    if left <= 0:
        return first
    how = f"{left:,} more: by index or slice, as [{_SHOWN}], or all by print, to_frame and to_html."
    return joined(first, tag("p", how, class_=css_class("soft")))
