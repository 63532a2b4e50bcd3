"""What decides most: the net that learns, beside what it asks for.

    python examples/compare_encoders.py --quick     one set, one seed, 200 texts: minutes
    python examples/compare_encoders.py             five sets; five seeds, three of what is tuned

Three nets (a CNN on word vectors, a frozen pretrained encoder, the same encoder tuned by its
labels) and five strategies, from 20 to 300 labels. Tells how many labels each needs to be as good
as the CNN with all 2,000. Run again, it goes on where it was ended; `--encoders`, `--data` and
`--strategies` run a part. Data are looked for, and downloaded to, where `fetch_mr` does; `topics`,
titles of papers in 16 areas, has to be there: `fetch_paper_topics` says where.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from modal_interp import (
    TokenEncoder,
    TransformerClassifier,
    alden_diversity,
    badge,
    dami_kmedoids,
    datasets,
    margin,
    random_sampling,
)
from modal_interp.experiments import run_experiment
from modal_interp.experiments.cli.problems import Problem, text_problem

SETS = ["mr", "subj", "trec", "agnews", "topics"]
# Strategies that pull gradients through the encoder look at a part of the pool, anew each time.
STRATEGIES = {
    "random_sampling": random_sampling,
    "margin": margin,
    "badge": badge,
    "alden_diversity": partial(alden_diversity, candidates=300),
    "dami_kmedoids": partial(dami_kmedoids, candidates=300),
}
SEEDS = {"cnn": 3, "frozen": 5, "tuned": 3}
ROUNDS = {"initial": 20, "step": 70, "budget": 300}
N_TRAIN, N_TEST = 2000, 1000


def read(name: str, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return `n` texts of a set and their labels, the same in each run."""
    name = "paper_topics" if name == "topics" else name
    bunch = getattr(datasets, f"fetch_{name}")()
    X, y = bunch.data, np.array(bunch.target_names, dtype=object)[bunch.target]
    rows = np.random.RandomState(0).permutation(len(X))[:n]
    return X[rows], y[rows]


def problem(encoder: str, texts: np.ndarray, labels: np.ndarray, model: str) -> Problem:
    """Return the texts as a net reads them, with the net."""
    if encoder == "cnn":
        return text_problem(texts, labels)
    trainable = {"frozen": "head", "tuned": "contrastive"}[encoder]
    ids = TokenEncoder(model, max_length=128).transform(texts)
    return Problem(TransformerClassifier(model, trainable=trainable), ids, labels)


def curves(data: str, encoder: str, args: argparse.Namespace) -> pd.DataFrame:
    """Run the curves of a set and a net, or what is missing of them."""
    n_train, n_test, n_seeds = N_TRAIN, N_TEST, SEEDS[encoder]
    if args.quick:
        n_train, n_test, n_seeds = 200, 100, 1
    texts, labels = read(data, n_train + n_test + 20)
    results = run_experiment(
        *problem(encoder, texts, labels, args.model)[:3],
        {name: STRATEGIES[name] for name in args.strategies},
        seeds=args.seeds or n_seeds,
        split=(n_train, 20, n_test),
        full_training=encoder == "cnn",
        out=args.out / ("quick" if args.quick else "full") / f"{data}-{encoder}",
        n_jobs=args.n_jobs,
        verbose=1,
        **({**ROUNDS, "budget": 100} if args.quick else ROUNDS),
    )
    return results.assign(data=data, encoder=encoder)


def labels_needed(results: pd.DataFrame) -> pd.DataFrame:
    """Return the first number of labels whose mean score is that of the CNN with all labels.

    NaN where no number of labels in the curve does.
    """
    mark = results[results["encoder"] == "cnn"].groupby("data")["full_score"].mean()
    means = results.groupby(["data", "encoder", "strategy", "n_labeled"])["score"].mean()
    good = means[means >= mark.reindex(means.index.get_level_values("data")).to_numpy()]
    first = good.reset_index().groupby(["data", "encoder", "strategy"])["n_labeled"].min()
    asked = means.reset_index()[["data", "encoder", "strategy"]].drop_duplicates()
    return first.reindex(pd.MultiIndex.from_frame(asked)).unstack("strategy")


