"""DAMI, figures 4 and 5: four tables, an MLP of 16 and 8 units, six strategies.

    python examples/reproduce/dami_tables.py --quick    one seed, four points: minutes
    python examples/reproduce/dami_tables.py            five seeds, 4 % steps: two hours a core
    python examples/reproduce/dami_tables.py --full     the paper's ten seeds and 2 % steps

The nets have the papers' dropout of 0.5 and, without BALD, none; `--dropout 0.5` runs the first
alone. Run again, it goes on where it was ended. `python examples/reproduce/tables.py` makes the
tables and pictures of what is finished.
"""

from __future__ import annotations

from settings import MLP, parsed, run

from modal_interp import badge, bald, coreset, dami_kmedoids, egl, random_sampling
from modal_interp.experiments.cli.problems import load_problem

DATA = ["employee", "telescope", "default", "news"]
STRATEGIES = {
    "random_sampling": random_sampling,
    "egl": egl,
    "bald": bald,
    "coreset": coreset,
    "badge": badge,
    "dami_kmedoids": dami_kmedoids,
}

JUDGED = {"split": (0.7, 0.1, 0.2), "scoring": "roc_auc"}

# BALD lives on dropout.
WITHOUT_DROPOUT = {name: query for name, query in STRATEGIES.items() if query is not bald}


def main() -> None:
    args = parsed(__doc__.splitlines()[0], DATA, dropout=["0.5", "0"])
    for dropout in args.dropout:
        for data in args.data:
            problem = load_problem(data, "mlp", **MLP, module__dropout=float(dropout))
            name, strategies = f"dami-{data}", STRATEGIES
            if dropout == "0":
                name, strategies = f"{name}-no-dropout", WITHOUT_DROPOUT
            run(name, problem, args, strategies=strategies, **JUDGED)


if __name__ == "__main__":
    main()
