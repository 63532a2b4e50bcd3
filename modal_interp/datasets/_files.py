"""The ready files of the public data sets: found, read, or made and stored once."""

from __future__ import annotations

import csv
import os
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pooch

from modal_interp.datasets._publishers import (
    AGNEWS_TEST,
    AGNEWS_TRAIN,
    CORNELL,
    PAPERS,
    PROJECTS,
    TREC,
    read_agnews,
    read_mr,
    read_projects,
    read_subj,
    read_trec,
)


class Source(NamedTuple):
    """A ready file, and how to make it from what the publisher gives; None where it gives none."""

    file: str
    columns: tuple[str, ...]
    publisher: str
    make: Callable[[Path], pd.DataFrame] | None
    label: str = "label"
    folder: str = "text"


MR = Source("mr.csv.gz", ("text", "label"), CORNELL, read_mr)
SUBJ = Source("subj.csv.gz", ("text", "label"), CORNELL, read_subj)
QUESTIONS = Source("trec.csv.gz", ("text", "label", "split", "fine_label"), TREC, read_trec)
_NEWS = ("text", "label", "title", "description")
NEWS_TRAIN = Source(
    "agnews_train.csv.gz", _NEWS, AGNEWS_TRAIN, lambda folder: read_agnews(folder, "train")
)
NEWS_TEST = Source(
    "agnews_test.csv.gz", _NEWS, AGNEWS_TEST, lambda folder: read_agnews(folder, "test")
)
# A class-balanced part of the training split that may stand in for the whole, when it is at hand.
NEWS_PART = NEWS_TRAIN._replace(file="agnews_train20k.csv.gz")
PAPERS_WHOLE = Source(
    "pwc_valid_test_full.csv.gz",
    ("title", "area", "abstract", "split"),
    PAPERS,
    None,
    label="area",
    folder="topics",
)
# With a part of the training split, of which no abstracts are known.
PAPER_TITLES = PAPERS_WHOLE._replace(
    file="pwc_titles_areas.csv.gz", columns=("title", "areas", "split"), label="areas"
)
PROJECT_TAGS = Source(
    "madewithml_projects_multilabel.csv.gz",
    ("title", "description", "tags"),
    PROJECTS,
    read_projects,
    label="tags",
    folder="topics",
)


def _data_home(data_home: str | os.PathLike[str] | None) -> Path:
    if not isinstance(data_home, str | os.PathLike | None):
        raise TypeError(
            "data_home must be the path of a folder, or None for MODAL_INTERP_DATA or the user's "
            f"cache folder; found {data_home!r}."
        )
    given = data_home or os.environ.get("MODAL_INTERP_DATA") or pooch.os_cache("modal_interp")
    return Path(given).expanduser().absolute()


def at_hand(source: Source, data_home: str | os.PathLike[str] | None) -> Path | None:
    """Return the path of the ready file, where there is one."""
    home = _data_home(data_home)
    places = (home / source.file, home / source.folder / source.file)
    return next((place for place in places if place.is_file()), None)


def ready(
    source: Source, data_home: str | os.PathLike[str] | None, download: bool
) -> tuple[pd.DataFrame, Path]:
    """Return the rows of the ready file, made first where it is missing, and its path."""
    path = at_hand(source, data_home)
    if path is not None:
        return _read(path, source), path
    path = _data_home(data_home) / source.file
    if source.make is None:
        raise OSError(
            _where_to_place(source, path, "and has no public address to be downloaded from")
        )
    if not download:
        raise OSError(_where_to_place(source, path, "and download_if_missing=False"))
    with tempfile.TemporaryDirectory() as folder:
        try:
            frame = source.make(Path(folder))
        except Exception as error:  # no network, a checksum, a publisher that moved or changed
            raise OSError(
                _where_to_place(source, path, f"and its download failed ({error})")
            ) from error
    _write(frame, path)
    return frame, path


def _where_to_place(source: Source, path: Path, why: str) -> str:
    return (
        f"{source.file} is missing {why}. Place it at {path}, a gzip CSV (UTF-8) with the columns "
        f"{', '.join(source.columns)}, or set MODAL_INTERP_DATA or data_home= to a folder that "
        f"holds it. Its publisher: {source.publisher}"
    )


def _read(path: Path, source: Source) -> pd.DataFrame:
    try:
        # "null" and "nan" are words like others.
        frame = pd.read_csv(path, keep_default_na=False, dtype=str, encoding="utf-8")
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise ValueError(
            f"{path} must be a gzip CSV with the columns {', '.join(source.columns)}; it cannot be "
            f"read ({error}). Remove it to download it again."
        ) from error
    if missing := [column for column in source.columns if column not in frame.columns]:
        raise ValueError(
            f"{path} must have the columns {', '.join(source.columns)}; found "
            f"{', '.join(frame.columns)}, without {', '.join(missing)}. Remove it to download it "
            "again."
        )
    unlabelled = int((frame[source.label] == "").sum())
    if len(frame) == 0 or unlabelled:
        raise ValueError(
            f"{path} must have rows, each with a label; found {len(frame)} rows, {unlabelled} of "
            "them without. Remove it to download it again."
        )
    return frame


def _write(frame: pd.DataFrame, path: Path) -> None:
    """Write at once or not at all: whoever reads meanwhile never sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Beside its place, for only within one file system is the move a single step.
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}-") as folder:
        unfinished = Path(folder) / path.name
        # Quoted throughout, for a bare carriage return would end a row.
        frame.to_csv(unfinished, index=False, encoding="utf-8", quoting=csv.QUOTE_ALL)
        os.replace(unfinished, path)
