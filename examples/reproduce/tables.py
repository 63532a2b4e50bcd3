"""Make the tables and pictures of docs/reproductions from the results of the other scripts.

    python examples/reproduce/tables.py --results results/committed --out docs/reproductions

Finished curves are added to the CSV files of --out, so that seeds can come from several runs; a
curve that is there already is kept as it is, unless --replace.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd

from modal_interp.experiments import (
    LearningCurveDisplay,
    PairwiseMatrixDisplay,
    labels_to_reach,
    load_results,
    normalized_auc,
    summary,
)

COLUMNS = [
    "strategy", "seed", "round", "n_labeled", "score", "validation_score", "full_score",
    "query_seconds", "fit_seconds", "score_seconds", "code",
]  # fmt: skip

# Table 1 of ALDEN: normalised area under the curves of figure 2, which are medians of ten runs.
PAPER = pd.DataFrame(
    {
        "random_sampling": [0.594, 0.531, 0.658, 0.688],
        "egl_word": [0.650, 0.644, 0.775, 0.750],
        "bald": [0.658, 0.645, 0.773, 0.757],
        "coreset": [0.659, 0.612, 0.764, 0.752],
        "badge": [0.641, 0.619, 0.767, 0.744],
        "alden_diversity": [0.746, 0.700, 0.814, 0.803],
    },
    index=["alden-mr-cnn", "alden-mr-bilstm", "alden-subj-cnn", "alden-subj-bilstm"],
)
TEXTS = list(PAPER.index)
TABLES = ["dami-employee", "dami-telescope", "dami-default", "dami-news"]
WITHOUT_DROPOUT = [f"{name}-no-dropout" for name in TABLES]
ALL_IDS = ["dami-employee-all-ids"]
_OTHERS = ["random_sampling", "bald", "coreset", "badge"]
_DAMI = [*_OTHERS, "egl", "dami_kmedoids"]
# Who is compared in which paper, and how seeds become one curve there.
COMPARED = {
    "alden": ([*_OTHERS, "egl_word", "alden_diversity"], "median"),
    "dami": (_DAMI, "mean"),
    "dami-no-dropout": ([name for name in _DAMI if name != "bald"], "mean"),
    "dami-all-ids": ([name for name in _DAMI if name != "dami_kmedoids"], "mean"),
    "dami-texts": ([*_OTHERS, "egl_word", "dami_kmedoids"], "mean"),
}
EXPERIMENTS = {
    "alden": TEXTS, "dami": TABLES, "dami-no-dropout": WITHOUT_DROPOUT, "dami-all-ids": ALL_IDS,
    "dami-texts": TEXTS,
}  # fmt: skip
# Pictures of several experiments together (DAMI, figures 5 and 7).
POOLED = {
    "dami": "dami-tables", "dami-no-dropout": "dami-tables-no-dropout", "dami-texts": "dami-texts",
}  # fmt: skip


def finished_curves(folder: Path) -> pd.DataFrame:
    """Return the finished curves of a results folder, as the CSV files have them."""
    if not folder.is_dir():
        return pd.DataFrame(columns=COLUMNS)
    results = load_results(folder)
    whole = results.groupby(["strategy", "seed"])["round"].transform("max")
    return rows_to_keep(results[whole == results["round"].max()])


def rows_to_keep(results: pd.DataFrame) -> pd.DataFrame:
    """Return of results what the CSV files have, with the version of this package in each row."""
    code = results["versions"].str.extract(r"modal_interp (.*?),", expand=False)
    return results.assign(code=code)[COLUMNS].round(5)


def merged_curves(folder: Path, file: Path, replace: bool = False) -> pd.DataFrame:
    """Return the curves of a CSV file with the finished ones of a results folder."""
    parts = [finished_curves(folder), *([pd.read_csv(file)] if file.exists() else [])]
    known = parts if replace else parts[::-1]
    both = pd.concat([part for part in known if len(part)], ignore_index=True)
    both = both.drop_duplicates(["strategy", "seed", "round"])
    # One machine rounds as another does only to some digits: a seed has the first score found.
    both["full_score"] = both.groupby("seed")["full_score"].transform("first")
    return both.sort_values(["strategy", "seed", "round"], ignore_index=True)


def versions(folders: list[Path], file: Path) -> pd.DataFrame:
    """Return the versions that made each experiment, with those that the CSV file knows."""
    rows = [
        {"experiment": folder.name, "versions": made_with}
        for folder in folders
        for made_with in load_results(folder)["versions"].unique()
    ]
    old = [pd.read_csv(file)] if file.exists() else []
    found = pd.concat([pd.DataFrame(rows, columns=["experiment", "versions"]), *old])
    return found.drop_duplicates().sort_values(["experiment", "versions"])


def paired(curves: pd.DataFrame, strategies: list[str]) -> pd.DataFrame:
    """Return the curves of these strategies, of the seeds that all of them have."""
    curves = curves[curves["strategy"].isin(strategies)]
    has_all = curves.groupby("seed")["strategy"].nunique() == len(strategies)
    return curves[curves["seed"].isin(has_all.index[has_all])]


def comparisons(all_curves: dict[str, pd.DataFrame]) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Give the name of each comparison, its experiment and its curves, where there are some."""
    for experiment, curves in all_curves.items():
        for paper, (strategies, _) in COMPARED.items():
            fits = experiment in EXPERIMENTS[paper]
            found = paired(curves, strategies)
            if fits and len(found):
                name = (
                    experiment.replace("alden-", "dami-") if paper == "dami-texts" else experiment
                )
                yield paper, name, found


