"""Training that stops by the loss on the validation split."""

from __future__ import annotations

from typing import Any

import scipy.sparse as sp
from sklearn.pipeline import Pipeline
from skorch.helper import predefined_split

from modal_interp.estimators.classifier import _ModuleClassifier
from modal_interp.estimators.skorch_net import RowsDataset


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
        held_out = RowsDataset(_dense(X_validation), y_validation)
        net.set_params(early_stopping=True, train_split=predefined_split(held_out))
        net.fit(X, y)
        return self


def _dense(X: Any) -> Any:
    if sp.issparse(X):
        raise TypeError(
            "early_stopping=True needs dense samples; found a sparse matrix. Call .toarray() on it."
        )
    return X


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
