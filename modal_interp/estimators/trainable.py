"""What of a pretrained net is trained, and the step sizes and lengths that suit it."""

from __future__ import annotations

from typing import Any

import numpy as np

from modal_interp.estimators.token_ids import vocabulary_for
from modal_interp.texts.tokenizers import load_tokenizer

# What trains the output layer alone, and what trains the encoder with it.
_HEAD = {"lr": 1e-3, "batch_size": 50, "epochs": 15, "steps": 300}
_ENCODER = {"lr": 5e-5, "batch_size": 16, "epochs": 3, "steps": 100}


def ends_with_head(trainable: Any) -> bool:
    """Tell whether the last training loop, that of the epochs, trains the output layer alone."""
    return trainable in ("head", "contrastive")


def usual(trainable: Any) -> dict[str, Any]:
    """Return what is taken where nobody tells: lr, batch_size, epochs and least steps."""
    return _HEAD if ends_with_head(trainable) else _ENCODER


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
    """Return the parameters that a module is built by, and what its tokenizer says of ids."""
    given = {name: getattr(net, name) for name in ("trainable", "model", "pooling")}
    return {**given, "tokenizer": _Read(net.model, net.tokenizer)}


class _Read:
    """A tokenizer, which equals another one by which ids stand for the same."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self.model, self.tokenizer = model, tokenizer
        self.vocabulary = vocabulary_for(model, tokenizer)[0]

    def __repr__(self) -> str:
        return "None" if self.tokenizer is None else f"a {type(self.tokenizer).__name__}"

    def __eq__(self, other: Any) -> bool:
        mine, its = self.vocabulary, other.vocabulary
        if mine is None or its is None:
            return mine is its
        same = (mine.size, mine.padding, mine.no_words) == (its.size, its.padding, its.no_words)
        return same and np.array_equal(mine.begins_word, its.begins_word) and self._maps_as(other)

    def _maps_as(self, other: _Read) -> bool:
        one, two = (read.tokenizer or load_tokenizer(read.model) for read in (self, other))
        return one is two or one.get_vocab() == two.get_vocab()

    __hash__ = None  # type: ignore[assignment]


def check_same_build(net: Any, built_for: dict[str, Any]) -> None:
    """Raise a ValueError where training would go on with a module built by other parameters."""
    for name, value in what_is_built(net).items():
        if value != built_for[name]:
            raise ValueError(
                f"{name} must stay {built_for[name]!r} while training goes on; found {value!r}"
                f"{' of other ids' if name == 'tokenizer' else ''}. "
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
