"""Names of strategies and classes as pictures show them: whatever they hold, read as plain text."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

_LONGEST = 40
# Bundled with matplotlib for formulas, or holding a box for each letter there is.
_NO_TEXT_FONTS = ("cm", "STIXSize", "STIXNon", "Last Resort")


def shown_names(names: Iterable[Any], longest: int = _LONGEST) -> list[str]:
    """Return the names as one short line each, different where the names are.

    Line breaks and what else has no form of its own are written as escapes, an empty name as two
    quotes, a letter that no font at hand has by its code, and the middle of a long name as dots.
    """
    found = [_shortened(_readable(str(name)), longest) for name in names]
    counts, seen = Counter(found), Counter[str]()
    for i, name in enumerate(found):
        if counts[name] > 1:
            seen[name] += 1
            found[i] = f"{name} ({seen[name]})"
    return found


def text_look(names: Iterable[str]) -> dict[str, Any]:
    """Return the properties of a text of matplotlib that show these names letter by letter."""
    look: dict[str, Any] = {"parse_math": False, "usetex": False}
    families = _fonts(frozenset("".join(names)), _own_families())[0]
    # Only where the usual fonts lack a letter: others would take the place of the user's choice.
    return look | ({"fontfamily": [*_own_families(), *families]} if families else {})


def draw_legend(owner: Any, handles: list[Any], names: list[Any], **options: Any) -> Any:
    """Draw the legend of a figure or axes, with each name as it is."""
    shown = shown_names(names)
    # matplotlib leaves out names that begin with an underscore: they are written in afterwards.
    legend = owner.legend(handles, ["name"] * len(handles), **options)
    look = text_look(shown)
    for text, name in zip(legend.get_texts(), shown, strict=True):
        text.set(text=name, **look)
    return legend


def literal(text: str) -> str:
    """Return a text that shows as this one where matplotlib looks for formulas."""
    return shown_names([text])[0].replace("$", r"\$")


def _readable(name: str) -> str:
    if not name.strip():
        return repr(name)
    escaped = "".join(map(_escaped, name))
    missing = _fonts(frozenset(escaped), _own_families())[1]
    return "".join(f"U+{ord(c):04X}" if c in missing else c for c in escaped)


def _escaped(letter: str) -> str:
    nameless = unicodedata.category(letter) in ("Cc", "Cs", "Cn", "Zl", "Zp")
    return letter.encode("unicode_escape").decode() if nameless else letter


def _shortened(name: str, longest: int) -> str:
    wide = any(unicodedata.east_asian_width(letter) in "WF" for letter in name)
    longest = longest // 2 if wide else longest
    if len(name) <= longest:
        return name
    return f"{name[: longest * 2 // 3]}…{name[len(name) - longest // 3 :]}"


def _own_families() -> tuple[str, ...]:
    import matplotlib as mpl

    return tuple(mpl.rcParams["font.family"])


@lru_cache(maxsize=64)
def _fonts(letters: frozenset[str], own: tuple[str, ...]) -> tuple[tuple[str, ...], frozenset[str]]:
    """Return further fonts that have what the usual ones lack, and the letters that none has."""
    from matplotlib import font_manager

    usual = font_manager.findfont(font_manager.FontProperties(family=list(own)))
    missing = frozenset(c for c in letters if ord(c) not in _letters_of(usual))
    families: list[str] = []
    for font in font_manager.fontManager.ttflist:
        if not missing:
            break
        if font.name.startswith(_NO_TEXT_FONTS) or font.name in families:
            continue
        has = _letters_of(font.fname)
        if any(ord(c) in has for c in missing):
            families.append(font.name)
            missing = frozenset(c for c in missing if ord(c) not in has)
    return tuple(families), missing


@lru_cache(maxsize=1024)
def _letters_of(path: str) -> frozenset[int]:
    from matplotlib.ft2font import FT2Font

    try:
        font = FT2Font(path)
        # Emoji in colour are pictures, which matplotlib cannot scale.
        return frozenset(font.get_charmap()) if font.scalable else frozenset()
    except (OSError, RuntimeError):
        return frozenset()
