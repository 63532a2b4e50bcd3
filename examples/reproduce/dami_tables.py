"""DAMI, figures 4 and 5: four tables, an MLP of 16 and 8 units, six strategies.

    python examples/reproduce/dami_tables.py --quick    one seed, four points: minutes
    python examples/reproduce/dami_tables.py            five seeds, 4 % steps: an hour or two a core
    python examples/reproduce/dami_tables.py --full     the paper's ten seeds and 2 % steps

Run again, it goes on where it was ended. `python examples/reproduce/tables.py` makes the tables
and pictures of what is finished.
"""

from __future__ import annotations

from settings import MLP, parsed, run

from modal_interp import badge, bald, coreset, dami_kmedoids, egl, random_sampling
from modal_interp.experiments.problems import load_problem

DATA = ["employee", "telescope", "default", "news"]
STRATEGIES = {
    "random_sampling": random_sampling,
    "egl": egl,
    "bald": bald,
    "coreset": coreset,
    "badge": badge,
    "dami_kmedoids": dami_kmedoids,
}


def main() -> None:
    args = parsed(__doc__.splitlines()[0], DATA)
    for data in args.data:
        run(f"dami-{data}", load_problem(data, "mlp", **MLP), args, strategies=STRATEGIES,
            split=(0.7, 0.1, 0.2), scoring="roc_auc")  # fmt: skip


if __name__ == "__main__":
    main()
