"""Papers by their area, and projects by their tags."""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pooch
import pytest

from modal_interp.datasets import _publishers, fetch_paper_projects, fetch_paper_topics

REAL_DATA = os.environ.get("MODAL_INTERP_DATA")


@pytest.fixture
def home(monkeypatch, tmp_path):
    """A folder of six papers, two of them without abstracts, and of five projects."""
    monkeypatch.delenv("MODAL_INTERP_DATA", raising=False)
    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path / "cache" / name)
    folder = tmp_path / "data" / "topics"
    folder.mkdir(parents=True)
    papers = pd.DataFrame(
        {
            "title": ["null", "A, b", 'C "d"', "é"],
            "area": ["graphs", "audio", "graphs", "music"],
            "abstract": ["nan", "of\nlines", "x", ""],
            "split": ["valid", "valid", "test", "test"],
        }
    )
    papers.to_csv(folder / "pwc_valid_test_full.csv.gz", index=False)
    more = pd.DataFrame({"title": ["E", "F"], "areas": "graphs", "split": "train_part"})
    titles = papers.rename(columns={"area": "areas"})[["title", "areas", "split"]]
    pd.concat([titles, more]).to_csv(folder / "pwc_titles_areas.csv.gz", index=False)
    projects = pd.DataFrame(
        {
            "title": ["P", "Q", "R", "S", "T"],
            "description": ["p p", "q", "", "s", "t\r\n"],
            "tags": ["code|graphs|nlp", "nlp", "code", "graphs|code", "odd tag |nlp"],
        }
    )
    projects.to_csv(folder / "madewithml_projects_multilabel.csv.gz", index=False)
    return tmp_path / "data"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("title", ["null", "A, b", 'C "d"', "é"]),
        ("abstract", ["nan", "of\nlines", "x", ""]),
        ("both", ["null nan", "A, b of\nlines", 'C "d" x', "é "]),
    ],
)
def test_what_a_text_of_a_paper_is(text, expected, home):
    bunch = fetch_paper_topics(text=text, data_home=home)
    assert bunch.data.tolist() == expected
    assert bunch.data.dtype == object
    assert bunch.target_names == ["audio", "graphs", "music"]
    assert bunch.target.tolist() == [1, 0, 1, 2]
    assert bunch.split.tolist() == ["valid", "valid", "test", "test"]
    X, y = fetch_paper_topics(text=text, data_home=home, return_X_y=True)
    assert X.tolist() == expected
    assert y.tolist() == [1, 0, 1, 2]


@pytest.mark.parametrize(
    ("subset", "expected"),
    [
        ("valid", ["null", "A, b"]),
        ("test", ['C "d"', "é"]),
        ("train_part", ["E", "F"]),
        ("all", ["null", "A, b", 'C "d"', "é", "E", "F"]),
    ],
)
def test_subsets_of_the_papers(subset, expected, home):
    bunch = fetch_paper_topics(subset=subset, data_home=home)
    assert bunch.data.tolist() == expected
    assert bunch.target_names == ["audio", "graphs", "music"]
    assert f"Here: {len(expected)} rows" in bunch.DESCR
    assert "Publisher" in bunch.DESCR
    assert "Cite" in bunch.DESCR


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"text": "body"}, "text must be 'title', 'abstract' or 'both'; found 'body'"),
        ({"subset": "dev"}, "subset must be 'complete', 'all', .* or 'train_part'; found 'dev'"),
        ({"text": "both", "subset": "all"}, "text must be 'title' for subset='all'.*found 'both'"),
        ({"text": "abstract", "subset": "train_part"}, "text must be 'title' for subset='train_pa"),
    ],
)
def test_options_of_the_papers_that_are_none(options, message, home):
    with pytest.raises(ValueError, match=message):
        fetch_paper_topics(data_home=home, **options)


@pytest.mark.parametrize("download", [True, False])
@pytest.mark.parametrize("subset", ["complete", "all"])
def test_papers_that_are_missing_have_no_address(download, subset, home, monkeypatch):
    monkeypatch.setattr(pooch, "retrieve", lambda *_, **__: pytest.fail("nothing to download"))
    with pytest.raises(OSError, match="no public address to be downloaded from") as raised:
        fetch_paper_topics(
            subset=subset, data_home=home / "elsewhere", download_if_missing=download
        )
    file = "pwc_titles_areas.csv.gz" if subset == "all" else "pwc_valid_test_full.csv.gz"
    assert str(home / "elsewhere" / file) in str(raised.value)
    assert "MODAL_INTERP_DATA" in str(raised.value)
    assert not (home / "elsewhere").exists()


