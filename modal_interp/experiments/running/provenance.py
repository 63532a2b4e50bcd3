"""What results were made with, so that they are never continued with anything else."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import platform
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from sklearn.base import clone

import modal_interp
from modal_interp.experiments.running.descriptions import described
from modal_interp.experiments.running.digests import NoValueError, digest
from modal_interp.experiments.running.interleaving import Interleaved
from modal_interp.experiments.running.plan import part_sizes

_PACKAGES = ("modAL-python", "skorch", "scikit-learn", "numpy", "scipy", "torch")
# The files of this folder that can change a curve; the others look at finished ones or ask for
# more. Data sets are known by their own digest.
_MAKE_CURVES = ("curve", "early_stopping", "plan")


def versions() -> dict[str, str]:
    """Return the versions that may change a curve, and the kind of processor."""
    found = {name: version(name) for name in _PACKAGES}
    with contextlib.suppress(PackageNotFoundError):
        found["scikit-learn-extra"] = version("scikit-learn-extra")
    return {
        "python": platform.python_version(),
        "modal_interp": code_version(),
        **found,
        "processor": _processor(),
    }


def _processor() -> str:
    """Return the kind of processor that sums are rounded by."""
    kind = f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}"
    return f"{kind}, {torch.cuda.get_device_name()}" if torch.cuda.is_available() else kind


@functools.cache
def code_version() -> str:
    """Return the version of this package and a digest of the code that may change a curve.

    Of the code as it was when first asked, not long after it was imported.
    """
    root = Path(modal_interp.__file__).parent
    code = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        name = path.relative_to(root)
        elsewhere = name.parts[0] == "experiments" and name.stem not in _MAKE_CURVES
        if elsewhere or name.parts[0] == "datasets":
            continue
        code.update(name.as_posix().encode() + path.read_bytes().replace(b"\r\n", b"\n"))
    return f"{version('modal-interp')} (code {code.hexdigest()[:12]})"


@functools.cache
def interleaving_version() -> str:
    """Return a digest of the code that only experiments with options of it are made by.

    It is none of `code_version`, so that other results can be continued whatever becomes of it.
    """
    code = Path(__file__).with_name("interleaving.py").read_bytes().replace(b"\r\n", b"\n")
    return f"code {hashlib.sha256(code).hexdigest()[:12]}"


def data_digest(X: Any, y: Any) -> str:
    """Return a digest of samples and labels, however they lie in memory."""
    X = X.sorted_indices() if sp.issparse(X) else np.ascontiguousarray(X)
    return f"{X.shape[0]} samples, {digest((X, np.ascontiguousarray(y)))}"


# What each curve sets for itself: see `Protocol.seeded_estimator`.
_SET_BY_CURVES = {"random_state": None, "warm_start": False}


def estimator_facts(estimator: Any) -> dict[str, Any]:
    """Return the parameters of an estimator, and a digest of what they do not show.

    The digest is of a fitted part, such as the vocabulary of a frozen encoder. Seeds do not count,
    since each curve sets its own.
    """
    unfitted = clone(estimator)
    names = {name: name.rpartition("__")[2] for name in unfitted.get_params(deep=True)}
    unfitted.set_params(
        **{name: _SET_BY_CURVES[kind] for name, kind in names.items() if kind in _SET_BY_CURVES}
    )
    shown = {name: described(value) for name, value in unfitted.get_params(deep=True).items()}
    return {"class": described(type(estimator)), "params": shown, "state": digest(unfitted)}


def settings_of(protocol: Interleaved, named: Mapping[str, Callable[..., Any]]) -> dict[str, Any]:
    """Return all that results are made with.

    Raises
    ------
    ValueError
        If a strategy, the estimator or the scorer holds what cannot be told from others.
    """
    # Where they are not used, results are those of before there were such options.
    interleaved = protocol.settings()
    fields = ("initial", "step", "budget", "warm_start", "early_stopping", "n_threads")
    return {
        "data": data_digest(protocol.X, protocol.y),
        "estimator": _told_apart("estimator", estimator_facts, protocol.estimator),
        "experiment": {
            **{name: getattr(protocol, name) for name in fields},
            "split": list(protocol.split),
            "scoring": _scorer_name(protocol.scoring),
            "n_train": part_sizes(protocol.split, len(protocol.y))[0],
            **interleaved,
        },
        "strategies": {
            name: _told_apart(f"strategies[{name!r}]", described, query)
            for name, query in named.items()
        },
        "versions": versions() | ({"interleaving": interleaving_version()} if interleaved else {}),
    }


def _scorer_name(scoring: Any) -> str:
    return scoring if isinstance(scoring, str) else _told_apart("scoring", described, scoring)


def _told_apart(name: str, facts: Callable[[Any], Any], value: Any) -> Any:
    try:
        return facts(value)
    except NoValueError as error:
        raise ValueError(
            f"{name} must hold values by which results of one can be told from those of another; "
            f"found {error}. Make it inside of what uses it."
        ) from error
