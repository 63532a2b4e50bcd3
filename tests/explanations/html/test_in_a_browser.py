"""Pages in a headless browser: nothing runs, nothing is fetched, all is reached and seen."""

import os
import shutil

import pytest

from tests.explanations.html.test_report import hostile_query
from tests.explanations.made import of_text

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright drives the browser")
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "query.html"
    hostile_query().to_html(path)
    return path.as_uri()


@pytest.mark.parametrize("width", [400, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_fits_and_needs_nothing(browser, address, width, scheme):
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    assert said == []
    assert asked == [address]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("document.scripts.length") == 0
    dark = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert (dark == "rgb(255, 255, 255)") == (scheme == "light")
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accessibility(browser, address, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe checks pages")
    page = browser.new_page(color_scheme=scheme)
    page.goto(address)
    found = axe.Axe().run(page).response["violations"]
    assert [(rule["id"], rule["nodes"][0]["html"]) for rule in found] == []
    page.close()


def test_shades_are_printed_on_white(browser, address):
    page = browser.new_page(color_scheme="dark")
    page.goto(address)
    page.emulate_media(media="print", color_scheme="dark")
    style = "getComputedStyle(document.querySelector('.mi-adds-4'))"
    assert page.evaluate(f"{style}.backgroundColor") == "rgb(106, 170, 219)"
    assert page.evaluate(f"{style}.printColorAdjust") == "exact"
    page.close()


@pytest.mark.parametrize("theme", ["", 'data-jp-theme-light="true"', 'class="vscode-dark"'])
def test_a_notebook_of_any_theme(browser, theme):
    html = of_text()._repr_html_()
    page = browser.new_page(color_scheme="dark")
    page.set_content(f"<!DOCTYPE html><body {theme}><p id=other>outside</p>{html}</body>")
    ground = "getComputedStyle(document.querySelector('.modal-interp')).backgroundColor"
    light = "jp-theme" in theme
    assert (page.evaluate(ground) == "rgb(255, 255, 255)") == light
    plain = browser.new_page(color_scheme="dark")
    plain.set_content(f"<!DOCTYPE html><body {theme}><p id=other>outside</p></body>")
    for name in ("color", "fontSize", "fontFamily", "marginTop", "backgroundColor"):
        asked = f"getComputedStyle(document.querySelector('#other')).{name}"
        assert page.evaluate(asked) == plain.evaluate(asked)
    page.emulate_media(media="print")
    assert page.evaluate(ground) == "rgb(255, 255, 255)"
    page.close()
    plain.close()