def test_papers_without_a_column_are_refused(home):
    frame = pd.DataFrame({"title": ["a"], "area": ["b"], "split": ["valid"]})
    frame.to_csv(home / "pwc_valid_test_full.csv.gz", index=False)
    with pytest.raises(ValueError, match="without abstract"):
        fetch_paper_topics(data_home=home)


def test_projects_have_several_tags(home):
    bunch = fetch_paper_projects(data_home=home, min_count=2)
    assert bunch.data.tolist() == ["P p p", "Q q", "R ", "S s", "T t\r\n"]
    assert bunch.target_names == ["graphs", "nlp"]  # code says what it consists of
    assert bunch.target.tolist() == [[1, 1], [0, 1], [0, 0], [1, 0], [0, 1]]
    assert bunch.target.dtype == np.int64
    assert bunch.tags.tolist() == [
        ["code", "graphs", "nlp"],
        ["nlp"],
        ["code"],
        ["graphs", "code"],
        ["odd tag ", "nlp"],
    ]
    assert "Here: 5 rows" in bunch.DESCR
    assert "(graphs 2, nlp 3)" in bunch.DESCR
    X, Y = fetch_paper_projects(data_home=home, min_count=2, return_X_y=True, text="title")
    assert X.tolist() == ["P", "Q", "R", "S", "T"]
    np.testing.assert_array_equal(Y, bunch.target)
    found = fetch_paper_projects(data_home=home, min_count=2, text="description").data
    assert found.tolist() == ["p p", "q", "", "s", "t\r\n"]


def test_tags_that_are_named_are_the_columns(home):
    bunch = fetch_paper_projects(data_home=home, tags=iter(["nlp", "code", "odd tag "]))
    assert bunch.target_names == ["nlp", "code", "odd tag "]
    expected = [[1, 1, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0], [1, 0, 1]]
    assert bunch.target.tolist() == expected


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"text": "abstract"}, "text must be 'title', 'description' or 'both'; found 'abstract'"),
        ({"tags": ["nlp", "vision"]}, r"tags must be .*of which no project has \['vision'\]"),
        ({"tags": "vision"}, r"tags must be .*found \['vision'\]"),
        ({"tags": ["nlp", "nlp"]}, r"tags must be different .*found \['nlp', 'nlp'\]\."),
        ({"tags": []}, r"tags must be different tags .*found \[\]\."),
        ({}, "min_count must leave a tag; found 50"),
    ],
)
def test_options_of_the_projects_that_are_none(options, message, home):
    with pytest.raises(ValueError, match=message):
        fetch_paper_projects(data_home=home, **options)


def test_projects_are_downloaded_once(home, monkeypatch):
    asked = []

    def retrieve(url, known_hash, path, progressbar):
        asked.append(url)
        projects = [
            {"id": i, "title": "é", "description": "d\r\n", "tags": ["a", "b"][: 1 + i % 2]}
            for i in range(2_032)
        ]
        file = Path(path) / "projects.json"
        file.write_text(json.dumps(projects), encoding="utf-8")
        return str(file)

    monkeypatch.setattr(pooch, "retrieve", retrieve)
    for _ in range(2):
        bunch = fetch_paper_projects(data_home=home / "new")
        assert asked == [_publishers.PROJECTS]
        assert bunch.data[0] == "é d\r\n"
        assert bunch.target_names == ["a", "b"]
        assert bunch.target.sum(axis=0).tolist() == [2_032, 1_016]
    monkeypatch.setattr(_publishers, "_download", lambda url, folder: folder / "nothing")
    with pytest.raises(OSError, match="its download failed"):
        fetch_paper_projects(data_home=home / "newer")


@pytest.mark.skipif(REAL_DATA is None, reason="needs the real data sets (MODAL_INTERP_DATA)")
def test_real_papers_and_projects():
    titles, abstracts = (fetch_paper_topics(text=t, data_home=REAL_DATA) for t in ("title", "both"))
    assert titles.target.tolist() == abstracts.target.tolist()
    assert len(titles.data) == 5_250
    assert len(titles.target_names) == 16
    every = fetch_paper_topics(subset="all", data_home=REAL_DATA)
    assert every.data[:5_250].tolist() == titles.data.tolist()
    assert every.target[:5_250].tolist() == titles.target.tolist()
    assert len(every.data) == 8_779
    part = fetch_paper_topics(subset="train_part", data_home=REAL_DATA)
    assert len(np.unique(part.target)) == 12
    projects = fetch_paper_projects(data_home=REAL_DATA)
    assert projects.target.shape == (2_032, 26)
    assert (projects.target.sum(axis=1) == 0).sum() == 480
    assert projects.target.sum() / 2_032 == pytest.approx(1.6, abs=0.05)
