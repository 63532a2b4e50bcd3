"""Text out of bytes. What is no Unicode is read by its letters only where they leave no doubt."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from charset_normalizer import from_bytes

# The longer marks first: UTF-32's begins with UTF-16's.
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# Letters outside ASCII of languages that are written in Windows-1252. Text in another encoding of
# one byte a letter, read as 1252, mixes letters that no language has together.
_LETTERS = [
    set("äöüß"),  # German
    set("àâæçéèêëîïôœùûüÿ"),  # French
    set("áéíñóúü"),  # Spanish
    set("àèéìíòóùú"),  # Italian
    set("áâãàçéêíóôõúü"),  # Portuguese
    set("åäöæøé"),  # Danish, Norwegian, Swedish, Finnish
    set("áäëéèïíöóüú"),  # Dutch
    set("àçéèíïóòúü"),  # Catalan
]
# What MS-DOS wrote for letters are marks here, behind letters or between two.
_BEHIND = "\u201a\u201e\u2020\u2021\u02c6\u2030"
_BETWEEN = "\u00a7\u201d\u201c\u2039\u203a\u00a1\u00bf"
_BESIDE = "\u00b1\u00bc\u00bd\u00be\u00b9"
_STRAY_MARK = re.compile(
    rf"[^\W\d_][{_BEHIND}{_BESIDE}\u00bf]|[^\W\d_][{_BETWEEN}][^\W\d_]|[{_BESIDE}][^\W\d_]"
    r"|[^\W\d_m][\u00b2\u00b3]|[\u00b2\u00b3\u00ba][^\W\d_]"
)
_NO_ENCODINGS = ("idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined")
_USUAL_MARKS = set(
    "\u20ac\u201a\u201e\u2026\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u2122\u00a0\u00b4"
    "¡£§©«®°±²³·º»¼½¾¿"
)
# Letters that show an encoding, at least.
_ENOUGH, _LOOKED_AT = 8, 1 << 16
# A Chinese letter inside a word of small Latin ones: two bytes of another encoding.
_GLUED = re.compile(r"[a-z][\u3400-\u9fff]|[\u3400-\u9fff][a-z]{2}")


class Decoded(NamedTuple):
    """Text, and what to tell of how it was read."""

    text: str
    told: str


def decode(content: bytes, path: Path, encoding: str | None = None) -> Decoded:
    """Return a file's text.

    Parameters
    ----------
    content : bytes
        All of the file.
    path : Path
        Its name, for errors.
    encoding : str, optional
        One of Python's. By default a byte order mark, else UTF-8, else what the zeros of UTF-16
        show, else an older encoding that the letters leave no doubt of.

    Returns
    -------
    Decoded
        Without a byte order mark.

    Raises
    ------
    ValueError
        If the encoding is unknown or does not fit, or is left in doubt.
    """
    if encoding is not None:
        return Decoded(_as_named(content, path, encoding), encoding)
    for mark, name in _MARKS.items():
        if content.startswith(mark):
            return Decoded(_as_named(content, path, name), f"{name} (byte order mark)")
    if wide := _width_of_letters(content):
        return Decoded(_as_named(content, path, wide), f"{wide}, found by its zeros")
    if re.search(rb"\x1b[$(]", content):
        raise ValueError(
            f"{path} must be a CSV file in UTF-8, or its encoding be named; it switches between "
            "sets of letters. Name it, --encoding iso2022_jp or iso2022_kr."
        )
    try:
        return Decoded(content.decode("utf-8"), "UTF-8")
    except UnicodeDecodeError as error:
        return _by_letters(content, path, error)


def _as_named(content: bytes, path: Path, encoding: str) -> str:
    try:
        if codecs.lookup(encoding).name.replace("-", "_") in _NO_ENCODINGS:
            raise LookupError(encoding)
        text = content.decode(encoding)
    except (LookupError, UnicodeEncodeError):
        raise ValueError(
            f"encoding must be one that Python knows, such as utf-8, cp1252 or shift_jis; found "
            f"{encoding!r}."
        ) from None
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} must be in the encoding {encoding}; {_place(content, error)} is none. "
            "Name another, --encoding."
        ) from None
    return text.removeprefix("\ufeff")


def _place(content: bytes, error: UnicodeDecodeError) -> str:
    line = content.count(b"\n", 0, error.start) + 1
    return f"line {line} has the byte 0x{content[error.start]:02X}, which there"


def _width_of_letters(content: bytes) -> str | None:
    """Return UTF-16 or UTF-32 where nearly every other byte is zero, as in Western text."""
    head = content[:4096]
    if len(head) < 8 or len(content) % 2:
        return None
    for name, width, first in (
        ("utf-32-le", 4, 0), ("utf-32-be", 4, 3), ("utf-16-le", 2, 0), ("utf-16-be", 2, 1),
    ):  # fmt: skip
        zeros = [head[place::width].count(0) for place in range(width)]
        letters = zeros.pop(first)
        if min(zeros) > 0.7 * (len(head) // width) and letters * 10 < min(zeros):
            return name
    return None


def _by_letters(content: bytes, path: Path, error: UnicodeDecodeError) -> Decoded:
    """Read an older encoding; UTF-8 that is damaged in places is refused with the first."""
    lines = b"\n".join(line for line in content.splitlines() if not line.isascii())
    if not _is_utf8_but_for_a_few(lines):
        for name in ("cp1252", _east_asian(lines)):
            text = _decoded(content, name) if name else None
            if text is not None and (name != "cp1252" or _is_western(text)):
                shown = ", ".join(_words(text)[:4])
                return Decoded(text, f"{name}, by its letters: {shown}")
    found = [f"{name} ({words})" for name, words in _candidates(lines)][:4]
    raise ValueError(
        f"{path} must be a CSV file in UTF-8, or its encoding be named; {_place(content, error)} "
        f"is none. Name it, --encoding{': ' + ' or '.join(found) if found else ''}."
    )


def _is_utf8_but_for_a_few(lines: bytes) -> bool:
    whole = [line.decode("utf-8", errors="replace") for line in lines.splitlines()]
    good = sum("\ufffd" not in line for line in whole)
    return good > len(whole) // 2


def _is_western(text: str) -> bool:
    letters = {letter for letter in text.lower() if not letter.isascii() and letter.isalpha()}
    one_language = any(letters <= alphabet for alphabet in _LETTERS)
    marks = {mark for mark in text if ord(mark) > 127 and not mark.isalpha()}
    usual = marks <= _USUAL_MARKS and not _STRAY_MARK.search(text)
    return one_language and usual and _in_their_places(text)


def _in_their_places(text: str) -> bool:
    """Tell whether letters stand as their languages have them, and not for letters of others."""
    with_tilde = len(re.findall("[ãõÃÕ]", text))  # as in ão and ões, or Romanian, Hungarian
    if 2 * len(re.findall("(?i)ã[oe]|õe", text)) < with_tilde:
        return False
    foreign = re.compile(r"(?i)ñ(?![aeiouáéíóú])|ç(?![aouâôûãõóúà])|[ìù](?=[^\W\d_])")
    words = _words(text)
    odd = sum(bool(foreign.search(word)) for word in words)
    plain = sum(letter.isascii() for word in words for letter in word)
    return odd * 20 <= len(words) and 2 * plain >= sum(map(len, words))


def _east_asian(lines: bytes) -> str | None:
    """Return the Chinese, Japanese or Korean encoding whose common letters these bytes are.

    The others' bytes make letters, too, but rare ones: a guess by valid bytes would be none.
    """
    for name in ("cp932", "euc_jp"):
        if _share(_decoded(lines, name), "\u3041", "\u3096") > 0.2:  # hiragana
            return name
    if _share(_decoded(lines, "euc_kr"), "\uac00", "\ud7a3") > 0.95:  # Hangul, the common part
        return "cp949"
    for name, decoder, leads in (
        ("gb18030", "gb2312", (0xB0, 0xD7)),
        ("big5", "big5", (0xA4, 0xC6)),
    ):
        text = _decoded(lines, decoder)
        if text is not None:
            common = _share_of_leads(lines, *leads) > 0.9 and not _GLUED.search(text)
            return name if common else None
    return None


def _share(text: str | None, first: str, last: str) -> float:
    """Return how much of the different letters outside ASCII lies in a range; 0 of a few."""
    letters = {letter for letter in text or "" if not letter.isascii() and letter.isalpha()}
    return sum(first <= letter <= last for letter in letters) / max(_ENOUGH, len(letters))


def _share_of_leads(lines: bytes, first: int, last: int) -> float:
    """Return how many different letters of two bytes begin in a range; 0 of a few."""
    leads = [pair[0] for pair in set(re.findall(rb"[\x81-\xfe][\x40-\xfe]", lines))]
    return sum(first <= lead <= last for lead in leads) / max(_ENOUGH, len(leads))


def _matches(lines: bytes) -> list:
    return list(from_bytes(lines[:_LOOKED_AT].rsplit(b"\n", 1)[0]))


def _candidates(lines: bytes) -> Iterator[tuple[str, str]]:
    for match in _matches(lines):
        if str(match.encoding) != "utf_8" and (words := _words(str(match))):
            yield str(match.encoding), ", ".join(words[:2])


def _words(text: str) -> list[str]:
    """Return different words with a letter outside ASCII, which show how they were read."""
    found = re.findall(r"\w*[^\x00-\x7f\W]\w*", text[: 1 << 20]) or re.findall(
        r"\S*[^\x00-\x7f]\S*", text[: 1 << 20]
    )
    return [word[:24] for word in dict.fromkeys(found)]


def _decoded(content: bytes, encoding: str) -> str | None:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return None
