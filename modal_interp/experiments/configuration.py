"""What the command line runs: flags over a TOML file over the defaults."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import modal_interp.strategies as strategies
from modal_interp.experiments.own_data import read_problem
from modal_interp.experiments.problems import TABLES, TEXTS, Problem, load_problem

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

# What a flag or a line of the file is for.
_DATA = ("dataset", "data", "text_column", "label_column", "estimator", "word_vectors")
_NET = ("max_epochs", "batch_size", "lr", "estimator_params")
_RUN = (
    "strategies", "seeds", "initial", "step", "budget", "split", "scoring", "warm_start",
    "early_stopping", "full_training", "out", "n_jobs", "n_threads",
)  # fmt: skip
_DEFAULTS: dict[str, Any] = {"seeds": 5, "n_jobs": -1, "out": "results"}
_TEXT_STRATEGIES = ["alden_diversity", "egl_word", "random_sampling"]
_TABLE_STRATEGIES = ["dami_kmedoids", "badge", "random_sampling"]


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Give a parser the flags of ``run``; one that is not given is None."""
    data = parser.add_argument_group("data")
    data.add_argument("--dataset", choices=TEXTS + TABLES, metavar="NAME",
                      help=f"a public data set: {', '.join(TEXTS + TABLES)}")  # fmt: skip
    data.add_argument("--data", metavar="FILE", help="your own CSV file, with a header line")
    data.add_argument("--text-column", help="its column of texts; without it, it is a table")
    data.add_argument("--label-column", help="its column of labels (default: label)")
    net = parser.add_argument_group("network")
    net.add_argument("--estimator", choices=("cnn", "bilstm", "mlp"))
    net.add_argument("--max-epochs", type=int, help="passes over the labelled samples in a round")
    net.add_argument("--batch-size", type=int)
    net.add_argument("--lr", type=float, help="step size of Adam")
    net.add_argument("--no-word-vectors", dest="word_vectors", action="store_const", const=False,
                     help="start embeddings at random, not from word2vec of the texts")  # fmt: skip
    run = parser.add_argument_group("experiment")
    run.add_argument("--strategies", type=_names, help="names, with commas between")
    run.add_argument("--seeds", type=_seeds, help="how many, or the seeds with commas between")
    for name, what in (("initial", "at first"), ("step", "more a round"), ("budget", "in the end")):
        run.add_argument(f"--{name}", type=size,
                         help=f"labelled samples {what}: 0.02 is a share, 100 a count")  # fmt: skip
    run.add_argument("--split", type=_split, metavar="TRAIN,VALIDATION,TEST")
    run.add_argument("--scoring", help="a scorer of scikit-learn (default: accuracy)")
    for name, what in (
        ("warm-start", "go on training instead of training from scratch"),
        ("early-stopping", "stop training by the loss on the validation part"),
    ):
        run.add_argument(f"--{name}", action="store_const", const=True, help=what)
    run.add_argument("--n-jobs", type=int, help="curves at once (default: one a processor)")
    run.add_argument("--n-threads", type=int, help="threads of each curve (default: 1)")
    run.add_argument("--out", help="folder of the results, continued if it has some")
    run.add_argument("--config", metavar="FILE", help="a TOML file of these settings")


def merged(flags: dict[str, Any]) -> dict[str, Any]:
    """Return the settings: flags before the file before the defaults.

    Raises
    ------
    ValueError
        If the file cannot be read or sets what does not exist.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    path = given.pop("config", None)
    settings = {**_DEFAULTS, **(_read_toml(Path(path)) if path else {}), **given}
    if ("dataset" in settings) == ("data" in settings):
        raise ValueError("one of --dataset NAME and --data FILE is needed, and not both.")
    default = _TEXT_STRATEGIES if _is_text(settings) else _TABLE_STRATEGIES
    return {"strategies": default, **settings}


def _is_text(settings: dict[str, Any]) -> bool:
    return "text_column" in settings or settings.get("dataset") in TEXTS


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(
            f"--config must be a TOML file; {path} cannot be read ({error})."
        ) from None
    found = {name.replace("-", "_"): value for name, value in found.items()}
    if unknown := sorted(set(found) - {*_DATA, *_NET, *_RUN}):
        raise ValueError(
            f"{path} sets {unknown[0]!r}, which does not exist; what does: "
            f"{', '.join(sorted((*_DATA, *_NET, *_RUN)))}."
        )
    if isinstance(found.get("strategies"), str):
        found["strategies"] = _names(found["strategies"])
    if "split" in found:
        found["split"] = tuple(found["split"])
    return found


def problem_of(settings: dict[str, Any]) -> Problem:
    """Return the problem that the settings name."""
    params = {name: settings[name] for name in _NET[:-1] if name in settings}
    params.update(settings.get("estimator_params", {}))
    if "word_vectors" in settings and _is_text(settings):
        params["word_vectors"] = settings["word_vectors"]
    estimator = settings.get("estimator")
    if "dataset" in settings:
        return load_problem(settings["dataset"], estimator, **params)
    return read_problem(
        settings["data"],
        text_column=settings.get("text_column"),
        label_column=settings.get("label_column", "label"),
        estimator=estimator,
        **params,
    )


def run_arguments(settings: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of `run_experiment` besides the problem.

    Raises
    ------
    ValueError
        If a strategy is unknown.
    """
    found = {name: settings[name] for name in _RUN if name in settings}
    known = {name: getattr(strategies, name) for name in strategies.__all__}
    if unknown := [name for name in found["strategies"] if name not in known]:
        raise ValueError(
            f"strategies must be out of {', '.join(sorted(known))}; found {unknown[0]!r}."
        )
    found["strategies"] = {name: known[name] for name in found["strategies"]}
    return found


def size(text: str) -> float | int:
    """Read a count (100) or a share (0.02)."""
    return int(text) if text.isdigit() else float(text)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _seeds(text: str) -> int | list[int]:
    return [int(seed) for seed in text.split(",") if seed] if "," in text else int(text)


def _split(text: str) -> tuple[float | int, ...]:
    return tuple(size(part) for part in text.split(","))
