"""Elements escape what is no element, and styles stay where they are."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modal_interp.explanations.html.markup import Markup, allowed, joined, tag
from modal_interp.explanations.html.styles import DARK, LIGHT, N_SHADES, sheet
from tests.explanations.html.pages import Page


@given(st.text(), st.text())
def test_whatever_a_text_holds_is_text(text, value):
    page = Page(tag("p", text, title=value))
    assert page.elements == [("p", {"title": allowed(value)})]
    assert page.text == allowed(text)


@pytest.mark.parametrize(
    "wrong", ["\x00", "\x1b", "\x85", "\ud800", "\ufffe", "\U0010ffff", "\u202e"]
)
def test_what_no_page_holds_is_marked(wrong):
    assert allowed(f"a{wrong}b") == "a\ufffdb"


def test_elements_are_not_escaped_again():
    inner = tag("b", "<", class_="x", hidden=True, title=None, lang=False)
    assert inner == '<b class="x" hidden>&lt;</b>'
    assert tag("p", inner, None, 3) == f"<p>{inner}3</p>"
    assert tag("meta", charset="utf-8") == '<meta charset="utf-8">'
    assert joined("<", inner) == f"&lt;{inner}"
    jinja2 = pytest.importorskip("jinja2")
    template = jinja2.Environment(autoescape=True).from_string("{{ a }}{{ b }}")
    assert template.render(a=inner, b="<") == f"{inner}&lt;"
    assert Markup("<i>").__html__() == "<i>"


def luminance(colour):
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
def test_texts_and_bars_have_contrast(scheme):
    shades = [scheme[f"{sign}-{k + 1}"] for sign in ("adds", "takes") for k in range(N_SHADES)]
    for ground in [scheme["ground"], scheme["panel"], *shades]:
        assert contrast(scheme["ink"], ground) >= 4.5
    for ground in (scheme["ground"], scheme["panel"]):
        assert contrast(scheme["soft"], ground) >= 4.5
        assert contrast(scheme["link"], ground) >= 4.5
        for name in ("adds", "takes", "neutral"):
            assert contrast(scheme[name], ground) >= 3
    for sign in ("adds", "takes"):  # stronger shades stand out more
        seen = [contrast(scheme[f"{sign}-{k + 1}"], scheme["ground"]) for k in range(N_SHADES)]
        assert seen == sorted(seen)


def test_styles_hold_inside_alone():
    inner = re.sub(r"@media [^{]*\{", "", sheet())
    for selectors in re.findall(r"([^{}]+)\{", inner):
        assert all(".modal-interp" in selector for selector in selectors.split(","))
    assert "<" not in sheet(page=True)
