"""Why ALDEN wins or does not: change one thing at a time, with the CNN, up to 26 % of the labels.

    python examples/reproduce/why_alden.py --quick              one seed of the first variant
    python examples/reproduce/why_alden.py                      MR, five seeds: six hours a core
    python examples/reproduce/why_alden.py --only base 5-epochs   two variants

`base` is the protocol of `alden.py` with more strategies: what ALDEN explains is changed, or left
out. The other variants change how the net is trained or asked, for ALDEN and for those that the
paper says it beats. What is finished is written to --tables.
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
from tables import in_words, markdown, rows_to_keep
from torch import Tensor, arange, nn, relu

from modal_interp import (
    TextCNN,
    WordInterpretations,
    alden_diversity,
    bald,
    diverse_words,
    egl_word,
    least_confidence,
    open_query,
    random_sampling,
    word_interpretations,
)
from modal_interp.experiments import run_experiment, summary
from modal_interp.experiments.cli.problems import load_problem

PROTOCOL = {"initial": 0.02, "step": 0.04, "budget": 0.26}
RIVALS = {
    "alden_diversity": alden_diversity,
    "egl_word": egl_word,
    "bald": bald,
    "random_sampling": random_sampling,
}


# What ALDEN looks at, changed.


def alden_known_words(learner: Any, X_pool: Any, n_instances: int = 1) -> Any:
    """ALDEN by equation 6 alone: words that no labelled text holds do not count."""
    query, pool, labeled = _explained(learner, X_pool, n_instances)
    known = _only(pool, np.isin(pool.words, labeled.words))
    # No stand-in is looked up, so the embeddings do not matter.
    embeddings = np.zeros((max(pool.words.max(), labeled.words.max()) + 1, 1))
    return query.answer(*diverse_words(known, labeled, embeddings, n_instances))


def alden_shuffled(
    learner: Any, X_pool: Any, n_instances: int = 1, *, random_state: Any = None
) -> Any:
    """ALDEN with the interpretations permuted over all words: what is left is who has which."""
    return _permuted(learner, X_pool, n_instances, random_state, _over_all_words)


def alden_shuffled_in_texts(
    learner: Any, X_pool: Any, n_instances: int = 1, *, random_state: Any = None
) -> Any:
    """ALDEN with them permuted over the words of each text, which keeps how sure the net is."""
    return _permuted(learner, X_pool, n_instances, random_state, _in_each_text)


def _over_all_words(words: WordInterpretations, random_state: Any) -> np.ndarray:
    return random_state.permutation(words.values)


def _in_each_text(words: WordInterpretations, random_state: Any) -> np.ndarray:
    text = np.repeat(np.arange(len(words.offsets) - 1), np.diff(words.offsets))
    return words.values[np.lexsort((random_state.random_sample(len(text)), text))]


def _permuted(learner: Any, X_pool: Any, n_instances: int, random_state: Any, permuted: Any) -> Any:
    query, pool, labeled = _explained(learner, X_pool, n_instances, random_state=random_state)
    (view,) = query.views
    dealt = [
        words._replace(values=permuted(words, query.random_state)) for words in (pool, labeled)
    ]
    embedding = next(part for part in view.net.module_.modules() if isinstance(part, nn.Embedding))
    embeddings = embedding.weight.detach().cpu().numpy()
    return query.answer(*diverse_words(*dealt, embeddings, n_instances))


def longest(learner: Any, X_pool: Any, n_instances: int = 1) -> np.ndarray:
    """Ask for the longest texts: a maximum over words has more words to choose from there."""
    return np.argsort(-(X_pool != 0).sum(axis=1), kind="stable")[:n_instances]


def _explained(learner: Any, X_pool: Any, n_instances: int, **options: Any) -> tuple[Any, Any, Any]:
    query = open_query(learner, X_pool, n_instances, needs_labeled=True, **options)
    (view,) = query.views
    explained = [word_interpretations(view.net, X) for X in (view.pool, view.labeled[0])]
    return query, *explained


def _only(words: WordInterpretations, kept: np.ndarray) -> WordInterpretations:
    """Leave words out of the texts that hold them."""
    offsets = np.concatenate([[0], np.cumsum(kept)])[words.offsets]
    return WordInterpretations(words.words[kept], words.values[kept], offsets)


CHANGED = {
    "alden_logit": partial(alden_diversity, target="logit"),
    "alden_predicted_class": partial(alden_diversity, classes="predicted"),
    "alden_known_words": alden_known_words,
    "alden_shuffled": alden_shuffled,
    "alden_shuffled_in_texts": alden_shuffled_in_texts,
    "longest": longest,
    "least_confidence": least_confidence,
}


# How the net is trained or asked, changed.


class MeanPooledCNN(TextCNN):
    """The CNN with a mean over time: a maximum gives most words no gradient at all."""

    @staticmethod
    def _max_over_time(conv: nn.Module, vectors: Tensor, lengths: Tensor) -> Tensor:
        activations = relu(conv(vectors))
        valid = (lengths - (vectors.shape[2] - activations.shape[2])).clamp(min=1)
        mask = arange(activations.shape[2], device=lengths.device) < valid[:, None]
        return (activations * mask[:, None]).sum(dim=2) / valid[:, None]


def variants() -> Iterator[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]]:
    """Give name, parameters of the net, protocol and strategies of each variant."""
    yield "base", {}, {}, {**RIVALS, **CHANGED}
    yield "batches-of-2-percent", {}, {"step": 0.02}, RIVALS
    yield "batches-of-12-percent", {}, {"step": 0.12}, RIVALS
    yield "5-epochs", {"max_epochs": 5}, {}, RIVALS
    yield "20-epochs", {"max_epochs": 20}, {}, RIVALS
    yield "early-stopping", {"max_epochs": 50}, {"early_stopping": True}, RIVALS
    yield "training-kept", {}, {"warm_start": True}, RIVALS
    yield "weakly-trained", {"lr": 0.0005, "max_epochs": 5}, {}, RIVALS
    yield "training-batches-of-16", {"batch_size": 16}, {}, RIVALS
    yield "training-batches-of-200", {"batch_size": 200}, {}, RIVALS
    yield "seed-set-of-10-percent", {}, {"initial": 0.1}, RIVALS
    yield "no-word-vectors", {"word_vectors": False}, {}, RIVALS
    yield "frozen-word-vectors", {"module__freeze_embedding": True}, {}, RIVALS
    yield "mean-pooling", {"module": MeanPooledCNN}, {}, RIVALS
    # BALD lives on dropout.
    without_bald = {name: query for name, query in RIVALS.items() if query is not bald}
    yield "without-dropout", {"module__dropout": 0.0}, {}, without_bald


def kinds_of_texts(results: pd.DataFrame, X: np.ndarray, y: np.ndarray) -> pd.DataFrame:
    """Tell of the texts that each strategy asked for after the seed set, and of all texts."""
    counts = np.bincount(X[X != 0], minlength=X.max() + 1)
    texts = pd.DataFrame(
        {
            "words_a_text": (X != 0).sum(axis=1),
            "rare_words_a_text": [(counts[text[text != 0]] <= 2).sum() for text in X],
            "share_of_class_1": y,
        }
    )
    asked = results[results["round"] > 0].groupby("strategy")["queried"]
    kinds = {name: texts.iloc[np.concatenate(list(rows))].mean() for name, rows in asked}
    return pd.DataFrame({**kinds, "(all texts)": texts.mean()}).T.rename_axis("strategy")


def overlap(results: pd.DataFrame) -> pd.DataFrame:
    """Return what share of its first batch a strategy has in common with another, mean of seeds.

    All strategies of a seed ask the same net for it.
    """
    first = results[results["round"] == 1]
    batches = first.set_index(["seed", "strategy"])["queried"].map(set)
    names = sorted(first["strategy"].unique())
    shares = {
        (a, b): np.mean([len(of[a] & of[b]) / len(of[a]) for of in _by_seed(batches)])
        for a in names
        for b in names
    }
    return pd.Series(shares).unstack().rename_axis("strategy")


def _by_seed(batches: pd.Series) -> list[pd.Series]:
    return [of_seed.droplevel("seed") for _, of_seed in batches.groupby(level="seed")]


def compared(results: pd.DataFrame, variant: str) -> pd.DataFrame:
    """Return mean scores over the curve and their paired differences.

    `difference` is from random sampling; `alden_above` is ALDEN's from the strategy of the row.
    """
    columns = ["n_seeds", "area", "difference", "difference_low", "difference_high"]
    table = summary(results)[columns]
    below = summary(results, baseline="alden_diversity")
    table["alden_above"] = -below["difference"]
    table["alden_above_low"] = -below["difference_high"]
    table["alden_above_high"] = -below["difference_low"]
    return table.reset_index().assign(variant=variant)


def merged_curves(results: pd.DataFrame, variant: str, file: Path) -> pd.DataFrame:
    """Return the curves of a variant, with those of the others that an earlier run wrote."""
    curves = rows_to_keep(results).assign(variant=variant)
    if file.exists():
        old = pd.read_csv(file)
        curves = pd.concat([old[old["variant"] != variant], curves])
    order = [name for name, *_ in variants()]
    return curves.sort_values("variant", key=lambda names: names.map(order.index), kind="stable")


def write_tables(results: pd.DataFrame, variant: str, folder: Path) -> None:
    """Write the curves of a variant beside those of the others, and the tables of all."""
    folder.mkdir(parents=True, exist_ok=True)
    curves = merged_curves(results, variant, folder / "curves.csv")
    curves.to_csv(folder / "curves.csv", index=False)
    names = curves["variant"].unique()
    table = pd.concat([compared(curves[curves["variant"] == name], name) for name in names])
    table.round(5).to_csv(folder / "why.csv", index=False)
    (folder / "why.md").write_text(markdown(readable(table)), encoding="utf-8")


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """Return the differences in words, a row for each variant and strategy."""
    others = table[table["strategy"] != "random_sampling"].set_index("variant")
    return pd.DataFrame(
        {
            "strategy": others["strategy"],
            "seeds": others["n_seeds"],
            "above random": others.apply(in_words, axis=1),
            # Nothing is above itself.
            "ALDEN above it": others.apply(in_words, axis=1, name="alden_above").mask(
                others["strategy"] == "alden_diversity", ""
            ),
        }
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--data", choices=["mr", "subj"], default="mr")
    parser.add_argument("--only", nargs="+", help="names of variants")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--n-jobs", type=int, default=-1)
    parser.add_argument("--out", type=Path, default=Path("results/why"))
    parser.add_argument("--tables", type=Path, help="default: docs/reproductions/why-DATA")
    args = parser.parse_args()
    only = args.only or (["base"] if args.quick else [name for name, *_ in variants()])
    folder = args.tables or Path("docs/reproductions") / f"why-{args.data}"
    for name, params, changes, strategies in variants():
        if name not in only:
            continue
        print(name, flush=True)
        problem = load_problem(args.data, "cnn", **{**CNN, **params})
        results = run_experiment(
            *problem[:3], strategies, seeds=1 if args.quick else args.seeds, full_training=False,
            out=args.out / args.data / name, n_jobs=args.n_jobs, verbose=1,
            **{**PROTOCOL, **changes},
        )  # fmt: skip
        write_tables(results, name, folder)
        if name == "base":
            classes = np.unique(problem.y, return_inverse=True)[1]
            kinds = kinds_of_texts(results, problem.X, classes)
            kinds.round(3).to_csv(folder / "kinds_of_texts.csv")
            overlap(results).round(3).to_csv(folder / "overlap.csv")
        print(compared(results, name).round(4).to_string(), flush=True)


if __name__ == "__main__":
    main()
