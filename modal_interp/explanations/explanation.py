"""What an explanation of a query holds; the forms that show it are made elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from modal_interp.explanations.frames import as_frame
from modal_interp.explanations.text import brief, brief_query, full, full_query
from modal_interp.queries.candidates import Narrowing
from modal_interp.strategies.reasons import (
    Counterpart,
    Features,
    Neighbours,
    Number,
    Probabilities,
    Shares,
    Words,
)


@dataclass(frozen=True, eq=False, repr=False)
class Explanation:
    """Why one sample was asked for.

    Printed, it says so in words.

    Attributes
    ----------
    index : int
        The sample's row in the pool.
    place : int
        Its place in the batch, from 0.
    sample : Any
        The sample as it stands in the pool; None of a torch Dataset.
    metric : float
        The metric of the query; NaN where the strategy gives none.
    sentence : str
        Why it was asked for, in one sentence.
    proba : Probabilities or None
        What is predicted of it: None where the estimator gives no probabilities.
    words : Words or None
        Its words and what each contributes; of nets that read words.
    features : Features or None
        Its features and how each moves the prediction; of nets that read tables.
    counterpart : Counterpart or None
        The labelled occurrence that the deciding word was compared with.
    neighbours : tuple of Neighbours
        Samples that it was compared with, or stands for.
    shares : tuple of Shares
        Wholes and their parts.
    numbers : tuple of Number
        Other numbers that count.

    Notes
    -----
    What :func:`explain_query` returns for each sample.

    Departs from the paper: none; it computes nothing.
    """

    index: int
    place: int
    sample: Any
    metric: float
    sentence: str
    proba: Probabilities | None = None
    words: Words | None = None
    features: Features | None = None
    counterpart: Counterpart | None = None
    neighbours: tuple[Neighbours, ...] = ()
    shares: tuple[Shares, ...] = ()
    numbers: tuple[Number, ...] = ()

    def __repr__(self) -> str:
        return brief(self)

    def __str__(self) -> str:
        return full(self)


@dataclass(frozen=True, eq=False)
class PoolMap:
    """The candidates and the labelled samples in a plane.

    Attributes
    ----------
    of : str
        What is mapped, such as "features".
    indices : ndarray of shape (n,), intp
        The candidates, as rows of the pool.
    points : ndarray of shape (n, 2), float32
        Where they lie; NaN for a sample without a representation.
    labelled : ndarray of shape (m, 2), float32
        Where the labelled samples lie; m is 0 where the learner does not keep them.
    explained : ndarray of shape (2,), float64
        The share of the variance along each axis.
    """

    of: str
    indices: NDArray[np.intp]
    points: NDArray[np.float32]
    labelled: NDArray[np.float32]
    explained: NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class QueryExplanation(Sequence[Explanation]):
    """Why the samples of a query were asked for: a sequence of :class:`Explanation`.

    In the order of choice. Printed, it says so in words.

    Attributes
    ----------
    strategy : str
        Its name.
    options : dict of str to Any
        Those given in the call, or to the strategy by :func:`functools.partial`.
    metric_name : str
        What the metric is, and its unit.
    n_pool, n_candidates : int
        Samples of the pool, and those that could be chosen.
    narrowing : tuple of Narrowing
        What ``candidates=`` left, step by step.
    classes : tuple of str
        Names of the classes or labels; empty where they are not known.
    several : bool
        Whether a sample has several labels.
    n_members : int
        Nets or classifiers that were asked: 1, or those of a committee or an ensemble.
    checked : bool
        Whether the strategy, asked again, chose just these samples.
    explanations : tuple of Explanation
        One a sample.
    pool_map : PoolMap or None
        The candidates and the labelled samples in a plane, where it was asked for.

    Notes
    -----
    What :func:`explain_query` returns.

    Departs from the paper: none; it computes nothing.
    """

    strategy: str
    options: dict[str, Any]
    metric_name: str
    n_pool: int
    n_candidates: int
    narrowing: tuple[Narrowing, ...]
    classes: tuple[str, ...]
    several: bool
    n_members: int
    checked: bool
    explanations: tuple[Explanation, ...]
    pool_map: PoolMap | None = None

    @property
    def indices(self) -> NDArray[np.intp]:
        """Rows of the pool, (n,)."""
        return np.array([one.index for one in self.explanations], dtype=np.intp)

    @property
    def metrics(self) -> NDArray[np.float64]:
        """The metrics of the query, (n,)."""
        return np.array([one.metric for one in self.explanations], dtype=np.float64)

    def to_frame(self) -> pd.DataFrame:
        """Return a row a sample, indexed by its row in the pool.

        Returns
        -------
        DataFrame of n rows
            ``place``, ``sample`` and ``metric``; ``predicted`` and ``probability``; what the
            strategy decided by: ``word`` or ``feature`` and its ``contribution``,
            ``counterpart`` and its ``distance``, neighbours, shares and numbers by their names;
            and the ``sentence``.
        """
        return as_frame(self)

    @overload
    def __getitem__(self, place: int) -> Explanation: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Explanation, ...]: ...
    def __getitem__(self, place: Any) -> Any:
        return self.explanations[place]

    def __len__(self) -> int:
        return len(self.explanations)

    def __iter__(self) -> Iterator[Explanation]:
        return iter(self.explanations)

    def __repr__(self) -> str:
        return brief_query(self)

    def __str__(self) -> str:
        return full_query(self)
