"""Scores while a classifier trains: skorch's callbacks read labels, the loss reads their places."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skorch import NeuralNetClassifier
from skorch.callbacks import BatchScoring, EpochScoring
from skorch.utils import data_from_dataset, to_numpy
from torch.utils.data import Subset


class _LabelsOf:
    """Takes targets out of a batch or dataset as a callback does, and says which labels they are.

    A class, not a closure: a checkpoint pickles the net while it trains.
    """

    def __init__(self, extract: Callable[[Any], Any], net: NeuralNetClassifier) -> None:
        self.extract = extract
        self.classes = None if net.multilabel_ else net.classes_
        self.indicator_dtype = net._indicator_dtype if net.multilabel_ else None

    def __call__(self, targets: Any) -> NDArray[Any]:
        found = np.asarray(self.extract(targets))
        if self.classes is None:
            return found.astype(self.indicator_dtype)
        return self.classes[found]


@contextmanager
def labels_for_scoring(net: NeuralNetClassifier) -> Iterator[None]:
    """Let the scoring callbacks of `net` see labels in the body, and be as they were after it."""
    changed = []
    for _, callback in net.callbacks_:
        if isinstance(callback, EpochScoring | BatchScoring):
            extract = callback.target_extractor
            if isinstance(extract, _LabelsOf):  # from a copy that was made while it trained
                extract = extract.extract
            callback.target_extractor = _LabelsOf(extract, net)
            changed.append((callback, extract))
    try:
        yield
    finally:
        for callback, extract in changed:
            callback.target_extractor = extract


def own_samples(train: Any, valid: Any) -> tuple[Any, Any] | None:
    """Return samples and labels of a validation set that is no part of what was passed to `fit`.

    None where it is a part, is missing, or gives batches that only its owner knows how to make.
    """
    if valid is None or _whole(valid) is _whole(train):
        return None
    try:
        X, y = data_from_dataset(valid)
    except AttributeError:
        return None
    return None if y is None else (to_numpy_if_tensor(X), to_numpy_if_tensor(y))


def to_numpy_if_tensor(data: Any) -> Any:
    """Return a tensor as an array, anything else as it is."""
    return to_numpy(data) if hasattr(data, "detach") else data


def _whole(dataset: Any) -> Any:
    while isinstance(dataset, Subset):
        dataset = dataset.dataset
    return dataset
