"""What is measured while a classifier trains, and when its training stops."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skorch import NeuralNetClassifier
from skorch.callbacks import (
    Callback,
    EarlyStopping,
    EpochScoring,
    EpochTimer,
    GradientNormClipping,
    PassthroughScoring,
    PrintLog,
)


class _EpochLog(PrintLog):
    """A log that makes no table that nobody will see.

    skorch's makes one also where `verbose=0`: 0.2 ms an epoch, as much as half a step of an MLP.
    """

    def on_epoch_end(self, net: NeuralNetClassifier, **kwargs: Any) -> None:
        if net.verbose or self.sink is not print:
            super().on_epoch_end(net, **kwargs)


def label_accuracy(net: NeuralNetClassifier, X: Any, y: NDArray[Any]) -> float:
    """Return the share of samples that get their label, or all of their labels and no other."""
    right = net.predict(X) == y  # scikit-learn's own takes thrice the time of a small epoch
    return float(np.mean(right if right.ndim == 1 else right.all(axis=1)))


def check_early_stopping(fraction: float, patience: int) -> None:
    """Raise a ValueError where a parameter of early stopping breaks its rule."""
    if not 0 < fraction < 1:
        raise ValueError(f"validation_fraction must be in (0, 1), found {fraction!r}.")
    if patience < 1:
        raise ValueError(f"n_iter_no_change must be >= 1, found {patience!r}.")


def default_callbacks(*, validates: bool, patience: int | None) -> list[tuple[str, Any]]:
    """Return the callbacks that time, score, stop after `patience` epochs, and print."""
    callbacks: list[tuple[str, Any]] = [
        ("epoch_timer", EpochTimer()),
        ("train_loss", PassthroughScoring("train_loss", on_train=True)),
    ]
    if validates:
        accuracy = EpochScoring(label_accuracy, name="valid_acc", lower_is_better=False)
        callbacks += [("valid_loss", PassthroughScoring("valid_loss")), ("valid_acc", accuracy)]
    if patience is not None:
        stop = EarlyStopping("valid_loss", patience=patience, load_best=True)
        callbacks.append(("early_stopping", stop))
    return [*callbacks, ("print_log", _EpochLog())]


class _StopsHead(EarlyStopping):
    """Early stopping that copies, of a net whose encoder stays as it is, all but the encoder.

    skorch's copies all weights whenever they are the best yet: 154 epochs of a head on MiniLM take
    5.4 s so, where they take 0.4.
    """

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        self.load_best, load_best = False, self.load_best
        try:
            super().on_epoch_end(net, **kwargs)
        finally:
            self.load_best = load_best
        if load_best and not self.misses_:
            weights = net.module_.state_dict().items()
            changing = {name: w for name, w in weights if not name.startswith("encoder.")}
            self.best_model_weights_ = deepcopy(changing)

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        if self.best_model_weights_ is not None:
            self.best_model_weights_ = {**net.module_.state_dict(), **self.best_model_weights_}
        super().on_train_end(net, **kwargs)


def for_ending_with_head(callbacks: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Return callbacks for epochs of the output layer alone: early stopping copies no encoder."""
    return [
        (name, _StopsHead(**found.get_params()) if name == "early_stopping" else found)
        for name, found in callbacks
    ]


class _WarmUpAndDecay(Callback):
    """Raises the step size linearly over the first tenth of the steps, then lowers it to 0."""

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        self.step, self.total = 0, 0
        self.highest = [group["lr"] for group in net.optimizer_.param_groups]

    def on_batch_begin(self, net: Any, training: bool = False, **kwargs: Any) -> None:
        if not training:
            return
        self.total = self.total or net.planned_steps()  # known once there are batches
        self.step += 1
        n_warm = max(1, round(0.1 * self.total))
        left = (self.total + 1 - self.step) / (self.total + 1 - n_warm)
        self._set(net, max(0.0, min(self.step / n_warm, left)))

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        self._set(net, 1.0)

    def _set(self, net: Any, factor: float) -> None:
        for group, highest in zip(net.optimizer_.param_groups, self.highest, strict=True):
            group["lr"] = factor * highest


def fine_tuning_callbacks() -> list[tuple[str, Any]]:
    """Return what fine-tuning an encoder wants: a warm-up, a decay, and gradients of length 1."""
    clipping = GradientNormClipping(gradient_clip_value=1.0)
    return [("schedule", _WarmUpAndDecay()), ("clipping", clipping)]
