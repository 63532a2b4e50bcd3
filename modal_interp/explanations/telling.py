"""Reasons in ids and rows told in the words and samples of the user."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from modal_interp.explanations.explanation import Explanation
from modal_interp.explanations.names import (
    Labelled,
    Spelling,
    feature_names,
    output_names,
    sample_at,
)
from modal_interp.explanations.replay import Replay
from modal_interp.explanations.text import shown as in_short
from modal_interp.queries.learner import View
from modal_interp.strategies.contributions import class_names
from modal_interp.strategies.reasons import (
    Counterpart,
    Features,
    Neighbours,
    Probabilities,
    Reason,
    Words,
)

# Characters of a word in a sentence.
_WORD = 40


class Telling:
    """Explanations in the words of the user's samples, from reasons in ids and rows."""

    def __init__(
        self, learner: Any, X_pool: Any, views: list[View], replay: Replay, encoder: Any
    ) -> None:
        self.learner, self.X_pool, self.views = learner, X_pool, views
        self.metrics = replay.metrics
        self.predicted = replay.options.get("classes") == "predicted"
        self.spelling = Spelling(learner, encoder)
        self.labelled = Labelled(learner, replay.options.get("X_labeled"))

    def explanation(self, place: int, index: int, reason: Reason) -> Explanation:
        """Return a reason in words, of the sample at this place of the batch."""
        sample, proba = sample_at(self.X_pool, index), reason.proba
        if proba is not None:
            proba = replace(proba, classes=tuple(class_names(self.views, len(proba.mean))))
        words, features, other = reason.words, reason.features, reason.counterpart
        if words is not None:
            named = self.spelling.words(sample, words.ids)
            outputs = self._outputs(words, proba)
            shown = self._shown(words, proba)
            words = replace(words, **named._asdict(), outputs=outputs, shown=shown)
        if features is not None:
            columns = feature_names(self.learner, self.X_pool, features.values.size)
            outputs = self._outputs(features, proba)
            shown = self._shown(features, proba)
            features = replace(features, names=columns, outputs=outputs, shown=shown)
        other = None if other is None else self._counterpart(other)
        return Explanation(
            index,
            place,
            sample,
            float(self.metrics[place]),
            _in_words(reason.sentence, words, features, other),
            proba,
            words,
            features,
            other,
            tuple(map(self._neighbours, reason.neighbours)),
            reason.shares,
            reason.numbers,
        )

    def _shown(self, part: Any, proba: Probabilities | None) -> int:
        """Return the output to look at: what the strategy decided by, else the predicted class."""
        n_outputs = part.contributions.shape[1]
        if part.decided is not None or proba is None or n_outputs % len(proba.classes):
            return part.shown
        return int(proba.mean.argmax())

    def _outputs(self, part: Words | Features, proba: Probabilities | None) -> tuple[str, ...]:
        n_outputs = part.contributions.shape[1]
        return output_names(n_outputs, len(self.views), proba, predicted=self.predicted)

    def _counterpart(self, other: Counterpart) -> Counterpart:
        if other.source == "batch":
            sample, label = sample_at(self.X_pool, other.index), None
        else:
            sample, label = self.labelled[other.index]
        named = self.spelling.words(sample, [other.ids], other.position)
        span = named.spans[0] if named.spans else None
        return replace(other, name=named.names[0], span=span, sample=sample, label=label)

    def _neighbours(self, near: Neighbours) -> Neighbours:
        if near.source == "pool":
            found = [(sample_at(self.X_pool, int(row)), None) for row in near.indices]
        else:
            found = [self.labelled[int(row)] for row in near.indices]
        samples, labels = zip(*found, strict=True) if found else ((), ())
        return replace(near, samples=samples, labels=labels)


def _in_words(
    sentence: str, words: Words | None, features: Features | None, other: Counterpart | None
) -> str:
    """Return a sentence with the names of what it speaks of."""
    named = {"word": "", "feature": "", "output": "", "counterpart": other.name if other else ""}
    for name, part in (("word", words), ("feature", features)):
        if part is not None and part.decided is not None:
            named[name], named["output"] = part.names[part.decided], part.outputs[part.shown]
    return sentence.format(**{name: in_short(value, _WORD) for name, value in named.items()})
