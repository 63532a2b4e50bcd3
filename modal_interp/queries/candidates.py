"""Candidates: which samples of the pool a strategy may choose from."""

from __future__ import annotations

import inspect
import math
import numbers
import pickle
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from torch.utils.data import Dataset, IterableDataset, Subset

from modal_interp.queries.stacking import n_samples, take_rows

Rows = NDArray[np.intp]


class Narrowing(NamedTuple):
    """One step of ``candidates=``: what it was, and how many samples it left.

    Attributes
    ----------
    by : str
        What narrowed the pool, in words: ``"exclude_duplicates"``, ``"500 at random"``.
    n_before, n_left : int
        Samples before and after.
    drew : bool
        Whether it drew at random.
    """

    by: str
    n_before: int
    n_left: int
    drew: bool


def candidate_rows(
    candidates: Any, learner: Any, X_pool: Any, random_state: RandomState
) -> tuple[Rows, tuple[Narrowing, ...]]:
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
    rows : ndarray of shape (m,), intp
        Distinct rows.
    narrowing : tuple of Narrowing
        What left how many, step by step.

    Raises
    ------
    TypeError, ValueError
        Naming the rule and the value found.
    """
    n = n_samples(X_pool)
    if candidates is None:
        return np.arange(n), ()
    if isinstance(candidates, list) and any(
        not isinstance(c, numbers.Integral) for c in candidates
    ):
        rows = np.arange(n)
        narrowing: list[Narrowing] = []
        for step in candidates:
            if len(rows):
                left = X_pool if len(rows) == n else pick(X_pool, rows)
                found, more = candidate_rows(step, learner, left, random_state)
                rows = rows[found]
                narrowing += more
        return rows, tuple(narrowing)
    before, by = generator_state(random_state), _in_words(candidates)
    if isinstance(candidates, numbers.Real):
        rows = _drawn(candidates, n, random_state)
    elif callable(candidates):
        rows = _checked(_called(candidates, learner, X_pool, random_state), n)
    else:
        rows = _checked(candidates, n)
    drew = generator_state(random_state) != before
    return rows, (Narrowing(by, n, len(rows), drew),)


def generator_state(random_state: RandomState) -> bytes:
    """Return what tells whether a generator has drawn in between."""
    return pickle.dumps(random_state.get_state(legacy=False))


def name_of(function: Any) -> str:
    """Return the name of a function, with the options that it was given by `partial`."""
    if isinstance(function, partial):
        given = [_brief(value) for value in function.args]
        given += [f"{key}={_brief(value)}" for key, value in function.keywords.items()]
        return f"{name_of(function.func)}({', '.join(given)})" if given else name_of(function.func)
    return getattr(function, "__name__", type(function).__name__)


def _brief(value: Any) -> str:
    """Return a value as it is written, unless it is long."""
    plain = value is None or isinstance(value, str | numbers.Number)
    return repr(value) if plain else name_of(value) if callable(value) else type(value).__name__


def _in_words(candidates: Any) -> str:
    if isinstance(candidates, numbers.Integral):
        return f"{candidates} at random"
    if isinstance(candidates, numbers.Real):
        return f"a share of {candidates:g} at random"
    return name_of(candidates) if callable(candidates) else "the rows given"


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
