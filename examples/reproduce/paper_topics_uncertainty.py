"""How uncertain the BiLSTM of `paper_topics.py` is of papers, and how often it errs: seconds each.

    python examples/reproduce/paper_topics_uncertainty.py --out docs/paper_topics/uncertainty.csv

The slides wished for this picture. 1 - largest probability in steps of .05, of papers that are not
trained on, after training on 5, 20 and 40 % of the others.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from paper_topics import bilstm, titles

from modal_interp import least_confidence_scores

EDGES = np.linspace(0, 1, 21)
SIZES = [158, 630, 1260]
N_ASKED = 1575


def counted(n_labeled: int, seed: int) -> pd.DataFrame:
    """Return for each step of uncertainty how many papers there are, and how many wrong."""
    X, y, built_with = titles()
    order = np.random.RandomState(seed).permutation(len(X))
    asked, labelled = order[:N_ASKED], order[N_ASKED : N_ASKED + n_labeled]
    net = bilstm(**built_with).set_params(
        classes=np.unique(y), max_epochs=35, min_steps=0, random_state=seed
    )
    net.fit(X[labelled], y[labelled])
    uncertainty = least_confidence_scores(net, X[asked])
    wrong = net.predict(X[asked]) != y[asked]
    rows = {"papers": np.histogram(uncertainty, EDGES)[0]}
    rows["wrong"] = np.histogram(uncertainty[wrong], EDGES)[0]
    return pd.DataFrame({"from": EDGES[:-1].round(2), **rows}).assign(
        n_labeled=n_labeled, seed=seed
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--out", type=Path, default=Path("docs/paper_topics/uncertainty.csv"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    rows = pd.concat([counted(n, seed) for n in SIZES for seed in args.seeds])
    args.out.parent.mkdir(parents=True, exist_ok=True)
    rows.to_csv(args.out, index=False)


if __name__ == "__main__":
    main()
