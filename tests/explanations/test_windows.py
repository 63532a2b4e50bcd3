"""Which part of a text is shown."""

import pytest

from modal_interp.explanations.windows import excerpt, visible

LONG = "one " * 100 + "odd" + " two" * 100


@pytest.mark.parametrize(
    ("text", "word"), [("odd one", "odd"), ("an odd one", "odd"), ("odd", "odd"), (LONG, "odd")]
)
def test_an_excerpt_holds_its_word(text, word):
    start = text.index(word)
    before, found, after = excerpt(text, (start, start + len(word)), 40)
    assert found == word
    whole = before + found + after
    if len(text) < 40:
        assert whole == text
    else:
        assert len(whole) < 60
        assert whole.startswith("\u2026 one")
        assert whole.endswith("\u2026")


def test_excerpts_without_a_known_place():
    assert excerpt("a text", None, 40) == ("a text", "", "")
    assert excerpt(None, (0, 1), 40) == ("", "", "")


@pytest.mark.parametrize(
    ("word", "seen"),
    [
        ("a", "a"),
        ("", "\u27e8empty\u27e9"),
        ("\u200b\u200d", "\u27e8U+200B+U+200D\u27e9"),
        ("x" * 100, "x" * 59 + "\u2026"),
    ],
)
def test_words_can_be_seen(word, seen):
    assert visible(word) == seen
