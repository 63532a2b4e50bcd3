"""What the command line runs: flags over a TOML file over the defaults."""

from __future__ import annotations

import argparse
import inspect
import math
import sys
from pathlib import Path
from typing import Any

from sklearn.metrics import get_scorer

import modal_interp.strategies as strategies
from modal_interp.estimators import TabularMLPClassifier
from modal_interp.experiments.cli.own_data import read_problem
from modal_interp.experiments.cli.problems import (
    TABLES,
    TEXT_ESTIMATORS,
    TEXTS,
    Problem,
    load_problem,
)
from modal_interp.experiments.running.arguments import check_counts, check_numbers, checked_seeds

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
_ESTIMATORS = (*TEXT_ESTIMATORS, "mlp")
_READ_TEXTS = ("alden_diversity", "egl_word")
_NEED_DROPOUT = ("bald", "batch_bald")
# What a file may hold where flags hold strings.
_KINDS: dict[str, tuple[type, str]] = {
    **dict.fromkeys(("dataset", "data", "text_column", "label_column", "estimator", "scoring",
                     "out"), (str, "a string")),
    **dict.fromkeys(("word_vectors", "warm_start", "early_stopping", "full_training"),
                    (bool, "true or false")),
    "strategies": (list, "names of strategies"),
    "estimator_params": (dict, "a table of parameters"),
}  # fmt: skip


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Give a parser the flags of ``run``; one that is not given is None."""
    data = parser.add_argument_group("data")
    data.add_argument("--dataset", choices=TEXTS + TABLES, metavar="NAME",
                      help=f"a public data set: {', '.join(TEXTS + TABLES)}")  # fmt: skip
    data.add_argument("--data", metavar="FILE", help="your own CSV file, with a header line")
    data.add_argument("--text-column", help="its column of texts; without it, it is a table")
    data.add_argument("--label-column", help="its column of labels (default: label)")
    net = parser.add_argument_group("network")
    net.add_argument("--estimator", choices=_ESTIMATORS, help="default: cnn for texts, else mlp")
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
    found = _read_toml(Path(path)) if path else {}
    # A flag that names data takes the place of all that the file says of its own.
    for name, other in (
        ("dataset", ("data", "text_column", "label_column")),
        ("data", ("dataset",)),
    ):
        if name in given:
            found = {key: value for key, value in found.items() if key not in other}
    settings = {**_DEFAULTS, **found, **given}
    _check_kinds(settings)
    if ("dataset" in settings) == ("data" in settings):
        raise ValueError("one of --dataset NAME and --data FILE is needed, and not both.")
    default = _TEXT_STRATEGIES if _is_text(settings) else _TABLE_STRATEGIES
    return {"strategies": default, **settings}


def _is_text(settings: dict[str, Any]) -> bool:
    return "text_column" in settings or settings.get("dataset") in TEXTS


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        found = tomllib.loads(path.expanduser().read_text(encoding="utf-8-sig"))
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
    if isinstance(found.get("split"), list):
        found["split"] = tuple(found["split"])
    return found


def _check_kinds(settings: dict[str, Any]) -> None:
    for name, (kind, words) in _KINDS.items():
        if name in settings and not isinstance(settings[name], kind):
            raise ValueError(f"{name} must be {words}; found {settings[name]!r}.")
    if "dataset" in settings:
        for name in ("text_column", "label_column"):
            if name in settings:
                raise ValueError(
                    f"{name} must come with --data FILE; found it with the data set "
                    f"{settings['dataset']!r}."
                )
    if "word_vectors" in settings and not _is_text(settings):
        raise ValueError(
            "word_vectors must come with texts; found it with a table. Name a column of texts, "
            "--text-column, or leave it out."
        )


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

    Checks what can be checked before data are read and word vectors trained.

    Raises
    ------
    ValueError
        If a setting breaks its rule or a strategy cannot ask the network.
    """
    found = {name: settings[name] for name in _RUN if name in settings}
    known = {name: getattr(strategies, name) for name in strategies.__all__}
    if unknown := [name for name in found["strategies"] if name not in known]:
        raise ValueError(
            f"strategies must be out of {', '.join(sorted(known))}; found {unknown[0]!r}."
        )
    _check_net(settings)
    _check_run(found)
    found["strategies"] = {name: known[name] for name in found["strategies"]}
    return found


def _check_run(found: dict[str, Any]) -> None:
    sizes = {"initial": 0.5, "step": 0.5, "budget": 0.5, "split": (0.6, 0.2, 0.2)}
    check_counts(**{name: found.get(name, size) for name, size in sizes.items()})
    checked_seeds(found["seeds"])
    check_numbers(found["n_jobs"], found.get("n_threads", 1))
    try:
        get_scorer(found.get("scoring", "accuracy"))
    except ValueError:
        raise ValueError(
            "scoring must be a scorer of scikit-learn, such as accuracy, f1_macro or roc_auc; "
            f"found {found['scoring']!r}."
        ) from None
    if (out := Path(found["out"]).expanduser()).exists() and not out.is_dir():
        raise ValueError(f"out must be a folder; found the file {found['out']!r}.")


def _check_net(settings: dict[str, Any]) -> None:
    params = settings.get("estimator_params", {})
    for name in ("max_epochs", "batch_size"):
        value = settings.get(name, 1)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ValueError(f"{name} must be a whole number, at least 1; found {value!r}.")
    lr = settings.get("lr", 1.0)
    if not isinstance(lr, int | float) or not 0 < lr < math.inf:
        raise ValueError(f"lr must be a number above 0; found {lr!r}.")
    _check_params(settings, params)
    if _is_text(settings):
        return
    for name in settings["strategies"]:
        if name in _READ_TEXTS:
            raise ValueError(
                f"strategies must be able to read the data: {name!r} looks at the words of texts; "
                "found a table."
            )
        if name in _NEED_DROPOUT and not params.get("module__dropout"):
            raise ValueError(
                f"strategies must be able to ask the network: {name!r} needs dropout; found "
                "none in an mlp without estimator_params = { module__dropout = 0.5 } in the file "
                "of --config."
            )


def _check_params(settings: dict[str, Any], params: dict[str, Any]) -> None:
    """Check names of parameters, which skorch would look at when curves are on the disk."""
    if settings.get("estimator", "mlp") not in _ESTIMATORS:
        raise ValueError(
            f"estimator must be one of {', '.join(_ESTIMATORS)}; found {settings['estimator']!r}."
        )
    net = TEXT_ESTIMATORS.get(settings.get("estimator") or "cnn", TabularMLPClassifier)
    if not _is_text(settings):
        net = TabularMLPClassifier
    empty = net()
    module = [f"module__{name}" for name in inspect.signature(empty.module).parameters]
    known = {*empty.get_params(), *module, *(["word_vector_epochs"] if _is_text(settings) else [])}
    for name in params:
        prefix, _, rest = name.partition("__")
        if name not in known and (not rest or prefix == "module" or prefix not in empty.prefixes_):
            raise ValueError(
                f"estimator_params must be parameters of {net.__name__}; found {name!r}."
            )


def size(text: str) -> float | int:
    """Read a count (100) or a share (0.02)."""
    try:
        return int(text) if text.isdigit() else float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must be a share such as 0.02 or a count such as 100; found {text!r}"
        ) from None


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _seeds(text: str) -> int | list[int]:
    try:
        return [int(seed) for seed in text.split(",") if seed] if "," in text else int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            "must be how many, such as 5, or the seeds with commas between, such as 0,1,2; found "
            f"{text!r}"
        ) from None


def _split(text: str) -> tuple[float | int, ...]:
    return tuple(size(part) for part in text.split(","))
