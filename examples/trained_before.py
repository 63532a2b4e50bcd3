"""Go on from a model that was trained before: what `teach` forgets, and two ways to keep it.

    python examples/trained_before.py

`teach` fits the estimator on the samples that the learner remembers, its `X_training`. A learner
around a model that was trained elsewhere remembers none, so that its first `teach` trains a new
model on the newest labels alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from modAL.models import ActiveLearner
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline

from modal_interp import TextCNNClassifier, WordEncoder, badge, make_reviews

# Rows: of the model that was trained before, of those that may be asked for, of the test.
BEFORE, POOL, TEST = np.arange(600), np.arange(600, 800), np.arange(800, 1000)


def trained_model(texts: np.ndarray, labels: np.ndarray, warm_start: bool = False) -> Any:
    """Return the model of some earlier day."""
    encoder = WordEncoder().fit(texts)
    net = TextCNNClassifier(
        classes=[0, 1], n_words=encoder.n_words_, warm_start=warm_start, random_state=0
    )
    return make_pipeline(FrozenEstimator(encoder), net).fit(texts[BEFORE], labels[BEFORE])


def forgetting(texts: np.ndarray, labels: np.ndarray) -> ActiveLearner:
    """Return the trap: it remembers no samples, and trains anew on the next ones alone."""
    return ActiveLearner(trained_model(texts, labels), badge)


def remembering(texts: np.ndarray, labels: np.ndarray) -> ActiveLearner:
    """Return a learner that is told the samples of before, and trains on old and new ones.

    Given as ``X_training=`` and ``y_training=`` they would be trained on once more right away.
    """
    learner = ActiveLearner(trained_model(texts, labels), badge)
    learner.X_training, learner.y_training = texts[BEFORE], labels[BEFORE]
    return learner


def going_on(texts: np.ndarray, labels: np.ndarray) -> ActiveLearner:
    """Return a learner without the samples of before, whose net trains on from its weights."""
    return ActiveLearner(trained_model(texts, labels, warm_start=True), badge)


def accuracies(learner: ActiveLearner, texts: np.ndarray, labels: np.ndarray) -> list[float]:
    """Return the accuracy before and after ten more labels."""
    before = learner.score(texts[TEST], labels[TEST])
    rows, asked = learner.query(texts, n_instances=10, candidates=POOL, random_state=0)
    learner.teach(asked, labels[rows])  # here a person would label
    return [before, learner.score(texts[TEST], labels[TEST])]


def main() -> None:
    texts, labels = make_reviews(1000, random_state=0)
    for learner_of in (forgetting, remembering, going_on):
        before, after = accuracies(learner_of(texts, labels), texts, labels)
        print(f"{learner_of.__name__:>12}: {before:.3f}, after ten more labels {after:.3f}")


if __name__ == "__main__":
    main()
