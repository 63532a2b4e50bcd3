"""What decided in each round, as a tidy frame."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pandas as pd

from modal_interp.experiments.running.results import seeds_on_disk
from modal_interp.experiments.running.storage import Curve, read_settings

_COLUMNS = {
    "strategy": "object", "seed": "int64", "round": "int64", "row": "int64", "label": "object",
    "predicted": "object", "margin": "float64", "decided": "object", "contribution": "float64",
    "output": "object", "n_words": "float64", "n_unseen": "float64",
}  # fmt: skip


def load_asked(folder: str | os.PathLike[str]) -> pd.DataFrame:
    """Read what :func:`run_experiment` kept with `explain`: why each sample was asked for.

    Parameters
    ----------
    folder : path-like
        Its `out`.

    Returns
    -------
    DataFrame
        A row for each strategy, seed, round and sample, none of the samples labelled at first and
        of rounds that were run without `explain`, with the columns

        ==============================  ==========================================================
        `strategy`, `seed`, `round`     as of :func:`load_results`
        `row`                           of `X`
        `label`                         the true one; of several labels the columns that it has
        `predicted`                     the most probable one before it was known
        `margin`                        how far its probability was above the next one; of several
                                        labels twice the least distance of one from 1/2
        `decided`                       the word or feature that decided; None where none did, as
                                        in strategies that look at predictions alone
        `contribution`, `output`        what it adds, to the probability of which class
        `n_words`, `n_unseen`           words of the text; those that no labelled text held
        ==============================  ==========================================================

    Raises
    ------
    FileNotFoundError
        If the folder holds no results.
    ValueError
        If a file in it is damaged.

    Notes
    -----
    Departs from the paper: none; the papers do not tell what was asked for.
    """
    folder = Path(folder).expanduser()
    rows: list[dict[str, Any]] = []
    for strategy in sorted(read_settings(folder)["strategies"]):
        for seed in sorted(seeds_on_disk(folder, strategy)):
            for line in Curve(folder, strategy, seed).asked():
                place = {"strategy": strategy, "seed": seed, "round": line["round"]}
                rows += [{**place, **one} for one in line["asked"]]
    return pd.DataFrame(rows, columns=list(_COLUMNS)).astype(_COLUMNS)
