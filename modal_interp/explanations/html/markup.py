"""Elements of HTML: whatever is no element itself is text, and is escaped."""

from __future__ import annotations

import re
from html import escape
from typing import Any

# No text of HTML may hold control characters, halves of surrogate pairs and non-characters; and
# what overrides the direction of all that follows would turn words round that are not the sample's.
_NO_TEXT = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202d\u202e\ud800-\udfff\ufdd0-\ufdef"
    + "".join(
        f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000)
    )
    + "]"
)
_EMPTY = {"br", "hr", "link", "meta"}


class Markup(str):
    """HTML, that is, what is escaped already; Jinja2 takes it as such too."""

    __slots__ = ()

    def __html__(self) -> str:
        return str(self)


def tag(element: str, *content: Any, **attributes: Any) -> Markup:
    """Return an element.

    Parameters
    ----------
    element : str
        Its name.
    *content
        `Markup` as it is, other things as text; None is left out.
    **attributes
        By their names, with ``_`` for ``-`` and behind Python's own words (``class_=``). True
        stands for a bare attribute; None and False are left out.

    Returns
    -------
    Markup
    """
    given = "".join(
        f" {name.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{as_text(value)}"')
        for name, value in attributes.items()
        if value is not None and value is not False
    )
    opened = f"<{element}{given}>"
    return Markup(opened if element in _EMPTY else f"{opened}{joined(*content)}</{element}>")


def joined(*content: Any, by: str = "") -> Markup:
    """Return contents one after the other."""
    return Markup(by.join(as_text(part) for part in content if part is not None))


def as_text(part: Any) -> Markup:
    """Return a part as HTML: `Markup` as it is, all else escaped, in quotes too."""
    return part if isinstance(part, Markup) else Markup(escape(allowed(str(part)), quote=True))


def allowed(text: str) -> str:
    """Return a text with a mark in place of what a page should not hold."""
    return _NO_TEXT.sub("\ufffd", text)


def css_class(*names: str | None) -> str:
    """Return the value of ``class``, each name with the mark of this package."""
    return " ".join(f"mi-{name}" for name in names if name)
