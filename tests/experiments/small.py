"""An experiment of a few seconds, also run by other processes."""

import sys

from modal_interp import TabularMLPClassifier, dami_kmedoids, make_sigmoid, random_sampling
from modal_interp.experiments import run_experiment

STRATEGIES = [dami_kmedoids, random_sampling]


def run_small(out, **options):
    X, y = make_sigmoid(200, random_state=0)
    given = {
        "seeds": 2, "initial": 20, "step": 10, "budget": 80, "strategies": STRATEGIES,
        "estimator": TabularMLPClassifier(max_epochs=4), "X": X, "y": y, "out": out, **options,
    }  # fmt: skip
    return run_experiment(**given)


def result_bytes(folder):
    """Return what a results folder holds, without locks and times."""
    files = [*folder.glob("curves/**/*"), folder / "settings.json"]
    return {str(f.relative_to(folder)): f.read_bytes() for f in sorted(files) if f.is_file()}


if __name__ == "__main__":
    run_small(sys.argv[1])
