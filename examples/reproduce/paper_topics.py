"""Every question of D. Cho's slides on the topics of papers (2021), a study each.

    python examples/reproduce/paper_topics.py --quick              one seed, few papers: minutes
    python examples/reproduce/paper_topics.py                      three seeds: six hours a core
    python examples/reproduce/paper_topics.py --studies retrain    one question

Run again, it goes on where it was ended. `paper_topics_report.py` makes the tables and figures of
docs/paper_topics.md of what is finished. The papers have to be there: `fetch_paper_topics` says
where. Pretrained is MiniLM; where the hub cannot be reached, set MINILM to the folder it lies in.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping
from functools import cache, partial
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from modal_interp import (
    DeepEnsemble,
    TextBiLSTMClassifier,
    TextCNNLSTMClassifier,
    TokenEncoder,
    TransformerClassifier,
    WordEncoder,
    alden_diversity,
    badge,
    bald,
    batch_bald,
    dami_kmedoids,
    datasets,
    egl_word,
    embedding_matrix,
    entropy,
    least_confidence,
    margin,
    random_sampling,
    train_word_vectors,
)
from modal_interp.experiments import run_experiment

MINILM = os.environ.get("MINILM", "sentence-transformers/all-MiniLM-L6-v2")
SHARES = [0.01, 0.05, 0.1, 0.2, 0.5, 1.0]

# The slides: 20 % labelled at first, a question after every 5 epochs, the net kept in training.
# Their training part has 47,250 papers and this one 3,150; amounts are the same shares of it.
KEEP = {
    "initial": 0.2, "step": 105, "budget": 0.4, "acquisition_period": 5, "warm_start": True,
    "split": (0.6, 0.1, 0.3), "scoring": "roc_auc_ovr", "full_training": False,
}  # fmt: skip
RETRAIN = {**KEEP, "acquisition_period": 20, "warm_start": False, "budget": 1050}
# A net that is trained anew, for as long as it says by itself.
AS_IT_SAYS = {**KEEP, "acquisition_period": None, "warm_start": False}

RANDOM = {"random_sampling": random_sampling}
CLASSIC = {**RANDOM, "least_confidence": least_confidence, "margin": margin}
# What costs most looks at a part of the pool, drawn anew each time.
METHODS = {
    **CLASSIC,
    "bald": bald,
    "batch_bald": partial(batch_bald, candidates=500),
    "least_confidence_reversed": partial(least_confidence, reverse=True),
    "egl_word": egl_word,
    "dami_kmedoids": dami_kmedoids,
    "alden_diversity": alden_diversity,
}


class Data(NamedTuple):
    """Texts as a net reads them, their labels, and what a net is built with."""

    X: np.ndarray
    y: np.ndarray
    built_with: dict[str, Any]


# Data.


@cache
def texts(source: str) -> tuple[np.ndarray, np.ndarray]:
    """Return raw texts and their labels: "title" or "both" of papers, or "projects"."""
    if source == "projects":
        return datasets.fetch_paper_projects(return_X_y=True)
    bunch = datasets.fetch_paper_topics(text=source)
    return bunch.data, np.array(bunch.target_names)[bunch.target]


@cache
def as_words(source: str, max_length: int | None = None) -> Data:
    """Return texts as word ids, with vectors of their words; no label is used for these."""
    raw, y = texts(source)
    encoder = WordEncoder(max_length=max_length)
    ids = encoder.fit_transform(raw)
    vectors = embedding_matrix(
        encoder, train_word_vectors(raw, encoder, random_state=0), random_state=0
    )
    return Data(ids, y, {"n_words": encoder.n_words_, "embedding_matrix": vectors})


@cache
def as_pieces(source: str, max_length: int) -> Data:
    """Return texts as MiniLM's pieces of words."""
    raw, y = texts(source)
    return Data(TokenEncoder(MINILM, max_length=max_length).transform(raw), y, {})


# Nets. Settings were searched on validation papers with labels at random.


def bilstm(width: int = 64, **built_with: Any) -> Any:
    """Return the slides' BiLSTM, of two layers."""
    return TextBiLSTMClassifier(
        lr=0.003, batch_size=50, module__hidden_size=width, module__n_layers=2, **built_with
    )


def cnn_lstm(**built_with: Any) -> Any:
    """Return the slides' stack of four convolutions and an LSTM."""
    return TextCNNLSTMClassifier(lr=0.001, batch_size=50, **built_with)


def from_scratch(n_words: int, **built_with: Any) -> Any:
    """Return the slides' BERT: four layers, 768 inside, never trained before; it reads words."""
    from transformers import BertConfig

    config = BertConfig(
        vocab_size=n_words, hidden_size=256, num_hidden_layers=4, num_attention_heads=4,
        intermediate_size=768, max_position_embeddings=64,
    )  # fmt: skip
    return TransformerClassifier(config, trainable="all", lr=3e-4, batch_size=50)


