"""What results were made with, so that they are never continued with anything else."""

from __future__ import annotations

import hashlib
import inspect
import platform
from collections.abc import Callable, Mapping
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import joblib
import numpy as np

import modal_interp

_PACKAGES = ("modAL-python", "skorch", "scikit-learn", "numpy", "scipy", "torch")
# The files of this folder that can change a curve; the others look at finished ones or ask for
# more. Data sets are known by their own digest.
_MAKE_CURVES = ("curve", "early_stopping", "plan")


def versions() -> dict[str, str]:
    """Return the versions that may change a curve, Python's included."""
    found = {name: version(name) for name in _PACKAGES}
    return {"python": platform.python_version(), "modal_interp": code_version(), **found}


def code_version() -> str:
    """Return the version of this package and a digest of the code that may change a curve."""
    root = Path(modal_interp.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        name = path.relative_to(root)
        elsewhere = name.parts[0] == "experiments" and name.stem not in _MAKE_CURVES
        if elsewhere or name.parts[0] == "datasets":
            continue
        digest.update(name.as_posix().encode() + path.read_bytes().replace(b"\r\n", b"\n"))
    return f"{version('modal-interp')} (code {digest.hexdigest()[:12]})"


def data_digest(X: Any, y: Any) -> str:
    """Return a digest of samples and labels."""
    return f"{X.shape[0]} samples, {_digest((X, y))}"


def estimator_facts(estimator: Any) -> dict[str, Any]:
    """Return the parameters of an estimator, and a digest of what they do not show.

    The digest is of a fitted part, such as the vocabulary of a frozen encoder.
    """
    shown = {name: described(value) for name, value in estimator.get_params(deep=True).items()}
    return {"class": described(type(estimator)), "params": shown, "state": _digest(estimator)}


def described(value: Any) -> str:
    """Return one line that differs where `value` differs, the same in every process."""
    if isinstance(value, partial):
        bound = [described(part) for part in value.args]
        bound += [f"{name}={described(part)}" for name, part in sorted(value.keywords.items())]
        return f"{described(value.func)}({', '.join(bound)})"
    if isinstance(value, np.ndarray):
        return f"array of shape {value.shape}, {_digest(value)}"
    if inspect.isroutine(value) or inspect.isclass(value):
        return _named_code(value)
    if isinstance(value, Mapping):
        return repr({key: described(part) for key, part in value.items()})
    if isinstance(value, list | tuple):
        return f"[{', '.join(described(part) for part in value)}]"
    if value is None or isinstance(value, str | bool | int | float | np.generic):
        return repr(value)
    return f"{type(value).__name__}, {_digest(value)}"


def _named_code(value: Callable[..., Any] | type) -> str:
    """Name a function or class; one of the user's own with a digest of its source."""
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", repr(value))
    installed = (module or "").partition(".")[0] in (
        "modal_interp",
        "modAL",
        "sklearn",
        "torch",
        "skorch",
    )
    if installed:
        return f"{module}.{name}"
    parts = [_source(value), *_bytecode(value)]
    if (owner := getattr(value, "__self__", None)) is not None and not inspect.ismodule(owner):
        parts.append(described(owner))  # a method knows its object
    return f"{name} (code {hashlib.sha256(repr(parts).encode()).hexdigest()[:12]})"


def _source(value: Any) -> str:
    try:
        return inspect.getsource(value)
    except (OSError, TypeError):  # typed at a prompt, or not in Python
        return ""


def _bytecode(value: Any) -> list[str]:
    """Return what the source of a function does not show, as of two lambdas on one line."""
    code = getattr(value, "__code__", None)
    if code is None:
        return []
    constants = [repr(c) for c in code.co_consts if not inspect.iscode(c)]
    cells = [cell.cell_contents for cell in getattr(value, "__closure__", None) or ()]
    known = [*cells, getattr(value, "__defaults__", None), getattr(value, "__kwdefaults__", None)]
    return [code.co_code.hex(), *code.co_names, *constants, *(described(part) for part in known)]


def _digest(value: Any) -> str:
    return f"digest {joblib.hash(value)[:12]}"
