"""What the reproductions share: settings that the papers do not state, and how a run is told.

The settings were searched by `search_settings.py`, by random sampling and validation scores alone.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pandas as pd

from modal_interp.experiments import run_experiment
from modal_interp.experiments.cli.problems import Problem

# Adam and batches of 50 throughout; dropout 0.5, filters and sizes are the papers'.
CNN = {"lr": 0.002, "max_epochs": 10, "batch_size": 50, "module__kernel_sizes": (3, 4, 5)}
BILSTM = {"lr": 0.002, "max_epochs": 10, "batch_size": 50}
MLP = {"lr": 0.003, "max_epochs": 30, "batch_size": 50, "module__hidden": (16, 8)}

# How much is run. The papers: ten seeds, 2 % steps.
PROTOCOLS: dict[str, dict[str, Any]] = {
    "quick": {"seeds": 1, "initial": 0.02, "step": 0.08, "budget": 0.26},
    "committed": {"seeds": 5, "initial": 0.02, "step": 0.04, "budget": 0.5},
    "full": {"seeds": 10, "initial": 0.02, "step": 0.02, "budget": 0.5},
}


def parsed(description: str, data: list[str], **more: list[str]) -> argparse.Namespace:
    """Return what the command line says; `more` are choices besides the data sets."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", dest="protocol", action="store_const", const="quick")
    parser.add_argument("--full", dest="protocol", action="store_const", const="full")
    for name, choices in {"data": data, **more}.items():
        parser.add_argument(f"--{name}", nargs="+", choices=choices, default=choices)
    parser.add_argument("--seeds", nargs="+", type=int, help="seeds instead of the protocol's")
    parser.add_argument("--n-jobs", type=int, default=-1, help="curves at once")
    parser.add_argument("--out", type=Path, default=Path("results"))
    parser.set_defaults(protocol="committed")
    return parser.parse_args()


def run(name: str, problem: Problem, args: argparse.Namespace, **options: Any) -> pd.DataFrame:
    """Run the curves of one data set and net, or what is missing of them."""
    protocol = {**PROTOCOLS[args.protocol], **options}
    if args.seeds:
        protocol["seeds"] = args.seeds
    folder = args.out / args.protocol / name
    print(f"{name}: {protocol['seeds']} seeds, results in {folder}", flush=True)
    return run_experiment(*problem[:3], out=folder, n_jobs=args.n_jobs, verbose=1, **protocol)
