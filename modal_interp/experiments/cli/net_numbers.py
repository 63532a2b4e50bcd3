"""Numbers for the network that no training can be done with, refused before data are read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from modal_interp.experiments.running.numbers import LARGEST, check_not_above, found

_MOST_EPOCHS = 1_000_000
_LARGEST_LR = 3.4e38  # the largest float32


def check_training(values: Mapping[str, Any]) -> None:
    """Check the length and the steps of a training, wherever they are set.

    Raises
    ------
    ValueError
        If one of them breaks its rule.
    """
    for name, most in (("max_epochs", _MOST_EPOCHS), ("batch_size", LARGEST)):
        value = values.get(name, 1)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ValueError(f"{name} must be a whole number, at least 1; found {found(value)}.")
        check_not_above(name, value, most)
    lr = values.get("lr", 1.0)
    if not isinstance(lr, int | float) or not 0 < lr < math.inf:
        raise ValueError(f"lr must be a number above 0; found {found(lr)}.")
    check_not_above("lr", lr, _LARGEST_LR)


def check_params(params: Mapping[str, Any]) -> None:
    """Check that no number among the parameters of an estimator is beyond all use.

    Raises
    ------
    ValueError
        If one is not finite, or a whole number of more than 32 bits.
    """
    for name, value in params.items():
        for part in _numbers(value):
            most = _MOST_EPOCHS if name.endswith("epochs") else LARGEST
            if (isinstance(part, float) and not math.isfinite(part)) or (
                isinstance(part, int) and abs(part) > most
            ):
                raise ValueError(
                    f"estimator_params must hold finite numbers, whole ones of at most {most:,}; "
                    f"found {name} = {found(part)}."
                )


def _numbers(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        return [number for part in value for number in _numbers(part)]
    return [value] if isinstance(value, int | float) else []
