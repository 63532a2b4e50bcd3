"""Why ALDEN wins or does not: change one thing at a time, on MR with the CNN, up to 26 % of labels.

    python examples/reproduce/why_alden.py --quick      one seed
    python examples/reproduce/why_alden.py              three seeds: about an hour a core

Each variant has a folder of its own. `base` is the protocol of `alden.py`; the others differ from
it in what their name says. Also told of every strategy: what kind of texts it asked for.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from settings import CNN

from modal_interp import (
    WordInterpretations,
    alden_diversity,
    diverse_words,
    egl_word,
    least_confidence,
    open_query,
    random_sampling,
    word_interpretations,
)
from modal_interp.experiments import run_experiment
from modal_interp.experiments.problems import load_problem

BASE = {"initial": 0.02, "step": 0.04, "budget": 0.26}
BOTH = {"alden_diversity": alden_diversity, "random_sampling": random_sampling}


def alden_known_words(learner: Any, X_pool: Any, n_instances: int = 1) -> Any:
    """ALDEN by equation 6 alone: words that no labelled text holds do not count."""
    query = open_query(learner, X_pool, n_instances, needs_labeled=True)
    (view,) = query.views
    pool = word_interpretations(view.net, view.pool)
    labeled = word_interpretations(view.net, view.labeled[0])
    known = _only(pool, np.isin(pool.words, labeled.words))
    # No stand-in is looked up, so the embeddings do not matter.
    embeddings = np.zeros((view.net.n_words_, 1))
    return query.answer(*diverse_words(known, labeled, embeddings, n_instances))


def _only(words: WordInterpretations, kept: np.ndarray) -> WordInterpretations:
    """Leave words out of the texts that hold them."""
    offsets = np.concatenate([[0], np.cumsum(kept)])[words.offsets]
    return WordInterpretations(words.words[kept], words.values[kept], offsets)


def longest(learner: Any, X_pool: Any, n_instances: int = 1) -> np.ndarray:
    """Ask for the longest texts: a maximum over words has more words to choose from there."""
    return np.argsort(-(X_pool != 0).sum(axis=1), kind="stable")[:n_instances]


WHAT_IS_EXPLAINED = {
    **BOTH,
    "alden_logit": partial(alden_diversity, target="logit"),
    "alden_predicted_class": partial(alden_diversity, classes="predicted"),
    "alden_known_words": alden_known_words,
    "longest": longest,
    "least_confidence": least_confidence,
    "egl_word": egl_word,
}


def variants() -> Iterator[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]]:
    """Give name, problem, protocol and strategies of each variant."""
    yield "base", {}, BASE, WHAT_IS_EXPLAINED
    yield "step 1 %", {}, {**BASE, "step": 0.01}, {"alden_diversity": alden_diversity}
    yield "step 12 %", {}, {**BASE, "step": 0.12}, BOTH
    yield "5 epochs", {"max_epochs": 5}, BASE, BOTH
    yield "20 epochs", {"max_epochs": 20}, BASE, BOTH
    yield "seed set 10 %", {}, {**BASE, "initial": 0.1}, BOTH
    yield "no word vectors", {"word_vectors": False}, BASE, BOTH
    yield "frozen word vectors", {"module__freeze_embedding": True}, BASE, BOTH


def kinds_of_texts(results: pd.DataFrame, X: np.ndarray, y: np.ndarray) -> pd.DataFrame:
    """Tell of the texts that each strategy asked for after the seed set."""
    n_words = (X != 0).sum(axis=1)
    counts = np.bincount(X[X != 0], minlength=X.max() + 1)
    rare = np.array([(counts[text[text != 0]] <= 2).sum() for text in X])
    asked = results[results["round"] > 0].explode("queried")
    rows = asked["queried"].to_numpy(dtype=np.int64)
    asked = asked.assign(
        words_a_text=n_words[rows], rare_words_a_text=rare[rows], share_of_class_1=y[rows]
    )
    return asked.groupby("strategy")[
        ["words_a_text", "rare_words_a_text", "share_of_class_1"]
    ].mean()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--data", choices=["mr", "subj"], default="mr")
    parser.add_argument("--only", nargs="+", help="names of variants")
    parser.add_argument("--n-jobs", type=int, default=-1)
    parser.add_argument("--out", type=Path, default=Path("results/why"))
    args = parser.parse_args()
    for name, params, protocol, strategies in variants():
        if args.only and name not in args.only:
            continue
        problem = load_problem(args.data, "cnn", **{**CNN, **params})
        print(name, flush=True)
        results = run_experiment(
            *problem, strategies, seeds=1 if args.quick else 3, full_training=False,
            out=args.out / args.data / name.replace(" ", "-"), n_jobs=args.n_jobs, verbose=1,
            **protocol,
        )  # fmt: skip
        if name == "base":
            y = np.unique(problem.y, return_inverse=True)[1]
            print(kinds_of_texts(results, problem.X, y).round(3).to_string())
        shared = results[results["n_labeled"].isin(_common_sizes(results))]
        print(shared.pivot_table(index="strategy", columns="n_labeled", values="score").round(3))


def _common_sizes(results: pd.DataFrame) -> set[int]:
    by_strategy = results.groupby("strategy")["n_labeled"].agg(set)
    return set.intersection(*by_strategy)


if __name__ == "__main__":
    main()
