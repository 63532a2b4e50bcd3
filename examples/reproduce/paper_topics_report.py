"""Make the tables and figures of docs/paper_topics.md from the results of `paper_topics.py`.

    python examples/reproduce/paper_topics_report.py --results results/paper_topics/full

Finished curves are added to the CSV files of --out, which are enough to make the rest anew.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from paper_topics import STUDIES
from tables import finished_curves, in_words, markdown, versions

from modal_interp.experiments import full_training_scores, load_results, summary

# What the slides print: test AUROC of training on 20, 50 and 100 %, and table 3, the validation
# AUROC before each question while training anew.
PUBLISHED = {
    ("methods-bilstm", 0.2): 0.8467, ("methods-bilstm", 0.5): 0.9032,
    ("methods-bilstm", 1.0): 0.8801, ("methods-cnn-lstm", 0.2): 0.849,
    ("methods-cnn-lstm", 0.5): 0.8757, ("bert", 0.2): 0.7613,
}  # fmt: skip
TABLE_3 = {
    ("retrain-bilstm", "random_sampling"): [0.8529, 0.8559, 0.8628, 0.8667, 0.8747],
    ("retrain-bilstm", "least_confidence"): [0.8529, 0.8567, 0.8797, 0.8674, 0.8853],
    ("retrain-bilstm", "margin"): [0.8529, 0.8524, 0.8542, 0.8511, 0.8573],
    ("retrain-cnn-lstm", "random_sampling"): [0.8221, 0.8404, 0.8628, 0.8509, 0.8608],
    ("retrain-cnn-lstm", "least_confidence"): [0.8221, 0.791, 0.8579, 0.8557, 0.8734],
    ("retrain-cnn-lstm", "margin"): [0.8221, 0.8327, 0.8317, 0.8572, 0.8513],
}
# The question, and the curves of each panel: study and strategies, all where none are named.
BASIC = ["random_sampling", "least_confidence", "margin", "bald", "batch_bald"]
WORDS = ["random_sampling", "egl_word", "dami_kmedoids", "alden_diversity"]
FIGURES = {
    "figure_2": {"BiLSTM": [("methods-bilstm", BASIC)], "CNN-LSTM": [("methods-cnn-lstm", BASIC)]},
    "words": {"BiLSTM": [("methods-bilstm", WORDS)], "CNN-LSTM": [("methods-cnn-lstm", WORDS)]},
    "figure_3": {
        "random sampling": [(name, BASIC[:1]) for name in ("methods-bilstm", "period-10")],
        "margin": [(name, ["margin"]) for name in ("methods-bilstm", "period-10")],
        "BALD": [(name, ["bald"]) for name in ("methods-bilstm", "period-10")],
    },
    "figure_4": {
        "random sampling": [(n, BASIC[:1]) for n in ("amount-300", "amount-500", "methods-bilstm")],
        "BALD": [(n, ["bald"]) for n in ("amount-300", "amount-500", "methods-bilstm")],
    },
    "retrain": {"BiLSTM": [("retrain-bilstm", None)], "CNN-LSTM": [("retrain-cnn-lstm", None)]},
    "figure_5": {"BERT without pretraining": [("bert", None)]},
    "figure_6": {
        title: [(name, ["random_sampling", "least_confidence", "least_confidence_reversed"])]
        for title, name in (("BiLSTM", "methods-bilstm"), ("CNN-LSTM", "methods-cnn-lstm"))
    },
    "initial": {
        "random sampling": [(name, BASIC[:1]) for name in ("methods-bilstm", "initial-5")],
        "margin": [(name, ["margin"]) for name in ("methods-bilstm", "initial-5")],
        "BALD": [(name, ["bald"]) for name in ("methods-bilstm", "initial-5")],
    },
    "wished": {
        "MiniLM, frozen": [("pretrained-title", None)],
        "with abstracts": [("pretrained-both", None), ("both-bilstm", None)],
        "ensemble of 5 BiLSTM": [("ensemble", None)],
    },
    "several": {"BiLSTM": [("several-bilstm", None)], "CNN-LSTM": [("several-cnn-lstm", None)]},
}  # fmt: skip
# Apart without colour vision, as are the lines.
COLOURS = ["#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00"]
LINES = ["-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1))]


def collected(results: Path, out: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the curves and the baselines of all studies, and add them to the CSV files."""
    curves, baselines = [], []
    for name in STUDIES:
        if (results / name / "settings.json").exists():
            curves.append(finished_curves(results / name).assign(study=name))
            scores = full_training_scores(load_results(results / name))
            baselines.append(scores.round(5).assign(study=name))
    return (
        merged(curves, out / "curves.csv", ["study", "strategy", "seed", "round"]),
        merged(baselines, out / "baselines.csv", ["study", "size", "seed"]),
    )