def gains(results: pd.DataFrame) -> pd.DataFrame:
    """Return what each strategy gains over random sampling: mean and 95 % interval over seeds.

    Of the mean score of a curve behind its first labels; the line "all" is of all sets.
    """
    asked = results[results["n_labeled"] > results["n_labeled"].min()]
    means = asked.groupby(["encoder", "data", "seed", "strategy"])["score"].mean().unstack()
    gained = means.sub(means.pop("random_sampling"), axis=0)
    parts = dict(iter(gained.groupby(["encoder", "data"], sort=False)))
    parts |= {(net, "all"): part for net, part in gained.groupby("encoder", sort=False)}
    return pd.DataFrame({key: part.apply(interval) for key, part in parts.items()}).T


def interval(scores: pd.Series) -> str:
    half = stats.t.ppf(0.975, len(scores) - 1) * scores.sem() if len(scores) > 1 else np.nan
    return f"{scores.mean():+.3f} ± {half:.3f}".replace("0.", ".")


def draw(results: pd.DataFrame, file: Path) -> None:
    """Draw the mean accuracy of each net and strategy, a panel a set."""
    from matplotlib import pyplot as plt

    sets = list(dict.fromkeys(results["data"]))
    figure, axes = plt.subplots(
        1, len(sets), figsize=(4 * len(sets), 3.4), layout="constrained", squeeze=False
    )
    colours = {"cnn": "#4477aa", "frozen": "#ee6677", "tuned": "#228833"}
    lines = dict(zip(STRATEGIES, ["-", "--", "-.", ":", (0, (5, 1))], strict=True))
    for axis, data in zip(axes[0], sets, strict=True):
        of_set = results[results["data"] == data]
        for (encoder, strategy), group in of_set.groupby(["encoder", "strategy"], sort=False):
            mean = group.groupby("n_labeled")["score"].mean()
            axis.plot(
                mean.index, mean, color=colours[encoder], linestyle=lines[strategy],
                label=f"{encoder}, {strategy}",
            )  # fmt: skip
        full = of_set["full_score"].mean()
        axis.axhline(full, color=colours["cnn"], linewidth=0.8, alpha=0.6)
        axis.set(title=data, xlabel="labelled texts")
    axes[0][0].set_ylabel("accuracy")
    figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=5)
    figure.savefig(file, dpi=150)
    plt.close(figure)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--data", nargs="+", choices=SETS)
    parser.add_argument("--encoders", nargs="+", choices=list(SEEDS), default=list(SEEDS))
    parser.add_argument("--strategies", nargs="+", choices=STRATEGIES, default=list(STRATEGIES))
    parser.add_argument("--seeds", nargs="+", type=int, help="seeds instead of 0, 1, 2, ...")
    parser.add_argument(
        "--model", default="sentence-transformers/all-MiniLM-L6-v2", help="name or folder"
    )
    parser.add_argument("--n-jobs", type=int, default=1, help="curves at once")
    parser.add_argument("--out", type=Path, default=Path("results/compare_encoders"))
    args = parser.parse_args()
    args.data = args.data or (["mr"] if args.quick else SETS)
    return args


def main() -> None:
    args = parsed()
    results = pd.concat(
        [curves(data, encoder, args) for data in args.data for encoder in args.encoders]
    )
    results.to_csv(args.out / "curves.csv", index=False)
    draw(results, args.out / "curves.png")
    if "random_sampling" in args.strategies:
        print("Above random sampling:", gains(results).to_string(), sep="\n")
    if "cnn" in args.encoders:
        print(labels_needed(results).to_string(float_format="{:.0f}".format))
    print(f"Curves in {args.out / 'curves.csv'}, picture in {args.out / 'curves.png'}")


if __name__ == "__main__":
    main()
