"""Fetches public data sets: from a file at hand, else from their publishers."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pooch
from sklearn.utils import Bunch

from modal_interp.datasets._publishers import (
    AGNEWS_TEST,
    AGNEWS_TRAIN,
    CORNELL,
    read_agnews,
    read_mr,
    read_subj,
    read_trec,
)


class _Source(NamedTuple):
    """A ready file, and how to make it from what the publisher gives."""

    file: str
    columns: tuple[str, ...]
    publisher: str
    make: Callable[[Path], pd.DataFrame]


_MR = _Source("mr.csv.gz", ("text", "label"), CORNELL, read_mr)
_SUBJ = _Source("subj.csv.gz", ("text", "label"), CORNELL, read_subj)
_TREC = _Source(
    "trec.csv.gz",
    ("text", "label", "split", "fine_label"),
    "https://cogcomp.seas.upenn.edu/Data/QA/QC/",
    read_trec,
)
_NEWS = ("text", "label", "title", "description")
_AGNEWS_TRAIN = _Source(
    "agnews_train.csv.gz", _NEWS, AGNEWS_TRAIN, lambda folder: read_agnews(folder, "train")
)
_AGNEWS_TEST = _Source(
    "agnews_test.csv.gz", _NEWS, AGNEWS_TEST, lambda folder: read_agnews(folder, "test")
)
# A class-balanced part of the training split that may stand in for the whole, when it is at hand.
_AGNEWS_PART = _AGNEWS_TRAIN._replace(file="agnews_train20k.csv.gz")

_SUBSETS = ("all", "train", "test")


def fetch_mr(
    *,
    data_home: str | os.PathLike[str] | None = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
) -> Any:
    """Fetch the MR film reviews: 10,662 sentences, negative or positive.

    Parameters
    ----------
    data_home : path-like, optional
        Folder of the data. Without it the environment variable ``MODAL_INTERP_DATA``, else the
        user's cache folder. It is searched for ``mr.csv.gz`` and ``text/mr.csv.gz``.
    download_if_missing : bool, default=True
        Whether to download what the folder lacks.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    Bunch
        ``data`` (n,) object array of str, ``target`` (n,) int64, ``target_names`` list of str,
        ``DESCR`` with publisher, citation and terms, ``filename``.

    Raises
    ------
    OSError
        If the file is missing and cannot be downloaded; it says which file to place where.
    ValueError
        If the file does not hold the columns that it should.

    Notes
    -----
    Pang and Lee, "Seeing Stars: Exploiting Class Relationships for Sentiment Categorization with
    Respect to Rating Scales", ACL 2005.
    """
    descr = (
        "MR, sentence polarity dataset v1.0: 5,331 negative and 5,331 positive sentences of film "
        "reviews, lower-cased and split into words by its authors.\n\nPublisher: Bo Pang and "
        "Lillian Lee, Cornell University. Cite: Pang and Lee, ACL 2005. Terms: not stated by the "
        "publisher; offered for research."
    )
    frame, path = _ready(_MR, data_home, download_if_missing)
    return _bunch(frame, path, descr, return_X_y)


def fetch_subj(
    *,
    data_home: str | os.PathLike[str] | None = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
) -> Any:
    """Fetch Subj: 10,000 sentences about films, objective or subjective.

    Parameters
    ----------
    data_home, download_if_missing, return_X_y
        As for :func:`fetch_mr`, the files being ``subj.csv.gz`` and ``text/subj.csv.gz``.

    Returns
    -------
    Bunch
        As for :func:`fetch_mr`.

    Raises
    ------
    OSError, ValueError
        As for :func:`fetch_mr`.

    Notes
    -----
    Pang and Lee, "A Sentimental Education: Sentiment Analysis Using Subjectivity Summarization
    Based on Minimum Cuts", ACL 2004.
    """
    descr = (
        "Subj, subjectivity dataset v1.0: 5,000 objective sentences (plot summaries) and 5,000 "
        "subjective ones (reviews).\n\nPublisher: Bo Pang and Lillian Lee, Cornell University. "
        "Cite: Pang and Lee, ACL 2004. Terms: not stated by the publisher; offered for research."
    )
    frame, path = _ready(_SUBJ, data_home, download_if_missing)
    return _bunch(frame, path, descr, return_X_y)


def fetch_trec(
    *,
    subset: str = "all",
    data_home: str | os.PathLike[str] | None = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
) -> Any:
    """Fetch TREC questions: 5,952 questions by the kind of their answer, six classes.

    Parameters
    ----------
    subset : {"all", "train", "test"}, default="all"
        The official splits: 5,452 questions to train with, 500 to test.
    data_home, download_if_missing, return_X_y
        As for :func:`fetch_mr`, the files being ``trec.csv.gz`` and ``text/trec.csv.gz``.

    Returns
    -------
    Bunch
        As for :func:`fetch_mr`, with ``split`` (n,), "train" or "test".

    Raises
    ------
    OSError, ValueError
        As for :func:`fetch_mr`. ValueError for an unknown subset.

    Notes
    -----
    Li and Roth, "Learning Question Classifiers", COLING 2002. Ten of the test questions stand in
    the training split as well.
    """
    _check_subset(subset)
    descr = (
        "TREC question classification: 5,452 training and 500 test questions, six coarse classes."
        "\n\nPublisher: Xin Li and Dan Roth, Cognitive Computation Group. Cite: Li and Roth, "
        "COLING 2002. Terms: not stated by the publisher; offered for research."
    )
    frame, path = _ready(_TREC, data_home, download_if_missing)
    return _bunch(_part(frame, subset), path, descr, return_X_y)


def fetch_agnews(
    *,
    subset: str = "all",
    data_home: str | os.PathLike[str] | None = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
) -> Any:
    """Fetch AG News: title and first sentences of news, four classes.

    Parameters
    ----------
    subset : {"all", "train", "test"}, default="all"
        The official splits: 120,000 articles to train with, 7,600 to test.
    data_home, download_if_missing, return_X_y
        As for :func:`fetch_mr`, the files being ``agnews_train.csv.gz`` and
        ``agnews_test.csv.gz``. Where ``agnews_train20k.csv.gz`` is at hand, a class-balanced
        part of 20,000 training articles, it is taken instead of a download.

    Returns
    -------
    Bunch
        As for :func:`fetch_mr`, with ``split`` (n,), "train" or "test". Articles are sorted by
        class: shuffle them.

    Raises
    ------
    OSError, ValueError
        As for :func:`fetch_mr`. ValueError for an unknown subset.

    Notes
    -----
    Zhang, Zhao and LeCun, "Character-level Convolutional Networks for Text Classification", NIPS
    2015, from A. Gulli's corpus.
    """
    _check_subset(subset)
    parts, paths = [], []
    for split, sources in (
        ("train", [_AGNEWS_TRAIN, _AGNEWS_PART]),
        ("test", [_AGNEWS_TEST]),
    ):
        if subset in ("all", split):
            source = next((s for s in sources if _at_hand(s, data_home)), sources[0])
            frame, path = _ready(source, data_home, download_if_missing)
            parts.append(frame.assign(split=split))
            paths.append(path)
    counts = ", ".join(
        f"{len(part):,} from {path}" for part, path in zip(parts, paths, strict=True)
    )
    descr = (
        "AG News: title and description of news articles in four classes. The official splits "
        f"have 120,000 and 7,600 articles; here: {counts}.\n\nPublisher: A. Gulli; splits by "
        "Zhang, Zhao and LeCun, NIPS 2015, whom to cite. Terms: research and other non-commercial "
        "use."
    )
    return _bunch(pd.concat(parts, ignore_index=True), paths[0], descr, return_X_y)


def _data_home(data_home: str | os.PathLike[str] | None) -> Path:
    given = data_home or os.environ.get("MODAL_INTERP_DATA") or pooch.os_cache("modal_interp")
    return Path(given).expanduser()


def _at_hand(source: _Source, data_home: str | os.PathLike[str] | None) -> Path | None:
    home = _data_home(data_home)
    places = (home / source.file, home / "text" / source.file)
    return next((place for place in places if place.is_file()), None)


def _ready(
    source: _Source, data_home: str | os.PathLike[str] | None, download: bool
) -> tuple[pd.DataFrame, Path]:
    """Return the rows of the ready file, made first where it is missing, and its path."""
    path = _at_hand(source, data_home)
    if path is not None:
        return _read(path, source), path
    path = _data_home(data_home) / source.file
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


def _where_to_place(source: _Source, path: Path, why: str) -> str:
    return (
        f"{source.file} is missing {why}. Place it at {path}, a gzip CSV (UTF-8) with the columns "
        f"{', '.join(source.columns)}, or set MODAL_INTERP_DATA or data_home= to a folder that "
        f"holds it. Its publisher: {source.publisher}"
    )


def _read(path: Path, source: _Source) -> pd.DataFrame:
    try:
        # "null" and "nan" are words like others.
        frame = pd.read_csv(path, keep_default_na=False, dtype=str)
    except (OSError, EOFError, ValueError) as error:
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
    return frame


def _write(frame: pd.DataFrame, path: Path) -> None:
    """Write at once or not at all: whoever reads meanwhile never sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    os.close(handle)
    try:
        frame.to_csv(name, index=False, compression="gzip", encoding="utf-8")
        os.replace(name, path)
    finally:
        Path(name).unlink(missing_ok=True)


def _check_subset(subset: str) -> None:
    if subset not in _SUBSETS:
        raise ValueError(f"subset must be 'all', 'train' or 'test'; found {subset!r}.")


def _part(frame: pd.DataFrame, subset: str) -> pd.DataFrame:
    return frame if subset == "all" else frame[frame["split"] == subset]


def _bunch(frame: pd.DataFrame, path: Path, descr: str, return_X_y: bool) -> Any:
    target_names, target = np.unique(frame["label"].to_numpy(dtype=str), return_inverse=True)
    data = frame["text"].to_numpy(dtype=object)
    target = target.astype(np.int64)
    if return_X_y:
        return data, target
    bunch = Bunch(
        data=data,
        target=target,
        target_names=target_names.tolist(),
        DESCR=descr,
        filename=str(path),
    )
    if "split" in frame:
        bunch["split"] = frame["split"].to_numpy(dtype=object)
    return bunch
