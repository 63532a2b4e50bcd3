"""Explanations as plain text for terminals: signs and bars, and colours where they are seen."""

from __future__ import annotations

import os
import re
import shutil
import sys
import unicodedata
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from modal_interp.explanations.rows import in_a_line
from modal_interp.explanations.text import shown
from modal_interp.explanations.windows import excerpt, pieces, shades, strongest, visible

# Columns of the text and of a bar; rows of a list; characters of a name, and of a sample.
_NARROWEST, _WIDEST, _BAR, _ROWS, _NAME, _SAMPLE = 40, 100, 20, 8, 28, 160
# What a terminal would obey, or show nothing of.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202d\u202e\ud800-\udfff]")
# Blue and orange of the 256 colours, which show on black and on white; bold.
_ADDS, _TAKES, _BOLD, _END = "\x1b[38;5;33m", "\x1b[38;5;166m", "\x1b[1m", "\x1b[0m"


class Paper(NamedTuple):
    """What a text is written for."""

    width: int
    color: bool

    def dyed(self, text: str, value: float, *, bold: bool = False) -> str:
        """Return a text in the colour of a sign."""
        if not self.color:
            return text
        hue = _ADDS if value > 0 else _TAKES if value < 0 else ""
        return f"{_BOLD if bold else ''}{hue}{text}{_END}" if hue or bold else text


def paper(width: int | None = None, color: bool | None = None) -> Paper:
    """Return what to write for: by default the terminal, as it says.

    NO_COLOR, where it is set, comes before FORCE_COLOR, and that before what the output is.
    """
    columns = shutil.get_terminal_size().columns if width is None else width
    if color is None:
        tty = getattr(sys.stdout, "isatty", lambda: False)() and os.environ.get("TERM") != "dumb"
        color = not os.environ.get("NO_COLOR") and bool(os.environ.get("FORCE_COLOR") or tty)
    return Paper(max(_NARROWEST, min(columns, _WIDEST)), color)


def query_as_text(query: Any, on: Paper) -> str:
    """Return the explanation of a query, sample by sample."""
    head = [line for told in _head(query) for line in wrapped(told, on.width)]
    return "\n\n".join(["\n".join(head), *(as_text(one, on) for one in query)])


def as_text(one: Any, on: Paper) -> str:
    """Return the explanation of a sample."""
    metric = f", metric {one.metric:.4g}" if one.metric == one.metric else ""
    lines = [f"[{one.place + 1}] row {one.index}{metric}"]
    lines += wrapped(one.sentence, on.width, "  ")
    if one.words is None:
        lines += wrapped(in_a_line(one.sample, one.features, _SAMPLE, 12), on.width, "  | ")
    lines += _details(one, on)
    return "\n".join(lines)


def interpretations_as_text(found: Any, title: str, on: Paper) -> str:
    """Return texts with the signs of their words, or samples with their features."""
    lines = wrapped(title, on.width)
    for one in found:
        lines += ["", f"[{one.place + 1}] {'' if one.words else shown(one.sample, _NAME)}".rstrip()]
        lines += _parts(one, on)
    return "\n".join(lines)


def wrapped(text: str, width: int, indent: str = "") -> list[str]:
    """Return a text in lines, counted by the columns that letters take."""
    lines, line = [], ""
    for word in _CONTROL.sub("\ufffd", text).split():
        for part in _cut(word, width - len(indent)):
            joined = f"{line} {part}" if line else part
            if line and columns(joined) > width - len(indent):
                lines.append(indent + line)
                line = part
            else:
                line = joined
    return [*lines, indent + line] if line else lines


def columns(text: str) -> int:
    """Return how many columns a text takes; colours take none."""
    return sum(
        0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF")
        for c in re.sub("\x1b\\[[0-9;]*m", "", text)
    )


def _cut(word: str, width: int) -> list[str]:
    """Return the parts of a word that fit."""
    parts = [""]
    for letter in word:
        if columns(parts[-1]) + columns(letter) > width:
            parts.append("")
        parts[-1] += letter
    return parts


def _head(query: Any) -> Iterator[str]:
    options = ", ".join(f"{key}={shown(repr(value), 40)}" for key, value in query.options.items())
    yield f"{query.strategy}({options}) asked for {len(query)} of {query.n_pool} samples."
    for step in query.narrowing:
        yield f"candidates={step.by} left {step.n_left} of {step.n_before}."
    yield f"Metric: {query.metric_name}."
    if not query.checked:
        yield "That the strategy chose these samples could not be checked."


def _details(one: Any, on: Paper) -> Iterator[str]:
    yield from _parts(one, on)
    if one.counterpart is not None:
        yield from _counterpart(one.counterpart, on)
    for part in one.shares:
        order = np.argsort(-part.values, kind="stable")[:_ROWS]
        yield from wrapped(f"{part.title}:", on.width, "  ")
        rows = [(part.names[k], f"{part.values[k]:.4g}", part.values[k]) for k in order]
        yield from _bars(rows, float(part.values.sum()), on, signed=False)
    for near in one.neighbours:
        yield from _neighbours(near, one.features, on)
    for number in one.numbers:
        told = f"{number.name}: {number.value:.4g} {number.unit}".rstrip()
        yield from wrapped(told, on.width, "  ")


