import gzip
import io
import os
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pooch
import pytest

from modal_interp.datasets import fetch_agnews, fetch_mr, fetch_subj, fetch_trec

FETCHERS = [fetch_mr, fetch_subj, fetch_trec, fetch_agnews]
FILES = {
    fetch_mr: ["mr.csv.gz"],
    fetch_subj: ["subj.csv.gz"],
    fetch_trec: ["trec.csv.gz"],
    fetch_agnews: ["agnews_train.csv.gz", "agnews_test.csv.gz"],
}


@pytest.fixture(autouse=True)
def no_data_at_hand(monkeypatch, tmp_path):
    monkeypatch.delenv("MODAL_INTERP_DATA", raising=False)
    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path / "cache" / name)


@pytest.fixture
def no_network(monkeypatch):
    def retrieve(url, known_hash, path, progressbar):
        raise ConnectionError("no route to the publisher")

    monkeypatch.setattr(pooch, "retrieve", retrieve)


def ready_file(path):
    """Six rows in every column that any of the files has."""
    path.parent.mkdir(parents=True, exist_ok=True)
    frame = pd.DataFrame(
        {
            "text": ["null", "a, b", 'c "d"', "nan", "é", ""],
            "label": ["pos", "neg"] * 3,
            "split": ["train"] * 4 + ["test"] * 2,
            "fine_label": "x:y",
            "title": "t",
            "description": "d",
        }
    )
    frame.to_csv(path, index=False, compression="gzip")
    return frame


