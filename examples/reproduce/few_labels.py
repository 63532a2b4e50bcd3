"""How good nets are at 50 to 500 labels, beside TF-IDF with logistic regression.

    python examples/reproduce/few_labels.py --quick     one seed, two sizes, two sets: minutes
    python examples/reproduce/few_labels.py             five seeds: some six hours on a core

Labels are drawn at random. Accuracy on 500 texts for validation and on 1,500 for the test; neither
is ever trained on. Run again, it goes on where it was ended. Choose settings by validation alone.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from functools import cache, partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy import stats
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from modal_interp import (
    TextBiLSTMClassifier,
    TextCNNClassifier,
    TextCNNLSTMClassifier,
    TokenEncoder,
    TransformerClassifier,
    WordEncoder,
    datasets,
    embedding_matrix,
    train_word_vectors,
)

SETS = ["mr", "subj", "trec", "agnews", "topics"]
SIZES = [20, 50, 100, 200, 500]
# Where the hub cannot be reached, the folder that the model lies in.
MINILM = os.environ.get("MINILM", "sentence-transformers/all-MiniLM-L6-v2")
N_TEST, N_VALIDATION = 1500, 500


class Texts:
    """The texts of a set: test part, validation part, and those that labels are drawn from."""

    def __init__(self, name: str, at_most: int = 11_000) -> None:
        X, y = read(name)
        # The same texts in each run, so that files can be continued.
        order = np.random.RandomState(0).permutation(len(X))[:at_most]
        self.X, self.y = X[order], y[order]
        self.test = np.arange(N_TEST)
        self.validation = np.arange(N_TEST, N_TEST + N_VALIDATION)
        self.pool = np.arange(N_TEST + N_VALIDATION, len(order))

    def labelled(self, n: int, seed: int) -> np.ndarray:
        """Return rows drawn at random to be labelled."""
        return np.random.RandomState(100 + seed).choice(self.pool, n, replace=False)

    @cache  # noqa: B019 - for the life of the script
    def encoder(self) -> WordEncoder:
        """Return an encoder of all texts; no label is used."""
        return WordEncoder().fit(self.X)

    @cache  # noqa: B019
    def vectors(self) -> np.ndarray:
        """Return word vectors of all texts; no label is used."""
        vectors = train_word_vectors(self.X, self.encoder(), random_state=0)
        return embedding_matrix(self.encoder(), vectors, random_state=0)


def read(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return texts and labels."""
    name = "paper_topics" if name == "topics" else name
    bunch = getattr(datasets, f"fetch_{name}")()
    return bunch.data, np.array(bunch.target_names)[bunch.target]


def tfidf(texts: Texts, seed: int) -> Any:
    """Return the mark to beat."""
    # C=1, the default, was below it on validation texts at every size.
    return make_pipeline(TfidfVectorizer(), LogisticRegression(C=10, max_iter=1000))


def network(texts: Texts, seed: int, kind: Any, *, vectors: bool = False, **params: Any) -> Any:
    """Return a network of this package, from raw texts."""
    if vectors:
        params["embedding_matrix"] = texts.vectors()
    net = kind(classes=np.unique(texts.y), random_state=seed, **params)
    return make_pipeline(FrozenEstimator(texts.encoder()), net)


def pretrained(texts: Texts, seed: int, model: str = MINILM, **params: Any) -> Any:
    """Return a pretrained encoder with an output layer, from raw texts."""
    net = TransformerClassifier(model, classes=np.unique(texts.y), random_state=seed, **params)
    return make_pipeline(TokenEncoder(model, max_length=128), net)


# To add a model is to add a line: from texts and a seed to an unfitted classifier of raw texts.
PAPERS = {"module__kernel_sizes": (3, 4, 5)}
MODELS = {
    "tfidf": tfidf,
    "cnn-before": partial(network, kind=TextCNNClassifier, max_epochs=15, **PAPERS),
    "cnn-345": partial(network, kind=TextCNNClassifier, **PAPERS),
    "cnn": partial(network, kind=TextCNNClassifier),
    "cnn-vectors": partial(network, kind=TextCNNClassifier, vectors=True),
    "pretrained": pretrained,
    "pretrained-head": partial(pretrained, trainable="head"),
    "pretrained-all": partial(pretrained, trainable="all"),
    "bilstm": partial(network, kind=TextBiLSTMClassifier),
    "bilstm-vectors": partial(network, kind=TextBiLSTMClassifier, vectors=True),
    "bilstm-2": partial(network, kind=TextBiLSTMClassifier, module__n_layers=2),
    "bilstm-2-vectors": partial(
        network, kind=TextBiLSTMClassifier, module__n_layers=2, vectors=True
    ),
    "cnn-lstm": partial(network, kind=TextCNNLSTMClassifier),
    "cnn-lstm-vectors": partial(network, kind=TextCNNLSTMClassifier, vectors=True),
}
# What the picture shows, in colours that stay apart without colour vision.
DRAWN = {
    "tfidf": ("TF-IDF, logistic regression", "#000000", "o"),
    "cnn": ("CNN", "#56B4E9", "s"),
    "cnn-vectors": ("CNN from word vectors", "#0072B2", "D"),
    "pretrained-head": ("MiniLM, frozen", "#D55E00", "^"),
    "pretrained": ("MiniLM, tuned by its labels", "#009E73", "v"),
}
TITLES = {
    "mr": "film reviews (MR)",
    "subj": "subjectivity (Subj)",
    "trec": "questions (TREC)",
    "agnews": "AG News",
    "topics": "paper titles, 16 areas",
}
IN_THE_TABLE = ["tfidf", "cnn-before", "cnn", "cnn-vectors", "pretrained-head", "pretrained"]
KEYS = ["data", "n_labels", "seed", "model"]


