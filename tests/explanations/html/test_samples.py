"""What a notebook shows: words shaded by their sign, in bounded size, as text."""

import numpy as np
import pytest

from modal_interp.explanations import Explanation, Interpretations, Interpreted
from tests.explanations.html.pages import checked
from tests.explanations.made import HOSTILE, PROBA, of_table, of_text, query_of, words_of


def classes_of(page, element="span"):
    return [set(found.get("class", "").split()) for found in page.all(element)]


def test_words_bear_their_sign_and_size():
    one = of_text(["bad", "fine", "odd", "so"], decided=1, known=np.array([1, 1, 0, 1], dtype=bool))
    one.words.contributions[:, 0] = [-1.0, 0.5, 0.2, 0.001]
    html = one._repr_html_()
    page = checked(html)
    assert '<span class="mi-word mi-takes-4" title="-1">bad</span>' in html
    assert (
        '<strong class="mi-word mi-adds-2 mi-decided" title="+0.5, decided">fine</strong>' in html
    )
    assert "mi-word mi-unknown mi-adds-1" in html
    assert "not known to the encoder" in html
    assert '<span class="mi-word" title="+0.001">so</span>' in html  # too little to shade
    assert "full shade 1" in page.text
    assert "bad-1" in page.text.replace(" ", "")  # the number stands there without any title


def test_all_parts_are_shown():
    page = checked(of_text()._repr_html_())
    for said in (
        "1. Row 7, metric 1.25", "labelled <neg>", "at distance 1.5", "0.5 apart",
        "70.0% \u00b1 10.0%", "over 2 passes", "<embedding>", "mean entropy", "0.5 nats",
        "the nearest 2 of 7", "contribution to the probability of pos & co",
    ):  # fmt: skip
        assert said in page.text
    assert page.all("p")[1]["dir"] == "auto"


def test_hostile_texts_are_text():
    page = checked(of_text()._repr_html_())
    assert HOSTILE[0] in page.text
    assert HOSTILE[1] in page.text
    assert HOSTILE[3] in page.text
    assert "\u27e8U+200B\u27e9" in page.text
    assert "\x1b" not in page.text
    page.text.encode()


@pytest.mark.parametrize("n", [0, 1, 150, 151, 10_000])
def test_texts_of_any_length_in_bounded_size(n):
    one = of_text([f"word{k}" for k in range(n)], decided=n // 2)
    page = checked(one._repr_html_())
    assert len(one._repr_html_()) < 60_000
    shown = sum("mi-word" in found and "mi-key" not in found for found in classes_of(page))
    decided = [found for found in classes_of(page, "strong") if "mi-decided" in found]
    if n == 0:
        assert "The text holds no word that the net reads." in page.text
        return
    assert len(decided) == 1
    left_out = [
        int(text.split()[1].replace(",", "")) for text in page.texts if "left out \u2026" in text
    ]
    assert shown + 1 + sum(left_out) == n
    assert (shown + 1 == n) == (n <= 150)
    for word in np.argsort(-np.abs(one.words.contributions[:, 0]))[:7]:
        assert f"word{word}" in page.text


def test_a_text_is_shown_as_it_was_written():
    text = "  \u201cGood\u201d -- plot, but the rest was never read."
    spans = ((3, 7), (12, 16))
    one = of_text(["good", "plot"], text=text, spans=spans)
    page = checked(one._repr_html_())
    assert "\u201cGood\u201d -- plot \u2026 6 more, which the net does not read" in page.text


def test_tables():
    page = checked(of_table()._repr_html_())
    assert "metric" not in page.text  # there is none
    assert "<width> 17.6" in page.text
    assert "<width>" in page.text
    (track, *_) = page.all("svg")
    assert track["aria-hidden"] == "true"
    many = checked(of_table(d=500)._repr_html_())
    assert "488 smaller ones left out" in many.text


@pytest.mark.parametrize("sample", ["", "a text", None, {"a": 1}, np.arange(3)])
def test_what_is_known_of_no_net(sample):
    one = Explanation(3, 0, sample, 0.5, "It was drawn.")
    page = checked(one._repr_html_())
    assert ("The text is empty." in page.text) == (isinstance(sample, str) and not sample)


def test_a_query_shows_its_first_samples():
    query = query_of([of_text(place=k) for k in range(12)])
    page = checked(query._repr_html_())
    assert "10. Row 16" in page.text
    assert "11. Row 17" not in page.text
    assert "2 more" in page.text
    for said in ("<exclude> left 40 of 50", "target='<logit>'", "could not be checked"):
        assert said in page.text


def test_any_texts():
    given = [Interpreted(k, " ".join(HOSTILE), PROBA, words=words_of(HOSTILE)) for k in range(3)]
    found = Interpretations(tuple(given))
    page = checked(found._repr_html_())
    assert "3 texts, and what their words contribute" in page.text
    assert checked(found[0]._repr_html_()).text.count(HOSTILE[0]) > 1


def test_no_ids_that_two_cells_of_a_notebook_share():
    both = of_text()._repr_html_() + query_of([of_text()])._repr_html_()
    assert " id=" not in both
