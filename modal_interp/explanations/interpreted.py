"""What texts and tables are made of to a net, whoever asked for them; and how it is seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, overload

import pandas as pd

from modal_interp.explanations.display import ExplanationDisplay
from modal_interp.explanations.html.samples import interpretations, interpreted, notebook
from modal_interp.explanations.terminal import interpretations_as_text, paper
from modal_interp.explanations.text import shown
from modal_interp.strategies.reasons import Features, Probabilities, Words


@dataclass(frozen=True, eq=False, repr=False)
class Interpreted:
    """A text or a sample of a table, and what each of its words or features contributes.

    Attributes
    ----------
    place : int
        Which of those that were given.
    sample : Any
        As it was given.
    proba : Probabilities
        What is predicted of it.
    words : Words or None
        Of a text.
    features : Features or None
        Of a sample of a table.

    Notes
    -----
    One of what :func:`show_words` and :func:`show_features` return.

    Departs from the paper: none; it computes nothing.
    """

    place: int
    sample: Any
    proba: Probabilities
    words: Words | None = None
    features: Features | None = None

    def plot(self, ax: Any = None) -> ExplanationDisplay:
        """Draw contributions and predictions as bars."""
        return ExplanationDisplay.from_explanation(self, ax=ax)

    def __repr__(self) -> str:
        return f"<Interpreted {self.place}: {shown(self.sample, 60)}>"

    def __str__(self) -> str:
        return interpretations_as_text([self], "", paper(color=False))

    def _repr_html_(self) -> str:
        return notebook(interpreted(self))


@dataclass(frozen=True, eq=False, repr=False)
class Interpretations(Sequence[Interpreted]):
    """What words or features contribute to the predictions of some samples.

    A sequence of :class:`Interpreted`. In a notebook the words are shaded; printed, they bear
    signs.

    Attributes
    ----------
    of_each : tuple of Interpreted
        In the order of the samples.

    Notes
    -----
    What :func:`show_words` and :func:`show_features` return.

    Departs from the paper: none; it computes nothing.
    """

    of_each: tuple[Interpreted, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return a row a word, or a feature, of each sample.

        Returns
        -------
        DataFrame
            Indexed by ``sample``, its place, and ``position`` of the word, or ``feature``;
            ``word`` and ``known``, or ``value``; and a column for each explained output.
        """
        return pd.concat([_frame(one) for one in self.of_each])

    def to_text(self, *, width: int | None = None, color: bool | None = None) -> str:
        """Return all in plain text, for a terminal; as of :meth:`Explanation.to_text`."""
        return interpretations_as_text(self, self._title(), paper(width, color))

    def plot(self, ax: Any = None) -> ExplanationDisplay:
        """Draw the first sample; of another, ``[k].plot()``."""
        return self.of_each[0].plot(ax)

    def _title(self) -> str:
        what, n = ("text", "words") if self.of_each[0].words else ("sample", "features")
        return f"{len(self)} {what}{'s' * (len(self) > 1)}, and what their {n} contribute"

    @overload
    def __getitem__(self, place: int) -> Interpreted: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Interpreted, ...]: ...
    def __getitem__(self, place: Any) -> Any:
        return self.of_each[place]

    def __len__(self) -> int:
        return len(self.of_each)

    def __iter__(self) -> Iterator[Interpreted]:
        return iter(self.of_each)

    def __repr__(self) -> str:
        return f"<Interpretations of {self._title()}>"

    def __str__(self) -> str:
        return self.to_text(color=False)

    def _repr_html_(self) -> str:
        return interpretations(self, self._title())


def _frame(one: Interpreted) -> pd.DataFrame:
    if one.words is not None:
        part: Any = one.words
        found = {"word": part.names, "known": part.known}
        keys: Any = range(len(part.names))
        level = "position"
    else:
        part = one.features
        found, keys, level = {"value": part.values}, part.names, "feature"
    found |= {name: part.contributions[:, k] for k, name in enumerate(part.outputs)}
    index = pd.MultiIndex.from_product([[one.place], keys], names=["sample", level])
    return pd.DataFrame(found, index=index)
