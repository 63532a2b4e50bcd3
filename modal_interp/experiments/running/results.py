"""Finished rounds as a tidy frame."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from modal_interp.experiments.running.names import FULL_TRAINING, baseline_size
from modal_interp.experiments.running.storage import Curve, read_settings

COLUMNS = (
    "strategy", "seed", "round", "n_labeled", "score", "validation_score", "full_score",
    "query_seconds", "fit_seconds", "score_seconds", "versions", "queried",
)  # fmt: skip


def load_results(
    folder: str | os.PathLike[str],
    *,
    strategies: Iterable[str] | None = None,
    seeds: int | Iterable[int] | None = None,
) -> pd.DataFrame:
    """Read the learning curves that :func:`run_experiment` wrote, finished or not.

    Parameters
    ----------
    folder : path-like
        Its `out`.
    strategies : iterable of str, optional
        Those to read, in this order. Without it, all that the folder holds.
    seeds : int or iterable of int, optional
        Those to read, a number n for 0 to n - 1. Without it, all that the folder holds.

    Returns
    -------
    DataFrame
        A row for each strategy (in the order of `strategies`, else by name), seed and round, with
        the columns

        ==================  ======================================================================
        `strategy`          name
        `seed`              of splits, seed set, estimator and strategy
        `round`             0 with the seed set alone
        `n_labeled`         labelled samples
        `score`             on the test part
        `validation_score`  on the validation part; NaN without one
        `full_score`        on the test part after training on all training rows; NaN if not run
        `query_seconds`     time of the strategy, 0 in round 0
        `fit_seconds`       time of the training
        `score_seconds`     time of both scores
        `versions`          of the packages that made them
        `queried`           int64 array, the rows of `X` that were labelled in this round
        ==================  ======================================================================

        ``attrs["settings"]`` is what the results were made with, ``attrs["full_training"]`` what
        :func:`full_training_scores` reads.

    Raises
    ------
    FileNotFoundError
        If the folder holds no results.
    ValueError
        If it does not know one of `strategies`, or a file in it is damaged.

    Notes
    -----
    Departs from the paper: none; it has no part in it.
    """
    if isinstance(strategies, str):
        raise TypeError(f"strategies must be a list of names; found {strategies!r}.")
    wanted = range(seeds) if isinstance(seeds, int | np.integer) else seeds
    wanted = None if wanted is None else list(wanted)  # asked for more than once
    folder = Path(folder).expanduser()
    settings = read_settings(folder)
    known = sorted(settings["strategies"])
    names = known if strategies is None else list(strategies)
    if unknown := [name for name in names if name not in known]:
        raise ValueError(
            f"strategies must be out of {', '.join(known)}, which {folder} holds; found "
            f"{unknown[0]!r}."
        )
    made_with = ", ".join(f"{name} {found}" for name, found in settings["versions"].items())
    rows: list[dict[str, Any]] = []
    for name in names:
        for seed in sorted(seeds_on_disk(folder, name) if wanted is None else wanted):
            rows += _curve_rows(folder, name, seed, made_with)
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    floats = ["score", "validation_score", "full_score"]
    frame = frame.astype(dict.fromkeys(floats, "float64"))
    frame.attrs["settings"] = {**settings["experiment"], "versions": settings["versions"]}
    frame.attrs["full_training"] = _baselines(folder, wanted)
    return frame


def seeds_on_disk(folder: Path, strategy: str) -> set[int]:
    """Return the seeds of which a strategy has rounds."""
    files = (folder / "curves" / strategy).glob("seed-*.jsonl")
    names = (re.fullmatch(r"seed-(\d+)", path.stem) for path in files)
    return {int(name[1]) for name in names if name}


def _baselines(folder: Path, wanted: Iterable[int] | None) -> list[dict[str, Any]]:
    """Return the finished trainings on all labels or a part of them, the smallest first."""
    names = {path.name for path in (folder / "curves").glob(f"{FULL_TRAINING}*")}
    found = []
    for name in sorted(names):
        size = baseline_size(name)
        seeds = seeds_on_disk(folder, name) if size is not None else ()
        for seed in seeds if wanted is None else wanted:
            for line in Curve(folder, name, seed).checked_rounds():
                scores = {key: line[key] for key in ("n_labeled", "score", "validation_score")}
                found.append({"seed": int(seed), "size": size, **scores})
    return sorted(found, key=lambda row: (row["n_labeled"], str(row["size"]), row["seed"]))


def _curve_rows(folder: Path, strategy: str, seed: int, versions: str) -> list[dict[str, Any]]:
    full = Curve(folder, FULL_TRAINING, seed).checked_rounds()
    curve = Curve(folder, strategy, seed)
    rounds = curve.checked_rounds()
    # By round: the times of the newest may be there already, or be missing after a power cut.
    times = {line["round"]: line for line in curve.checked_times()}
    return [
        {
            "strategy": strategy,
            "seed": seed,
            "full_score": full[0]["score"] if full else np.nan,
            "versions": versions,
            **times.get(round_["round"], {}),
            **round_,
            "queried": np.asarray(round_["queried"], dtype=np.int64),
        }
        for round_ in rounds
    ]
