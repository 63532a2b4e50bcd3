"""One line for anything that an experiment is made with, different where the thing is."""

from __future__ import annotations

import inspect
from functools import partial
from typing import Any

import numpy as np

from modal_interp.experiments.running.code_parts import named
from modal_interp.experiments.running.digests import code_digest, digest

_LONGEST = 200  # of what is written out


def described(value: Any) -> str:
    """Return one line that differs where `value` differs, the same in every process."""
    if isinstance(value, partial):
        return f"{described(value.func)}({_bound(value)})"
    if isinstance(value, np.ndarray):
        return f"array of shape {value.shape}, {digest(value)}"
    if inspect.isroutine(value) or inspect.isclass(value):
        return _named_code(value)
    if type(value) in (dict, list, tuple):
        return _contents(value)
    if value is None or type(value) in (str, bool, int, float):
        shown = repr(value)
        return shown if len(shown) <= _LONGEST else f"{type(value).__name__}, {digest(value)}"
    if isinstance(value, np.generic):
        return f"{type(value).__name__}({value.item()!r}), {digest(value)}"
    if callable(value):
        # A scorer, or a strategy with a state: what it calls is in its attributes.
        return f"{_named_code(type(value))}({digest(value)})"
    return f"{type(value).__name__}, {digest(value)}"


def _bound(value: partial[Any]) -> str:
    """Return what a partial binds; a list is not a tuple to what is called."""
    bound = [described(part) for part in value.args]
    bound += [f"{name}={described(part)}" for name, part in sorted(value.keywords.items())]
    plain = (str, bool, int, float, type(None))
    if not all(isinstance(part, plain) for part in [*value.args, *value.keywords.values()]):
        bound.append(digest([value.args, value.keywords]))
    return ", ".join(bound)


def _contents(value: Any) -> str:
    parts = list(value.values()) if isinstance(value, dict) else value
    if any(type(part) in (dict, list, tuple) for part in parts):  # it may hold itself
        return f"{type(value).__name__}, {digest(value)}"
    if isinstance(value, dict):
        shown = repr({key: described(part) for key, part in sorted(value.items(), key=str)})
    else:
        shown = f"[{', '.join(described(part) for part in value)}]"
    return shown if len(shown) <= _LONGEST else f"{type(value).__name__}, {digest(value)}"


def _named_code(value: Any) -> str:
    """Name a function or class; one of the user's own with a digest of its code."""
    if (known := named(value)) is not None:
        return known
    name = getattr(value, "__qualname__", type(value).__name__)
    return f"{name} (code {code_digest(value)})"
