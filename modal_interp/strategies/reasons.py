"""Why samples were asked for, in numbers: what a strategy says of its choice.

Data without behaviour, alike for all strategies. A strategy fills in what it decided by, and leaves
the rest as None or empty; :func:`~modal_interp.explain_query` adds what it cannot know, such as
how a word is written. Text, tables and pictures are made of these alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Words:
    """The n words of one sample, in the order of the text.

    Attributes
    ----------
    ids : tuple of n tuples of int
        The ids of each word, as the net reads them: those of its pieces, else one.
    contributions : ndarray of shape (n, A), float32
        What each word adds to each explained output, with its sign.
    meaning : str
        What a contribution is, and its unit.
    scores : ndarray of shape (n,), float64, or None
        What the strategy compares words by; None where it compares none.
    score_name : str
        What a score is, and its unit.
    decided : int or None
        Which word the strategy decided by; of several members the one that most decided by.
    decided_by : tuple of int
        Which word each member decided by, where each does by itself.
    names : tuple of n str
        The words as they are written; without an encoder, their ids.
    known : ndarray of shape (n,), bool
        Whether the encoder knows the word.
    spans : tuple of n (int, int)
        Where each word lies in the text: its first character, and the one behind its last. Empty
        where that is not known.
    outputs : tuple of A str
        The outputs explained: classes or labels, those of each member one after the other.
    shown : int
        The output that matters most here, by which to shade words.
    """

    ids: tuple[tuple[int, ...], ...]
    contributions: NDArray[np.float32]
    meaning: str
    scores: NDArray[np.float64] | None = None
    score_name: str = ""
    decided: int | None = None
    decided_by: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    known: NDArray[np.bool_] | None = None
    spans: tuple[tuple[int, int], ...] = ()
    outputs: tuple[str, ...] = ()
    shown: int = 0


@dataclass(frozen=True, eq=False)
class Features:
    """The d features of one sample of a table.

    Attributes
    ----------
    values : ndarray of shape (d,)
        The sample, as the net reads it.
    contributions : ndarray of shape (d, A), float32
        How each feature moves each explained output, with its sign.
    meaning : str
        What a contribution is, and its unit.
    decided : int or None
        The feature of the largest contribution over all outputs, where the strategy compares
        these.
    names : tuple of d str
        The columns.
    outputs, shown
        As of :class:`Words`.
    """

    values: NDArray[Any]
    contributions: NDArray[np.float32]
    meaning: str
    decided: int | None = None
    names: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    shown: int = 0


@dataclass(frozen=True, eq=False)
class Counterpart:
    """The labelled occurrence of a word that the deciding word was compared with.

    Attributes
    ----------
    source : {"labelled", "batch"}
        Whether a labelled sample holds it, or one that was chosen before in the same batch.
    index : int
        Row of the labelled samples, or of the pool.
    position : int
        Which word of that sample.
    ids : tuple of int
        The word, as in :class:`Words`.
    stands_in : bool
        Whether it is another word, whose embedding is the nearest, because no labelled sample
        holds the word itself.
    gap : float
        How far apart the embeddings of the two words are; 0 for the same word.
    contributions : ndarray of shape (A,), float32
        What the labelled occurrence adds to each explained output.
    distance : float
        Between the contributions of the two.
    name : str
        The word as it is written.
    span : (int, int) or None
        Where it lies in its sample, where that is known.
    sample, label
        The sample that holds it, and its label where the learner keeps it; else None.
    """

    source: Literal["labelled", "batch"]
    index: int
    position: int
    ids: tuple[int, ...]
    stands_in: bool
    gap: float
    contributions: NDArray[np.float32]
    distance: float
    name: str = ""
    span: tuple[int, int] | None = None
    sample: Any = None
    label: Any = None


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Samples that one was compared with, or stands for.

    Attributes
    ----------
    relation : str
        What they are, such as "nearest labelled" or "stands for".
    source : {"labelled", "pool"}
        What the rows are of.
    indices : ndarray of shape (m,), intp
        Rows, the nearest first.
    distances : ndarray of shape (m,), float64
        In the strategy's representation.
    n_all : int
        How many there are; those listed are the nearest.
    samples, labels : tuple of m
        The samples, and their labels where the learner keeps them; else None.
    """

    relation: str
    source: Literal["labelled", "pool"]
    indices: NDArray[np.intp]
    distances: NDArray[np.float64]
    n_all: int
    samples: tuple[Any, ...] = ()
    labels: tuple[Any, ...] = ()


@dataclass(frozen=True, eq=False)
class Probabilities:
    """What is predicted of one sample.

    Attributes
    ----------
    by : ndarray of shape (K, C), float64
        By each of K passes with dropout or members; of one net without dropout K is 1.
    of : {"net", "passes", "members", "members and passes"}
        What the K are.
    several : bool
        Whether each column is a label of its own; else a row is one distribution.
    mean, spread : ndarray of shape (C,), float64
        Mean and standard deviation over the K.
    classes : tuple of C str
        Names of the classes or labels.
    """

    by: NDArray[np.float64]
    of: Literal["net", "passes", "members", "members and passes"]
    several: bool
    mean: NDArray[np.float64]
    spread: NDArray[np.float64]
    classes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Shares:
    """Named parts of a whole, none of them negative.

    Attributes
    ----------
    title : str
        What is shared, and its unit.
    names : tuple of m str
        Of the parts.
    values : ndarray of shape (m,), float64
        The parts, which add up to the whole.
    """

    title: str
    names: tuple[str, ...]
    values: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Number:
    """A number with its name, and its unit where it has one."""

    name: str
    value: float
    unit: str = ""


@dataclass(frozen=True, eq=False)
class Reason:
    """Why one sample was asked for.

    Attributes
    ----------
    metric : float
        The metric of the query.
    sentence : str
        Why, in one sentence. A format string: ``{word}``, ``{counterpart}``, ``{feature}`` and
        ``{output}`` stand for what the strategy decided by and knows by ids and numbers alone.
    words, features, counterpart, proba
        None where the strategy does not look at them.
    neighbours, shares, numbers : tuple
        Whatever else it decided by.
    """

    metric: float
    sentence: str
    words: Words | None = None
    features: Features | None = None
    counterpart: Counterpart | None = None
    proba: Probabilities | None = None
    neighbours: tuple[Neighbours, ...] = ()
    shares: tuple[Shares, ...] = ()
    numbers: tuple[Number, ...] = ()


@dataclass(frozen=True, eq=False)
class Represented:
    """Samples as vectors.

    Attributes
    ----------
    of : str
        What the vectors are.
    pool : ndarray of shape (n, d)
        Those of the candidates; a row of NaN for a sample without any.
    labelled : ndarray of shape (m, d)
        Those of the labelled samples; m is 0 where the learner does not keep them.
    """

    of: str
    pool: NDArray[Any]
    labelled: NDArray[Any]


@dataclass(frozen=True, eq=False)
class Reasons:
    """Why the samples of one query were asked for.

    Attributes
    ----------
    metric_name : str
        What the metric is, and its unit.
    of_each : tuple of Reason
        In the order of choice.
    represent : callable or None
        What gives the vectors that the strategy compares samples by, where it does.
    """

    metric_name: str
    of_each: tuple[Reason, ...]
    represent: Callable[[], Represented] | None = None
