"""Checks of what `run_experiment` is given, all of them before anything is trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp

from modal_interp.estimators import TabularMLPClassifier
from modal_interp.estimators.mlp import check_size
from modal_interp.experiments.running.interleaving import Interleaved, check_interleaving
from modal_interp.experiments.running.names import check_names
from modal_interp.experiments.running.numbers import (
    LARGEST_SEED,
    MOST_SEEDS,
    MOST_WORKERS,
    check_not_above,
    found,
)
from modal_interp.experiments.running.plan import Size, part_sizes


def checked_data(X: Any, y: Any) -> tuple[Any, Any]:
    """Return samples and labels as arrays that modAL can add rows to."""
    if isinstance(X, pd.DataFrame | pd.Series):
        raise TypeError(
            "X must be an array, a sparse matrix or a list of texts; found a "
            f"{type(X).__name__}: call .to_numpy() on it."
        )
    X = X.tocsr() if sp.issparse(X) else np.asarray(X, dtype=object if _holds_texts(X) else None)
    numbers = X.data if sp.issparse(X) else X
    y = np.asarray(y)
    if y.ndim not in (1, 2) or X.ndim == 0 or X.shape[0] != len(y):
        raise ValueError(
            f"y must hold a label for each of the samples of X; found shapes {X.shape} of X and "
            f"{y.shape} of y."
        )
    if numbers.dtype.kind == "f" and not np.isfinite(numbers).all():
        raise ValueError(
            f"X must hold finite numbers; found {int((~np.isfinite(numbers)).sum())} that are not. "
            "Fill them in before."
        )
    if y.ndim == 1 and len(np.unique(y)) < 2:
        raise ValueError(f"y must hold at least two classes; found {np.unique(y).tolist()}.")
    return X, y


def _holds_texts(X: Any) -> bool:
    return hasattr(X, "__len__") and len(X) > 0 and isinstance(X[0], str)


def named_strategies(strategies: Any) -> dict[str, Callable[..., Any]]:
    """Return the strategies by the names that their files have."""
    if isinstance(strategies, Mapping):
        pairs = list(strategies.items())
    elif callable(strategies) or isinstance(strategies, str):
        raise TypeError(f"strategies must be a list or dict of callables; found {strategies!r}.")
    else:
        pairs = [(_own_name(strategy), strategy) for strategy in strategies]
    names = [name for name, _ in pairs]
    if not pairs:
        raise ValueError("strategies must hold at least one query strategy; found none.")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(
            f"strategies must have names of their own; found {twice[0]!r} twice. Pass a dict of "
            "name to strategy."
        )
    for name, strategy in pairs:
        if not callable(strategy):
            raise TypeError(f"strategies[{name!r}] must be callable; found {strategy!r}.")
    check_names(names)
    return dict(pairs)


def _own_name(strategy: Any) -> str:
    while isinstance(strategy, partial):
        strategy = strategy.func
    return str(getattr(strategy, "__name__", type(strategy).__name__))


def checked_seeds(seeds: Any) -> list[int]:
    """Return the seeds, for a number of them those from 0 on."""
    one = isinstance(seeds, int | np.integer) and not isinstance(seeds, bool)
    named = seeds if np.iterable(seeds) else [seeds]
    # No more than one too many: a range may be longer than memory, an iterator without end.
    known = list(
        islice(range(min(max(int(seeds), 0), MOST_SEEDS + 1)) if one else named, MOST_SEEDS + 1)
    )
    whole = all(isinstance(s, int | np.integer) and not isinstance(s, bool) for s in known)
    if not known or not whole or min(known) < 0 or len(set(known)) < len(known):
        raise ValueError(
            "seeds must be a number of repetitions, at least 1, or distinct whole numbers from 0 "
            f"on; found {found(seeds)}."
        )
    if len(known) > MOST_SEEDS or max(known) > LARGEST_SEED:
        raise ValueError(
            f"seeds must be at most {MOST_SEEDS:,}, each at most {LARGEST_SEED}; found "
            f"{found(seeds)}."
        )
    return [int(seed) for seed in known]


def check_counts(**sizes: Any) -> None:
    """Check sizes by themselves; whether they fit the data is seen where they are used."""
    split = sizes.pop("split")
    if not isinstance(split, list | tuple) or len(split) != 3:
        raise ValueError(f"split must be (train, validation, test); found {split!r}.")
    parts = {f"split[{place}]": part for place, part in enumerate(map(plain, split))}
    for name, size in {**sizes, **parts}.items():
        share = isinstance(size, float) and 0 <= size <= 1
        count = isinstance(size, int) and not isinstance(size, bool) and size >= 0
        if not (share or count) or (size == 0 and name not in parts):
            raise ValueError(
                f"{name} must be a share in (0, 1] as a float or a count as an int; found "
                f"{found(size)}."
            )


def plain(size: Any) -> Any:
    """Return a number of NumPy's as Python's, which can be written down."""
    return size.item() if isinstance(size, np.integer | np.floating) else size


def plain_split(split: Any) -> tuple[Any, Any, Any]:
    """Return the parts of a checked split."""
    train, validation, test = map(plain, split)
    return train, validation, test


def check_numbers(n_jobs: Any, n_threads: Any) -> None:
    """Check the numbers of workers and threads."""
    for name, value in (("n_jobs", n_jobs), ("n_threads", n_threads)):
        if not isinstance(value, int) or isinstance(value, bool) or value == 0:
            raise ValueError(f"{name} must be a whole number other than 0; found {found(value)}.")
    if n_threads < 1:
        raise ValueError(f"n_threads must be at least 1; found {found(n_threads)}.")
    check_not_above("n_jobs", abs(n_jobs), MOST_WORKERS)
    check_not_above("n_threads", n_threads, MOST_WORKERS)


def check_switches(**switches: Any) -> None:
    """Check what is either on or off."""
    for name, value in switches.items():
        if not isinstance(value, bool):
            raise TypeError(f"{name} must be True or False; found {value!r}.")


def check_explain(explain: Any, out: Any) -> None:
    """Check what tells the names of words and features, and that there is a place to keep them."""
    columns = isinstance(explain, list | tuple) and all(isinstance(name, str) for name in explain)
    if not (isinstance(explain, bool) or columns or hasattr(explain, "inverse_transform")):
        raise TypeError(
            "explain must be True or False, the encoder that made ids of the texts, such as a "
            f"WordEncoder, or a list of the columns' names; found {explain!r:.100}."
        )
    if explain and out is None:
        raise ValueError("explain= must come with out=, the folder that it is kept in; found none.")


def checked_baselines(full_training: Any) -> list[Size]:
    """Return the shares or counts of the training part to train on once, none for False."""
    if isinstance(full_training, bool):
        return [1.0] if full_training else []
    several = isinstance(full_training, list | tuple | np.ndarray)
    sizes: list[Any] = [plain(size) for size in full_training] if several else [None]
    for size in sizes:
        share = isinstance(size, float) and 0 < size <= 1
        if not share and not (type(size) is int and size >= 1):
            raise ValueError(
                "full_training must be True or False, or a list of shares in (0, 1] as floats and "
                f"counts as ints, such as [0.01, 0.1, 1.0]; found {found(full_training)}."
            )
    return list(dict.fromkeys(sizes))


def check_baselines(baselines: list[Size], n_train: int) -> None:
    """Check that each of the sizes is one of samples that there are."""
    for size in baselines:
        n = round(size * n_train) if isinstance(size, float) else size
        if not 1 <= n <= n_train:
            raise ValueError(
                f"full_training must ask for at least 1 of the {n_train} training rows and no more "
                f"than there are; found {found(size)}, which asks for {found(n)}."
            )


def checked_sizes(protocol: Interleaved) -> list[int]:
    """Return the labelled samples of each round, which every seed has alike."""
    n_train, n_validation, _ = part_sizes(protocol.split, len(protocol.y))
    if protocol.early_stopping and n_validation == 0:
        raise ValueError(
            f"early_stopping=True needs a validation part; found split={protocol.split!r}."
        )
    return protocol.sizes(n_train)


def check_estimator(protocol: Interleaved) -> None:
    """Check that the estimator can be trained as the experiment asks for."""
    estimator = protocol.estimator
    if not hasattr(estimator, "fit") or not hasattr(estimator, "get_params"):
        raise TypeError(f"estimator must be a scikit-learn classifier; found {estimator!r}.")
    if isinstance(estimator, TabularMLPClassifier):  # not behind steps, which may scale
        check_size(protocol.X)
    check_interleaving(protocol)
