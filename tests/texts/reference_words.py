"""The words of a text again, slowly: Unicode's rules (UAX 29) asked at each place, one by one."""

import re
import unicodedata

import regex

INNER = "'\u2018\u2019\uff07\u00b7\u0387\u2027\u055f\u05f4"
STACKERS = "\u17d2\u1039\u1a60"
KEYCAP = re.compile("[0-9#*]\ufe0f?\u20e3")


def has(char, *properties):
    return any(regex.match(rf"\p{{{name}}}", char) for name in properties)


def is_attached(char):
    return has(char, "WB=Extend", "WB=ZWJ", "WB=Format")


def is_blank(char):
    return char.isspace()


def is_unseen(char):
    return has(char, "Default_Ignorable_Code_Point")


def kind_of(char):
    if is_attached(char):
        return "attached"
    if has(char, "Extended_Pictographic"):
        return "emoji"
    if has(char, "Line_Break=SA"):
        return "southeast"
    letter = has(char, "WB=ALetter", "WB=Hebrew_Letter", "WB=Numeric", "WB=ExtendNumLet", "N")
    if letter and char != "\u202f" and not has(char, "Ideographic"):
        return "letter"
    if has(char, "WB=Katakana"):
        return "katakana"
    if is_blank(char):
        return "blank"
    return "unseen" if is_unseen(char) else "other"


def pieces(text):
    """Put marks to what they follow (WB4)."""
    found = []
    for char in text:
        follows = found and not is_blank(found[-1][0]) and kind_of(found[-1][0]) != "unseen"
        alone = follows and kind_of(found[-1][0]) == "attached" and is_unseen(found[-1][0])
        if is_attached(char) and follows and not alone:
            found[-1] += char
        else:
            found.append(char)
    return found


def joins(found, i):
    """Tell whether no word ends before piece i."""
    before, here = found[i - 1], found[i]
    after = found[i + 1] if i + 1 < len(found) else " "
    first, second, third = (kind_of(piece[0]) for piece in (before, here, after))
    if first == "letter" and second == "letter":  # WB5, WB8 to WB10, WB13
        return True
    if first == "letter" and here[0] in INNER and third == "letter":  # WB6
        return True
    if second == "letter" and before[0] in INNER and i >= 2:  # WB7
        return kind_of(found[i - 2][0]) == "letter"
    if has(before[0], "WB=Hebrew_Letter") and here[0] == "'":  # WB7a
        return True
    if has(before[0], "WB=Hebrew_Letter") and here == '"':  # WB7b
        return has(after[0], "WB=Hebrew_Letter")
    if before == '"' and has(here[0], "WB=Hebrew_Letter") and i >= 2:  # WB7c
        return has(found[i - 2][0], "WB=Hebrew_Letter")
    if first == "katakana" and second == "katakana":  # WB13
        return True
    if first == "emoji" and second == "emoji":  # WB3c
        return before[-1] == "\u200d"
    if has(before, "Regional_Indicator") and len(before) == 1:  # WB15, WB16
        flags = regex.search(r"\p{Regional_Indicator}*$", "".join(found[:i]))[0]
        return has(here[0], "Regional_Indicator") and len(flags) % 2 == 1
    if first == "attached" and has(before[0], "Line_Break=SA"):  # a mark with no letter before it
        first = "southeast"
    if first == "southeast" and second == "southeast":
        return here[0] in "\u0e33\u0eb3" or before[-1] in STACKERS
    return False


def reference_words(text):
    if found := KEYCAP.search(text):
        head, tail = text[: found.start()], text[found.end() :]
        marks = regex.match(r"[\p{WB=Extend}\p{WB=ZWJ}\p{WB=Format}]*", tail)[0]
        rest = tail[len(marks) :]
        lone = reference_words(marks)
        return [*reference_words(head), found[0], *lone, *reference_words(rest)]
    found = pieces(text)
    words = []
    for i, piece in enumerate(found):
        if i and words and joins(found, i):
            words[-1] += piece
        else:
            words.append(piece)
    lone = (w for w in words if kind_of(w[0]) not in ("blank", "unseen"))
    return [w for w in lone if not (kind_of(w[0]) == "attached" and is_unseen(w[0]))]


def prepared(text):
    """Lower a text in NFC, without characters that nobody sees where they change nothing."""
    text = unicodedata.normalize("NFC", text)
    formats = [c for c in text if has(c, "WB=Format") and is_unseen(c) and c != "\u180e"]
    seen = "".join(c for c in text if c not in formats)
    idle = [i for i, c in enumerate(seen) if c in "\u200c\u200d" and not joiner_counts(seen, i)]
    kept = "".join(c for i, c in enumerate(seen) if i not in idle)
    return unicodedata.normalize("NFC", re.sub("i\u0307", "i", kept.lower()))


def joiner_counts(text, i):
    before, after = text[:i], text[i + 1 : i + 2]
    if any(has(char, "ccc=9") for char in before[-1:] + after):
        return True
    bare = regex.sub(r"\p{Mn}+$", "", before)
    if all(part and joins_letters(part) for part in (bare[-1:], after)):
        return True
    while before and is_attached(before[-1]):
        before = before[:-1]
    shown = before[-1:] + after
    emoji = len(shown) == 2 and all(has(char, "Extended_Pictographic") for char in shown)
    return text[i] == "\u200d" and emoji


def joins_letters(char):
    return has(char, "Arabic", "Syriac", "Mongolian", "Nko") and has(char, "L")
