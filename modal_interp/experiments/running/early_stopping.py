"""Training that stops by the loss on the validation split."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from skorch.helper import predefined_split

from modal_interp.estimators.classifier import _ModuleClassifier
from modal_interp.estimators.labels import encode_targets, known_classes
from modal_interp.estimators.skorch_net import RowsDataset
from modal_interp.estimators.word_ids import _WordIdsClassifier


class ValidatedPipeline(Pipeline):
    """A pipeline whose net stops early by samples that it is not trained on.

    A plain pipeline cannot show its net the validation samples as its steps transform them.
    """

    validation: tuple[Any, Any] | None = None

    def fit(self, X: Any, y: Any) -> ValidatedPipeline:
        """Fit the steps, then train the net until the validation loss no longer falls."""
        if self.validation is None:
            raise ValueError("validation must be set before fit: use stopping_early.")
        X_validation, y_validation = self.validation
        for _, step in self.steps[:-1]:
            if step not in (None, "passthrough"):
                # A frozen step has no fit_transform.
                both = hasattr(step, "fit_transform")
                X = step.fit_transform(X, y) if both else step.fit(X, y).transform(X)
                X_validation = step.transform(X_validation)
        net = self.steps[-1][1]
        targets = encode_targets(y_validation, known_classes(net.classes, y_validation))
        held_out = RowsDataset(as_input(net, X_validation), targets)
        net.set_params(early_stopping=True, train_split=predefined_split(held_out))
        net.fit(X, y)
        return self


def as_input(net: _ModuleClassifier, X: Any) -> NDArray[Any]:
    """Return samples in the dtype that the net is trained on."""
    if sp.issparse(X):
        raise TypeError(
            "early_stopping=True needs dense samples; found a sparse matrix. Call .toarray() on it."
        )
    return np.asarray(X, dtype=np.int64 if isinstance(net, _WordIdsClassifier) else np.float32)


def stopping_early(estimator: Any, X_validation: Any, y_validation: Any) -> ValidatedPipeline:
    """Return the estimator as a pipeline whose net stops by the validation samples.

    Raises
    ------
    TypeError
        If the estimator is no net of this package, alone or as the last step of a pipeline.
    """
    steps = estimator.steps if isinstance(estimator, Pipeline) else [("net", estimator)]
    if not isinstance(steps[-1][1], _ModuleClassifier):
        raise TypeError(
            "early_stopping=True needs a net of this package, such as TextCNNClassifier, as "
            f"estimator or as the last step of a pipeline; found a {type(steps[-1][1]).__name__}. "
            "Let it stop by its own means, or set its number of epochs."
        )
    stopping = ValidatedPipeline(steps)
    stopping.validation = (X_validation, y_validation)
    return stopping
