"""What DAMI should explain, probabilities or logits, beside random sampling.

    python examples/compare_targets.py --data mr
    python examples/compare_targets.py --data subj
    python examples/compare_targets.py --data magic04.csv.gz --label class
    python examples/compare_targets.py --data default_credit_card.csv.gz \
        --label default.payment.next.month --drop ID

Texts are classified by a CNN and scored by accuracy, a table of numbers by a multilayer perceptron
(16, 8) and the area under the ROC curve. Of each seed all start from the same labels; the score of
a run is the mean over its learning curve.
"""

from __future__ import annotations

import argparse
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from modAL.models import ActiveLearner
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import get_scorer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from modal_interp import (
    TabularMLPClassifier,
    TextCNNClassifier,
    WordEncoder,
    dami_kmedoids,
    fetch_mr,
    fetch_subj,
    random_sampling,
)

STRATEGIES = {
    "proba": partial(dami_kmedoids, target="proba"),
    "logit": partial(dami_kmedoids, target="logit"),
    "random": random_sampling,
}
# The papers' sizes, not the package's.
PAPERS_CNN = {"module__kernel_sizes": (3, 4, 5), "max_epochs": 15}
PAPERS_MLP = {"module__hidden": (16, 8), "lr": 0.01, "max_epochs": 50}


def load(data: str, label: str, drop: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the samples and their labels, 0 or 1."""
    if data in ("mr", "subj"):
        return (fetch_mr if data == "mr" else fetch_subj)(return_X_y=True)
    frame = pd.read_csv(data).drop(columns=drop)
    y = np.unique(frame.pop(label), return_inverse=True)[1]
    return frame.to_numpy(dtype=np.float32), y


def estimator_for(X: np.ndarray, seed: int) -> tuple[Any, str]:
    """Return a pipeline that keeps what it learned of all samples, and how to score it."""
    if X.dtype == object:
        encoder = WordEncoder().fit(X)
        net = TextCNNClassifier(
            classes=[0, 1], n_words=encoder.n_words_, random_state=seed, **PAPERS_CNN
        )
        return make_pipeline(FrozenEstimator(encoder), net), "accuracy"
    net = TabularMLPClassifier(classes=[0, 1], random_state=seed, **PAPERS_MLP)
    return make_pipeline(FrozenEstimator(StandardScaler().fit(X)), net), "roc_auc"


def mean_score(strategy: Any, X: np.ndarray, y: np.ndarray, seed: int, args: Any) -> float:
    """Return the mean over one learning curve."""
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.2, random_state=seed, stratify=y)
    step = round(args.step * len(X))
    estimator, scoring = estimator_for(X, seed)
    learner = ActiveLearner(
        estimator=estimator, query_strategy=strategy, X_training=X[:step], y_training=y[:step]
    )
    score = get_scorer(scoring)
    X, y = X[step:], y[step:]
    curve = [score(learner.estimator, X_test, y_test)]
    for _ in range(args.rounds):
        rows, asked = learner.query(X, n_instances=step, random_state=seed)
        learner.teach(asked, y[rows])
        X, y = np.delete(X, rows, axis=0), np.delete(y, rows)
        curve.append(score(learner.estimator, X_test, y_test))
    return float(np.mean(curve))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", default="mr", help="mr, subj, or a CSV file of numbers")
    parser.add_argument("--label", default="label", help="the label's column in a CSV file")
    parser.add_argument("--drop", nargs="*", default=[], help="columns to leave out")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--step", type=float, default=0.04, help="share of the training samples")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()

    X, y = load(args.data, args.label, args.drop)
    scores = pd.DataFrame(index=range(args.seeds), columns=list(STRATEGIES), dtype=float)
    for seed in scores.index:
        for name, strategy in STRATEGIES.items():
            scores.loc[seed, name] = mean_score(strategy, X, y, seed, args)
        print(f"seed {seed}: {scores.loc[seed].round(4).to_dict()}", flush=True)
    print(scores.agg(["mean", "std"]).round(4).to_string())


if __name__ == "__main__":
    main()