def draw(curves: pd.DataFrame, title: str, statistic: str, file: Path) -> None:
    """Save learning curves and pairwise matrix side by side."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    LearningCurveDisplay.from_results(curves, statistic=statistic, band=None, ax=left)
    PairwiseMatrixDisplay.from_results(curves, ax=right)
    n_seeds = curves["seed"].nunique()
    figure.suptitle(f"{title}: {statistic} of {n_seeds} seeds, and shares of curve points")
    figure.savefig(file, dpi=80)
    plt.close(figure)


def draw_pooled(experiments: list[pd.DataFrame], file: Path) -> None:
    """Save the pairwise matrix over several experiments."""
    display = PairwiseMatrixDisplay.from_results(experiments)
    display.figure_.savefig(file, dpi=80)
    plt.close(display.figure_)


def of_median_curve(curves: pd.DataFrame) -> pd.Series:
    """Return the normalised area of each strategy's median curve, as the paper's table 1."""
    columns = ["n_labeled", "score", "full_score"]
    median = curves.groupby(["strategy", "round"], as_index=False)[columns].median()
    median = median.assign(seed=0).astype({"n_labeled": int})
    return normalized_auc(median).set_index("strategy")["normalized_auc"]


def table_1(all_curves: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the normalised areas beside those of the paper, here / paper."""
    columns = {}
    for paper, experiment, curves in comparisons(all_curves):
        if paper == "alden":
            here, n_seeds = of_median_curve(curves), curves["seed"].nunique()
            columns[f"{experiment} ({n_seeds} seeds)"] = {
                name: f"{here[name]:.3f} / {published:.3f}"
                for name, published in PAPER.loc[experiment].items()
            }
    return pd.DataFrame(columns).rename_axis("strategy")


def above_random(all_curves: dict[str, pd.DataFrame], kinds: list[str]) -> pd.DataFrame:
    """Return each strategy's mean score less random sampling's, with its 95 % interval."""
    columns = {}
    for paper, experiment, curves in comparisons(all_curves):
        if paper in kinds:
            table = summary(curves).drop(index="random_sampling")
            columns[f"{experiment} ({curves['seed'].nunique()} seeds)"] = table.apply(
                in_words, axis=1
            )
    return pd.DataFrame(columns).fillna("").rename_axis("strategy")


def in_words(row: pd.Series, name: str = "difference") -> str:
    """Return a difference with its interval, where there are seeds enough for one."""
    interval = f"({{{name}_low:+.4f}} to {{{name}_high:+.4f}})" if row["n_seeds"] > 2 else ""
    return f"{{{name}:+.4f}} {interval}".format(**row)


