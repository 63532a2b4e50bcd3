"""Samples as a net sees them: behind the steps of its pipeline, as an array."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.frozen import FrozenEstimator
from skorch import NeuralNet
from torch.utils.data import Dataset

from modal_interp.queries.stacking import with_rows


class Seen:
    """What the nets of one query see; steps that several of them share are asked once."""

    def __init__(self) -> None:
        # By what was done and what it was done to, which is held so that no other takes its id.
        self.done: dict[tuple[int, int], tuple[Any, Any]] = {}

    def by(self, net: Any, steps: list[Any], X: Any, param: str) -> Any:
        """Return what a net sees of samples: an array, where the last step gives a list or a frame.

        Parameters
        ----------
        net : skorch.NeuralNet or another classifier
            Which sees them; another classifier also as a list or a frame.
        steps : list of fitted transformers
            The steps before it, the first one first.
        X : collection of n samples
            What the user gave.
        param : str
            Its name in errors.

        Returns
        -------
        array, or what the last step gives

        Raises
        ------
        TypeError, ValueError
            If the steps or the net cannot read `X`.
        """
        if steps and isinstance(X, Dataset):
            raise TypeError(
                f"{param} as a data set must hold what the net reads; found a {type(X).__name__} "
                f"for a pipeline that begins with a {type(steps[0]).__name__}. Give the learner "
                "the net alone, and a data set of word ids."
            )
        for step in steps:
            step = step.estimator if isinstance(step, FrozenEstimator) else step
            X = self._once(step, step.transform, X)
        if not isinstance(net, NeuralNet):
            return self._once(with_rows, with_rows, X)
        if isinstance(X, pd.DataFrame):
            _check_columns(net, X, param)
        if isinstance(X, list | pd.DataFrame | pd.Series):
            return self._once(_as_array, lambda rows: _as_array(rows, param), X)
        return X

    def _once(self, key: Any, make: Callable[[Any], Any], X: Any) -> Any:
        name = id(key), id(X)
        if name not in self.done:
            self.done[name] = X, make(X)
        return self.done[name][1]


def _check_columns(net: NeuralNet, X: pd.DataFrame, param: str) -> None:
    names = getattr(net, "feature_names_in_", None)
    if names is not None and list(X.columns) != list(names):
        raise ValueError(
            f"{param} must have the columns that the net was trained on, in their order, "
            f"{list(names)}; found {list(X.columns)}."
        )


def _as_array(X: Any, param: str) -> Any:
    try:
        return np.asarray(X)
    except ValueError as error:
        raise ValueError(
            f"{param} must be a rectangle, each row as long as the others; found rows of several "
            "lengths. Pad word ids with 0, as WordEncoder.transform does."
        ) from error
