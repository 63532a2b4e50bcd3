"""Explanations as plain text."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd

# Characters of a sample, and of one of its words, that are shown; words and parts that are listed.
_SAMPLE, _WORD, _LISTED = 120, 24, 8


def brief(one: Any) -> str:
    """Return an explanation in one line."""
    return f"<Explanation of {one.index}: {one.sentence}>"


def brief_query(query: Any) -> str:
    """Return the explanation of a query in one line."""
    return f"<QueryExplanation of {len(query)} samples by {query.strategy}>"


def full_query(query: Any) -> str:
    """Return the explanation of a query, sample by sample."""
    return "\n\n".join([_wrapped(_head(query)), *map(full, query)])


def full(one: Any) -> str:
    """Return an explanation in some lines, no wider than the terminal."""
    lines = [f"[{one.place + 1}] row {one.index}: {shown(one.sample)}", f"  {one.sentence}"]
    lines += [f"  {line}" for line in _details(one)]
    return _wrapped(lines)


def shown(sample: Any, limit: int = _SAMPLE) -> str:
    """Return a sample in one short line."""
    if isinstance(sample, str):
        text = " ".join(sample[: 4 * limit].split())
        return text if len(text) <= limit else text[: limit - 1] + "\u2026"
    if isinstance(sample, np.ndarray):
        return shown(np.array2string(sample.ravel()[:20], precision=4, threshold=20), limit)
    if isinstance(sample, pd.Series | dict):
        parts = (f"{key}={shown(value, _WORD)}" for key, value in islice(sample.items(), _LISTED))
        return shown(", ".join(parts), limit)
    return "" if sample is None else shown(str(sample), limit)


def _wrapped(lines: Iterable[str]) -> str:
    width = max(40, shutil.get_terminal_size().columns)
    wrapped = (textwrap.wrap(line, width, subsequent_indent="    ") for line in lines)
    return "\n".join(line for part in wrapped for line in part)


def _head(query: Any) -> Iterator[str]:
    options = ", ".join(f"{key}={shown(repr(value), 40)}" for key, value in query.options.items())
    yield f"{query.strategy}({options}) asked for {len(query)} of {query.n_pool} samples."
    for step in query.narrowing:
        yield f"candidates={step.by} left {step.n_left} of {step.n_before}."
    yield f"Metric: {query.metric_name}."
    if not query.checked:
        yield "That the strategy chose these samples could not be checked."


def _details(one: Any) -> Iterator[str]:
    if one.proba is not None:
        order = np.argsort(-one.proba.mean, kind="stable")[:_LISTED]
        spread = len(one.proba.by) > 1
        parts = [
            f"{one.proba.classes[c]} {one.proba.mean[c]:.1%}"
            + (f" \u00b1 {one.proba.spread[c]:.1%}" if spread else "")
            for c in order
        ]
        yield f"predicted: {', '.join(parts)}"
    if one.words is not None:
        yield from _contributions("words", one.words)
    if one.features is not None:
        yield from _contributions("features", one.features)
    if one.counterpart is not None:
        other = one.counterpart
        label = "" if other.label is None else f", labelled {other.label}"
        of = "labelled sample" if other.source == "labelled" else "row"
        name = shown(other.name, _WORD)
        yield f"compared with “{name}” in {of} {other.index}{label}: {shown(other.sample)}"
    for near in one.neighbours:
        listed = zip(near.indices, near.distances, strict=True)
        parts = [f"{i} ({distance:.4g})" for i, distance in islice(listed, _LISTED)]
        yield f"{near.relation} ({near.n_all} in all): {', '.join(parts) or 'none'}"
    for part in one.shares:
        order = np.argsort(-part.values, kind="stable")[:_LISTED]
        yield f"{part.title}: " + ", ".join(f"{part.names[k]} {part.values[k]:.4g}" for k in order)
    for number in one.numbers:
        yield f"{number.name}: {number.value:.4g} {number.unit}".rstrip()


def _contributions(title: str, part: Any) -> Iterator[str]:
    """Yield the largest contributions to the output that matters most."""
    if not len(part.names):
        yield f"{title}: none"
        return
    values = part.contributions[:, part.shown]
    order = np.argsort(-np.abs(values), kind="stable")[:_LISTED]
    listed = ", ".join(f"{shown(part.names[k], _WORD)} {values[k]:+.3g}" for k in order)
    of = f" of {part.outputs[part.shown]}" if part.outputs else ""
    yield f"{title} ({part.meaning}{of}): {listed}"
