"""The linear regions of the Sigmoid set, which local interpretations find and features do not.

    python examples/linear_regions.py                  prints the agreement over five seeds
    python examples/linear_regions.py --out figures    and saves the two pictures there

Points are uniform on a square, and p(y = 1) = sigmoid(x1 * x2). On each of the four triangles that
the diagonals cut, one half-axis splits the classes: there the net is nearly linear (DAMI, figures
1 and 2). The second picture shows which 15 points each strategy asks for after 100 labels (DAMI,
figure 3).
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from modAL.models import ActiveLearner
from sklearn.metrics import adjusted_rand_score
from tqdm.auto import tqdm

from modal_interp import (
    TabularMLPClassifier,
    badge,
    bald,
    coreset,
    dami_kmedoids,
    egl,
    features,
    gradient_embedding,
    interpretation,
    k_medoids,
    make_sigmoid,
    random_sampling,
)

HALF = 5.0  # the square reaches from -HALF to HALF
CLASSES = np.array(["#4477aa", "#ee6677"])
CLUSTERS = np.array(["#228833", "#ccbb44", "#66ccee", "#aa3377"])


def triangles(X: np.ndarray) -> np.ndarray:
    """Return the triangle of each point: right, top, left or bottom."""
    above, beyond = X[:, 1] > X[:, 0], X[:, 1] > -X[:, 0]
    return np.select([~above & beyond, above & beyond, above & ~beyond], [0, 1, 2], 3)


def perceptron(seed: int, **params: Any) -> TabularMLPClassifier:
    """Return DAMI's perceptron (16, 8), to be trained in 1,500 steps on all points."""
    settings = {"lr": 0.01, "max_epochs": 1500, "batch_size": -1, "optimizer__weight_decay": 0.03}
    settings["module__hidden"] = (16, 8)
    return TabularMLPClassifier(classes=[0, 1], random_state=seed, **(settings | params))


def representations(net: TabularMLPClassifier, X: np.ndarray) -> dict[str, np.ndarray]:
    """Return what the three methods compare points by."""
    a, h = gradient_embedding(net, X)
    return {
        "local interpretations": interpretation(net, X, target="logit"),
        "last-layer features": features(net, X),
        "BADGE embeddings": np.einsum("nc,nh->nch", a, h).reshape(len(X), -1),
    }


def clustered(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Return points, their labels and the four clusters that each representation gives."""
    X, y = make_sigmoid(n, random_state=seed)
    net = perceptron(seed).fit(X, y)
    found = {
        name: k_medoids(Z, 4, random_state=seed).labels
        for name, Z in representations(net, X).items()
    }
    return X, y, found


def draw_regions(X: np.ndarray, y: np.ndarray, found: dict[str, np.ndarray]) -> Any:
    """Draw the classes, the triangles and the clusters."""
    colors = {"classes": CLASSES[y], "triangles": CLUSTERS[triangles(X)]}
    colors |= {name: CLUSTERS[matched(labels, X)] for name, labels in found.items()}
    figure, axes = plt.subplots(1, 5, figsize=(15, 3.6), sharey=True, layout="constrained")
    for ax, (name, color) in zip(axes, colors.items(), strict=True):
        ax.scatter(*X.T, c=color, s=4, linewidths=0)
        title = name
        if name in found:
            title += f"\nARI {round(adjusted_rand_score(triangles(X), found[name]), 2) + 0.0:.2f}"
        _square(ax, title)
    return figure


def matched(labels: np.ndarray, X: np.ndarray) -> np.ndarray:
    """Return clusters under the number of the triangle that they mostly lie in, once each."""
    shared = np.array(
        [[np.sum((labels == c) & (triangles(X) == t)) for t in range(4)] for c in range(4)]
    )
    number = np.full(4, -1)
    for _ in range(4):
        cluster, triangle = np.unravel_index(shared.argmax(), shared.shape)
        number[cluster] = triangle
        shared[cluster, :] = shared[:, triangle] = -1
    return number[labels]


def draw_choices(n: int, seed: int) -> Any:
    """Draw which 15 points each strategy asks for after 100 labels."""
    X, y = make_sigmoid(n, random_state=seed)
    strategies = {
        "random": random_sampling,
        "EGL": egl,
        "BALD (dropout 0.5)": bald,
        "CORESET": coreset,
        "BADGE": badge,
        "DAMI (logits)": partial(dami_kmedoids, target="logit"),
    }
    figure, axes = plt.subplots(1, 6, figsize=(17, 3.4), sharey=True, layout="constrained")
    for ax, (name, strategy) in zip(axes, strategies.items(), strict=True):
        learner = ActiveLearner(
            estimator=perceptron(seed, module__dropout=0.5 if strategy is bald else 0.0),
            query_strategy=strategy,
            X_training=X[:100],
            y_training=y[:100],
        )
        _, asked = learner.query(X[100:], n_instances=15, random_state=seed)
        ax.scatter(*X.T, c=CLASSES[y], s=3, alpha=0.25, linewidths=0)
        ax.scatter(*asked.T, c="black", marker="x", s=40)
        _square(ax, name)
    return figure


def _square(ax: Any, title: str) -> None:
    ax.plot([-HALF, HALF], [-HALF, HALF], [-HALF, HALF], [HALF, -HALF], c="0.5", lw=0.6, ls=":")
    ax.set(
        title=title, xlim=(-HALF, HALF), ylim=(-HALF, HALF), aspect="equal", xticks=[], yticks=[]
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n", type=int, default=2000, help="points")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--out", type=Path, help="folder for the pictures")
    args = parser.parse_args()

    runs = [clustered(args.n, seed) for seed in tqdm(range(args.seeds), unit="seed")]
    print("adjusted Rand index with the four triangles")
    for name in runs[0][2]:
        scores = [adjusted_rand_score(triangles(X), found[name]) for X, _, found in runs]
        each = " ".join(f"{score + 0.0:5.2f}" for score in np.round(scores, 2))
        print(f"{name:22} {each}   median {np.median(scores):5.2f}")
    if args.out is not None:
        args.out.mkdir(parents=True, exist_ok=True)
        draw_regions(*runs[0]).savefig(args.out / "linear_regions.png", dpi=110)
        draw_choices(args.n, seed=0).savefig(args.out / "choices.png", dpi=110)
        print(f"pictures: {args.out / 'linear_regions.png'}, {args.out / 'choices.png'}")


if __name__ == "__main__":
    main()
