"""The skorch classifier that the public estimators share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from skorch.utils import is_dataset
from torch import nn
from torch.utils.data import Subset

from modal_interp.estimators.callbacks import check_early_stopping, default_callbacks
from modal_interp.estimators.failures import unchanged_where_it_fails, unfitted_where_it_fails
from modal_interp.estimators.indicator import column_labels, has_labels
from modal_interp.estimators.labels import (
    check_targets,
    encode_targets,
    hold_out,
    known_classes,
    loss_weights,
    sorted_classes,
)
from modal_interp.estimators.length import _TimedNet
from modal_interp.estimators.scoring import labels_for_scoring, own_samples


class _ModuleClassifier(_TimedNet):
    """What the public classifiers share; `TextCNNClassifier` documents the parameters.

    A subclass says how input is checked (`_check_input`) and which sizes its module needs
    (`_module_sizes`). The shape of `y` says whether samples have one label each or several.
    """

    multilabel_: bool

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
        """The labels; the columns of `predict_proba`."""
        if "classes_inferred_" not in vars(self):
            raise AttributeError(f"This {type(self).__name__} has no classes_ yet: call fit.")
        return self.classes_inferred_

    def check_data(self, X: Any, y: Any = None) -> None:
        """Do nothing: `fit` has checked, and skorch would take encoded targets for labels."""

    def _check_training_data(
        self, X: Any, y: NDArray[Any], classes: Any, *, reset: bool
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return checked input and encoded targets; with `reset`, learn classes and sizes."""
        if not reset:
            self._check_same_shape(y)
        known = known_classes(classes, y) if reset or classes is not None else self.classes_
        if not reset and known.tolist() != self.classes_.tolist():
            raise ValueError(
                f"The net was trained for the classes {self.classes_.tolist()}, found classes="
                f"{known.tolist()}. Call fit with warm_start=False to change them."
            )
        targets = encode_targets(y, known)
        X = self._check_input(X, reset=reset)
        if reset:
            self.classes_inferred_, self.multilabel_ = known, y.ndim > 1
            self._indicator_dtype = y.dtype
        return X, targets

    def _check_same_shape(self, y: NDArray[Any]) -> None:
        """Check that `y` has the columns that the net was trained for."""
        trained = (len(self.classes_),) if self.multilabel_ else ()
        if y.shape[1:] != trained:
            kind = (
                f"an indicator matrix of {trained[0]} columns" if trained else "one label a sample"
            )
            raise ValueError(
                f"y must be {kind}, which the net was trained for; found shape {y.shape}. "
                "Call fit with warm_start=False to change that."
            )

    # Training.

    def fit(self, X: Any, y: Any, **fit_params: Any) -> _ModuleClassifier:
        """Train from the start, or go on where `warm_start=True`.

        A training from the start that fails leaves the net unfitted.

        Parameters
        ----------
        X : array
            Input, one row a sample.
        y : array-like of shape (n,), or array-like or sparse matrix of shape (n, C)
            A label for each sample, or an indicator of several: 1 where the sample has the label
            of the column, else 0.
        **fit_params : dict
            Passed to the module's forward.

        Returns
        -------
        self
        """
        cold = not (self.warm_start and self.initialized_)
        return self._train(X, check_targets(X, y), self.classes, cold, fit_params)

    def partial_fit(
        self, X: Any, y: Any, classes: Any = None, **fit_params: Any
    ) -> _ModuleClassifier:
        """Go on training, for as long as `max_epochs` and `min_steps` say.

        Parameters
        ----------
        X, y
            As in `fit`.
        classes : array-like, default=None
            All labels; needed in the first call unless the constructor has them or `y` has a
            column for each.
        **fit_params : dict
            Passed to the module's forward.

        Returns
        -------
        self
        """
        y = check_targets(X, y)
        if classes is None:
            classes = self.classes
        elif self.classes is not None:
            self._check_same_classes(classes, y)
        if classes is None and not self.initialized_ and y.ndim == 1:
            raise ValueError("classes= must be passed on the first call of partial_fit.")
        return self._train(X, y, classes, not self.initialized_, fit_params)

    def _check_same_classes(self, classes: Any, y: NDArray[Any]) -> None:
        """Check that `classes` are those of the constructor, for an indicator in their order."""
        if known_classes(classes, y).tolist() != known_classes(self.classes, y).tolist():
            raise ValueError(f"classes={classes!r} differ from the constructor's {self.classes!r}.")

    def _train(
        self, X: Any, y: NDArray[Any], classes: Any, cold: bool, fit_params: dict[str, Any]
    ) -> _ModuleClassifier:
        with unchanged_where_it_fails(self):
            self._check_options()
            X, targets = self._check_training_data(X, y, classes, reset=cold)
        if not cold:
            return super().partial_fit(X, targets, **fit_params)
        with unfitted_where_it_fails(self):
            self.initialize()
            return super().partial_fit(X, targets, **fit_params)

    def on_train_begin(self, net: Any, X: Any = None, y: Any = None, **kwargs: Any) -> None:
        """Weigh the classes as the labels of this call ask for."""
        super().on_train_begin(net, X, y, **kwargs)
        if self.class_weight is None:
            return
        for name, weights in loss_weights(self.class_weight, self.classes_, y).items():
            if self.multilabel_ and (weights != 1).any() and not hasattr(self.criterion_, name):
                raise ValueError(
                    f"class_weight={self.class_weight!r} needs a criterion with a {name}, found "
                    f"{type(self.criterion_).__name__}: weigh the labels there."
                )
            setattr(self.criterion_, name, torch.as_tensor(weights, device=self.device))

    def fit_loop(self, X: Any, y: Any = None, epochs: int | None = None, **fit_params: Any) -> Any:
        """Run skorch's loop on encoded targets, of which scoring callbacks see the labels."""
        with labels_for_scoring(self):
            return super().fit_loop(X, y, epochs, **fit_params)

    def get_split_datasets(self, X: Any, y: Any = None, **fit_params: Any) -> tuple[Any, Any]:
        """Hold out what `early_stopping` or `train_split` says; a set of its own has labels."""
        if self.early_stopping and self.train_split is None:
            seed = int(torch.randint(2**31 - 1, ()))
            parts = hold_out(y, self.validation_fraction, seed)
            dataset = self.get_dataset(X, y)
            return Subset(dataset, parts[0].tolist()), Subset(dataset, parts[1].tolist())
        train, valid = super().get_split_datasets(X, y, **fit_params)
        if (own := own_samples(train, valid)) is not None:
            labels = check_targets(*own)
            valid = self.get_dataset(
                *self._check_training_data(own[0], labels, self.classes_, reset=False)
            )
        return train, valid

    @property
    def _default_callbacks(self) -> list[tuple[str, Any]]:
        return default_callbacks(
            validates=self.early_stopping or self.train_split is not None,
            patience=self.n_iter_no_change if self.early_stopping else None,
        )

    # Initialisation.

    def initialize(self) -> _ModuleClassifier:
        """Build module, criterion and optimiser anew."""
        self._check_options()
        if "classes_inferred_" not in vars(self):
            if self.classes is None:
                raise ValueError("classes= must be known before initialize: pass it, or call fit.")
            # No y tells yet: a loss of each label alone does.
            kind = self.criterion if isinstance(self.criterion, type) else type(self.criterion)
            self.multilabel_ = issubclass(kind, nn.BCEWithLogitsLoss | nn.BCELoss)
            if self.multilabel_:
                self.classes_inferred_ = column_labels(self.classes, len(self.classes))
                self._indicator_dtype = np.dtype(np.int64)
            else:
                self.classes_inferred_ = sorted_classes(self.classes, None)
        with unfitted_where_it_fails(self):
            return super().initialize()

    def _check_options(self) -> None:
        self._check_length()
        check_early_stopping(self.validation_fraction, self.n_iter_no_change)

    def initialize_module(self) -> _ModuleClassifier:
        """Build the module, with the sizes that follow from the data."""
        sizes = {**self._module_sizes(), "n_classes": len(self.classes_)}
        given = self.get_params_for("module")
        if twice := sorted(sizes.keys() & given.keys()):
            raise ValueError(f"module__{twice[0]} cannot be set: it follows from the data.")
        with self._own_randomness():
            self.module_ = self.initialized_instance(self.module, {**sizes, **given})
        return self

    def initialize_criterion(self) -> _ModuleClassifier:
        """Build the criterion; for several labels, the default is a loss of each label alone."""
        if not self.multilabel_ or self.criterion is not nn.CrossEntropyLoss:
            return super().initialize_criterion()
        given = self.get_params_for("criterion")
        self.criterion_ = self.initialized_instance(nn.BCEWithLogitsLoss, given)
        return self

    # Prediction.

    def get_dataset(self, X: Any, y: Any = None) -> Any:
        """Return skorch's dataset of `X`, checked first unless `fit` has done so."""
        if y is None and not is_dataset(X):
            self.check_is_fitted()
            X = self._check_input(X, reset=False)
        return super().get_dataset(X, y)

    def _get_predict_nonlinearity(self) -> Callable[[torch.Tensor], torch.Tensor]:
        """Return what makes probabilities of the module's output, for each label alone if several.

        skorch's own choice is for one label: it would give a pair (1 - p, p) for each column.
        """
        nonlinearity = super()._get_predict_nonlinearity()
        if self.predict_nonlinearity != "auto" or not self.multilabel_:
            return nonlinearity
        # BCELoss is on probabilities, so a module trained by it gives them.
        return nn.Identity() if isinstance(self.criterion_, nn.BCELoss) else torch.sigmoid

    def predict_proba(self, X: Any) -> NDArray[np.float32]:
        """Return the probability of each label, shape (n, C).

        The rows add up to 1, unless `multilabel_`: then each label has a probability of its own.
        """
        return super().predict_proba(X)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable label of each sample, shape (n,).

        Where `multilabel_`, an indicator (n, C) instead, of the dtype that `y` had in `fit`: 1
        where the label is more probable than not.
        """
        proba = self.predict_proba(X)
        if self.multilabel_:
            return has_labels(proba).astype(self._indicator_dtype)
        return self.classes_[proba.argmax(axis=1)]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
