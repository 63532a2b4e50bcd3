"""Words of any script: where one ends and the next begins, and when two are the same."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import partial
from typing import Any

import regex

FORMS = ("NFC", "NFD", "NFKC", "NFKD")

# Inside a word, between two of its letters: apostrophes, the middle dot of Catalan, the gershayim
# of Hebrew. Stops and colons are none: they end sentences, and "3.5" stays three tokens.
_INNER = "'\u2018\u2019\uff07\u00b7\u0387\u2027\u055f\u05f4"

# What needs no more than the standard library, which is four times as fast: ASCII, letters of
# Latin, Greek, Cyrillic and Hangul that carry their marks with them, common punctuation.
_NOT_PLAIN = re.compile(
    r"[^\x00-\xac\xae-\xb7\xb9-\u02ad\u0370-\u0374\u0376-\u0377\u037b-\u037d\u0386-\u038a\u038c"
    r"\u038e-\u03a1\u03a3-\u0482\u048a-\u052f\u1e00-\u1eff\u2010-\u201f\u20a0-\u20bf\u2026"
    r"\u2212\uac00-\ud7a3]"
)
_PLAIN_WORD = re.compile(rf"\w+(?:[{_INNER}]\w+)*|[^\w\s]")

# The rule for all the rest. What is attached (UAX 29, WB4): marks, joiners, skin tones, tags.
_ATTACHED = r"[\p{WB=Extend}\p{WB=ZWJ}\p{WB=Format}]"
_LETTER = (
    r"[[\p{WB=ALetter}\p{WB=Hebrew_Letter}\p{WB=Numeric}\p{WB=ExtendNumLet}\p{N}]"
    r"--[\u202f\p{Ideographic}\p{Line_Break=SA}\p{Extended_Pictographic}]]"
)
_RUN = rf"{_LETTER}[{_LETTER}{_ATTACHED}]*+"
_HEBREW = rf"(?<=\p{{WB=Hebrew_Letter}}{_ATTACHED}*)"
_SOUTHEAST = rf"\p{{Line_Break=SA}}[{_ATTACHED}\u0e33\u0eb3]*+"  # Thai, Lao, Khmer, Myanmar
_STACKER = r"(?<=[\u17d2\u1039\u1a60])"  # what follows is written below what precedes
_WORD = regex.compile(
    rf"{_RUN}(?:[{_INNER}]{_ATTACHED}*+{_RUN}|{_HEBREW}\"(?=\p{{WB=Hebrew_Letter}}){_RUN})*+"
    rf"(?:{_HEBREW}'{_ATTACHED}*+)?"
    rf"|\p{{Regional_Indicator}}{{2}}{_ATTACHED}*+"
    rf"|\p{{Extended_Pictographic}}{_ATTACHED}*+"
    rf"(?:(?<=\u200d)\p{{Extended_Pictographic}}{_ATTACHED}*+)*+"
    rf"|\p{{WB=Katakana}}[\p{{WB=Katakana}}{_ATTACHED}]*+"
    rf"|{_SOUTHEAST}(?:{_STACKER}{_SOUTHEAST})*+"
    rf"|[^\s\x1c-\x1f\p{{Default_Ignorable_Code_Point}}]{_ATTACHED}*+",
    regex.V1,
)
_KEYCAP = re.compile("[0-9#*]\ufe0f?\u20e3")

# Characters that nobody sees and that make no other word. Joiners do where letters join (Persian
# "letter" and "names" differ by one), next to a virama, and in emoji. No letter has more than 30
# marks (UAX 15), and looking further back would take ages on long rows of joiners.
_UNSEEN = regex.compile(r"[\p{WB=Format}&&\p{Default_Ignorable_Code_Point}--\u180e]", regex.V1)
_JOINING = r"[[\p{Arabic}\p{Syriac}\p{Mongolian}\p{Nko}]&&\p{L}]"
_IDLE_JOINER = regex.compile(
    r"(?:(?<=\p{ccc=9})[\u200c\u200d]|[\u200c\u200d](?=\p{ccc=9})"
    rf"|[\u200c\u200d](?={_JOINING})(?<={_JOINING}\p{{Mn}}{{0,30}}.)"
    rf"|\u200d(?=\p{{Extended_Pictographic}})(?<=\p{{Extended_Pictographic}}{_ATTACHED}{{0,30}}.)"
    r")(*SKIP)(*FAIL)|[\u200c\u200d]",
    regex.V1,
)


def split_words(text: str) -> list[str]:
    r"""Split a text of any script into words and single punctuation marks.

    Unicode's word boundaries (UAX 29), tailored so that English is split as ``\w+`` with inner
    apostrophes does.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    list of str
        Its words, in order. Marks belong to the letter before them. Scripts without blanks are
        cut: Chinese characters and hiragana one by one, katakana in runs, Thai, Lao, Khmer and
        Myanmar by letters with their marks. An emoji is one word with all that changes it.

    Notes
    -----
    Departs from UAX 29: stops, commas and colons are never inside a word ("3.5", "e.g."); digits
    and letters may have an apostrophe between them ("90's"); marks of Southeast Asian scripts stay
    with their letter; an emoji that is also a letter is an emoji, and keycaps are cut apart.

    Departs from the paper: ALDEN and DAMI do not say how they split texts into words.

    Examples
    --------
    >>> from modal_interp.texts.words import split_words
    >>> split_words("don't cut naïve words: 好看!")
    ["don't", 'cut', 'naïve', 'words', ':', '好', '看', '!']
    """
    if text.isascii() or not _NOT_PLAIN.search(text):
        return _PLAIN_WORD.findall(text)
    if "\u20e3" in text:
        text = _KEYCAP.sub("\u200b\\g<0>\u200b", text)
    return _WORD.findall(text)


def preparer(normalize: Any, lowercase: bool | str) -> Callable[[str], str]:
    """Return what makes two spellings of a word one: in Unicode's normal form, and lower.

    Parameters
    ----------
    normalize : {"NFC", "NFD", "NFKC", "NFKD"} or None
        Normal form; soft hyphens and other marks that nobody sees are dropped. None leaves a text
        as it is.
    lowercase : bool or "tr"
        Whether to lower; "tr" as Turkish and Azerbaijani do, where I becomes ı.

    Returns
    -------
    callable
        From text to text.
    """
    turkish = lowercase == "tr"
    normal = _as_it_is if normalize is None else partial(unicodedata.normalize, normalize)

    def prepare(text: str) -> str:
        if turkish:
            text = text.replace("I\u0307", "i").replace("I", "\u0131")
        if text.isascii():
            return text.lower() if lowercase else text
        text = normal(text)
        if normalize is not None and _NOT_PLAIN.search(text):
            text = _IDLE_JOINER.sub("", _UNSEEN.sub("", text))
        if lowercase:  # lower() leaves a second dot on the i of "\u0130", which nobody sees
            text = text.lower().replace("i\u0307", "i")
        return normal(text)

    return prepare


def _as_it_is(text: str) -> str:
    return text
