"""Make the tables and pictures of docs/reproductions from the results of the other scripts.

    python examples/reproduce/tables.py --results results/committed --out docs/reproductions

Curves that an earlier run left in the CSV files of --out are kept where --results has none of
their strategy and seed, so that seeds can come from several sittings and machines.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

from modal_interp.experiments import (
    LearningCurveDisplay,
    PairwiseMatrixDisplay,
    load_results,
    summary,
)

COLUMNS = [
    "strategy", "seed", "round", "n_labeled", "score", "validation_score", "full_score",
    "query_seconds", "fit_seconds", "score_seconds", "code",
]  # fmt: skip

# Table 1 of ALDEN: normalised area under the curve, median of ten runs.
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
# Which experiments the papers' pairwise matrices pool.
POOLED = {
    "dami-tables": ["dami-employee", "dami-telescope", "dami-default", "dami-news"],
    "dami-texts": ["alden-mr-cnn", "alden-subj-cnn", "alden-mr-bilstm", "alden-subj-bilstm"],
}


def merged_curves(folder: Path, file: Path) -> pd.DataFrame:
    """Return the curves of a results folder, with those that only the CSV file has."""
    if not folder.is_dir():
        return pd.read_csv(file)
    new = load_results(folder)
    # Of the versions only that of this package, in each row; `versions` keeps the others.
    new["code"] = new["versions"].str.extract(r"modal_interp (.*?),", expand=False)
    if not file.exists():
        return new[COLUMNS]
    old = pd.read_csv(file)
    known = set(zip(new["strategy"], new["seed"], strict=True))
    kept = [pair not in known for pair in zip(old["strategy"], old["seed"], strict=True)]
    return pd.concat([new[COLUMNS], old[kept]], ignore_index=True)


def versions(folders: list[Path], file: Path) -> pd.DataFrame:
    """Return the versions that made each experiment, with those that only the CSV file knows."""
    rows = [
        {"experiment": folder.name, "versions": made_with}
        for folder in folders
        for made_with in load_results(folder)["versions"].unique()
    ]
    old = [pd.read_csv(file)] if file.exists() else []
    found = pd.concat([pd.DataFrame(rows, columns=["experiment", "versions"]), *old])
    return found.drop_duplicates().sort_values(["experiment", "versions"])


def finished_seeds(curves: pd.DataFrame) -> pd.DataFrame:
    """Leave out seeds in which a strategy has not finished: comparisons are paired by seed."""
    strategies, last = curves["strategy"].nunique(), curves["round"].max()
    done = curves[curves["round"] == last].groupby("seed")["strategy"].nunique() == strategies
    return curves[curves["seed"].isin(done.index[done])]


def draw(curves: pd.DataFrame, title: str, file: Path) -> None:
    """Save learning curves and pairwise matrix side by side."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    LearningCurveDisplay.from_results(curves, band=None, ax=left)
    PairwiseMatrixDisplay.from_results(curves, ax=right)
    figure.suptitle(f"{title}: median of {curves['seed'].nunique()} seeds, and shares of points")
    figure.savefig(file, dpi=80)
    plt.close(figure)


def table_1(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the normalised areas beside those of the paper, here / paper."""
    columns = {}
    for experiment in PAPER.index.intersection(list(tables)):
        here = tables[experiment]["normalized_auc_median"]
        columns[experiment] = {
            name: f"{here.get(name, float('nan')):.3f} / {paper:.3f}"
            for name, paper in PAPER.loc[experiment].items()
        }
    return pd.DataFrame(columns).rename_axis("strategy")


def above_random(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return each strategy's mean score less random sampling's, with its 95 % interval."""
    columns = {
        experiment: table.apply(
            lambda row: (
                "{difference:+.4f} ({difference_low:+.4f} to {difference_high:+.4f})".format(**row)
            ),
            axis=1,
        )
        for experiment, table in tables.items()
    }
    return pd.DataFrame(columns).drop(index="random_sampling").fillna("").rename_axis("strategy")


def facts(all_curves: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return what each experiment was: seeds, full training, hours on one core."""
    rows = {}
    for experiment, curves in all_curves.items():
        seconds = curves[["query_seconds", "fit_seconds", "score_seconds"]].to_numpy().sum()
        full = curves.groupby("seed")["full_score"].first()
        rows[experiment] = {
            "seeds": curves["seed"].nunique(),
            "full training, median (range)": (
                f"{full.median():.3f} ({full.min():.3f} to {full.max():.3f})"
            ),
            "hours on one core": f"{seconds / 3600:.1f}",
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=Path("results/committed"))
    parser.add_argument("--out", type=Path, default=Path("docs/reproductions"))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    folders = sorted(file.parent for file in args.results.glob("*/settings.json"))
    versions(folders, args.out / "versions.csv").to_csv(args.out / "versions.csv", index=False)
    names = {folder.name for folder in folders} | {path.stem for path in args.out.glob("*-*.csv")}
    all_curves, tables = {}, {}
    for name in sorted(names):
        file = args.out / f"{name}.csv"
        merged = merged_curves(args.results / name, file).sort_values(["strategy", "seed", "round"])
        curves = finished_seeds(merged)
        if curves.empty:
            continue
        curves.round(5).to_csv(file, index=False)
        draw(curves, name, args.out / f"{name}.png")
        all_curves[name], tables[name] = curves, summary(curves)
        print(name, tables[name].to_string(float_format="{:.3f}".format), sep="\n")
    for title, members in POOLED.items():
        pooled = [all_curves[name] for name in members if name in all_curves]
        if pooled:
            display = PairwiseMatrixDisplay.from_results(pooled)
            display.figure_.savefig(args.out / f"{title}.png", dpi=80)
            plt.close(display.figure_)
    pd.concat(tables, names=["experiment"]).round(5).to_csv(args.out / "summary.csv")
    for title, make in (("table_1", table_1), ("above_random", above_random)):
        (args.out / f"{title}.md").write_text(markdown(make(tables)), encoding="utf-8")
    (args.out / "facts.md").write_text(markdown(facts(all_curves)), encoding="utf-8")


if __name__ == "__main__":
    main()