def run(args: argparse.Namespace) -> None:
    """Train what is missing, and add a line for each."""
    torch.set_num_threads(1)  # sums are rounded by their number
    done = set(map(tuple, pd.read_csv(args.out)[KEYS].to_numpy())) if args.out.exists() else set()
    texts = cache(Texts)
    # A seed after the other: what is there at any time is even.
    for seed, data, n, model in product(range(args.seeds), args.data, args.sizes, args.models):
        if (data, n, seed, model) not in done:
            row = dict(zip(KEYS, (data, n, seed, model), strict=True))
            append({**row, **trained(texts(data), n, seed, model)}, args.out)


def trained(texts: Texts, n: int, seed: int, model: str) -> dict[str, Any]:
    """Train one classifier, and return how good it is."""
    rows = texts.labelled(n, seed)
    classifier = MODELS[model](texts, seed).fit(texts.X[rows], texts.y[rows])
    validation, test = (
        round(classifier.score(texts.X[part], texts.y[part]), 4)
        for part in (texts.validation, texts.test)
    )
    return {"validation": validation, "test": test}


def append(row: dict[str, Any], file: Path) -> None:
    """Add a line to the results."""
    print(row, flush=True)
    file.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame([row]).to_csv(file, mode="a", header=not file.exists(), index=False)


def interval(scores: pd.Series) -> str:
    """Return mean and 95 % interval (Student's t) over seeds."""
    if len(scores) < 2:
        return f"{scores.mean():.3f}"[1:]
    half = stats.t.ppf(0.975, len(scores) - 1) * scores.sem()
    return f"{scores.mean():.3f} ± {half:.3f}".replace("0.", ".")


def table(rows: pd.DataFrame, names: Iterable[str] = MODELS) -> str:
    """Return the accuracies of the test as a table, the best mean of each line in bold."""
    models = [model for model in names if model in set(rows["model"])]
    rows = rows[rows["model"].isin(models)]
    lines = [
        "| data | labels | " + " | ".join(models) + " |",
        "| --- | --- |" + " --- |" * len(models),
    ]
    for (data, n), group in rows.groupby(["data", "n_labels"], sort=False):
        scores = group.groupby("model")["test"]
        best = scores.mean().idxmax()
        cells = [interval(scores.get_group(m)) if m in scores.groups else "" for m in models]
        cells = [f"**{c}**" if m == best else c for m, c in zip(models, cells, strict=True)]
        lines.append(f"| {data} | {n} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def draw(rows: pd.DataFrame, file: Path) -> None:
    """Draw mean and 95 % interval of some models over seeds, a panel a set."""
    from matplotlib import pyplot as plt

    sets = list(dict.fromkeys(rows["data"]))
    figure, axes = plt.subplots(
        1, len(sets), figsize=(2.6 * len(sets), 3), layout="constrained", squeeze=False
    )
    for axis, data in zip(axes[0], sets, strict=True):
        for model, (label, colour, marker) in DRAWN.items():
            found = rows[(rows["data"] == data) & (rows["model"] == model)]
            scores = found.groupby("n_labels")["test"]
            mean, half = scores.mean(), stats.t.ppf(0.975, scores.count() - 1) * scores.sem()
            axis.plot(mean.index, mean, label=label, color=colour, marker=marker, markersize=4)
            axis.fill_between(mean.index, mean - half, mean + half, color=colour, alpha=0.15)
        axis.set(title=TITLES[data], xlabel="labelled texts", xscale="log")
        sizes = sorted(set(rows["n_labels"]))
        axis.set_xticks(sizes, sizes, minor=False)
        axis.minorticks_off()
    axes[0][0].set_ylabel("accuracy on test texts")
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    figure.savefig(file, dpi=130)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--data", nargs="+", choices=SETS)
    parser.add_argument("--models", nargs="+", choices=list(MODELS), default=IN_THE_TABLE)
    parser.add_argument("--sizes", nargs="+", type=int)
    parser.add_argument("--seeds", type=int, help="how many")
    parser.add_argument("--out", type=Path, default=Path("docs/few_labels/results.csv"))
    args = parser.parse_args()
    args.data = args.data or (["trec", "topics"] if args.quick else SETS)
    args.sizes = args.sizes or ([50, 200] if args.quick else SIZES)
    args.seeds = args.seeds or (1 if args.quick else 5)
    run(args)
    rows = pd.read_csv(args.out)
    args.out.with_name("table.md").write_text(table(rows), encoding="utf-8")
    draw(rows, args.out.with_name("few_labels.png"))


if __name__ == "__main__":
    main()
