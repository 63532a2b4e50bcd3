"""ALDEN, figure 2 and table 1: MR and Subj, CNN and BiLSTM, six strategies.

    python examples/reproduce/alden.py --quick      one seed, four points: minutes
    python examples/reproduce/alden.py              five seeds, 4 % steps: about four hours a core
    python examples/reproduce/alden.py --full       the paper's ten seeds and 2 % steps

Run again, it goes on where it was ended. `python examples/reproduce/tables.py` makes the tables
and pictures of what is finished.
"""

from __future__ import annotations

from settings import BILSTM, CNN, parsed, run

from modal_interp import alden_diversity, badge, bald, coreset, egl_word, random_sampling
from modal_interp.experiments.cli.problems import load_problem

STRATEGIES = [random_sampling, egl_word, bald, coreset, badge, alden_diversity]
NETS = {"cnn": CNN, "bilstm": BILSTM}


def main() -> None:
    args = parsed(__doc__.splitlines()[0], ["mr", "subj"], nets=list(NETS))
    for net in args.nets:
        for data in args.data:
            run(f"alden-{data}-{net}", load_problem(data, net, **NETS[net]), args,
                strategies=STRATEGIES)  # fmt: skip


if __name__ == "__main__":
    main()
