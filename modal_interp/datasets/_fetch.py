"""Fetches public data sets: from a file at hand, else from their publishers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from modal_interp.datasets._files import (
    MR,
    NEWS_PART,
    NEWS_TEST,
    NEWS_TRAIN,
    QUESTIONS,
    SUBJ,
    at_hand,
    ready,
)

_SUBSETS = ("all", "train", "test")
_CORNELL_TERMS = (
    "Publisher: Bo Pang and Lillian Lee, Cornell University,\n"
    "https://www.cs.cornell.edu/people/pabo/movie-review-data/\n"
    "Terms: none stated by the publisher, who offers the data for research and asks to be cited; "
    "the copy in NLTK's data carries the notice CC BY 4.0."
)


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
        Whether to download what the folder lacks; it is stored there and read from then on.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    Bunch
        ``data`` (n,) object array of str, ``target`` (n,) int64, ``target_names`` list of str in
        alphabetical order that `target` indexes, ``DESCR`` with publisher, citation, terms and
        counts, ``filename`` the (first) file that was read.

    Raises
    ------
    OSError
        If the file is missing and cannot be downloaded; it says which file to place where.
    ValueError
        If the file cannot be read or does not hold the columns that it should.
    TypeError
        If `data_home` is not a path.

    Notes
    -----
    Pang and Lee, "Seeing Stars: Exploiting Class Relationships for Sentiment Categorization with
    Respect to Rating Scales", ACL 2005. The sentences are sorted by class: shuffle them.

    Departs from the paper: none; the rows are the publisher's.

    Examples
    --------
    >>> from modal_interp.datasets import fetch_mr
    >>> texts, y = fetch_mr(return_X_y=True)  # doctest: +SKIP
    """
    descr = (
        "MR, sentence polarity dataset v1.0: 5,331 negative and 5,331 positive sentences of film "
        f"reviews, lower-cased and split into words by its authors.\n\n{_CORNELL_TERMS}\n"
        'Cite: Pang and Lee, "Seeing Stars: Exploiting Class Relationships for Sentiment '
        'Categorization with Respect to Rating Scales", ACL 2005.'
    )
    frame, path = ready(MR, data_home, download_if_missing)
    return bunch_of_texts(frame, [path], descr, return_X_y)


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
    OSError, ValueError, TypeError
        As for :func:`fetch_mr`.

    Notes
    -----
    Pang and Lee, "A Sentimental Education: Sentiment Analysis Using Subjectivity Summarization
    Based on Minimum Cuts", ACL 2004. The sentences are sorted by class: shuffle them.

    Departs from the paper: none; the rows are the publisher's.

    Examples
    --------
    >>> from modal_interp.datasets import fetch_subj
    >>> texts, y = fetch_subj(return_X_y=True)  # doctest: +SKIP
    """
    descr = (
        "Subj, subjectivity dataset v1.0: 5,000 objective sentences (plot summaries) and 5,000 "
        f"subjective ones (reviews).\n\n{_CORNELL_TERMS}\n"
        'Cite: Pang and Lee, "A Sentimental Education: Sentiment Analysis Using Subjectivity '
        'Summarization Based on Minimum Cuts", ACL 2004.'
    )
    frame, path = ready(SUBJ, data_home, download_if_missing)
    return bunch_of_texts(frame, [path], descr, return_X_y)


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
    OSError, ValueError, TypeError
        As for :func:`fetch_mr`. ValueError for an unknown subset.

    Notes
    -----
    Li and Roth, "Learning Question Classifiers", COLING 2002. Ten of the test questions stand in
    the training split as well.

    Departs from the paper: none; the rows are the publisher's.

    Examples
    --------
    >>> from modal_interp.datasets import fetch_trec
    >>> questions, y = fetch_trec(subset="train", return_X_y=True)  # doctest: +SKIP
    """
    check_choice("subset", subset, _SUBSETS)
    descr = (
        "TREC question classification: 5,452 training and 500 test questions in six coarse "
        "classes (abbreviation, description, entity, human, location, number).\n\nPublisher: Xin "
        "Li and Dan Roth, Cognitive Computation Group, https://cogcomp.seas.upenn.edu/Data/QA/QC/\n"
        "Terms: none stated by the publisher, who offers the data for research.\n"
        'Cite: Li and Roth, "Learning Question Classifiers", COLING 2002.'
    )
    frame, path = ready(QUESTIONS, data_home, download_if_missing)
    return bunch_of_texts(frame, [path], descr, return_X_y, subset)


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
        As for :func:`fetch_mr`, with ``split`` (n,), "train" or "test".

    Raises
    ------
    OSError, ValueError, TypeError
        As for :func:`fetch_mr`. ValueError for an unknown subset.

    Notes
    -----
    Zhang, Zhao and LeCun, "Character-level Convolutional Networks for Text Classification", NIPS
    2015, from A. Gulli's corpus. The part of 20,000 articles is sorted by class: shuffle it.

    Departs from the paper: none with the whole training split; the part of 20,000 is a sample.

    Examples
    --------
    >>> from modal_interp.datasets import fetch_agnews
    >>> news, y = fetch_agnews(subset="test", return_X_y=True)  # doctest: +SKIP
    """
    check_choice("subset", subset, _SUBSETS)
    descr = (
        "AG News: title and description of news articles in four classes. The official splits "
        "have 120,000 and 7,600 articles; agnews_train20k is a class-balanced sample of 20,000 of "
        "the training split.\n\nPublisher: A. Gulli (AG's corpus of news articles); splits by "
        "Zhang, Zhao and LeCun, https://github.com/mhjabreel/CharCnn_Keras\n"
        "Terms: research and other non-commercial use.\n"
        'Cite: Zhang, Zhao and LeCun, "Character-level Convolutional Networks for Text '
        'Classification", NIPS 2015.'
    )
    parts, paths = [], []
    for split, sources in (("train", [NEWS_TRAIN, NEWS_PART]), ("test", [NEWS_TEST])):
        if subset in ("all", split):
            source = next((s for s in sources if at_hand(s, data_home)), sources[0])
            frame, path = ready(source, data_home, download_if_missing)
            parts.append(frame.assign(split=split))
            paths.append(path)
    return bunch_of_texts(pd.concat(parts, ignore_index=True), paths, descr, return_X_y)


def check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Raise a ValueError unless a parameter has one of the values that there are."""
    if value not in choices:
        known = ", ".join(repr(choice) for choice in choices[:-1])
        raise ValueError(f"{name} must be {known} or {choices[-1]!r}; found {value!r}.")


def bunch_of_texts(
    frame: pd.DataFrame, paths: list[Path], descr: str, return_X_y: bool, subset: str = "all"
) -> Any:
    """Return what the functions that fetch texts return, of a frame with text and label."""
    # Names before the subset is taken, so that a class has one number in all of them.
    names, target = np.unique(frame["label"].to_numpy(dtype=str), return_inverse=True)
    kept = np.full(len(frame), True) if subset == "all" else (frame["split"] == subset).to_numpy()
    data, target = frame["text"].to_numpy(dtype=object)[kept], target.astype(np.int64)[kept]
    if return_X_y:
        return data, target
    per_class = ", ".join(f"{name} {np.sum(target == i):,}" for i, name in enumerate(names))
    files = " and ".join(path.name for path in paths)
    bunch = Bunch(
        data=data,
        target=target,
        target_names=names.tolist(),
        DESCR=f"{descr}\n\nHere: {len(data):,} rows of {files} ({per_class}).",
        filename=str(paths[0]),
    )
    if "split" in frame:
        bunch["split"] = frame["split"].to_numpy(dtype=object)[kept]
    return bunch
