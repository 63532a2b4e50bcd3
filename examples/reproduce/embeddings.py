"""The MLP on embeddings that you bring, beside logistic regression, at 50 to 500 labels.

    python examples/reproduce/embeddings.py mine.npz            your own
    python examples/reproduce/embeddings.py trec.npz mr.npz --seeds 5 --out results.csv

Each file holds X of shape (n, d), from whatever model or service, and y of shape (n,). Labels are
drawn at random; a third of the samples is for the test and is never trained on.
"""

from __future__ import annotations

import argparse
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from few_labels import SIZES, table
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from modal_interp import TabularMLPClassifier

MODELS = {
    "logreg": lambda classes, seed: LogisticRegression(max_iter=2000),
    "mlp-before": lambda classes, seed: TabularMLPClassifier(
        classes=classes, random_state=seed, module__hidden=(16, 8), lr=0.01
    ),
    "mlp": lambda classes, seed: TabularMLPClassifier(classes=classes, random_state=seed),
}


def accuracy(X: np.ndarray, y: np.ndarray, n: int, seed: int, model: str) -> float:
    """Return the accuracy after training on n random labels."""
    order = np.random.RandomState(0).permutation(len(X))
    test, pool = np.split(order, [len(X) // 3])
    rows = np.random.RandomState(100 + seed).choice(pool, n, replace=False)
    scaler = FrozenEstimator(StandardScaler().fit(X))  # no label is used
    classifier = make_pipeline(scaler, MODELS[model](np.unique(y), seed))
    return float(classifier.fit(X[rows], y[rows]).score(X[test], y[test]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES)
    parser.add_argument("--seeds", type=int, default=5, help="how many")
    parser.add_argument("--out", type=Path, help="a file for the accuracies")
    args = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for file in args.files:
        with np.load(file) as held:
            score = partial(accuracy, held["X"], held["y"])
        for n, seed, model in product(args.sizes, range(args.seeds), MODELS):
            row = {"data": file.stem, "n_labels": n, "seed": seed, "model": model}
            rows.append({**row, "test": round(score(n, seed, model), 4)})
        print(table(pd.DataFrame(rows), MODELS), flush=True)
    if args.out:
        pd.DataFrame(rows).to_csv(args.out, index=False)


if __name__ == "__main__":
    main()
