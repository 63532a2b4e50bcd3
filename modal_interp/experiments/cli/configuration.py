"""What the command line runs: flags over a TOML file over the defaults."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from typing import Any

from sklearn.metrics import get_scorer

import modal_interp.strategies as strategies
from modal_interp.estimators import TabularMLPClassifier
from modal_interp.experiments.cli.flags import ESTIMATORS, names
from modal_interp.experiments.cli.net_numbers import check_params, check_training
from modal_interp.experiments.cli.own_data import read_problem
from modal_interp.experiments.cli.problems import (
    TEXT_ESTIMATORS,
    TEXTS,
    Problem,
    load_problem,
)
from modal_interp.experiments.running.arguments import (
    check_counts,
    check_numbers,
    checked_baselines,
    checked_seeds,
)
from modal_interp.experiments.running.interleaving import check_lengths
from modal_interp.experiments.running.numbers import LARGEST
from modal_interp.experiments.running.numbers import found as told

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

# What a flag or a line of the file is for.
_FILE = (
    "text_column", "label_column", "encoding", "separator", "quote", "decimal", "missing",
    "label_separator", "drop", "keep", "categories",
)  # fmt: skip
_TEXT = ("word_vectors", "max_length", "tokenizer")
_DATA = ("dataset", "data", *_FILE, *_TEXT, "estimator")
_NET = ("max_epochs", "batch_size", "lr", "estimator_params")
_RUN = (
    "strategies", "seeds", "initial", "step", "budget", "split", "scoring", "warm_start",
    "acquisition_period", "early_stopping", "patience", "full_training", "explain", "out", "n_jobs",
    "n_threads",
)  # fmt: skip
_DEFAULTS: dict[str, Any] = {"seeds": 5, "n_jobs": -1, "out": "results"}
_TEXT_STRATEGIES = ["alden_diversity", "egl_word", "random_sampling"]
_TABLE_STRATEGIES = ["dami_kmedoids", "badge", "random_sampling"]
_READ_TEXTS = ("alden_diversity", "egl_word")
_NEED_DROPOUT = ("bald", "batch_bald")
# What a file may hold where flags hold strings.
_KINDS: dict[str, tuple[type | tuple[type, ...], str]] = {
    **dict.fromkeys(("dataset", "data", "text_column", "estimator", "scoring", "out", "encoding",
                     "separator", "quote", "decimal", "label_separator", "tokenizer"),
                    (str, "a string")),
    **dict.fromkeys(("warm_start", "explain"), (bool, "true or false")),
    "early_stopping": ((bool, str), "true, false, 'validation' or 'training'"),
    "full_training": ((bool, list), "true, false, or shares and counts"),
    **dict.fromkeys(("drop", "keep", "categories"), (list, "names of columns")),
    "label_column": ((str, list), "a column's name, or several"),
    "missing": (list, "words"),
    "max_length": (int, "a whole number"),
    "word_vectors": ((bool, str), "true, false or a file"),
    "strategies": (list, "names of strategies"),
    "estimator_params": (dict, "a table of parameters"),
}  # fmt: skip


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
        ("dataset", ("data", *_FILE)),
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
    if "tokenizer" in found:
        raise ValueError(
            f"tokenizer must be given as a flag, --tokenizer: {path} could come from anybody, and "
            "must not name code that is run."
        )
    if isinstance(found.get("strategies"), str):
        found["strategies"] = names(found["strategies"])
    for name in ("drop", "keep", "categories", "missing"):
        if isinstance(found.get(name), str):
            found[name] = [found[name]]
    if isinstance(found.get("split"), list):
        found["split"] = tuple(found["split"])
    return found


def _check_kinds(settings: dict[str, Any]) -> None:
    for name, (kind, words) in _KINDS.items():
        if name in settings and not isinstance(settings[name], kind):
            raise ValueError(f"{name} must be {words}; found {told(settings[name])}.")
        if name in ("drop", "keep", "categories", "missing", "label_column"):
            _check_words(name, settings.get(name, "label"), words)
    if "dataset" in settings:
        for name in _FILE:
            if name in settings:
                raise ValueError(
                    f"{name} must come with --data FILE; found it with the data set "
                    f"{settings['dataset']!r}."
                )
    for name in _TEXT:
        if name in settings and not _is_text(settings):
            raise ValueError(
                f"{name} must come with texts; found it with a table. Name a column of texts, "
                "--text-column, or leave it out."
            )
    _check_vectors(settings)
    if settings.get("max_length") is True or not 1 <= settings.get("max_length", 1) <= LARGEST:
        raise ValueError(
            f"max_length must be at least 1 and at most {LARGEST}; found "
            f"{told(settings['max_length'])}."
        )


def _check_words(name: str, given: Any, words: str) -> None:
    several = given if isinstance(given, list) else [given]
    strings = all(isinstance(word, str) for word in several)
    if not several or not strings or len(set(several)) < len(several):
        raise ValueError(f"{name} must be {words}, each once; found {told(given)}.")


def _check_vectors(settings: dict[str, Any]) -> None:
    vectors = settings.get("word_vectors")
    if isinstance(vectors, str) and not Path(vectors).is_file():
        raise ValueError(f"word_vectors must be a file; found {vectors!r}, which is none.")


def problem_of(settings: dict[str, Any]) -> Problem:
    """Return the problem that the settings name, and print what was decided of a file."""
    params = {name: settings[name] for name in _NET[:-1] if name in settings}
    params.update(settings.get("estimator_params", {}))
    params.update({name: settings[name] for name in _TEXT if name in settings})
    if "tokenizer" in params:
        params["tokenizer"] = _imported(params["tokenizer"])
    estimator = settings.get("estimator")
    if "dataset" in settings:
        return load_problem(settings["dataset"], estimator, **params)
    params.update({name: settings[name] for name in _FILE if name in settings})
    params.setdefault("label_column", "label")
    return read_problem(settings["data"], estimator=estimator, verbose=1, **params)


def _imported(name: str) -> Callable[[str], Iterable[str]]:
    """Return the function that ``module:function`` names."""
    module, _, function = name.partition(":")
    try:
        found = attrgetter(function)(import_module(module))
    except (ImportError, AttributeError, ValueError, TypeError) as error:
        raise ValueError(
            f"tokenizer must be module:function that can be imported; found {name!r} ({error})."
        ) from None
    if not callable(found):
        raise ValueError(f"tokenizer must be a function; found {name!r}, which is none.")
    return found


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
    lengths = ("acquisition_period", "patience", "early_stopping")
    check_lengths(**{name: found[name] for name in lengths if name in found})
    checked_baselines(found.get("full_training", True))
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
    for values in (settings, params):
        check_training(values)
    check_params(params)
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
    if settings.get("estimator", "mlp") not in ESTIMATORS:
        raise ValueError(
            f"estimator must be one of {', '.join(ESTIMATORS)}; found {settings['estimator']!r}."
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
