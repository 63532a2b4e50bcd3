"""What an object of any class is made of: its attributes, or what it says of itself in a copy."""

from __future__ import annotations

import copyreg
import enum
import threading
import weakref
from typing import Any, NamedTuple

import torch
from sklearn.base import BaseEstimator
from skorch import NeuralNet

from modal_interp.experiments.running.code_parts import Parts


class NoValueError(ValueError):
    """Something holds what cannot be told from others, such as a lock or an open file."""


def object_parts(value: Any) -> Parts:
    """Return the attributes of an object, or what it says of itself when it is copied.

    What a copy loses does not count: each curve works with a copy.
    """
    kind = type(value)
    if isinstance(value, enum.Enum):
        return Parts("member", b"", [kind, value.name])
    if isinstance(value, _CACHES):
        return Parts("cache", b"", [kind])
    names = ("__reduce_ex__", "__reduce__", "__getstate__")
    plain = all(getattr(kind, name, None) is getattr(object, name, None) for name in names)
    if isinstance(value, NeuralNet):  # its own copies go through torch.save
        return Parts("object", b"", [kind, *attributes(value)])
    try:
        reduced = copyreg.dispatch_table[kind](value) if kind in copyreg.dispatch_table else (
            value.__reduce_ex__(4)
        )  # fmt: skip
    except Exception as error:
        raise NoValueError(f"a {kind.__name__}") from error
    if isinstance(reduced, str):
        return Parts("name", b"", [kind, getattr(value, "__module__", None), reduced])
    function, args, state, *items = [*reduced, None, None, None][:5]
    more = [None if part is None else list(part) for part in items]
    if plain:
        state = attributes(value)
    return Parts(
        "object",
        b"",
        [kind, function, args, _lasting(value, state), more[0]],
        [*(more[1] or [])],
    )


# What they hold lives elsewhere, and they forget it; a lock holds nothing.
_CACHES = (
    weakref.WeakKeyDictionary, weakref.WeakValueDictionary, weakref.WeakSet,
    type(threading.Lock()), type(threading.RLock()),
)  # fmt: skip


def attributes(value: Any) -> list[Any]:
    """Return what an object keeps by name, in a dict or in slots."""
    found = dict(getattr(value, "__dict__", {}))
    for kind in type(value).__mro__:
        slots = vars(kind).get("__slots__", ())
        for name in [slots] if isinstance(slots, str) else slots:
            hidden = name.startswith("__") and not name.endswith("__")
            name = f"_{kind.__name__.lstrip('_')}{name}" if hidden else name
            if name not in ("__dict__", "__weakref__") and hasattr(value, name):
                found[name] = getattr(value, name)
    return [_lasting(value, found)] if found else []


# What training noted of itself: seconds, among others.
_NOTES = {"history_", "_history_", "_history", "callbacks_", "cv_results_", "refit_time_"}


class OfNet(NamedTuple):
    """A module of a net, which sets itself whether it is in training."""

    module: torch.nn.Module


def _lasting(value: Any, state: Any) -> Any:
    """Return the attributes that are the same wherever an object is made in the same way."""
    if type(state) is not dict:
        return state
    if isinstance(value, BaseEstimator):
        state = {name: part for name, part in state.items() if name not in _NOTES}
    if isinstance(value, NeuralNet):
        state = {
            name: OfNet(part) if isinstance(part, torch.nn.Module) else part
            for name, part in state.items()
        }
    # scikit-learn's vectorisers keep where another attribute lies.
    addresses = {id(part) for part in state.values()}
    return {
        name: part for name, part in state.items() if not (type(part) is int and part in addresses)
    }