@pytest.mark.parametrize("fetch", FETCHERS)
@pytest.mark.parametrize("folder", ["", "text"])
def test_files_at_hand_are_read_as_they_are(fetch, folder, tmp_path, no_network):
    for file in FILES[fetch]:
        frame = ready_file(tmp_path / folder / file)
    bunch = fetch(data_home=tmp_path)
    texts = list(frame["text"]) * len(FILES[fetch])
    assert bunch.data.tolist() == texts
    assert bunch.data.dtype == object
    assert bunch.target.dtype == np.int64
    assert bunch.target_names == ["neg", "pos"]
    assert bunch.target.tolist() == [1, 0] * (len(texts) // 2)
    assert "Publisher" in bunch.DESCR
    assert "Cite" in bunch.DESCR or "whom to cite" in bunch.DESCR
    X, y = fetch(data_home=str(tmp_path), return_X_y=True)
    assert X.tolist() == texts
    assert y.tolist() == bunch.target.tolist()


def test_the_environment_names_the_folder(tmp_path, monkeypatch, no_network):
    ready_file(tmp_path / "mr.csv.gz")
    monkeypatch.setenv("MODAL_INTERP_DATA", str(tmp_path))
    assert len(fetch_mr().data) == 6


def test_splits(tmp_path, no_network):
    ready_file(tmp_path / "trec.csv.gz")
    assert len(fetch_trec(data_home=tmp_path, subset="train").data) == 4
    test = fetch_trec(data_home=tmp_path, subset="test")
    assert test["split"].tolist() == ["test", "test"]
    with pytest.raises(ValueError, match="subset must be 'all', 'train' or 'test'; found 'dev'"):
        fetch_trec(data_home=tmp_path, subset="dev")


def test_a_part_of_the_news_stands_in_for_the_training_split(tmp_path, no_network):
    ready_file(tmp_path / "agnews_train20k.csv.gz")
    bunch = fetch_agnews(data_home=tmp_path, subset="train")
    assert len(bunch.data) == 6
    assert "agnews_train20k" in bunch.DESCR


@pytest.mark.parametrize("fetch", FETCHERS)
@pytest.mark.parametrize("download", [True, False])
def test_missing_and_offline_says_which_file_to_place_where(fetch, download, tmp_path, no_network):
    with pytest.raises(OSError, match="Place it at") as raised:
        fetch(data_home=tmp_path, download_if_missing=download)
    message = str(raised.value)
    assert str(tmp_path / FILES[fetch][0]) in message
    assert "MODAL_INTERP_DATA" in message
    assert "https://" in message
    assert not list(tmp_path.iterdir())


def test_a_damaged_or_foreign_file_is_named(tmp_path, no_network):
    path = tmp_path / "mr.csv.gz"
    path.write_bytes(gzip.compress(b"text,label\na,b\n" * 50)[:30])
    with pytest.raises(ValueError, match=r"mr\.csv\.gz must be a gzip CSV.*text, label"):
        fetch_mr(data_home=tmp_path)
    pd.DataFrame({"sentence": ["a"], "label": ["b"]}).to_csv(path, index=False)
    with pytest.raises(ValueError, match=r"found sentence, label, without text"):
        fetch_mr(data_home=tmp_path)


def tar_of(files, path):
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def sentences(n, encoding="cp1252"):
    return "".join(f" caf\xe9 {i}\x85 \n" for i in range(n)).encode("latin-1")


def published(url, folder):
    """A file as the publisher's, in names, layout, encoding and number of rows."""
    path = Path(folder) / url.rsplit("/", 1)[1]
    if path.name == "rt-polaritydata.tar.gz":
        files = {f"rt-polaritydata/rt-polarity.{s}": sentences(5331) for s in ("pos", "neg")}
        return tar_of({"rt-polaritydata.README": b"hello", **files}, path)
    if path.name == "rotten_imdb.tar.gz":
        names = ("quote.tok.gt9.5000", "plot.tok.gt9.5000")
        return tar_of({name: sentences(5000) for name in names}, path)
    if path.suffix == ".label":
        n = 5452 if path.name.startswith("train") else 500
        path.write_bytes(b"LOC:city What is my sister\xf0city ?\n" * n)
    else:
        n = 30_000 if path.name.startswith("train") else 1_900
        rows = [f'"{c}","A ""title""","Words, and words"\n' for c in (1, 2, 3, 4) for _ in range(n)]
        path.write_text("".join(rows), encoding="utf-8")
    return path


@pytest.mark.parametrize("fetch", FETCHERS)
def test_downloads_once_and_then_reads_the_file(fetch, tmp_path, monkeypatch):
    asked = []

    def retrieve(url, known_hash, path, progressbar):
        asked.append((url, known_hash))
        return str(published(url, path))

    monkeypatch.setattr(pooch, "retrieve", retrieve)
    first = fetch(data_home=tmp_path)
    n_downloads = len(asked)
    second = fetch(data_home=tmp_path)
    assert len(asked) == n_downloads > 0
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(FILES[fetch])
    np.testing.assert_array_equal(first.data, second.data)
    np.testing.assert_array_equal(first.target, second.target)
    if fetch is fetch_agnews:
        assert ("md5:d52ea96a97a2d943681189a97654912d") in [known for _, known in asked]


def test_what_is_downloaded_is_decoded_as_published(tmp_path, monkeypatch):
    monkeypatch.setattr(pooch, "retrieve", lambda url, **k: str(published(url, k["path"])))
    assert fetch_mr(data_home=tmp_path).data[0] == "caf\xe9 0\u2026"
    assert fetch_trec(data_home=tmp_path).data[0] == "What is my sister city ?"
    news = fetch_agnews(data_home=tmp_path, subset="test")
    assert news.data[0] == 'A "title" Words, and words'
    assert news.target_names == ["Business", "Sci/Tech", "Sports", "World"]
    assert news.target_names[news.target[0]] == "World"


@pytest.mark.parametrize("failure", [b"", b"<html>404</html>"])
def test_a_bad_download_leaves_nothing_behind(failure, tmp_path, monkeypatch):
    def retrieve(url, known_hash, path, progressbar):
        file = Path(path) / "broken"
        file.write_bytes(failure)
        return str(file)

    monkeypatch.setattr(pooch, "retrieve", retrieve)
    for fetch in FETCHERS:
        with pytest.raises(OSError, match="its download failed"):
            fetch(data_home=tmp_path)
    assert not list(tmp_path.iterdir())


def test_an_interrupted_write_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(pooch, "retrieve", lambda url, **k: str(published(url, k["path"])))

    def full_disk(source, target):
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "replace", full_disk)
    with pytest.raises(OSError, match="no space left"):
        fetch_subj(data_home=tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif("MODAL_INTERP_DATA" not in os.environ, reason="needs the real data sets")
def test_real_files(monkeypatch):
    monkeypatch.undo()
    sizes = [len(fetch().data) for fetch in (fetch_mr, fetch_subj, fetch_trec)]
    assert sizes == [10_662, 10_000, 5_952]
