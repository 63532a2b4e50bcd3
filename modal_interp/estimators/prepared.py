"""What is done with an encoder before the first epoch: tuned, and its features computed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Subset

from modal_interp.estimators.contrastive import has_pairs, pull_together
from modal_interp.estimators.trainable import check_same_build


class _Unprepared(BaseException):
    """An interruption before the first epoch; skorch would end training by it, and say nothing."""


class PreparedFirst:
    """A net whose training begins with its encoder, on what its epochs are going to see."""

    _to_prepare: tuple[Any, Any] | None = None
    _built_for: dict[str, Any]

    def _train(self, *args: Any) -> Any:
        try:
            return super()._train(*args)  # type: ignore[misc]
        except _Unprepared as interruption:
            raise KeyboardInterrupt from interruption

    def fit_loop(self, X: Any, y: Any = None, epochs: int | None = None, **fit_params: Any) -> Any:
        """Run the loop on checked input; an interruption before its first epoch ends all."""
        check_same_build(self, self._built_for)
        self._to_prepare = X, y
        try:
            return super().fit_loop(X, y, epochs, **fit_params)  # type: ignore[misc]
        except KeyboardInterrupt as interruption:
            if self._to_prepare is None:
                raise
            raise _Unprepared from interruption
        finally:
            self._to_prepare = None

    def on_epoch_begin(self, net: Any, dataset_train: Any = None, **kwargs: Any) -> None:
        """Before the first epoch, fine-tune the encoder if so asked, and encode all texts."""
        if self._to_prepare is not None:
            self._prepare(*self._to_prepare, dataset_train)
            self._to_prepare = None
        super().on_epoch_begin(net, dataset_train=dataset_train, **kwargs)  # type: ignore[misc]

    def _prepare(self, X: NDArray[np.int64], y: NDArray[Any], train: Any) -> None:
        net: Any = self
        if net.trainable == "contrastive":
            rows = np.asarray(train.indices) if isinstance(train, Subset) else slice(None)
            self._pull_together(X[rows], y[rows])
        if net.module_.store is not None:
            net.module_.read(X, verbose=net.verbose)

    def _pull_together(self, X: NDArray[np.int64], y: NDArray[Any]) -> None:
        if len(np.unique(y, axis=0)) < 2 or not has_pairs(y):
            return  # nothing to keep apart, or nothing to pull together
        net: Any = self
        options = {
            "n_steps": net.contrastive_steps,
            "n_texts": net.contrastive_batch_size,
            "lr": float(net.contrastive_lr),
            "verbose": net.verbose,
        }
        encoder = net.module_.encoder
        before = {name: value.clone() for name, value in encoder.state_dict().items()}
        encoder.requires_grad_(True)
        try:
            with net._own_randomness():
                pull_together(net.module_, X, y, device=net.device, **options)
        except BaseException:
            encoder.load_state_dict(before)  # of a training that goes on
            raise
        finally:
            encoder.requires_grad_(False).eval()
            net.module_.store.forget()
