"""Search the settings that the papers do not state, by random sampling and validation scores alone.

    python examples/reproduce/search_settings.py texts      MR and Subj, CNN and BiLSTM
    python examples/reproduce/search_settings.py tables     the four tables, MLP

Each setting gives a short curve of random sampling; what counts is its mean validation score. No
query strategy that is compared takes part. The seeds are not those of the reproductions, but split
the same data again: a row that validates here may be a test row there.
"""

from __future__ import annotations

import argparse
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd

from modal_interp import random_sampling
from modal_interp.experiments import run_experiment
from modal_interp.experiments.cli.problems import load_problem

SEEDS = (100, 101)
# Few points, from the seed set to the end of the budget.
CURVE = {"initial": 0.02, "step": 0.16, "budget": 0.5}
# A grid where a short run is cheap, and further where its edge was best.
SETTINGS: dict[str, list[dict[str, Any]]] = {
    "cnn": [
        {"lr": lr, "max_epochs": epochs}
        for lr, epochs in product((0.0005, 0.001, 0.002, 0.004), (5, 10))
    ]
    + [{"lr": 0.002, "max_epochs": 20}],
    "bilstm": [{"lr": lr, "max_epochs": epochs} for lr, epochs in product((0.002, 0.004), (5, 10))],
    # The papers' dropout of 0.5, and how much it costs.
    "mlp": [
        {"lr": lr, "max_epochs": epochs, "batch_size": batch, "module__dropout": dropout}
        for lr, epochs, batch, dropout in (
            (0.01, 20, 50, 0.5),
            (0.01, 60, 50, 0.5),
            (0.003, 20, 50, 0.5),
            (0.003, 30, 50, 0.5),
            (0.003, 60, 50, 0.5),
            (0.01, 20, 50, 0.1),
            (0.01, 60, 200, 0.1),
            (0.01, 20, 50, 0.0),
        )
    ],
}
# What the papers do state.
PAPERS: dict[str, dict[str, Any]] = {
    "cnn": {"module__kernel_sizes": (3, 4, 5)},
    "mlp": {"module__hidden": (16, 8)},
}
PROBLEMS = {
    "texts": [(data, net) for net in ("cnn", "bilstm") for data in ("mr", "subj")],
    "tables": [(data, "mlp") for data in ("employee", "telescope", "default", "news")],
}


def validation_score(dataset: str, net: str, kind: str, setting: dict, n_jobs: int) -> float:
    """Return the mean validation score over the short curves."""
    problem = load_problem(dataset, net, **PAPERS.get(net, {}), **setting)
    split = (0.6, 0.2, 0.2) if kind == "texts" else (0.7, 0.1, 0.2)
    results = run_experiment(
        *problem[:3], [random_sampling], seeds=SEEDS, split=split, full_training=False,
        n_jobs=n_jobs, scoring="accuracy" if kind == "texts" else "roc_auc", **CURVE,
    )  # fmt: skip
    return float(results["validation_score"].mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=list(PROBLEMS))
    parser.add_argument("--net", choices=list(SETTINGS), help="one network alone")
    parser.add_argument("--dataset", help="one data set alone")
    parser.add_argument("--n-jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("docs/reproductions/settings.csv"))
    args = parser.parse_args()
    rows = []
    for dataset, net in PROBLEMS[args.kind]:
        if args.net not in (None, net) or args.dataset not in (None, dataset):
            continue
        for setting in SETTINGS[net]:
            score = validation_score(dataset, net, args.kind, setting, args.n_jobs)
            rows.append(
                {
                    "dataset": dataset,
                    "net": net,
                    "lr": setting["lr"],
                    "max_epochs": setting["max_epochs"],
                    "batch_size": setting.get("batch_size", 50),
                    "dropout": setting.get("module__dropout", 0.5),
                    "validation_score": round(score, 4),
                }
            )
            print(rows[-1], flush=True)
            write(rows, args.out)


def write(rows: list[dict[str, Any]], file: Path) -> None:
    """Write the scores, with those of other settings that the file has already."""
    old = [pd.read_csv(file)] if file.exists() else []
    keys = ["dataset", "net", "lr", "max_epochs", "batch_size", "dropout"]
    both = pd.concat([pd.DataFrame(rows), *old]).drop_duplicates(keys)
    both.sort_values(keys).to_csv(file, index=False)


if __name__ == "__main__":
    main()