def merged(parts: list[pd.DataFrame], file: Path, keys: list[str]) -> pd.DataFrame:
    """Return what is new with what the file has, and write it."""
    known = [pd.read_csv(file)] if file.exists() else []
    both = pd.concat([part for part in [*parts, *known] if len(part)], ignore_index=True)
    order = {name: place for place, name in enumerate(STUDIES)}
    both = both.drop_duplicates(keys).sort_values(
        keys, key=lambda column: column.map(order) if column.name == "study" else column
    )
    both = both[["study", *both.columns.drop("study")]].reset_index(drop=True)
    both.to_csv(file, index=False)
    return both


# Tables.


def with_spread(scores: pd.Series, form: str = ".3f") -> str:
    """Return the mean over seeds, and the least and the largest."""
    return f"{scores.mean():{form}} ({scores.min():{form}} to {scores.max():{form}})"


def baselines_table(baselines: pd.DataFrame) -> pd.DataFrame:
    """Return what labels drawn at random are worth, by their share; the slides' in brackets."""
    cells = baselines.groupby(["size", "study"])["score"].apply(with_spread).unstack(fill_value="")
    for (study, size), published in PUBLISHED.items():
        if study in cells and size in cells.index:
            cells.loc[size, study] += f" [{published:.3f}]"
    return cells.set_axis([f"{size:.0%}" for size in cells.index]).rename_axis("labelled")


def above_random(curves: pd.DataFrame) -> pd.DataFrame:
    """Return each strategy's mean score less random sampling's, with its 95 % interval."""
    columns = {}
    for study, of_study in curves.groupby("study", sort=False):
        if of_study["strategy"].nunique() > 1:
            found = summary(of_study)
            means = found["area"].map("{:.3f}".format)
            differences = found.apply(in_words, axis=1)
            differences["random_sampling"] = f"{means['random_sampling']} on average"
            columns[f"{study} ({of_study['seed'].nunique()} seeds)"] = differences
    return pd.DataFrame(columns).T.fillna("").rename_axis("study")


def table_3(curves: pd.DataFrame) -> pd.DataFrame:
    """Return validation scores before each question while training anew, here / the slides'."""
    rows = {}
    for (study, strategy), published in TABLE_3.items():
        found = curves[(curves["study"] == study) & (curves["strategy"] == strategy)]
        means = found.groupby("round")["validation_score"].mean()
        if len(means):
            pairs = zip(means, published, strict=True)
            rows[f"{study}, {strategy}"] = [f"{here:.3f} / {there:.3f}" for here, there in pairs]
    columns = [f"{20 * n} epochs" for n in range(1, 6)]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("net")


def retrain_or_keep(curves: pd.DataFrame) -> pd.DataFrame:
    """Return test scores at the labels that both ways reach: trained anew, and kept."""
    rows = {}
    for net in ("bilstm", "cnn-lstm"):
        anew, kept = (curves[curves["study"] == f"{way}-{net}"] for way in ("retrain", "methods"))
        both = anew.merge(kept, on=["strategy", "seed", "n_labeled"], suffixes=("", "_kept"))
        last = both[both["n_labeled"] == both["n_labeled"].max()]
        for strategy, group in last.groupby("strategy", sort=False):
            gained = group["score_kept"] - group["score"]
            rows[f"{net}, {strategy}"] = {
                "labels": group["n_labeled"].iloc[0],
                "trained anew": with_spread(group["score"]),
                "kept": with_spread(group["score_kept"]),
                "kept less anew": with_spread(gained, "+.3f"),
            }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("net")


