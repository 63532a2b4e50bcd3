"""One line for anything that an experiment is made with, different where the thing is."""

from __future__ import annotations

import hashlib
import inspect
import pickle
from collections.abc import Iterator, Mapping
from functools import partial
from types import CodeType
from typing import Any

import joblib
import numpy as np

# Known by their versions. The code of all others is a user's own, and may change.
_INSTALLED = ("modal_interp", "modAL", "sklearn", "skorch", "torch", "numpy", "scipy", "builtins")


def described(value: Any) -> str:
    """Return one line that differs where `value` differs, the same in every process."""
    if isinstance(value, partial):
        bound = [described(part) for part in value.args]
        bound += [f"{name}={described(part)}" for name, part in sorted(value.keywords.items())]
        return f"{described(value.func)}({', '.join(bound)})"
    if isinstance(value, np.ndarray):
        return f"array of shape {value.shape}, {digest(value)}"
    if inspect.isroutine(value) or inspect.isclass(value):
        return _named_code(value)
    if isinstance(value, Mapping):
        return repr({key: described(part) for key, part in value.items()})
    if isinstance(value, list | tuple):
        return f"[{', '.join(described(part) for part in value)}]"
    if value is None or isinstance(value, str | bool | int | float | np.generic):
        return repr(value)
    kind = type(value)
    if callable(value):
        # A scorer, or a strategy with a state: what it calls is in its attributes.
        state = getattr(value, "__dict__", {})
        return f"{_named_code(kind)}({described(state)})"
    return f"{kind.__name__}, {digest(value)}"


def digest(value: Any) -> str:
    """Return a digest of a value, the same in every process."""
    try:
        return f"digest {joblib.hash(value)[:12]}"
    except (pickle.PicklingError, AttributeError, TypeError):
        return "no digest"  # a lambda in it; what it does is described where it is a parameter


def _named_code(value: Any) -> str:
    """Name a function or class; one of the user's own with a digest of its code."""
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", repr(value))
    if (module or "").partition(".")[0] in _INSTALLED:
        return f"{module}.{name}"
    code = hashlib.sha256(repr(list(_code(value, set()))).encode()).hexdigest()[:12]
    return f"{name} (code {code})"


def _code(value: Any, seen: set[int]) -> Iterator[str]:
    """Give the code of a function or class, and of what it calls in its own module."""
    if id(value) in seen:
        return
    seen.add(id(value))
    yield _source(value)
    if inspect.isclass(value):
        for part in vars(value).values():
            if inspect.isfunction(part):
                yield from _code(part, seen)
        return
    if (owner := getattr(value, "__self__", None)) is not None and not inspect.ismodule(owner):
        yield described(owner)  # a method knows its object
    function = inspect.unwrap(getattr(value, "__func__", value))
    if inspect.isfunction(function):
        yield from _bytecode(function.__code__)
        for known in _known_to(function):
            if inspect.isfunction(known) or inspect.isclass(known):
                yield from _code(known, seen)
            else:
                yield described(known)


def _known_to(function: Any) -> Iterator[Any]:
    """Give what a function uses besides its arguments: defaults, closure, its module's names."""
    yield from (function.__defaults__, function.__kwdefaults__)
    yield from (cell.cell_contents for cell in function.__closure__ or ())
    for name in function.__code__.co_names:
        found = function.__globals__.get(name)
        # Of the module's variables only the constant ones: others may change as it runs.
        constant = isinstance(found, bool | int | float | str)
        if constant or getattr(found, "__module__", None) == function.__module__:
            yield found


def _source(value: Any) -> str:
    try:
        return inspect.getsource(value)
    except (OSError, TypeError):  # typed at a prompt, or not in Python
        return ""


def _bytecode(code: CodeType) -> Iterator[str]:
    """Give what the source of a function does not show, as of two lambdas on one line."""
    yield code.co_code.hex()
    yield from code.co_names
    for constant in code.co_consts:
        if inspect.iscode(constant):
            yield from _bytecode(constant)
        else:  # a set is in another order in each process
            yield repr(sorted(map(repr, constant)) if isinstance(constant, frozenset) else constant)
