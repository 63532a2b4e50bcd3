"""What a training that fails leaves behind: never a net that answers wrongly."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def unchanged_where_it_fails(net: Any) -> Iterator[None]:
    """Leave a net with the attributes that it had, where what is done meanwhile fails."""
    before = dict(vars(net))
    try:
        yield
    except BaseException:
        vars(net).update(before)
        for name in vars(net).keys() - before.keys():
            del vars(net)[name]
        raise


@contextmanager
def unfitted_where_it_fails(net: Any) -> Iterator[None]:
    """Leave a net as one that never was fitted, where what is done meanwhile fails.

    Half of it would be of this training, half of the one before, or of none.
    """
    try:
        yield
    except BaseException:
        net.initialized_ = False  # first: an interruption may come between
        _forget_training(net)
        raise


def _forget_training(net: Any) -> None:
    # skorch keeps three lists of what `initialize` has made; its class has those of a new net.
    made = ("_modules", "_criteria", "_optimizers")
    private = ("_history_", "_initialized_", "_virtual_params_")
    for name in list(vars(net)):
        if name in made or (name.endswith("_") and name not in private):
            del vars(net)[name]
    net.history_, net.initialized_, net.virtual_params_ = None, False, {}