def pretrained(**built_with: Any) -> Any:
    return TransformerClassifier(MINILM, trainable="head", **built_with)


def ensemble(**built_with: Any) -> Any:
    return DeepEnsemble(bilstm(**built_with), n_members=5)


class Study(NamedTuple):
    """Curves that answer a question."""

    data: Callable[[], Data]
    net: Callable[..., Any]
    strategies: Mapping[str, Callable[..., Any]]
    options: Mapping[str, Any]


def chosen(*names: str) -> dict[str, Any]:
    return {name: METHODS[name] for name in names}


titles, pieces = partial(as_words, "title"), partial(as_pieces, "title", 64)
projects = partial(as_words, "projects", 60)
SEVERAL = {**KEEP, "step": 40, "scoring": "average_precision"}
ASKED = chosen("random_sampling", "margin", "bald")

# To add a question is to add a line.
STUDIES = {
    # Figure 1b: what labels at random are worth; figures 2 and 6: whom to ask for.
    "methods-bilstm": Study(titles, bilstm, METHODS, {**KEEP, "full_training": SHARES}),
    "methods-cnn-lstm": Study(titles, cnn_lstm, METHODS, {**KEEP, "full_training": SHARES}),
    # Table 3 and figures 4a and 4b: train anew.
    "retrain-bilstm": Study(titles, bilstm, {**CLASSIC, "bald": bald}, RETRAIN),
    "retrain-cnn-lstm": Study(titles, cnn_lstm, {**CLASSIC, "bald": bald}, RETRAIN),
    # Figure 3: how often to ask; figure 4: how much.
    "period-10": Study(titles, bilstm, ASKED, {**KEEP, "acquisition_period": 10}),
    "amount-300": Study(titles, bilstm, chosen("random_sampling", "bald"), {**KEEP, "step": 20}),
    "amount-500": Study(titles, bilstm, chosen("random_sampling", "bald"), {**KEEP, "step": 33}),
    "initial-5": Study(titles, bilstm, ASKED, {**KEEP, "initial": 0.05}),
    # What they wished for: pretrained encoders, abstracts, ensembles, several labels.
    "pretrained-title": Study(
        pieces, pretrained, {**CLASSIC, "bald": bald, "badge": badge},
        {**AS_IT_SAYS, "full_training": SHARES},
    ),
    "pretrained-both": Study(
        partial(as_pieces, "both", 256), pretrained, {**CLASSIC, "bald": bald, "badge": badge},
        {**AS_IT_SAYS, "full_training": SHARES},
    ),
    "several-bilstm": Study(
        projects, bilstm, {**ASKED, "entropy": entropy}, {**SEVERAL, "full_training": SHARES}
    ),
    "several-cnn-lstm": Study(
        projects, cnn_lstm, {**ASKED, "entropy": entropy}, {**SEVERAL, "full_training": SHARES}
    ),
    "ensemble": Study(titles, ensemble, chosen("random_sampling", "bald"), KEEP),
    "both-bilstm": Study(
        partial(as_words, "both", 100), bilstm, chosen("random_sampling", "margin"), KEEP
    ),
    # Figure 5: BERT without pretraining. Figure 1a: a larger net.
    "bert": Study(
        titles, from_scratch, chosen("random_sampling", "least_confidence", "margin"),
        {**KEEP, "full_training": [0.2, 1.0]},
    ),
    "large-bilstm": Study(
        titles, partial(bilstm, width=128), RANDOM,
        {**KEEP, "budget": 0.2, "acquisition_period": 35, "full_training": SHARES},
    ),
}  # fmt: skip
# Enough to see that it runs.
QUICK = {"initial": 120, "step": 40, "budget": 200, "split": (300, 100, 300)}


def run(name: str, seed: int, args: argparse.Namespace) -> None:
    """Run the curves of a study and a seed, or what is missing of them."""
    study = STUDIES[name]
    X, y, built_with = study.data()
    options = dict(study.options)
    if args.quick:
        options |= QUICK
        X, y = X[:900], y[:900]
    folder = args.out / ("quick" if args.quick else "full") / name
    print(f"{name}, seed {seed}: results in {folder}", flush=True)
    run_experiment(
        study.net(**built_with), X, y, study.strategies, seeds=[seed], out=folder,
        n_jobs=args.n_jobs, verbose=1, **options,
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--studies", nargs="+", choices=list(STUDIES), default=list(STUDIES))
    parser.add_argument("--seeds", nargs="+", type=int, help="default: 0 1 2, in quick runs 0")
    parser.add_argument("--n-jobs", type=int, default=1, help="curves at once")
    parser.add_argument("--out", type=Path, default=Path("results/paper_topics"))
    args = parser.parse_args()
    args.seeds = args.seeds or ([0] if args.quick else [0, 1, 2])
    # A seed after the other: what is there at any time is even.
    for seed, name in product(args.seeds, args.studies):
        run(name, seed, args)


if __name__ == "__main__":
    main()
