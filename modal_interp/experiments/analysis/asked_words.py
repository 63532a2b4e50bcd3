"""What strategies ask for, told in words: which words or features decide, and of whom."""

from __future__ import annotations

import pandas as pd

_MOST = 10  # words or features of a class that are listed
_KINDS = {"n_words": "words", "unseen": "share unseen", "margin": "margin", "right": "known right"}


def deciding(asked: pd.DataFrame, n: int = _MOST) -> pd.DataFrame:
    """Return the words or features that decide most often, by strategy and class.

    Parameters
    ----------
    asked : DataFrame
        As :func:`load_asked` gives it.
    n : int, default=10
        How many of a class.

    Returns
    -------
    DataFrame
        ``strategy``, ``label``, ``decided``; ``n``, the samples of that class that it decided
        about; ``share`` of them among all of that class that a word decided about; the mean
        ``contribution`` where it decided. The most frequent first, then by the alphabet.
    """
    known = asked.dropna(subset=["decided"])
    keys = ["strategy", "label", "decided"]
    found = known.groupby(keys)["contribution"].agg(["size", "mean"]).reset_index()
    found.columns = [*keys, "n", "contribution"]
    found["share"] = found["n"] / found.groupby(keys[:2])["n"].transform("sum")
    found = found.sort_values([*keys[:2], "n", "decided"], ascending=[True, True, False, True])
    return found.groupby(keys[:2]).head(n)[[*keys, "n", "share", "contribution"]]


def kinds(asked: pd.DataFrame) -> pd.DataFrame:
    """Return of what kind the samples are that each strategy asks for.

    Parameters
    ----------
    asked : DataFrame
        As :func:`load_asked` gives it.

    Returns
    -------
    DataFrame
        A row a strategy: ``samples``, and means over them of ``words`` of a text, ``share unseen``
        of these, ``margin`` of the prediction and ``known right``, whether it was right already;
        columns that nothing is known of are left out.
    """
    told = asked.assign(
        unseen=asked["n_unseen"] / asked["n_words"].where(asked["n_words"] > 0),
        right=(asked["predicted"] == asked["label"]).where(asked["predicted"].notna()),
    )
    groups = told.astype({"right": "float64"}).groupby("strategy")
    means = groups[list(_KINDS)].mean().rename(columns=_KINDS).dropna(axis=1, how="all")
    means.insert(0, "samples", groups.size())
    return means


def in_words(asked: pd.DataFrame) -> str:
    """Return both tables as a text, a line a strategy and class."""
    lines = ["what was asked for (means):", kinds(asked).to_string(float_format="{:.3f}".format)]
    found = deciding(asked, 6)
    if len(found):
        lines += ["", "what decided most often, by class:"]
    for (strategy, label), group in found.groupby(["strategy", "label"], sort=False):
        counted = [f"“{word}” {n}" for word, n in zip(group["decided"], group["n"], strict=True)]
        lines.append(f"  {strategy}, {label}: {', '.join(counted)}")
    return "\n".join(lines)
