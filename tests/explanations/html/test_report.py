"""A query on a page: valid, whole, of its own."""

import os
import re
from pathlib import Path

import numpy as np
import pytest

from modal_interp.explanations import PoolMap
from tests.explanations.html.pages import checked
from tests.explanations.made import HOSTILE, of_table, of_text, query_of

LONG = [f"word{k}" for k in range(10_000)]


def hostile_query():
    one_word = of_text(LONG, place=2, decided=5000)
    return query_of([of_text(), of_text([], place=1), one_word, of_table(place=3)])


@pytest.fixture
def page(tmp_path):
    path = tmp_path / "query.html"
    hostile_query().to_html(path, title=f"{HOSTILE[0]} {HOSTILE[3]}")
    return path.read_text(encoding="utf-8")


def test_a_page_tells_all(page):
    found = checked(page)
    assert page.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert found.text.count(f"{HOSTILE[0]} {HOSTILE[3]}") >= 2  # title and heading
    for said in (
        "alden_diversity asked for 4 samples of a pool of 50", "<exclude> left 40 of 50",
        "D & so on", "2 were asked", "Each mark is a sample", "50% and 25%",
        "1. Row 7", "2. Row 8", "3. Row 9", "4. Row 10",
    ):  # fmt: skip
        assert said in found.text
    headings = [int(name[1]) for name, _ in found.elements if re.fullmatch(r"h\d", name)]
    assert headings == [1, 2, 2, 2, 3, 3, 3, 3]
    assert len(found.all("main")) == len(found.all("header")) == 1
    assert len(page) < 200_000


def test_the_map_is_named_and_described(page):
    found = checked(page)
    (drawn,) = [svg for svg in found.all("svg") if svg.get("role") == "img"]
    assert drawn["aria-labelledby"] == "map-title map-words"
    points = [path["d"].count("M") for path in found.all("path") if path["d"].endswith("h0")]
    assert points[:2] == [35, 8]  # but four chosen, and one that lies nowhere
    assert "Shown are 39 of 40 candidates and 8 of 9 labelled samples" in found.text


def test_maps_of_many_samples_are_thinned(tmp_path):
    rng = np.random.RandomState(0)
    n = 50_000
    lots = PoolMap("features", np.arange(n), rng.randn(n, 2), rng.randn(n, 2), np.array([0.5, 0.2]))
    query_of([of_text([])], pool_map=lots).to_html(tmp_path / "q.html")
    text = (tmp_path / "q.html").read_text(encoding="utf-8")
    assert "1,001 of 50,000 candidates, evenly drawn, and 300 of 50,000 labelled" in text
    assert len(text) < 60_000


@pytest.mark.parametrize("points", [np.zeros((40, 2)), np.full((40, 2), np.nan)])
def test_maps_without_extent(points, tmp_path):
    flat = PoolMap("features", np.arange(40), points, points[:0], np.zeros(2))
    query_of([of_text()], pool_map=flat).to_html(tmp_path / "q.html")
    text = (tmp_path / "q.html").read_text(encoding="utf-8")
    assert "nan" not in "".join(path["d"] for path in checked(text).all("path"))


def test_without_a_map_it_is_said_how_to_get_one(tmp_path):
    query_of([of_text()], pool_map=None).to_html(str(tmp_path / "q.html"))
    assert "pool_map=True" in (tmp_path / "q.html").read_text(encoding="utf-8")


def test_a_file_is_replaced_when_the_new_one_is_whole(tmp_path, monkeypatch):
    path = tmp_path / "query.html"
    path.write_text("before")

    def full(self, *args, **kwargs):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(Path, "write_text", full)
        with pytest.raises(OSError, match=r"path must be writable \(No space left on device\)"):
            hostile_query().to_html(path)
    assert path.read_text() == "before"
    hostile_query().to_html(path)
    assert os.listdir(tmp_path) == ["query.html"]


def test_where_no_file_can_be(tmp_path):
    query = query_of([of_text()])
    with pytest.raises(IsADirectoryError, match="path must name a file; found a folder"):
        query.to_html(tmp_path)
    with pytest.raises(FileNotFoundError, match="path must lie in a folder that exists"):
        query.to_html(tmp_path / "nowhere" / "query.html")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="may write anywhere")
def test_a_folder_that_is_not_ours(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError, match="path must be writable"):
        query_of([of_text()]).to_html(tmp_path / "query.html")


def test_pages_are_valid_html(page):
    html5lib = pytest.importorskip("html5lib", reason="html5lib validates pages")
    html5lib.HTMLParser(strict=True).parse(page)
