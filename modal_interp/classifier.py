"""The skorch classifier that the public estimators share."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from skorch import NeuralNetClassifier
from skorch.callbacks import EarlyStopping, EpochScoring, EpochTimer, PassthroughScoring, PrintLog
from skorch.utils import is_dataset
from torch import nn
from torch.utils.data import Subset

from modal_interp.labels import (
    check_targets,
    class_weights,
    encode_labels,
    hold_out,
    sorted_classes,
)
from modal_interp.skorch_net import _Net


def encoded_accuracy(net: NeuralNetClassifier, X: Any, y: NDArray[np.int64]) -> float:
    """Return the accuracy against encoded targets, which is what skorch's callbacks hold."""
    return float(np.mean(net.predict_proba(X).argmax(axis=1) == y))


class _ModuleClassifier(_Net):
    """What the public classifiers share; `TextCNNClassifier` documents the parameters.

    A subclass says how input is checked (`_check_input`) and which sizes its module needs
    (`_module_sizes`).
    """

    def __init__(
        self,
        module: type[nn.Module],
        *,
        classes: Any = None,
        class_weight: Any = None,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        **kwargs: Any,
    ) -> None:
        super().__init__(module, classes=classes, **kwargs)
        self.class_weight = class_weight
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change

    # What a subclass fills in.

    def _check_input(self, X: Any, *, reset: bool) -> NDArray[Any]:
        """Return `X` as the module takes it; with `reset`, learn its sizes."""
        raise NotImplementedError

    def _module_sizes(self) -> dict[str, Any]:
        """Return the module's arguments that follow from the data."""
        raise NotImplementedError

    # Labels.

    @property
    def classes_(self) -> NDArray[Any]:
        """The labels, sorted; the columns of `predict_proba`."""
        if "classes_inferred_" not in vars(self):
            raise AttributeError(f"This {type(self).__name__} has no classes_ yet: call fit.")
        return self.classes_inferred_

    def check_data(self, X: Any, y: Any = None) -> None:
        """Do nothing: `fit` has checked, and skorch would take encoded targets for labels."""

    def _check_training_data(
        self, X: Any, y: Any, classes: Any, *, reset: bool
    ) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """Return checked input and encoded targets; with `reset`, learn classes and sizes."""
        y = check_targets(X, y)
        known = sorted_classes(classes, y) if reset or classes is not None else self.classes_
        if not reset and known.tolist() != self.classes_.tolist():
            raise ValueError(
                f"The net was trained for the classes {self.classes_.tolist()}, found classes="
                f"{known.tolist()}. Call fit with warm_start=False to change them."
            )
        targets = encode_labels(y, known)
        X = self._check_input(X, reset=reset)
        self.classes_inferred_ = known
        return X, targets

    # Training.

    def fit(self, X: Any, y: Any, **fit_params: Any) -> _ModuleClassifier:
        """Train from the start, or go on where `warm_start=True`.

        Parameters
        ----------
        X : array
            Input, one row a sample.
        y : array-like of shape (n,)
            Labels.
        **fit_params : dict
            Passed to the module's forward.

        Returns
        -------
        self
        """
        cold = not (self.warm_start and self.initialized_)
        return self._train(X, y, self.classes, cold, fit_params)

    def partial_fit(
        self, X: Any, y: Any, classes: Any = None, **fit_params: Any
    ) -> _ModuleClassifier:
        """Go on training for `max_epochs` epochs.

        Parameters
        ----------
        X, y
            As in `fit`.
        classes : array-like, default=None
            All labels; needed in the first call unless the constructor has them.
        **fit_params : dict
            Passed to the module's forward.

        Returns
        -------
        self
        """
        if classes is None:
            classes = self.classes
        elif self.classes is not None and set(classes) != set(self.classes):
            raise ValueError(f"classes={classes!r} differ from the constructor's {self.classes!r}.")
        if classes is None and not self.initialized_:
            raise ValueError("classes= must be passed on the first call of partial_fit.")
        return self._train(X, y, classes, not self.initialized_, fit_params)

    def _train(
        self, X: Any, y: Any, classes: Any, cold: bool, fit_params: dict[str, Any]
    ) -> _ModuleClassifier:
        X, targets = self._check_training_data(X, y, classes, reset=cold)
        if cold:
            self.initialize()
        return super().partial_fit(X, targets, **fit_params)

    def on_train_begin(self, net: Any, X: Any = None, y: Any = None, **kwargs: Any) -> None:
        """Weigh the classes as the labels of this call ask for."""
        super().on_train_begin(net, X, y, **kwargs)
        if self.class_weight is not None:
            weights = class_weights(self.class_weight, self.classes_, y)
            self.criterion_.weight = torch.as_tensor(weights, device=self.device)

    def get_split_datasets(self, X: Any, y: Any = None, **fit_params: Any) -> tuple[Any, Any]:
        """Hold out `validation_fraction` of the samples where `early_stopping` asks for it."""
        if not self.early_stopping or self.train_split is not None:
            return super().get_split_datasets(X, y, **fit_params)
        seed = int(torch.randint(2**31 - 1, ()))
        parts = hold_out(y, self.validation_fraction, seed)
        dataset = self.get_dataset(X, y)
        return Subset(dataset, parts[0].tolist()), Subset(dataset, parts[1].tolist())

    @property
    def _default_callbacks(self) -> list[tuple[str, Any]]:
        callbacks: list[tuple[str, Any]] = [
            ("epoch_timer", EpochTimer()),
            ("train_loss", PassthroughScoring("train_loss", on_train=True)),
        ]
        if self.early_stopping or self.train_split is not None:
            accuracy = EpochScoring(encoded_accuracy, name="valid_acc", lower_is_better=False)
            callbacks += [
                ("valid_loss", PassthroughScoring("valid_loss")),
                ("valid_acc", accuracy),
            ]
        if self.early_stopping:
            stop = EarlyStopping("valid_loss", patience=self.n_iter_no_change, load_best=True)
            callbacks.append(("early_stopping", stop))
        return [*callbacks, ("print_log", PrintLog())]

    # Initialisation.

    def initialize(self) -> _ModuleClassifier:
        """Build module, criterion and optimiser anew."""
        self._check_options()
        if "classes_inferred_" not in vars(self):
            if self.classes is None:
                raise ValueError("classes= must be known before initialize: pass it, or call fit.")
            self.classes_inferred_ = sorted_classes(self.classes, None)
        return super().initialize()

    def _check_options(self) -> None:
        if not 0 < self.validation_fraction < 1:
            raise ValueError(
                f"validation_fraction must be in (0, 1), found {self.validation_fraction!r}."
            )
        if self.n_iter_no_change < 1:
            raise ValueError(f"n_iter_no_change must be >= 1, found {self.n_iter_no_change!r}.")

    def initialize_module(self) -> _ModuleClassifier:
        """Build the module, with the sizes that follow from the data."""
        sizes = {**self._module_sizes(), "n_classes": len(self.classes_)}
        given = self.get_params_for("module")
        if twice := sorted(sizes.keys() & given.keys()):
            raise ValueError(f"module__{twice[0]} cannot be set: it follows from the data.")
        with self._own_randomness():
            self.module_ = self.initialized_instance(self.module, {**sizes, **given})
        return self

    # Prediction.

    def get_dataset(self, X: Any, y: Any = None) -> Any:
        """Return skorch's dataset of `X`, checked first unless `fit` has done so."""
        if y is None and not is_dataset(X):
            self.check_is_fitted()
            X = self._check_input(X, reset=False)
        return super().get_dataset(X, y)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable label of each sample, shape (n,)."""
        columns = self.predict_proba(X).argmax(axis=1)
        return self.classes_[columns]
