"""Label less text: ALDEN beside random sampling, from raw strings to a picture.

    python examples/quickstart.py                          made-up reviews, no download
    python examples/quickstart.py --data mr                the MR film reviews
    python examples/quickstart.py --data mr --model bilstm --word-vectors

Both strategies start from the same labelled texts with the same network. Ten times each asks for
labels, and the network is trained again on all that it has.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from modAL.models import ActiveLearner
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from tqdm.auto import tqdm

from modal_interp import (
    TextBiLSTMClassifier,
    TextCNNClassifier,
    WordEncoder,
    alden_diversity,
    embedding_matrix,
    fetch_agnews,
    fetch_mr,
    fetch_subj,
    fetch_trec,
    make_reviews,
    train_word_vectors,
)

FETCHERS = {"mr": fetch_mr, "subj": fetch_subj, "trec": fetch_trec, "agnews": fetch_agnews}
MODELS = {"cnn": TextCNNClassifier, "bilstm": TextBiLSTMClassifier}


def load(name: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return texts and the names of their labels."""
    if name == "reviews":
        texts, y = make_reviews(2000, random_state=seed)
        return texts, np.array(["negative", "positive"])[y]
    bunch = FETCHERS[name]()
    return bunch.data, np.array(bunch.target_names)[bunch.target]


def random_choice(seed: int) -> Callable[..., np.ndarray]:
    """Return a query strategy that asks for texts at random."""
    random_state = np.random.RandomState(seed)

    def choose(learner: Any, X_pool: np.ndarray, n_instances: int = 1) -> np.ndarray:
        return random_state.permutation(len(X_pool))[:n_instances]

    return choose


def learning_curve(
    query: Callable[..., Any],
    estimator: Any,
    seed_set: tuple[np.ndarray, np.ndarray],
    pool: tuple[np.ndarray, np.ndarray],
    test: tuple[np.ndarray, np.ndarray],
    rounds: int,
    n_instances: int,
    bar: Any,
) -> tuple[list[int], list[float]]:
    """Run modAL's loop; return the numbers of labels and the accuracies on the test texts."""
    texts, labels = pool
    learner = ActiveLearner(
        estimator=estimator, query_strategy=query, X_training=seed_set[0], y_training=seed_set[1]
    )
    n_labels, accuracies = [len(learner.y_training)], [learner.score(*test)]
    for _ in range(rounds):
        asked, _ = learner.query(texts, n_instances=n_instances)
        learner.teach(texts[asked], labels[asked])  # here a person would read and label
        texts, labels = np.delete(texts, asked), np.delete(labels, asked)
        n_labels.append(len(learner.y_training))
        accuracies.append(learner.score(*test))
        bar.set_postfix(labels=n_labels[-1], accuracy=f"{accuracies[-1]:.3f}")
        bar.update()
    return n_labels, accuracies


def draw(n_labels: list[int], curves: dict[str, list[float]], title: str, path: Path) -> None:
    """Save the learning curves as a picture."""
    fig, ax = plt.subplots(figsize=(6, 4), layout="constrained")
    for (name, accuracies), style in zip(curves.items(), ("o-", "s--"), strict=False):
        ax.plot(n_labels, accuracies, style, label=name)
    ax.set(xlabel="labelled texts", ylabel="accuracy on the test texts", title=title)
    ax.grid(alpha=0.3)
    ax.legend()
    fig.savefig(path, dpi=150)
    plt.close(fig)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", choices=["reviews", *FETCHERS], default="reviews")
    parser.add_argument("--model", choices=MODELS, default="cnn")
    parser.add_argument(
        "--word-vectors", action="store_true", help="start from word2vec trained on the texts"
    )
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--step", type=int, help="labels a round (default: 2 %% of the texts)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=Path("build/quickstart.png"))
    return parser.parse_args()


def main() -> None:
    args = parse_arguments()
    texts, labels = load(args.data, args.seed)
    train_texts, test_texts, train_labels, test_labels = train_test_split(
        texts, labels, test_size=0.2, stratify=labels, random_state=args.seed
    )
    step = args.step or round(0.02 * len(train_texts))
    seed_texts, pool_texts, seed_labels, pool_labels = train_test_split(
        train_texts, train_labels, train_size=step, stratify=train_labels, random_state=args.seed
    )

    # The encoder learns its vocabulary once, from labelled and unlabelled texts alike.
    encoder = WordEncoder().fit(train_texts)
    vectors = None
    if args.word_vectors:
        trained = train_word_vectors(train_texts, encoder, epochs=20, random_state=args.seed)
        vectors = embedding_matrix(encoder, trained, random_state=args.seed)
    curves = {}
    strategies = {"alden_diversity": alden_diversity, "random": random_choice(args.seed)}
    with tqdm(total=len(strategies) * args.rounds, unit="round") as bar:
        for name, query in strategies.items():
            bar.set_description(name)
            net = MODELS[args.model](
                n_words=encoder.n_words_,
                embedding_matrix=vectors,
                classes=np.unique(labels),
                random_state=args.seed,
            )
            n_labels, curves[name] = learning_curve(
                query,
                make_pipeline(FrozenEstimator(encoder), net),
                (seed_texts, seed_labels),
                (pool_texts, pool_labels),
                (test_texts, test_labels),
                args.rounds,
                step,
                bar,
            )

    print(f"\n{'labels':>8}" + "".join(f"{name:>18}" for name in curves))
    for row, n in enumerate(n_labels):
        print(f"{n:>8}" + "".join(f"{curve[row]:>18.3f}" for curve in curves.values()))
    print(f"{'mean':>8}" + "".join(f"{np.mean(curve):>18.3f}" for curve in curves.values()))
    args.output.parent.mkdir(parents=True, exist_ok=True)
    draw(n_labels, curves, f"{args.data}, {args.model}", args.output)
    print(f"\nThe curves are drawn in {args.output.resolve()}")


if __name__ == "__main__":
    main()
