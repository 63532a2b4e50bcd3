"""What an explanation of a query holds; the forms that show it are made elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from modal_interp.explanations.display import ExplanationDisplay
from modal_interp.explanations.frames import as_frame
from modal_interp.explanations.html.report import page, write
from modal_interp.explanations.html.samples import one_sample, query_in_short
from modal_interp.explanations.terminal import as_text, paper, query_as_text
from modal_interp.explanations.text import brief, brief_query
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

    def to_text(self, *, width: int | None = None, color: bool | None = None) -> str:
        """Return it in plain text, for a terminal.

        Parameters
        ----------
        width : int, optional
            Columns; otherwise those of the terminal, 100 at most.
        color : bool, optional
            Whether to colour words and bars by their sign, which is written out in any case;
            otherwise on a terminal. ``NO_COLOR`` and ``FORCE_COLOR`` of the environment count, the
            former first.

        Returns
        -------
        str
        """
        return as_text(self, paper(width, color))

    def plot(self, ax: Any = None) -> ExplanationDisplay:
        """Draw contributions and predictions as bars, on axes of matplotlib or a new figure."""
        return ExplanationDisplay.from_explanation(self, ax=ax)

    def __repr__(self) -> str:
        return brief(self)

    def __str__(self) -> str:
        return self.to_text(color=False)

    def _repr_html_(self) -> str:
        return one_sample(self)


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

    def to_text(self, *, width: int | None = None, color: bool | None = None) -> str:
        """Return it in plain text, for a terminal; as of :meth:`Explanation.to_text`."""
        return query_as_text(self, paper(width, color))

    def to_html(self, path: Any, *, title: str | None = None) -> None:
        """Write a page that tells of the query: one file, which needs no network and no scripts.

        Parameters
        ----------
        path : str or path
            Of the file; one that is there is replaced when the new one is whole.
        title : str, optional
            Its heading.

        Raises
        ------
        OSError
            If the path is a folder, lies in none, or cannot be written.

        Notes
        -----
        What was asked for, by which strategy with which options; a map of the pool with the batch
        and the labelled samples, of ``explain_query(..., pool_map=True)``; then each sample.

        Departs from the paper: none; the papers show no queries.
        """
        write(page(self, title or f"Why these samples: a query by {self.strategy}"), path)

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
        return self.to_text(color=False)

    def _repr_html_(self) -> str:
        return query_in_short(self)
