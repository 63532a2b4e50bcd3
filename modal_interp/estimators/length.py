"""How long a classifier trains: passes over the samples, and steps where these are few."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import nn

from modal_interp.estimators.skorch_net import _Net
from modal_interp.modules._words import check_size


class _TimedNet(_Net):
    """A net that trains for so many epochs, and for so many steps at least.

    A subclass says by `usual_epochs` and `usual_steps` what it takes where nobody tells.
    """

    usual_epochs: ClassVar[int]
    usual_steps: ClassVar[int]

    def __init__(
        self,
        module: type[nn.Module],
        *,
        max_epochs: int | None = None,
        min_steps: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(module, max_epochs=max_epochs, **kwargs)
        self.min_steps = min_steps

    def _check_length(self) -> tuple[int, int]:
        """Return the epochs and the least steps of a training."""
        epochs, steps = self.max_epochs, self.min_steps
        if steps is None:
            # Who says how many epochs has said how long.
            steps = self.usual_steps if epochs is None else 0
        if epochs is None:
            epochs = self.usual_epochs
        return check_size("max_epochs", epochs, 0), check_size("min_steps", steps, 0)

    def fit_loop(self, X: Any, y: Any = None, epochs: int | None = None, **fit_params: Any) -> Any:
        """Run skorch's loop for `epochs`, else for as long as `max_epochs` and `min_steps` say."""
        length: Any = _Epochs(self, *self._check_length()) if epochs is None else epochs
        return super().fit_loop(X, y, length, **fit_params)

    def get_iterator(self, dataset: Any, training: bool = False) -> Any:
        """Return the iterator, and remember how many steps a pass over it takes."""
        iterator = super().get_iterator(dataset, training=training)
        if training:
            self._steps_an_epoch = _n_batches(iterator)
        return iterator

    def planned_steps(self) -> int:
        """Return how many steps the training that has just begun takes, if nothing ends it."""
        steps = self._steps_an_epoch or 1
        return steps * int(_Epochs(self, *self._check_length()).__index__())


class _Epochs:
    """The epochs of a training, a whole number once its batches are known.

    skorch takes their number before it holds samples out and makes batches of the others; only
    then does it count.
    """

    def __init__(self, net: _TimedNet, epochs: int, min_steps: int) -> None:
        self.net, self.epochs, self.min_steps = net, epochs, min_steps

    def __index__(self) -> int:
        steps = self.net._steps_an_epoch
        return max(self.epochs, -(-self.min_steps // steps)) if steps else self.epochs


def _n_batches(iterator: Any) -> int | None:
    """Return how many batches an iterator gives, None where it does not know itself."""
    try:
        return len(iterator)
    except TypeError:
        return None
