"""A query explained on a page of its own: one file that needs no other."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from modal_interp.explanations.html import parts
from modal_interp.explanations.html.markup import Markup, allowed, css_class, tag
from modal_interp.explanations.html.pool_map import drawn
from modal_interp.explanations.html.samples import about, asked, sample
from modal_interp.explanations.html.styles import style
from modal_interp.explanations.rows import in_a_line
from modal_interp.explanations.text import shown
from modal_interp.explanations.windows import visible

_SAMPLE, _WORD = 70, 30
_HEADS = ("place", "row", "metric", "predicted", "decided by", "sample")


def page(query: Any, title: str) -> str:
    """Return a query as a page of HTML.

    Parameters
    ----------
    query : QueryExplanation
        What is told of.
    title : str
        Its heading.
    """
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", title),
        style(page=True),
    )
    lead = f"{query.strategy} {asked(query)}."
    header = tag("header", tag("h1", title, dir="auto"), tag("p", lead))
    sections = [
        _section("What was asked", "asked", parts.facts(about(query))),
        _section("The batch at a glance", "batch", *_at_a_glance(query)),
        _section("Why these samples", "samples", *_samples(query)),
    ]
    body = tag("body", header, tag("main", *sections), class_="modal-interp")
    return allowed(f"<!DOCTYPE html>\n{tag('html', head, body, lang='en')}\n")


def write(text: str, path: Any) -> None:
    """Write a file whole or not at all.

    Raises
    ------
    OSError
        If the path is no place for a file, or cannot be written.
    """
    place = Path(os.path.realpath(os.fspath(path)))
    if place.is_dir():
        raise IsADirectoryError(
            f"path must name a file; found a folder, {str(path)!r}. Add a name: 'query.html'."
        )
    if not place.parent.is_dir():
        raise FileNotFoundError(
            f"path must lie in a folder that exists; found {str(path)!r}. Create "
            f"{str(place.parent)!r} first."
        )
    half = place.with_name(f".{place.name[:100]}.{os.getpid()}.part")
    try:
        half.write_text(text, encoding="utf-8")
        os.replace(half, place)
    except OSError as error:
        half.unlink(missing_ok=True)
        raise type(error)(
            error.errno, f"path must be writable ({error.strerror}); found", str(path)
        ) from error


def _section(title: str, name: str, *content: Any) -> Markup:
    return tag("section", tag("h2", title, id=name), *content, aria_labelledby=name)


def _at_a_glance(query: Any) -> Iterator[Markup]:
    if query.pool_map is not None:
        yield drawn(query.pool_map, query.indices)
    else:
        told = "For a map of the pool, explain_query(..., pool_map=True)."
        yield tag("p", told, class_=css_class("soft"))
    yield _table(query)


def _table(query: Any) -> Markup:
    """Return a row a sample, with the way to it; no columns of what is told of none."""
    rows = [list(_cells(one)) for one in query]
    told = [any(row[k][1] for row in rows) for k in range(len(_HEADS))]
    head = [
        tag("th", name, scope="col", class_=css_class("text-cell") if name == "sample" else None)
        for name, known in zip(_HEADS, told, strict=True)
        if known
    ]
    body = [
        tag("tr", *(cell for (cell, _), known in zip(row, told, strict=True) if known))
        for row in rows
    ]
    return tag(
        "table",
        tag("caption", f"The batch, in the order of choice. Metric: {query.metric_name}."),
        tag("thead", tag("tr", *head)),
        tag("tbody", *body),
        class_=css_class("batch"),
    )


def _cells(one: Any) -> Iterator[tuple[Markup, str]]:
    """Yield the cells of a sample, each with what it tells."""
    place = str(one.place + 1)
    yield tag("th", tag("a", place, href=f"#sample-{place}"), scope="row"), place
    for number in (str(one.index), f"{one.metric:.3g}" if one.metric == one.metric else ""):
        yield tag("td", number), number
    decided = [
        visible(part.names[part.decided], _WORD)
        for part in (one.words, one.features)
        if part is not None and part.decided is not None
    ]
    sample = in_a_line(one.sample, one.features, _SAMPLE)
    texts = _predicted(one.proba), ", ".join(decided), sample
    for text, kind in zip(texts, (None, None, "text-cell"), strict=True):
        yield tag("td", text, dir="auto", class_=css_class("data", kind)), text


def _predicted(proba: Any) -> str:
    if proba is None:
        return ""
    top = int(proba.mean.argmax())
    name = proba.classes[top] if proba.classes else str(top)
    return f"{shown(name, _WORD)} {proba.mean[top]:.0%}"


def _samples(query: Any) -> Iterator[Markup]:
    for one in query:
        yield sample(one, heading="h3", id=f"sample-{one.place + 1}")