def _parts(one: Any, on: Paper) -> Iterator[str]:
    """Yield the text with signs, the contributions and what is predicted."""
    if one.words is not None:
        yield from _marked(one.sample, one.words, on)
        yield from _contributions(one.words, on)
    if one.features is not None:
        yield from _contributions(one.features, on)
    if one.proba is not None:
        yield from _predicted(one.proba, on)


def _marked(sample: Any, words: Any, on: Paper) -> list[str]:
    """Return a text in which strong words bear signs, and the one that decided arrows."""
    if not len(words.names):
        return ["  | (no word that the net reads)"]
    values = words.contributions[:, words.shown]
    levels = shades(values, 4)
    text = ""
    for piece in pieces(sample, words):
        k = piece.word
        if k is None:
            text += piece.text
            continue
        written = f">{piece.text}<" if k == words.decided else piece.text
        signs = ("+" if levels[k] > 0 else "-") * (abs(int(levels[k])) - 1)
        text += written + (f"({signs})" if signs else "")
    lines = wrapped(text, on.width, "  | ")
    return [_dyed_signs(line, on) for line in lines]


def _dyed_signs(line: str, on: Paper) -> str:
    """Return a line whose words with signs have their colour."""

    def dyed(found: re.Match[str]) -> str:
        return on.dyed(found[0], 1 if "+" in found[2] else -1, bold=found[0].startswith(">"))

    return re.sub(r"(\S+)\((\++|-+)\)", dyed, line) if on.color else line


def _contributions(part: Any, on: Paper) -> Iterator[str]:
    if not len(part.names):
        return
    values = part.contributions[:, part.shown]
    of = f" of {part.outputs[part.shown]}" if part.outputs else ""
    yield from wrapped(f"{part.meaning}{of}:", on.width, "  ")
    order = strongest(values, part.decided, _ROWS)
    rows = [
        (
            visible(part.names[k], _NAME),
            f"{values[k]:+.3g}" + " decided" * (k == part.decided),
            values[k],
        )
        for k in order
    ]
    yield from _bars(rows, float(np.abs(values).max()), on, signed=True)
    if len(values) > len(order):
        yield f"    \u2026 {len(values) - len(order):,} smaller ones"


def _predicted(proba: Any, on: Paper) -> Iterator[str]:
    order = np.argsort(-proba.mean, kind="stable")[:_ROWS]
    several = len(proba.by) > 1
    over = f" (mean \u00b1 deviation over {len(proba.by)} {proba.of})" if several else ""
    yield from wrapped(f"predicted{over}:", on.width, "  ")
    rows = []
    for c in order:
        name = proba.classes[c] if proba.classes else str(c)
        said = f"{proba.mean[c]:.1%}" + (f" \u00b1 {proba.spread[c]:.1%}" if several else "")
        rows.append((name, said, float(proba.mean[c])))
    yield from _bars(rows, 1.0, on, signed=False)


def _bars(
    rows: list[tuple[str, str, float]], whole: float, on: Paper, *, signed: bool
) -> Iterator[str]:
    """Yield names, numbers and bars, each in its column."""
    long = max((len(said) for _, said, _ in rows), default=0)
    room = on.width - long - 6
    names = [
        _cut(_CONTROL.sub("\ufffd", shown(name, _NAME)) or " ", room)[0] for name, _, _ in rows
    ]
    wide = max(map(columns, names), default=0)
    for name, (_, said, value) in zip(names, rows, strict=True):
        share = abs(value) / whole if whole and np.isfinite(value) else 0.0
        n = min(_BAR, round(_BAR * share), max(0, on.width - wide - long - 8))
        line = f"    {name}{' ' * (wide - columns(name))}  {said:<{long}}"
        bar = on.dyed("\u2588" * n, value if signed and n else 0.0)
        yield f"{line}  {bar}".rstrip()


def _counterpart(other: Any, on: Paper) -> Iterator[str]:
    label = "" if other.label is None else f", labelled {shown(other.label, _NAME)}"
    of = "labelled sample" if other.source == "labelled" else "row"
    named = f"compared with \u201c{visible(other.name, _NAME)}\u201d in {of} {other.index}{label}"
    instead = ", which stands in for it" * other.stands_in
    yield from wrapped(f"{named}{instead}, at distance {other.distance:.3g}:", on.width, "  ")
    before, word, after = excerpt(other.sample, other.span, _SAMPLE)
    yield from wrapped(f"{before}>{word}<{after}" if word else before, on.width, "  | ")


def _neighbours(near: Any, features: Any, on: Paper) -> Iterator[str]:
    yield from wrapped(f"{near.relation} ({near.n_all:,} in all):", on.width, "  ")
    for k in range(min(5, len(near.indices))):
        label = near.labels[k] if k < len(near.labels) else None
        told = f"{near.indices[k]} at {near.distances[k]:.3g}"
        told += "" if label is None else f", labelled {shown(label, _NAME)}"
        sample = in_a_line(near.samples[k], features) if k < len(near.samples) else ""
        yield from wrapped(f"{told}: {sample}" if sample else told, on.width, "    ")
