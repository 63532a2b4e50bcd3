"""Time of a query by ALDEN over the time of explaining the same texts once.

    python tests/benchmarks/alden_query.py               made-up reviews
    python tests/benchmarks/alden_query.py --data mr     the MR film reviews

Both are measured in turn in one process, and medians are compared: the ratio is what choosing
costs beyond the interpretations that it needs.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
from modAL.models import ActiveLearner

from modal_interp import (
    TextBiLSTMClassifier,
    TextCNNClassifier,
    WordEncoder,
    alden_diversity,
    fetch_mr,
    fetch_subj,
    make_reviews,
    word_interpretations,
)

DATA = {
    "reviews": lambda: make_reviews(6600, random_state=0),
    "mr": lambda: fetch_mr(return_X_y=True),
    "subj": lambda: fetch_subj(return_X_y=True),
}
MODELS = {"cnn": TextCNNClassifier, "bilstm": TextBiLSTMClassifier}
N_POOL, N_LABELED, K = 6000, 600, 120


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", choices=DATA, default="reviews")
    parser.add_argument("--model", choices=MODELS, default="cnn")
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()

    texts, y = DATA[args.data]()
    order = np.random.RandomState(0).permutation(len(texts))[: N_POOL + N_LABELED]
    encoder = WordEncoder().fit(texts)
    ids, y = encoder.transform(texts[order]), y[order]
    net = MODELS[args.model](n_words=encoder.n_words_, max_epochs=3, random_state=0)
    learner = ActiveLearner(net, alden_diversity, ids[:N_LABELED], y[:N_LABELED])
    pool = ids[N_LABELED:]

    works = {
        "interpretation pass": lambda: word_interpretations(net, ids),
        "alden_diversity": lambda: learner.query(pool, n_instances=K),
    }
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(args.runs + 1):
        for name, work in works.items():
            times[name].append(seconds(work))
    medians = {name: float(np.median(runs[1:])) for name, runs in times.items()}  # first: warm-up
    for name, runs in times.items():
        spread = f"{min(runs[1:]):.2f} to {max(runs[1:]):.2f}"
        print(f"{name:>20}: median {medians[name]:.2f} s of {args.runs} ({spread})")
    print(f"{'ratio':>20}: {medians['alden_diversity'] / medians['interpretation pass']:.2f}")


if __name__ == "__main__":
    main()
