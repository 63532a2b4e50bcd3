"""DAMI, figures 6 and 7: MR and Subj, CNN and BiLSTM, six strategies.

    python examples/reproduce/dami_texts.py --quick     one seed, four points: minutes
    python examples/reproduce/dami_texts.py             adds DAMI's curves to those of `alden.py`
    python examples/reproduce/dami_texts.py --full      the paper's ten seeds, 2 % steps, 70/10/20

The five strategies that DAMI is compared with are among ALDEN's six. Unless `--full` asks for the
paper's own split, DAMI joins the experiment of `alden.py` (60/20/20) and its curves are shared.
"""

from __future__ import annotations

from alden import NETS, STRATEGIES
from settings import parsed, run

from modal_interp import alden_diversity, dami_kmedoids
from modal_interp.experiments.cli.problems import load_problem

COMPARED = [query for query in STRATEGIES if query is not alden_diversity]


def main() -> None:
    args = parsed(__doc__.splitlines()[0], ["mr", "subj"], nets=list(NETS))
    for net in args.nets:
        for data in args.data:
            problem = load_problem(data, net, **NETS[net])
            strategies = [*COMPARED, dami_kmedoids]
            if args.protocol == "full":
                run(f"dami-{data}-{net}", problem, args, strategies=strategies,
                    split=(0.7, 0.1, 0.2))  # fmt: skip
            else:
                run(f"alden-{data}-{net}", problem, args, strategies=strategies)


if __name__ == "__main__":
    main()
