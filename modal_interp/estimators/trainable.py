"""What of a pretrained net is trained, and the step sizes and lengths that suit it."""

from __future__ import annotations

from typing import Any

import numpy as np

# What trains the output layer alone, and what trains the encoder with it.
_HEAD = {"lr": 1e-3, "batch_size": 50, "epochs": 15, "steps": 300}
_ENCODER = {"lr": 5e-5, "batch_size": 16, "epochs": 3, "steps": 100}


def head_alone(trainable: Any) -> bool:
    """Tell whether the encoder stays as it is while the output layer is trained."""
    return trainable in ("head", "contrastive")


def usual(trainable: Any) -> dict[str, Any]:
    """Return what is taken where nobody tells: lr, batch_size, epochs and least steps."""
    return _HEAD if head_alone(trainable) else _ENCODER


def check_trainable(trainable: Any) -> None:
    """Raise a ValueError unless `trainable` says what is trained."""
    kinds = ("head", "all", "contrastive")
    number = isinstance(trainable, int | np.integer) and not isinstance(trainable, bool)
    if not ((isinstance(trainable, str) and trainable in kinds) or (number and trainable >= 1)):
        raise ValueError(
            f"trainable must be one of {kinds}, or a number of last layers, at least 1; found "
            f"{trainable!r}."
        )


def what_is_built(net: Any) -> dict[str, Any]:
    """Return the parameters that a module is built by."""
    return {name: getattr(net, name) for name in ("trainable", "model", "pooling")}


def check_same_build(net: Any, built_for: dict[str, Any]) -> None:
    """Raise a ValueError where training would go on with a module built by other parameters."""
    for name, value in what_is_built(net).items():
        if value != built_for[name]:
            raise ValueError(
                f"{name} must stay {built_for[name]!r} while training goes on; found {value!r}. "
                "Set it back, or call fit with warm_start=False."
            )


class ByTrainable:
    """A parameter whose None stands for a value that follows from `trainable`."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, net: Any, owner: type | None = None) -> Any:
        if net is None:  # asked of the class
            return self
        given = vars(net)[self.name]
        return usual(vars(net).get("trainable"))[self.name] if given is None else given

    def __set__(self, net: Any, value: Any) -> None:
        vars(net)[self.name] = value


class FollowsTrainable:
    """A net whose `lr` and `batch_size`, where nobody gives them, follow from `trainable`."""

    lr, batch_size = ByTrainable(), ByTrainable()

    def get_params(self, deep: bool = True, **kwargs: Any) -> dict[str, Any]:
        """Return the parameters as they were given, None included."""
        given = {name: vars(self)[name] for name in ("lr", "batch_size")}
        return super().get_params(deep=deep, **kwargs) | given  # type: ignore[misc]

    def set_params(self, **params: Any) -> Any:
        """Set parameters for the next `fit`; those of the optimiser act at once, as in skorch."""
        super().set_params(**params)  # type: ignore[misc]
        if params.get("lr", 0) is None:  # the optimiser needs a number
            super().set_params(lr=self.lr)  # type: ignore[misc]
            vars(self)["lr"] = None
        return self
