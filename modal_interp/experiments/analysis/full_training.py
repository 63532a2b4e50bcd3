"""Training without asking: once on all labels, or on parts of them that are drawn at random."""

from __future__ import annotations

import pandas as pd

_COLUMNS = {
    "seed": "int64", "size": "object", "n_labeled": "int64", "score": "float64",
    "validation_score": "float64",
}  # fmt: skip


def full_training_scores(results: pd.DataFrame) -> pd.DataFrame:
    """Return the scores of training once on each of the sizes of `full_training`.

    Parameters
    ----------
    results : DataFrame
        As :func:`run_experiment` or :func:`load_results` gave it: the scores are in its attrs.

    Returns
    -------
    DataFrame
        One row a (size, seed), by rising number of labels: ``seed``; ``size``, the share (float) or
        count (int) that was asked for; ``n_labeled``; ``score`` on the test part and
        ``validation_score`` on the validation part (NaN without one). No row where nothing was
        trained so.

    Raises
    ------
    TypeError
        If `results` is no DataFrame.

    Notes
    -----
    The samples of a size are those of a seed set of that size: the smaller are among the larger,
    and a size of `initial` is round 0 of each curve where both train for as long.

    Departs from the paper: none; the baselines are those of the study of paper topics.

    Examples
    --------
    >>> from modal_interp import TabularMLPClassifier, make_sigmoid, random_sampling
    >>> from modal_interp.experiments import full_training_scores, run_experiment
    >>> X, y = make_sigmoid(200, random_state=0)
    >>> results = run_experiment(
    ...     TabularMLPClassifier(max_epochs=5), X, y, [random_sampling], seeds=1,
    ...     initial=20, step=10, budget=40, full_training=[0.1, 0.5, 1.0])
    >>> full_training_scores(results)["n_labeled"].tolist()
    [12, 60, 120]
    """
    if not isinstance(results, pd.DataFrame):
        raise TypeError(f"results must be a pandas DataFrame; found {type(results).__name__}.")
    rows = results.attrs.get("full_training", [])
    frame = pd.DataFrame(rows, columns=list(_COLUMNS), dtype=object)  # counts stay counts
    return frame.astype(_COLUMNS)
