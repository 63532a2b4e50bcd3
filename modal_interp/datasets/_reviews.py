"""How `make_reviews` builds a sentence: a template, filled with the words of one topic."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from string import Formatter

from modal_interp.datasets import _review_words as lexicon
from modal_interp.datasets._review_templates import SECONDS, TEMPLATES

# Uniform numbers laid by for one sentence; the longest takes fewer.
DRAWS = 32
MAX_WORDS = 25
KINDS = tuple(TEMPLATES)

# These shares and the tails below were chosen by measuring, so that a bag of words falls clearly
# short of word n-grams, and both still gain from the thousandth label.
_KIND_SHARES = {"plain": 0.60, "negated": 0.21, "contrast": 0.15, "wry": 0.04}
_OPENER_SHARE, _SECOND_SHARE, _CLOSER_SHARE = 0.25, 0.60, 0.20
_STEEP, _GENTLE = 2, 1


@dataclass(frozen=True)
class _Ranked:
    """Entries, each with the upper end of its share of the unit interval."""

    entries: tuple[str, ...]
    ends: tuple[float, ...]

    def at(self, u: float, taken: frozenset[str] | set[str] = frozenset()) -> str:
        """Return the entry whose share holds `u`, or the next one that is not taken."""
        rank = bisect_right(self.ends, u)
        while self.entries[rank] in taken:
            rank = (rank + 1) % len(self.entries)
        return self.entries[rank]


@cache
def _ranked(entries: tuple[str, ...], power: int = _STEEP) -> _Ranked:
    """Give the entry of rank r (from 0) a share in proportion to 1 / (r + 2) ** power."""
    sums = list(accumulate(1 / (rank + 2) ** power for rank in range(len(entries))))
    return _Ranked(entries, (*(s / sums[-1] for s in sums[:-1]), 1.0))


def _third_person(verb: str) -> str:
    first, *rest = verb.split()
    first += "es" if first.endswith(("s", "sh", "ch", "x", "z")) else "s"
    return " ".join([first, *rest])


def _polar_slots(topic: dict[str, tuple[str, ...]], label: int) -> dict[str, _Ranked]:
    side = ("blame", "praise")[label]
    verbs = lexicon.VERBS[label]
    return {
        "adj": _ranked(lexicon.ADJECTIVES[label]),
        "special": _ranked(topic[side]),
        "bare": _ranked(verbs),
        "verb": _ranked(tuple(_third_person(verb) for verb in verbs)),
        "noun": _ranked(lexicon.NOUNS[label]),
        "fit": _ranked(tuple(fit.replace(":", " is ") for fit in topic[f"{side}_fits"])),
    }


@cache
def _slots(topic_index: int, label: int) -> dict[str, _Ranked]:
    """List what may fill each slot of a template in this topic and for this label."""
    topic = lexicon.TOPICS[topic_index]
    anti = {f"anti_{slot}": words for slot, words in _polar_slots(topic, 1 - label).items()}
    neutral = {
        "thing": topic["things"],
        "aspect": topic["aspects"],
        "moment": topic["moments"],
        "not": lexicon.NOTS,
        "never": lexicon.NEVERS,
        "degree": lexicon.DEGREES,
        "manner": lexicon.MANNERS,
        "turn": lexicon.TURNS,
        "although": lexicon.ALTHOUGHS,
        "despite": lexicon.DESPITES,
        "name": lexicon.NAMES,
        "relative": lexicon.RELATIVES,
        "day": lexicon.DAYS,
        "month": lexicon.MONTHS,
        "time": lexicon.TIMES,
    }
    gentle = {slot: _ranked(words, _GENTLE) for slot, words in neutral.items()}
    return gentle | anti | _polar_slots(topic, label)


_ALL_KINDS = _Ranked(KINDS, (*list(accumulate(_KIND_SHARES[kind] for kind in KINDS))[:-1], 1.0))
_ALL_TOPICS = _ranked(tuple(str(index) for index in range(len(lexicon.TOPICS))))


@cache
def _parsed(template: str) -> tuple[tuple[str, str | None], ...]:
    return tuple((literal, slot) for literal, slot, _, _ in Formatter().parse(template))


@dataclass
class _Writer:
    """Fills templates of one topic and label, never with the same word twice."""

    slots: dict[str, _Ranked]
    draws: Iterator[float]
    taken: set[str]

    def write(self, templates: tuple[str, ...], power: int = _STEEP) -> str:
        """Choose one of the templates and fill it."""
        text = ""
        for literal, slot in _parsed(_ranked(templates, power).at(next(self.draws))):
            text += literal
            if slot is not None:
                word = self.slots[slot].at(next(self.draws), self.taken)
                self.taken.add(word)
                text += word
        return text

    def tail(self) -> str:
        """Write what follows the opinion: a second one, a clause without any, or nothing."""
        u = next(self.draws)
        if u < _SECOND_SHARE:
            return "; " + self.write(SECONDS)
        if u < _SECOND_SHARE + _CLOSER_SHARE:
            return self.write(lexicon.CLOSERS, _GENTLE)
        return ""


def sentence(uniforms: list[float]) -> tuple[str, int, str]:
    """Turn `DRAWS` numbers in [0, 1) into one sentence: its text, label and kind."""
    draws = iter(uniforms)
    label = int(next(draws) < 0.5)
    kind = _ALL_KINDS.at(next(draws))
    writer = _Writer(_slots(int(_ALL_TOPICS.at(next(draws))), label), draws, set())
    both, *own = TEMPLATES[kind]
    text = writer.write(both + own[label])
    if next(draws) < _OPENER_SHARE:
        text = f"{writer.write(lexicon.OPENERS, _GENTLE)}, {text}"
    longer = text + writer.tail()
    if len(longer.split()) <= MAX_WORDS:
        text = longer
    text = re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", text)
    return f"{text[0].upper()}{text[1:]}.", label, kind
