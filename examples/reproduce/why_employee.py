"""Why all strategies lose to random sampling on Employee: the columns that the labels bring.

    python examples/reproduce/why_employee.py --seeds 0 1 2     a quarter of an hour a core

Employee's columns are ids. `dami_tables.py` gives an id a column once ten labelled rows have it, so
whoever asks for rare ids trains a net that sees less. Here every id that is common among all rows,
labelled or not, has a column from the start, for every strategy; nothing else is changed. DAMI is
left out: with so many columns it takes over half a minute to choose.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from dami_tables import JUDGED, STRATEGIES
from numpy.typing import NDArray
from settings import MLP, parsed, run
from sklearn.preprocessing import OneHotEncoder

from modal_interp.experiments.cli.problems import load_problem

OTHERS = {name: query for name, query in STRATEGIES.items() if name != "dami_kmedoids"}

# Rows of the data set that an id must have: 721 columns. Random sampling ends with some 1,200.
COMMON = 50


def common_ids(X: NDArray[Any]) -> OneHotEncoder:
    """Return an encoder of the ids that are common in their columns of `X`; no label is used."""
    found = [np.unique(column, return_counts=True) for column in X.T]
    return OneHotEncoder(
        categories=[ids[counts >= COMMON] for ids, counts in found],
        handle_unknown="ignore",
        sparse_output=False,
        dtype=np.float32,
    )


def main() -> None:
    args = parsed(__doc__.splitlines()[0], ["employee"])
    problem = load_problem("employee", "mlp", **MLP, module__dropout=0.5)
    problem.estimator.set_params(onehotencoder=common_ids(problem.X))
    run("dami-employee-all-ids", problem, args, strategies=OTHERS, **JUDGED)


if __name__ == "__main__":
    main()
