"""A text whose words are shaded by what they contribute."""

from __future__ import annotations

from typing import Any

import numpy as np

from modal_interp.explanations.html.markup import Markup, css_class, joined, tag
from modal_interp.explanations.html.styles import N_SHADES
from modal_interp.explanations.windows import Piece, pieces, shades

_EMPTY = "The text holds no word that the net reads."


def shaded(sample: Any, words: Any) -> Markup:
    """Return a text with its words shaded, and what the shades say."""
    if not len(words.names):
        return tag("p", _EMPTY, class_=css_class("soft"))
    values = words.contributions[:, words.shown]
    levels = shades(values, N_SHADES)
    shown = [_piece(piece, words, values, levels) for piece in pieces(sample, words)]
    text = tag("p", *shown, class_=css_class("text"), dir="auto")
    return joined(text, tag("p", *_key(words, values), class_=css_class("soft")))


def _piece(piece: Piece, words: Any, values: Any, levels: Any) -> Any:
    if piece.remark:
        return tag("span", piece.text, class_=css_class("left-out"), dir="ltr")
    if piece.word is None:
        return piece.text
    k, known = piece.word, words.known is None or words.known[piece.word]
    names = ["word", None if known else "unknown"]
    if levels[k]:
        names.append(f"{'adds' if levels[k] > 0 else 'takes'}-{abs(levels[k])}")
    told = f"{values[k]:+.3g}" + ", not known to the encoder" * (not known)
    if k == words.decided:
        return tag(
            "strong", piece.text, class_=css_class(*names, "decided"), title=told + ", decided"
        )
    return tag("span", piece.text, class_=css_class(*names), title=told)


def _key(words: Any, values: Any) -> list[Any]:
    """Return what the shades, lines and frames say."""
    largest = float(np.abs(values).max(initial=0.0))
    parts: list[Any] = [
        f"Shaded by {words.meaning}{of_output(words)}: ",
        *_swatch("adds", "adds"),
        " ",
        *_swatch("takes", "takes away"),
        f" full shade {largest:.3g}",
    ]
    if words.decided is not None:
        parts += ["; ", tag("span", "framed", class_=css_class("word", "decided", "key"))]
        parts += [" the word that decided"]
    if words.known is not None and not np.all(words.known):
        parts += ["; ", tag("span", "slanting", class_=css_class("word", "unknown"))]
        parts += [" words that the encoder does not know"]
    return [*parts, "."]


def _swatch(sign: str, said: str) -> list[Any]:
    return [tag("span", said, class_=css_class("word", f"{sign}-3", "key"))]


def of_output(part: Any) -> str:
    """Return which output contributions are to."""
    if not part.outputs:
        return ""
    of = f" (1 of {len(part.outputs)} outputs)" if len(part.outputs) > 1 else ""
    return f" of {part.outputs[part.shown]}{of}"
