"""A strategy of your own, from the parts that the package's strategies are made of.

    python examples/your_own_strategy.py

A strategy is a function of a learner and a pool. `open_query` looks through the learner at its
nets, `answer` turns the rows chosen into what modAL wants. In between stand a score or a
representation, and a selector: any of the package's, or a function of yours.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from modAL.models import ActiveLearner
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import train_test_split
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline

from modal_interp import (
    TextCNNClassifier,
    WordEncoder,
    exclude_duplicates,
    expected_word_gradient_length,
    features,
    k_medoids,
    make_reviews,
    margin_scores,
    most_uncertain,
    open_query,
    product,
    random_sampling,
    ranked_mean,
    top_k,
)


def uncertain_and_typical(learner: Any, X_pool: Any, n_instances: int = 1, **options: Any) -> Any:
    """Ask where the margin is small and many others are near: a mean of two ranks."""
    query = open_query(learner, X_pool, n_instances, **options)
    scores = []
    for net, X, _ in query.views:  # one of a learner, one a member of a committee
        scores += [margin_scores(net, X), closeness(features(net, X))]
    scores = ranked_mean(*scores)
    chosen = top_k(scores, n_instances)
    return query.answer(chosen, scores[chosen])


def medoids_of_features(learner: Any, X_pool: Any, n_instances: int = 1, **options: Any) -> Any:
    """Ask for the medoids of what the last layer reads, side by side over a committee."""
    query = open_query(learner, X_pool, n_instances, **options)
    Z = np.hstack([features(view.net, view.pool) for view in query.views])
    found = k_medoids(Z, n_instances, random_state=query.random_state)
    return query.answer(found.medoids, np.bincount(found.labels))


def doubtful_and_moving(learner: Any, X_pool: Any, n_instances: int = 1, **options: Any) -> Any:
    """Ask for the highest product of margin and gradient length, mean over a committee."""
    query = open_query(learner, X_pool, n_instances, **options)
    products = [
        product(margin_scores(net, X), expected_word_gradient_length(net, X))
        for net, X, _ in query.views
    ]
    scores = np.mean(products, axis=0)
    chosen = top_k(scores, n_instances)
    return query.answer(chosen, scores[chosen])


def closeness(Z: np.ndarray, n_neighbors: int = 5) -> np.ndarray:
    """Return how near each row's neighbours are: higher is nearer."""
    search = NearestNeighbors(n_neighbors=n_neighbors).fit(Z)
    return -search.kneighbors()[0].mean(axis=1)


def accuracy_after(strategy: Any, rounds: int = 5, step: int = 20) -> float:
    """Return the accuracy after some rounds of modAL's loop on made-up reviews."""
    texts, labels = make_reviews(700, random_state=0)
    X, X_test, y, y_test = train_test_split(texts, labels, test_size=200, random_state=0)
    net = TextCNNClassifier(classes=[0, 1], random_state=0)
    learner = ActiveLearner(
        estimator=make_pipeline(FrozenEstimator(WordEncoder().fit(X)), net),
        query_strategy=strategy,
        X_training=X[:step],
        y_training=y[:step],
    )
    X, y = X[step:], y[step:]
    for _ in range(rounds):
        rows, asked = learner.query(X, n_instances=step, random_state=0)
        learner.teach(asked, y[rows])
        X, y = np.delete(X, rows), np.delete(y, rows)
    return learner.score(X_test, y_test)


def main() -> None:
    narrowed = [exclude_duplicates, partial(most_uncertain, fraction=0.5)]
    strategies = {
        "random": random_sampling,
        "uncertain and typical": uncertain_and_typical,
        "medoids of features": medoids_of_features,
        "  of the uncertain half": partial(medoids_of_features, candidates=narrowed),
        "doubtful and moving": doubtful_and_moving,
    }
    for name, strategy in strategies.items():
        print(f"{name:26} {accuracy_after(strategy):.3f}")


if __name__ == "__main__":
    main()
