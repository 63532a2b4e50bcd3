"""The parts of an explanation: contributions, predictions, counterpart, neighbours, numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from modal_interp.explanations.html.bars import Bar, part_of_whole, signed, table
from modal_interp.explanations.html.markup import Markup, css_class, joined, tag
from modal_interp.explanations.html.words import of_output
from modal_interp.explanations.rows import in_a_line
from modal_interp.explanations.text import shown
from modal_interp.explanations.windows import excerpt, strongest, visible

# Rows of a table of bars; neighbours that are listed; characters of a name, and of a sample.
_ROWS, _NEAR, _NAME, _SAMPLE = 8, 5, 60, 160


def contributions(title: str, part: Any, n: int = _ROWS) -> Markup | None:
    """Return the largest contributions of words, or of features with their values, as bars."""
    if not len(part.names):
        return None
    values = part.contributions[:, part.shown]
    of_sample = getattr(part, "values", None)
    largest = float(np.abs(values).max(initial=0.0))
    bars = [
        Bar(
            visible(part.names[k], _NAME),
            f"{values[k]:+.3g}",
            signed(values[k], largest),
            "" if of_sample is None else f"{of_sample[k]:.4g}",
            k == part.decided,
            "decided" if k == part.decided else "",
        )
        for k in strongest(values, part.decided, n)
    ]
    more = () if of_sample is None else ("net reads",)
    caption = f"{part.meaning[:1].upper()}{part.meaning[1:]}{of_output(part)}"
    return table(caption, bars, (title, *more, "contribution"), len(part.names))


def predicted(proba: Any) -> Markup:
    """Return the probabilities as bars, with their spread."""
    order = np.argsort(-proba.mean, kind="stable")[:_ROWS]
    several = len(proba.by) > 1
    bars = [
        Bar(
            visible(proba.classes[c], _NAME) if proba.classes else str(c),
            f"{proba.mean[c]:.1%}" + (f" \u00b1 {proba.spread[c]:.1%}" if several else ""),
            part_of_whole(proba.mean[c], 1.0, proba.spread[c] if several else 0.0),
        )
        for c in order
    ]
    over = f": mean and standard deviation over {len(proba.by)} {proba.of}" if several else ""
    each = ", each label by itself" if proba.several else ""
    column = "label" if proba.several else "class"
    return table(f"Predicted{each}{over}", bars, (column, "probability"), len(proba.mean))


def shares(part: Any) -> Markup:
    """Return the parts of a whole as bars."""
    order = np.argsort(-part.values, kind="stable")[:_ROWS]
    whole = float(part.values.sum())
    bars = [
        Bar(
            visible(part.names[k], _NAME),
            f"{part.values[k]:.3g}",
            part_of_whole(part.values[k], whole),
        )
        for k in order
    ]
    title = f"{part.title[:1].upper()}{part.title[1:]}"
    return table(title, bars, ("part", "amount"), len(part.names))


def counterpart(one: Any) -> Markup:
    """Return the labelled word that the deciding one was compared with, and both contributions."""
    other = one.counterpart
    chosen = ", chosen before in this batch" * (other.source == "batch")
    label = [] if other.label is None else [", labelled ", tag("strong", shown(other.label, _NAME))]
    said = tag(
        "p",
        "Compared with ",
        tag("strong", tag("bdi", visible(other.name))),
        f" in {_where(other)}",
        *label,
        f"{chosen}{_stands_in(other)}, at distance {other.distance:.3g}:",
    )
    if other.sample is None:
        return said
    before, word, after = excerpt(other.sample, other.span, _SAMPLE)
    marked = tag("strong", word) if word else None
    quoted = tag("p", before, marked, after, class_=css_class("quote"), dir="auto")
    return joined(said, quoted)


def both(other: Any, words: Any) -> Markup | None:
    """Return the contributions of the deciding word and of its counterpart, on one scale."""
    if words is None or words.decided is None:
        return None
    k = words.shown
    pair = [
        (words.names[words.decided], float(words.contributions[words.decided, k]), "here"),
        (other.name, float(other.contributions[k]), f"in {_where(other)}"),
    ]
    largest = max(abs(value) for _, value, _ in pair)
    bars = [
        Bar(visible(name, _NAME), f"{value:+.3g}", signed(value, largest), remark=where)
        for name, value, where in pair
    ]
    title = f"Both words: {words.meaning}{of_output(words)}"
    return table(title, bars, ("word", "contribution"))


def neighbours(near: Any, features: Any = None) -> Markup:
    """Return the nearest of the samples that one was compared with, or stands for."""
    rows = []
    for k in range(min(_NEAR, len(near.indices))):
        label = near.labels[k] if k < len(near.labels) else None
        sample = near.samples[k] if k < len(near.samples) else None
        text = in_a_line(sample, features, _SAMPLE)
        if label is not None:
            text = joined(tag("strong", shown(label, _NAME)), ": " if text else None, text)
        rows.append(
            tag(
                "tr",
                tag("th", str(near.indices[k]), scope="row"),
                tag("td", f"{near.distances[k]:.3g}", class_=css_class("number")),
                tag("td", text, dir="auto"),
            )
        )
    listed = f", the nearest {len(rows)} of {near.n_all:,}" if near.n_all > len(rows) else ""
    title = f"{near.relation[:1].upper()}{near.relation[1:]}{listed}"
    if not rows:
        return tag("p", f"{title}: none.", class_=css_class("soft"))
    where = "row of the pool" if near.source == "pool" else "labelled sample"
    heads = [(where, None), ("distance", css_class("number")), ("sample", None)]
    head = [tag("th", name, scope="col", class_=kind) for name, kind in heads]
    return tag(
        "table",
        tag("caption", title),
        tag("thead", tag("tr", *head)),
        tag("tbody", *rows),
        class_=css_class("near"),
    )


def numbers(found: tuple[Any, ...]) -> Markup | None:
    """Return numbers by their names."""
    return facts((n.name, f"{n.value:.4g} {n.unit}".rstrip()) for n in found) if found else None


def facts(found: Any) -> Markup:
    """Return names with what they stand for."""
    pairs = [part for name, value in found for part in (tag("dt", name), tag("dd", value))]
    return tag("dl", *pairs, class_=css_class("facts"))


def _stands_in(other: Any) -> str:
    if not other.stands_in:
        return ""
    return (
        ", the labelled word whose embedding is nearest (no labelled sample holds the word itself;"
        f" {other.gap:.3g} apart)"
    )


def _where(other: Any) -> str:
    return f"{'labelled sample' if other.source == 'labelled' else 'row'} {other.index}"