def labels_needed(all_curves: dict[str, pd.DataFrame], share: float = 0.96) -> pd.DataFrame:
    """Return the median number of labels that reach a share of the score of full training."""
    columns = {}
    for paper, experiment, curves in comparisons(all_curves):
        if paper == "alden":
            score = share * curves.groupby("seed")["full_score"].first().median()
            # A seed that never gets there counts as more than any number.
            labels = labels_to_reach(curves, score).fillna({"labels": float("inf")})
            columns[f"{experiment}, {score:.3f}"] = {
                name: f"{median:,.0f}" if median < float("inf") else "not by 50 %"
                for name, median in labels.groupby("strategy")["labels"].median().items()
            }
    return pd.DataFrame(columns).rename_axis("strategy")


def facts(all_curves: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return what each experiment was: seeds, full training, hours of all rounds together."""
    rows = {}
    for experiment, curves in all_curves.items():
        seconds = curves[["query_seconds", "fit_seconds", "score_seconds"]].sum().sum()
        full = curves.groupby("seed")["full_score"].first()
        seeds = curves.groupby("strategy")["seed"].nunique()
        rows[experiment] = {
            "seeds": f"{seeds.min()} to {seeds.max()}" if seeds.nunique() > 1 else seeds.max(),
            "full training, median (range)": (
                f"{full.median():.3f} ({full.min():.3f} to {full.max():.3f})"
            ),
            "hours, sum over rounds": f"{seconds / 3600:.1f}",
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("experiment")


def markdown(table: pd.DataFrame) -> str:
    """Return a table in Markdown."""
    header = [str(table.index.name), *map(str, table.columns)]
    body = [
        [str(name), *map(str, row)] for name, row in zip(table.index, table.values, strict=True)
    ]
    lines = [header, ["---"] * len(header), *body]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def write_all(all_curves: dict[str, pd.DataFrame], out: Path) -> None:
    """Write tables and pictures."""
    summaries: dict[Any, pd.DataFrame] = {}
    pooled: dict[str, list[pd.DataFrame]] = {}
    for paper, experiment, curves in comparisons(all_curves):
        draw(curves, experiment, COMPARED[paper][1], out / f"{experiment}.png")
        summaries[experiment] = summary(curves)
        pooled.setdefault(paper, []).append(curves)
        print(experiment, summaries[experiment].to_string(float_format="{:.3f}".format), sep="\n")
    for paper, title in POOLED.items():
        if paper in pooled:
            draw_pooled(pooled[paper], out / f"{title}.png")
    pd.concat(summaries, names=["experiment"]).round(5).to_csv(out / "summary.csv")
    pages = {
        "table_1": table_1(all_curves),
        "labels_needed": labels_needed(all_curves),
        "alden_above_random": above_random(all_curves, ["alden"]),
        "dami_above_random": above_random(all_curves, ["dami"]),
        "dami_no_dropout_above_random": above_random(all_curves, ["dami-no-dropout"]),
        "dami_all_ids_above_random": above_random(all_curves, ["dami-all-ids"]),
        "dami_texts_above_random": above_random(all_curves, ["dami-texts"]),
        "facts": facts(all_curves),
    }
    for name, table in pages.items():
        (out / f"{name}.md").write_text(markdown(table), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=Path("results/committed"))
    parser.add_argument("--out", type=Path, default=Path("docs/reproductions"))
    parser.add_argument(
        "--replace", action="store_true", help="prefer the results to the CSV files"
    )
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    folders = sorted(file.parent for file in args.results.glob("*/settings.json"))
    versions(folders, args.out / "versions.csv").to_csv(args.out / "versions.csv", index=False)
    all_curves = {}
    for name in [*TEXTS, *TABLES, *WITHOUT_DROPOUT, *ALL_IDS]:
        folder, file = args.results / name, args.out / f"{name}.csv"
        if folder.is_dir() or file.exists():
            all_curves[name] = merged_curves(folder, file, args.replace)
            all_curves[name].to_csv(file, index=False)
    write_all(all_curves, args.out)


if __name__ == "__main__":
    main()
