"""Tables and pictures of finished curves, for people to look at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from modal_interp.experiments.analysis.asked_words import deciding, in_words
from modal_interp.experiments.analysis.comparisons import win_matrix
from modal_interp.experiments.analysis.displays import LearningCurveDisplay, PairwiseMatrixDisplay
from modal_interp.experiments.analysis.full_training import full_training_scores
from modal_interp.experiments.analysis.metrics import summary
from modal_interp.experiments.running.storage import write_text

# What the text shows of the summary, and by which name.
_SHOWN = {
    "n_seeds": "seeds",
    "area": "mean score",
    "normalized_auc_median": "normalised AUC",
    "final_score": "last score",
    "difference": "above random",
    "difference_low": "from",
    "difference_high": "to",
}


def write_report(results: pd.DataFrame, folder: Path, asked: pd.DataFrame | None = None) -> str:
    """Write tables and pictures into `folder`; return a text that tells of them.

    Parameters
    ----------
    results : DataFrame
        As :func:`load_results` gives it.
    folder : path-like
        Made where it is missing; files of an earlier report are replaced.
    asked : DataFrame, optional
        As :func:`load_asked` gives it: adds what was asked for, and what decided most often.

    Returns
    -------
    str
        The table, with the paths of what was written.

    Raises
    ------
    ValueError
        If no round is finished.

    Notes
    -----
    Departs from the paper: none; the measures say for themselves what they add.
    """
    if results.empty:
        raise ValueError("there is nothing to report yet: no round is finished.")
    folder.mkdir(parents=True, exist_ok=True)
    table = summary(results)
    texts = {
        "summary.csv": table.to_csv(),
        "curves.csv": results.drop(columns=["queried", "versions"]).to_csv(index=False),
        "pairs.csv": _pairs(results).to_csv(index=False),
    }
    once = full_training_scores(results)
    if several := once["size"].nunique() > 1:
        texts["full_training.csv"] = once.to_csv(index=False)
    if told_why := asked is not None and len(asked) > 0:
        texts["asked.csv"] = asked.to_csv(index=False)
        texts["deciding.csv"] = deciding(asked).to_csv(index=False)
    for name, text in texts.items():
        write_text(folder / name, text)
    written = [folder / name for name in texts]
    for name, display in _displays(results).items():
        display.figure_.savefig(folder / name, dpi=150)
        _close(display.figure_)
        written.append(folder / name)
    files = "\n".join(f"  {path}" for path in written)
    shown = table[[name for name in _SHOWN if name in table]].rename(columns=_SHOWN)
    tables = [shown, *([_by_size(once)] if several else [])]
    told = "\n\n".join(shown.to_string(float_format=_number) for shown in tables)
    if told_why:
        told += f"\n\n{in_words(asked)}"
    return f"{told}\n\nwritten:\n{files}"


def _by_size(once: pd.DataFrame) -> pd.DataFrame:
    """Return what training once on each size came to: a row a size, by rising size."""
    sizes = once.groupby("n_labeled")
    return pd.DataFrame({"seeds": sizes["seed"].nunique(), "trained once": sizes["score"].mean()})


def _number(value: float) -> str:
    """Return four places, or four digits where places would be zeros or a line of digits."""
    return f"{value:.4f}" if value == 0 or 1e-3 <= abs(value) < 1e6 else f"{value:.3e}"


def _pairs(results: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each ordered pair of strategies."""
    matrix = win_matrix(results)
    columns = {
        "share": matrix.shares, "difference": matrix.differences, "p_value": matrix.p_values,
    }  # fmt: skip
    pairs = pd.concat({name: table.unstack() for name, table in columns.items()}, axis=1)
    return (
        pairs.rename_axis(["compared", "strategy"]).reset_index().dropna(how="any", subset="share")
    )


def _displays(results: pd.DataFrame) -> dict[str, Any]:
    """Return what can be drawn: a matrix takes two strategies and a round after the first."""
    displays: dict[str, Any] = {"learning_curves.png": LearningCurveDisplay.from_results(results)}
    if results["strategy"].nunique() > 1 and results["round"].max() > 0:
        displays["pairwise_matrix.png"] = PairwiseMatrixDisplay.from_results(results)
    return displays


def _close(figure: object) -> None:
    import matplotlib.pyplot as plt

    plt.close(figure)  # type: ignore[arg-type]