def facts(curves: pd.DataFrame) -> pd.DataFrame:
    """Return seeds and hours of each study."""
    seconds = curves[["query_seconds", "fit_seconds", "score_seconds"]].sum(axis=1)
    hours = seconds.groupby(curves["study"], sort=False).sum() / 3600
    groups = curves.groupby("study", sort=False)
    return pd.DataFrame(
        {
            "strategies": groups["strategy"].nunique(),
            "seeds": groups["seed"].nunique(),
            "labels": groups["n_labeled"].agg(lambda n: f"{n.min():,} to {n.max():,}"),
            "hours of the curves": hours.map("{:.1f}".format),
        }
    ).rename_axis("study")


# Figures.


def draw(curves: pd.DataFrame, panels: dict[str, list], file: Path) -> None:
    """Draw the mean over seeds of the curves of each panel, where there is something to compare."""
    figure, axes = plt.subplots(
        1, len(panels), figsize=(5 * len(panels), 3.6), layout="constrained", squeeze=False
    )
    drawn = [
        draw_panel(curves, parts, axis.set(title=title) and axis)
        for axis, (title, parts) in zip(axes[0], panels.items(), strict=True)
    ]
    if max(drawn) > 1:
        figure.savefig(file, dpi=90)
    plt.close(figure)


def draw_panel(curves: pd.DataFrame, parts: list, axis: plt.Axes) -> int:
    """Draw the curves of a panel, a line a study and strategy, and return how many there are."""
    groups = dict(iter(curves.groupby(["study", "strategy"])))
    lines = [
        (study, strategy, groups[study, strategy])
        for study, strategies in parts
        for strategy in strategies or STUDIES[study].strategies
        if (study, strategy) in groups
    ]
    several = len({study for study, _, _ in lines}) > 1
    for place, (study, strategy, group) in enumerate(lines):
        scores = group.groupby("n_labeled")["score"]
        mean, look = scores.mean(), place % len(COLOURS)
        label = f"{study}, {strategy}" if several else strategy
        axis.plot(mean.index, mean, label=label, color=COLOURS[look], linestyle=LINES[look])
        axis.fill_between(
            mean.index, scores.min(), scores.max(), color=COLOURS[look], alpha=0.1, linewidth=0
        )
    axis.set(xlabel="labelled", ylabel="score on the test part")
    if lines:
        axis.legend(fontsize="small")
    return len(lines)


def draw_uncertainty(rows: pd.DataFrame, file: Path) -> None:
    """Draw how uncertain the net is of the pool, and how often it errs at each uncertainty."""
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained", sharex=True)
    sums = rows.groupby(["n_labeled", "from"], as_index=False)[["papers", "wrong"]].sum()
    for place, (n, group) in enumerate(sums.groupby("n_labeled")):
        look = {"color": COLOURS[place], "linestyle": LINES[place], "label": f"{n:,} labelled"}
        middle = group["from"] + 0.025
        axes[0].plot(middle, group["papers"] / group["papers"].sum(), drawstyle="steps-mid", **look)
        some = group["papers"] >= 20  # a share of fewer says little
        axes[1].plot(middle[some], (group["wrong"] / group["papers"])[some], **look)
    axes[0].set(xlabel="1 - largest probability", ylabel="share of the pool")
    axes[1].set(xlabel="1 - largest probability", ylabel="share that is predicted wrongly")
    axes[0].legend()
    figure.savefig(file, dpi=90)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=Path("results/paper_topics/full"))
    parser.add_argument("--out", type=Path, default=Path("docs/paper_topics"))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    curves, baselines = collected(args.results, args.out)
    folders = sorted(file.parent for file in args.results.glob("*/settings.json"))
    versions(folders, args.out / "versions.csv").to_csv(args.out / "versions.csv", index=False)
    tables = {
        "baselines": baselines_table(baselines), "above_random": above_random(curves),
        "table_3": table_3(curves), "retrain_or_keep": retrain_or_keep(curves),
        "facts": facts(curves),
    }  # fmt: skip
    for name, table in tables.items():
        (args.out / f"{name}.md").write_text(markdown(table), encoding="utf-8")
        print(name, table.to_string(), sep="\n")
    for name, panels in FIGURES.items():
        draw(curves, panels, args.out / f"{name}.png")
    if (args.out / "uncertainty.csv").exists():
        rows = pd.read_csv(args.out / "uncertainty.csv")
        draw_uncertainty(rows, args.out / "uncertainty.png")


if __name__ == "__main__":
    main()
