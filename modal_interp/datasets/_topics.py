"""Fetches what is labelled by topic: papers by their area, projects by their tags."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from modal_interp.datasets._fetch import bunch_of_texts, check_choice
from modal_interp.datasets._files import PAPER_TITLES, PAPERS_WHOLE, PROJECT_TAGS, ready

_SUBSETS = ("complete", "all", "valid", "test", "train_part")
# They say what a project consists of, not what it is about.
_FORMS = {
    *("api", "article", "code", "dataset", "demo", "library", "notebook", "paper", "research"),
    *("tutorial", "video"),
}


def fetch_paper_topics(
    *,
    text: str = "title",
    subset: str = "complete",
    data_home: str | os.PathLike[str] | None = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
) -> Any:
    """Fetch papers of machine learning: 5,250 titles and abstracts in 16 areas, one for each.

    Parameters
    ----------
    text : {"title", "abstract", "both"}, default="title"
        What a text is. "both" is the title, a blank and the abstract.
    subset : {"complete", "all", "valid", "test", "train_part"}, default="complete"
        "valid" and "test" are two splits of 2,625 papers each, "complete" is both of them.
        "train_part" has the titles of 3,529 papers of the training split, of 12 of the areas, and
        "all" has them behind the others.
    data_home, download_if_missing, return_X_y
        As for :func:`fetch_mr`, the files being ``pwc_valid_test_full.csv.gz``, for "train_part"
        and "all" ``pwc_titles_areas.csv.gz``, there or in the folder ``topics``. They have no
        public address: place them there; nothing is downloaded.

    Returns
    -------
    Bunch
        As for :func:`fetch_mr`, with ``split`` (n,), "valid", "test" or "train_part".

    Raises
    ------
    OSError, ValueError, TypeError
        As for :func:`fetch_mr`. ValueError for an unknown `text` or `subset`, and for abstracts of
        "train_part" or "all".

    Notes
    -----
    D. Cho, "Paper Topic Classification with Active Learning", slides, Korea University, 2021, who
    collected papers of Papers with Code by their area. Of those with several areas the study's data
    keep one.

    Departs from the paper: the training split has 47,250 papers there; 3,529 of them are known
    here. The study learns from titles, and wished for abstracts.

    Examples
    --------
    >>> from modal_interp.datasets import fetch_paper_topics
    >>> titles, y = fetch_paper_topics(return_X_y=True)  # doctest: +SKIP
    """
    check_choice("text", text, ("title", "abstract", "both"))
    check_choice("subset", subset, _SUBSETS)
    source = PAPER_TITLES if subset in ("all", "train_part") else PAPERS_WHOLE
    if text != "title" and source is PAPER_TITLES:
        raise ValueError(
            f"text must be 'title' for subset={subset!r}, of which no abstracts are known; found "
            f"{text!r}. Take subset='complete', 'valid' or 'test'."
        )
    frame, path = ready(source, data_home, download_if_missing)
    frame = frame.assign(text=_texts(frame, text, "abstract"), label=frame[source.label])
    descr = (
        "Paper topics: titles and abstracts of papers of machine learning, each in one of 16 "
        "areas.\n\nPublisher: Papers with Code (titles, areas and abstracts, collected in 2021 by "
        f"D. Cho), {source.publisher}\n"
        "Terms: none stated beside these rows; Papers with Code gave its data under CC BY-SA 4.0, "
        "and abstracts belong to their authors.\n"
        'Cite: D. Cho, "Paper Topic Classification with Active Learning", Korea University, 2021.'
    )
    rows = "all" if subset == "complete" else subset
    return bunch_of_texts(frame, [path], descr, return_X_y, rows)


def fetch_paper_projects(
    *,
    text: str = "both",
    tags: Iterable[str] | None = None,
    min_count: int = 50,
    data_home: str | os.PathLike[str] | None = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
) -> Any:
    """Fetch projects of machine learning: 2,032 titles and descriptions, several tags for each.

    Parameters
    ----------
    text : {"title", "description", "both"}, default="both"
        What a text is. "both" is the title, a blank and the description.
    tags : iterable of str, default=None
        The tags that are labels, in the order of the columns. None takes those of at least
        `min_count` projects, in alphabetical order, but for those that say what a project consists
        of and not what it is about (``"code"``, ``"tutorial"``, ``"paper"`` and so on).
    min_count : int, default=50
        Projects that a tag needs, where `tags` is None.
    data_home, download_if_missing, return_X_y
        As for :func:`fetch_mr`, the files being ``madewithml_projects_multilabel.csv.gz`` and
        ``topics/madewithml_projects_multilabel.csv.gz``.

    Returns
    -------
    Bunch
        ``data`` (n,) object array of str, ``target`` (n, C) int64 of 0 and 1, ``target_names`` list
        of C str, the tags of the columns, ``tags`` (n,) object array of lists of str, all tags
        of each project, ``DESCR`` and ``filename`` as for :func:`fetch_mr`.

    Raises
    ------
    OSError, ValueError, TypeError
        As for :func:`fetch_mr`. ValueError for an unknown `text`, and where `tags` holds a tag that
        no project has or one twice, or no tag is left.

    Notes
    -----
    Projects that users of Made With ML submitted, with the tags that they gave them. The study of
    paper topics was to have several areas a paper; its data have one, these have several. Without
    `tags` and `min_count` there are 26 labels, 1.6 a project; 480 projects have none of them.

    Departs from the paper: these are not the papers of :func:`fetch_paper_topics`.

    Examples
    --------
    >>> from modal_interp.datasets import fetch_paper_projects
    >>> texts, Y = fetch_paper_projects(return_X_y=True)  # doctest: +SKIP
    """
    check_choice("text", text, ("title", "description", "both"))
    frame, path = ready(PROJECT_TAGS, data_home, download_if_missing)
    data = _texts(frame, text, "description")
    of_project = [cell.split("|") for cell in frame["tags"]]
    names = _names(Counter(tag for found in of_project for tag in set(found)), tags, min_count)
    target = np.array([[name in found for name in names] for found in of_project], dtype=np.int64)
    if return_X_y:
        return data, target
    found = np.empty(len(frame), dtype=object)
    found[:] = of_project
    per_tag = ", ".join(f"{name} {n:,}" for name, n in zip(names, target.sum(0), strict=True))
    return Bunch(
        data=data,
        target=target,
        target_names=names,
        tags=found,
        DESCR=f"{_PROJECTS_DESCR}\n\nHere: {len(data):,} rows of {path.name} ({per_tag}).",
        filename=str(path),
    )


_PROJECTS_DESCR = (
    "Projects of machine learning: 2,032 titles and descriptions, each with the tags that its "
    f"user gave it.\n\nPublisher: Made With ML (G. Mohandas), {PROJECT_TAGS.publisher}\n"
    "Terms: MIT licence.\nCite: G. Mohandas, Made With ML, https://madewithml.com"
)


def _texts(frame: pd.DataFrame, text: str, longer: str) -> Any:
    """Return one column, or the title and the longer text behind it."""
    found = frame["title"] + " " + frame[longer] if text == "both" else frame[text]
    return found.to_numpy(dtype=object)


def _names(counts: Counter[str], tags: Iterable[str] | None, min_count: int) -> list[str]:
    """Return the tags that are labels."""
    if tags is None:
        found = sorted(tag for tag, n in counts.items() if n >= min_count and tag not in _FORMS)
        if not found:
            raise ValueError(
                f"min_count must leave a tag; found {min_count}, and no tag of so many projects."
            )
        return found
    found = [tags] if isinstance(tags, str) else list(tags)
    unknown = [tag for tag in found if tag not in counts]
    if unknown or not found or len(set(found)) < len(found):
        raise ValueError(
            "tags must be different tags that projects have, such as 'computer-vision'; found "
            f"{found!r}" + (f", of which no project has {unknown!r}." if unknown else ".")
        )
    return found
