"""What all curves of an experiment share: the splits, the sizes and the seeds."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from modal_interp.experiments.running.numbers import found

Size = float | int


class Parts(NamedTuple):
    """Rows of the data: to train with, to validate on, to test on."""

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]


def split_rows(y: NDArray[Any], split: tuple[Size, Size, Size], seed: int) -> Parts:
    """Divide the rows of `y` at random, stratified where each class is large enough.

    Parameters
    ----------
    y : ndarray of shape (n,) or (n, C)
        Labels.
    split : (float or int, float or int, float or int)
        Shares or counts of the rows, as :func:`part_sizes` reads them.
    seed : int
        Same seed, same parts.

    Returns
    -------
    Parts
        Three arrays of distinct rows, each in random order.

    Raises
    ------
    ValueError
        If the sizes do not fit the number of rows.

    Notes
    -----
    Departs from the paper: ALDEN and DAMI state the shares alone; that classes are spread evenly
    is added.
    """
    n_train, n_validation, n_test = part_sizes(split, len(y))
    random_state = derived_seed(seed, "split")
    used, test = _divide(np.arange(len(y)), y, n_train + n_validation, n_test, random_state)
    train, validation = _divide(used, y, n_train, n_validation, random_state)
    return Parts(train, validation, test)


def _divide(
    rows: NDArray[np.int64], y: NDArray[Any], n_first: int, n_second: int, random_state: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    if n_second == 0:
        order = np.random.RandomState(random_state).permutation(len(rows))
        return rows[order[:n_first]], rows[:0]
    first, second = train_test_split(
        rows,
        train_size=n_first,
        test_size=n_second,
        random_state=random_state,
        stratify=_strata(y[rows], min(n_first, n_second)),
    )
    return first, second


def _strata(y: NDArray[Any], n_smaller: int) -> NDArray[Any] | None:
    """Return `y` where scikit-learn can stratify by it, else None."""
    if y.ndim > 1:
        return None
    counts = np.unique(y, return_counts=True)[1]
    return y if counts.min() >= 2 and n_smaller >= len(counts) else None


def part_sizes(split: tuple[Size, Size, Size], n_samples: int) -> tuple[int, int, int]:
    """Return the numbers of rows to train with, to validate on and to test on.

    Shares that add up to 1 use every row: the test rows take what rounding leaves.
    """
    train, validation, test = (_count(size, n_samples) for size in split)
    if all(isinstance(size, float) for size in split) and math.isclose(sum(split), 1):
        test = n_samples - train - validation
    if train < 2 or test < 1 or train + validation + test > n_samples:
        raise ValueError(
            "split must leave at least 2 rows to train with and 1 to test on, and use no more "
            f"than the {n_samples} rows of X; found {found(split)}, which asks for {found(train)} "
            f"+ {found(validation)} + {found(test)}."
        )
    return train, validation, test


def labelled_sizes(initial: Size, step: Size, budget: Size, n_train: int) -> list[int]:
    """Return the number of labelled samples in each round, the first that of the seed set.

    Round r has ``initial + r * step`` samples, never more than `budget`; the last has `budget`.
    Shares are of the `n_train` training rows and are rounded at the end, so that small ones do
    not drift.
    """
    asked = f"initial={found(initial)}, step={found(step)}, budget={found(budget)}"
    rule = (
        "initial, step and budget must give a rising number of labelled samples, from at least 1 "
        f"to at most the {n_train} training rows"
    )
    # A step past the end is one to the end.
    first, more, last = (
        size * n_train if isinstance(size, float) else min(size, n_train + 1)
        for size in (initial, step, budget)
    )
    rounds = max(0.0, (last - first) / more - 1e-9) if more > 0 else 0.0
    if rounds > n_train:  # nor would so many fit into memory
        raise ValueError(f"{rule}; found {asked}, which give more than {n_train} rounds.")
    sizes = [round(first + r * more) for r in range(math.ceil(rounds))] + [round(last)]
    if first > last or sizes[0] < 1 or sizes[-1] > n_train or not _rises(sizes):
        give = f"{sizes[:3]} ... {sizes[-1]}" if last <= n_train else "more"
        raise ValueError(f"{rule}; found {asked}, which give {give}.")
    return sizes


def _rises(sizes: list[int]) -> bool:
    return all(a < b for a, b in pairwise(sizes))


def seed_set(train: NDArray[np.int64], size: int, seed: int) -> NDArray[np.int64]:
    """Draw the rows that are labelled at first: the same for all strategies of a seed."""
    draw = np.random.RandomState(derived_seed(seed, "seed set"))
    return draw.permutation(train)[:size]


def derived_seed(seed: int, purpose: str, round_: int = 0) -> int:
    """Return a seed of its own for each purpose and round: it does not matter what ran before."""
    words = [seed, round_, *purpose.encode()]
    return int(np.random.SeedSequence(words).generate_state(1)[0] % 2**31)


def _count(size: Size, n: int) -> int:
    return round(size * n) if isinstance(size, float) else int(size)
