"""Plain text: signs without colours, colours where they are seen, no more than the width."""

import re
import sys

import pytest

from modal_interp.explanations.terminal import columns, wrapped
from tests.explanations.made import HOSTILE, of_table, of_text, query_of

LONG = [f"word{k}" for k in range(10_000)]
COLOUR = re.compile("\x1b\\[[0-9;]*m")


@pytest.fixture
def plain(monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TERM"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_signs_are_seen_without_colours():
    one = of_text(["bad", "fine", "odd"], decided=1)
    one.words.contributions[:, 0] = [-1.0, 0.5, 0.2]
    text = one.to_text(color=False)
    assert "| bad(---) >fine<(+) odd" in text
    assert re.search(r"fine +\+0.5 decided +\u2588{10}$", text, re.MULTILINE)
    assert re.search(r"<neg> +70.0% \u00b1 10.0% +\u2588{14}$", text, re.MULTILINE)
    for said in (
        "[1] row 7, metric 1.25", "labelled <neg>", "stands in", "at distance 1.5",
        "nearest labelled (7 in all)", "mean entropy: 0.5 nats", "length by layer",
    ):  # fmt: skip
        assert said in text
    assert "\x1b" not in text
    assert text == str(one)


def test_a_query_and_tables():
    text = query_of([of_text(), of_text([], place=1), of_table(place=2)]).to_text(color=False)
    assert text.startswith("alden_diversity(target='<logit>', random_state=0) asked for 3 of 50")
    for said in ("<exclude> left 40 of 50", "no word that the net reads", "[3] row 9", "<width>"):
        assert said in text


@pytest.mark.parametrize("width", [40, 61, 100])
def test_lines_fit(width):
    query = query_of([of_text(), of_text(LONG, place=1, decided=5000), of_table(place=2)])
    for color in (False, True):
        lines = query.to_text(width=width, color=color).split("\n")
        assert max(map(columns, lines)) <= width
        assert len(lines) < 200


def test_data_do_not_steer_the_terminal():
    text = query_of([of_text()]).to_text(color=True)
    assert "\x1b" not in COLOUR.sub("", text)
    for wrong in ("\x00", "\u202e", "\x1b[31m"):
        assert wrong not in text
    assert HOSTILE[0] in text
    text.encode()


def test_colours_add_nothing_but_colours():
    query = query_of([of_text(), of_table(place=1)])
    coloured = query.to_text(width=80, color=True)
    assert COLOUR.search(coloured)
    assert COLOUR.sub("", coloured) == query.to_text(width=80, color=False)


@pytest.mark.parametrize(
    ("environment", "tty", "coloured"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": ""}, True, True),  # as its standard has it
        ({"FORCE_COLOR": "1"}, False, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False),
        ({"TERM": "dumb"}, True, False),
    ],
)
def test_when_there_are_colours(plain, environment, tty, coloured):
    for name, value in environment.items():
        plain.setenv(name, value)
    plain.setattr(sys.stdout, "isatty", lambda: tty, raising=False)
    assert bool(COLOUR.search(of_text().to_text())) == coloured
    assert "\x1b" not in str(of_text())  # what is printed into a file as well


def test_the_width_is_that_of_the_terminal(plain):
    for told, width in (("50", 50), ("5", 40), ("400", 100)):
        plain.setenv("COLUMNS", told)
        widest = max(map(columns, of_text(LONG).to_text(color=False).split("\n")))
        assert width - 15 < widest <= width


def test_wide_letters_and_long_words():
    assert wrapped("\u4e2d" * 30, 20) == ["\u4e2d" * 10] * 3
    assert wrapped("b " + "a" * 25, 20, "  ") == ["  b", "  " + "a" * 18, "  " + "a" * 7]
    assert wrapped("", 20) == []
    assert columns("e\u0301\u4e2d\x1b[1m") == 3
