"""Candidates: which samples of the pool a strategy may choose from."""

from __future__ import annotations

import inspect
import math
import numbers
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from torch.utils.data import Dataset, IterableDataset, Subset

from modal_interp.queries.stacking import n_samples, take_rows

Rows = NDArray[np.intp]


def candidate_rows(candidates: Any, learner: Any, X_pool: Any, random_state: RandomState) -> Rows:
    """Return the rows of the pool that may be chosen, in rising order.

    Parameters
    ----------
    candidates : None, int, float, array of int, callable or list of these
        All; so many at random; a share at random; these rows; those that
        ``candidates(learner, X_pool)`` returns, alone or before its metrics, as strategies do.
        Those of a list are applied in turn, each to what the last one left.
    learner : ActiveLearner, DeepActiveLearner or Committee of modAL
        Passed to a callable.
    X_pool : array, list, data frame or sparse matrix of n samples
        The unlabelled samples.
    random_state : RandomState
        Draws samples.

    Returns
    -------
    ndarray of shape (m,), intp
        Distinct rows.

    Raises
    ------
    TypeError, ValueError
        Naming the rule and the value found.
    """
    n = n_samples(X_pool)
    if candidates is None:
        return np.arange(n)
    if isinstance(candidates, list) and any(
        not isinstance(c, numbers.Integral) for c in candidates
    ):
        rows = np.arange(n)
        for step in candidates:
            if len(rows):
                left = X_pool if len(rows) == n else pick(X_pool, rows)
                rows = rows[candidate_rows(step, learner, left, random_state)]
        return rows
    if isinstance(candidates, numbers.Real):
        return _drawn(candidates, n, random_state)
    if callable(candidates):
        candidates = _called(candidates, learner, X_pool, random_state)
    return _checked(candidates, n)


def pick(X: Any, rows: Rows) -> Any:
    """Return these samples of a pool; of a data set, a data set.

    Raises
    ------
    TypeError
        If the samples can only be had one after the other.
    """
    if isinstance(X, IterableDataset):
        raise TypeError(
            "candidates must be None for samples that come one after the other; found a "
            f"{type(X).__name__} as X_pool."
        )
    return Subset(X, rows.tolist()) if isinstance(X, Dataset) else take_rows(X, rows)


def _called(find: Callable[..., Any], learner: Any, X_pool: Any, random_state: RandomState) -> Any:
    """Return the rows that a function finds, by this query's randomness if it draws."""
    try:
        seed = inspect.signature(find).parameters.get("random_state")
    except ValueError:  # of some that are not written in Python
        seed = None
    unset = seed is not None and seed.default in (None, inspect.Parameter.empty)
    options = {"random_state": random_state} if unset else {}
    try:
        found = find(learner, X_pool, **options)
    except ValueError as error:
        raise ValueError(
            f"candidates={find!r} failed on {n_samples(X_pool)} samples: {error}"
        ) from error
    return found[0] if isinstance(found, tuple) else found


def _drawn(size: Any, n: int, random_state: RandomState) -> Rows:
    """Draw so many samples, or that share of them; no more than there are."""
    whole = isinstance(size, numbers.Integral)
    if isinstance(size, bool) or not (size >= 1 if whole else 0 < size <= 1):
        raise ValueError(
            "candidates must be a whole number of samples, at least 1, or a share of the pool, "
            f"above 0.0 and up to 1.0; found {size!r}."
        )
    size = min(size, n) if whole else math.ceil(size * n)
    return np.sort(random_state.permutation(n)[:size])


def _checked(rows: Any, n: int) -> Rows:
    found = np.asarray(rows)
    if not found.size:
        return np.empty(0, dtype=np.intp)
    if found.ndim != 1 or found.dtype.kind not in "iu":
        raise TypeError(
            "candidates must be None, a number, a share, rows of X_pool (a 1-D array of whole "
            f"numbers), a callable that returns such, or a list of these; found {rows!r}."
        )
    if found.min() < 0 or found.max() >= n:
        wrong = found.min() if found.min() < 0 else found.max()
        raise ValueError(f"candidates must be rows of the pool, from 0 to {n - 1}; found {wrong}.")
    return np.unique(found).astype(np.intp)
