"""Downloads what the publishers offer and reads it into rows."""

from __future__ import annotations

import csv
import io
import json
import tarfile
from pathlib import Path

import pandas as pd
import pooch

CORNELL = "https://www.cs.cornell.edu/people/pabo/movie-review-data/"
TREC = "https://cogcomp.seas.upenn.edu/Data/QA/QC/"
_AGNEWS = "https://raw.githubusercontent.com/mhjabreel/CharCnn_Keras/master/data/ag_news_csv/"
AGNEWS_TRAIN, AGNEWS_TEST = _AGNEWS + "train.csv", _AGNEWS + "test.csv"
# Tables in the format of a library, which its publisher stores beside the code of the study.
PAPERS = (
    "https://github.com/1pha/BayesianActiveLearning, whose data/paperswithcode/valid and "
    "data/paperswithcode/test hold the same rows as Arrow tables"
)
# A commit by its name, so that what stands there never changes.
PROJECTS = (
    "https://raw.githubusercontent.com/GokuMohandas/Made-With-ML/"
    "c6cf614569a0fd64eae82be26de9cf40c252a998/datasets/projects.json"
)
_AGNEWS_LABELS = ("World", "Sports", "Business", "Sci/Tech")

# No publisher gives checksums. These are pinned by several projects for these addresses; those of
# TREC and of the test news were also computed from the rows at hand, written as their publishers
# write them. None was known for Subj: gzip's own checksum and the number of rows must do there;
# for the projects, the name of the commit in the address and the number of rows.
_HASHES = {
    CORNELL + "rt-polaritydata.tar.gz": "md5:50c1c2c047b4225e148e97aa7708c34e",
    TREC + "train_5500.label": "md5:073462e3fcefaae31e00edb1f18d2d02",
    TREC + "TREC_10.label": "md5:323a3554401d86e650717e2d2f942589",
    AGNEWS_TRAIN: "md5:b1a00f826fdfbd249f79597b59e1dc12",
    AGNEWS_TEST: "md5:d52ea96a97a2d943681189a97654912d",
}


def read_mr(folder: Path) -> pd.DataFrame:
    """Download the sentence polarity data; rows of text and label."""
    archive = _download(CORNELL + "rt-polaritydata.tar.gz", folder)
    parts = {
        label: _lines(_member(archive, f"rt-polarity.{label}"), "cp1252")
        for label in ("neg", "pos")
    }
    return _counted(_labelled(parts), 10_662)


def read_subj(folder: Path) -> pd.DataFrame:
    """Download the subjectivity data; rows of text and label."""
    archive = _download(CORNELL + "rotten_imdb.tar.gz", folder)
    parts = {
        "objective": _lines(_member(archive, "plot.tok.gt9.5000"), "cp1252"),
        "subjective": _lines(_member(archive, "quote.tok.gt9.5000"), "cp1252"),
    }
    return _counted(_labelled(parts), 10_000)


def read_trec(folder: Path) -> pd.DataFrame:
    """Download the questions; rows of text, label, split and fine label."""
    rows = []
    for file, split in (("train_5500.label", "train"), ("TREC_10.label", "test")):
        for line in _lines(_download(TREC + file, folder).read_bytes(), "latin-1"):
            fine, text = line.split(" ", 1)
            # One stray byte stands between two words ("sister city").
            rows.append((text.replace("\xf0", " "), fine.split(":")[0], split, fine))
    frame = pd.DataFrame(rows, columns=["text", "label", "split", "fine_label"])
    return _counted(frame, 5_952)


def read_agnews(folder: Path, split: str) -> pd.DataFrame:
    """Download one split of the news; rows of text, label, title and description."""
    path = _download(AGNEWS_TRAIN if split == "train" else AGNEWS_TEST, folder)
    with path.open(encoding="utf-8", newline="") as file:
        rows = [
            (f"{title} {description}", _AGNEWS_LABELS[int(number) - 1], title, description)
            for number, title, description in csv.reader(file)
        ]
    frame = pd.DataFrame(rows, columns=["text", "label", "title", "description"])
    return _counted(frame, 120_000 if split == "train" else 7_600)


def read_projects(folder: Path) -> pd.DataFrame:
    """Download the projects; rows of title, description and tags with | between them."""
    projects = json.loads(_download(PROJECTS, folder).read_bytes())
    rows = [(p["title"], p["description"], "|".join(p["tags"])) for p in projects]
    return _counted(pd.DataFrame(rows, columns=["title", "description", "tags"]), 2_032)


def _download(url: str, folder: Path) -> Path:
    found = pooch.retrieve(url, known_hash=_HASHES.get(url), path=folder, progressbar=True)
    return Path(found)


def _member(archive: Path, name: str) -> bytes:
    """Return the file called `name`, wherever in the archive it lies."""
    with tarfile.open(archive) as tar:
        for member in tar:
            if Path(member.name).name == name:
                file = tar.extractfile(member)
                if file is not None:
                    return file.read()
    raise ValueError(f"{archive.name} holds no file {name}")


def _lines(content: bytes, encoding: str) -> list[str]:
    # Not splitlines: it also splits at characters that stand inside sentences.
    text = io.StringIO(content.decode(encoding), newline=None).read()
    return [line.strip() for line in text.split("\n") if line.strip()]


def _labelled(parts: dict[str, list[str]]) -> pd.DataFrame:
    rows = [(text, label) for label, texts in parts.items() for text in texts]
    return pd.DataFrame(rows, columns=["text", "label"])


def _counted(frame: pd.DataFrame, n_rows: int) -> pd.DataFrame:
    if len(frame) != n_rows:
        raise ValueError(f"expected {n_rows} rows, found {len(frame)}")
    return frame
