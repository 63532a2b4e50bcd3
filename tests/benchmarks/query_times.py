"""How long every strategy takes for a query, in modAL's loop on real data.

    python tests/benchmarks/query_times.py --data mr
    python tests/benchmarks/query_times.py --data magic04.csv.gz --label class

Three rounds a strategy: of texts by a CNN, 100 each, of a table by a multilayer perceptron with
dropout, 2 % each. All start from the same labels. Times are wall-clock seconds of `query` alone.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
import pandas as pd
from modAL.models import ActiveLearner
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from modal_interp import TabularMLPClassifier, TextCNNClassifier, WordEncoder, fetch_mr, strategies

OF_TEXTS = {"alden_diversity", "egl_word"}


def load(data: str, label: str) -> tuple[np.ndarray, np.ndarray]:
    if data == "mr":
        return fetch_mr(return_X_y=True)
    frame = pd.read_csv(data)
    y = np.unique(frame.pop(label), return_inverse=True)[1]
    return frame.to_numpy(dtype=np.float32), y


def estimator_for(X: np.ndarray) -> Any:
    if X.dtype == object:
        encoder = WordEncoder().fit(X)
        net = TextCNNClassifier(
            classes=[0, 1], n_words=encoder.n_words_, random_state=0,
            module__kernel_sizes=(3, 4, 5), max_epochs=15,
        )  # fmt: skip
        return make_pipeline(FrozenEstimator(encoder), net)
    net = TabularMLPClassifier(
        classes=[0, 1], random_state=0, module__dropout=0.2, module__hidden=(16, 8),
        lr=0.01, max_epochs=50,
    )  # fmt: skip
    return make_pipeline(FrozenEstimator(StandardScaler().fit(X)), net)


def run(name: str, X: np.ndarray, y: np.ndarray, rounds: int) -> dict[str, Any]:
    """Return the seconds of each query and the accuracy after the last round."""
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.2, random_state=0, stratify=y)
    step = 100 if X.dtype == object else round(0.02 * len(X))
    first = 2 * step if X.dtype == object else step
    learner = ActiveLearner(
        estimator=estimator_for(X),
        query_strategy=getattr(strategies, name),
        X_training=X[:first],
        y_training=y[:first],
    )
    X, y = X[first:], y[first:]
    row: dict[str, Any] = {}
    for number in range(1, rounds + 1):
        started = time.perf_counter()
        rows, asked = learner.query(X, n_instances=step, random_state=0)
        row[f"query {number} (s)"] = time.perf_counter() - started
        learner.teach(asked, y[rows])
        X, y = np.delete(X, rows, axis=0), np.delete(y, rows)
    return row | {"labels": len(learner.y_training), "accuracy": learner.score(X_test, y_test)}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", default="mr", help="mr, or a CSV file of numbers")
    parser.add_argument("--label", default="label", help="the label's column in a CSV file")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--strategies", nargs="*", default=strategies.__all__)
    args = parser.parse_args()

    X, y = load(args.data, args.label)
    table = {}
    for name in args.strategies:
        if X.dtype == object or name not in OF_TEXTS:
            table[name] = run(name, X, y, args.rounds)
            print(name, {k: round(v, 3) for k, v in table[name].items()}, flush=True)
    print(pd.DataFrame(table).T.round(3).to_string())


if __name__ == "__main__":
    main()
