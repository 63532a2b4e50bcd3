"""How training and asking take turns: passes a round, or until a loss no longer falls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from skorch import NeuralNet
from skorch.callbacks import EarlyStopping
from skorch.dataset import Dataset
from skorch.helper import predefined_split

from modal_interp._seeding import own_randomness
from modal_interp.estimators.classifier import _ModuleClassifier
from modal_interp.estimators.members import _last_step
from modal_interp.experiments.running.curve import Protocol, Rows
from modal_interp.experiments.running.early_stopping import stopping_early
from modal_interp.experiments.running.numbers import LARGEST, check_not_above, found
from modal_interp.experiments.running.plan import Parts, Size, derived_seed
from modal_interp.experiments.running.several_labels import scorer_of

_PATIENCE = 10  # where neither the experiment nor the net says one


@dataclass(frozen=True)
class Interleaved(Protocol):
    """What the curves share, and how long each round trains; see `run_experiment`.

    A file of its own, which counts among what made the results only where one of these fields is
    set: results that were made without them are continued.
    """

    acquisition_period: int | None = None
    patience: int | None = None
    stops_by_training: bool = False

    def seeded_estimator(self, seed: int, parts: Parts) -> Any:
        """Return the estimator unfitted, which trains for as long as a round takes."""
        estimator = Protocol.seeded_estimator(replace(self, early_stopping=False), seed, parts)
        net = _last_step(estimator)[1]
        if self.acquisition_period is not None:
            estimator = _trained_for(estimator, net, self.acquisition_period, self.y)
        if self.stops_by_training:
            usual: int = getattr(net, "n_iter_no_change", _PATIENCE)
            _stop_by(net, "train_loss", self.patience or usual, load_best=False)
        if not self.early_stopping:
            return estimator
        held_out = self.X[parts.validation], self.y[parts.validation]
        return _stopping_by_validation(estimator, net, held_out, self.patience)

    def score(self, estimator: Any, rows: Rows) -> float | None:
        """Return the score on these rows, None where there are none."""
        if len(rows) == 0:
            return None
        with own_randomness(derived_seed(0, "score, global")):
            scorer = scorer_of(self.scoring, self.y)
            return float(scorer(estimator, self.X[rows], self.y[rows]))

    def of_baseline(self, size: Size, n_rounds: int) -> Interleaved:
        """Return what trains once on `size` samples, for as many passes as a curve makes."""
        passes = self.acquisition_period
        if passes is not None and self.warm_start:
            passes *= n_rounds
        return replace(self, initial=size, budget=size, acquisition_period=passes)

    def tells_classes(self) -> bool:
        """Tell whether an estimator that has no parameter for its classes is told them."""
        net = _last_step(self.estimator)[1]
        return self.acquisition_period is not None and not isinstance(net, NeuralNet)

    def settings(self) -> dict[str, Any]:
        """Return what is not as in experiments without any of this."""
        told: dict[str, Any] = {
            "acquisition_period": self.acquisition_period,
            "patience": self.patience,
        }
        if self.stops_by_training:
            told["early_stopping"] = "training"
        return {name: value for name, value in told.items() if value is not None}


class _SteppedPipeline(Pipeline):
    """A pipeline that trains its last step in a way of its own."""

    def _through(self, X: Any, y: Any, others: Sequence[Any] = ()) -> tuple[Any, list[Any]]:
        """Fit the steps before the last; return the samples and the others behind them."""
        others = list(others)
        for _, step in self.steps[:-1]:
            if step not in (None, "passthrough"):
                # A frozen step has no fit_transform.
                both = hasattr(step, "fit_transform")
                X = step.fit_transform(X, y) if both else step.fit(X, y).transform(X)
                others = [step.transform(other) for other in others]
        return X, others


class PassesPipeline(_SteppedPipeline):
    """A pipeline whose classifier makes a number of passes, each one call of `partial_fit`."""

    n_passes = 1
    classes: Any = None

    def fit(self, X: Any, y: Any) -> PassesPipeline:
        """Fit the steps, then go on training the classifier."""
        X, _ = self._through(X, y)
        for _ in range(self.n_passes):
            self.steps[-1][1].partial_fit(X, y, classes=self.classes)
        return self


class HeldOutPipeline(_SteppedPipeline):
    """A pipeline whose net of skorch's sees samples that it is not trained on."""

    validation: tuple[Any, Any] = ((), ())

    def fit(self, X: Any, y: Any) -> HeldOutPipeline:
        """Fit the steps, then train the net until the validation loss no longer falls."""
        X, (X_validation,) = self._through(X, y, [self.validation[0]])
        held_out = predefined_split(Dataset(X_validation, self.validation[1]))
        self.steps[-1][1].set_params(train_split=held_out).fit(X, y)
        return self


def _steps(estimator: Any) -> list[Any]:
    return list(estimator.steps) if isinstance(estimator, Pipeline) else [("net", estimator)]


def _trained_for(estimator: Any, last: Any, n_passes: int, y: NDArray[Any]) -> Any:
    """Return the estimator, whose every training makes so many passes over the samples."""
    if isinstance(last, NeuralNet):
        # Passes are told; a least number of steps would add more of them.
        steps = {"min_steps": 0} if isinstance(last, _ModuleClassifier) else {}
        last.set_params(max_epochs=n_passes, **steps)
        return estimator
    if "warm_start" in last.get_params():
        last.set_params(warm_start=False)  # partial_fit goes on by itself, and takes it amiss
    trained = PassesPipeline(_steps(estimator))
    trained.n_passes, trained.classes = n_passes, np.unique(y)
    return trained


def _stop_by(net: Any, loss: str, patience: int, *, load_best: bool) -> None:
    stop = EarlyStopping(loss, patience=patience, load_best=load_best)
    net.set_params(callbacks=[*(net.callbacks or []), ("saturation", stop)])


def _stopping_by_validation(
    estimator: Any, net: Any, held_out: tuple[Any, Any], patience: int | None
) -> Any:
    if isinstance(net, _ModuleClassifier):
        if patience is not None:
            net.set_params(n_iter_no_change=patience)
        return stopping_early(estimator, *held_out)
    _stop_by(net, "valid_loss", patience or _PATIENCE, load_best=True)
    stopping = HeldOutPipeline(_steps(estimator))
    stopping.validation = held_out
    return stopping


# Checks.


def check_interleaving(protocol: Interleaved) -> None:
    """Check that the estimator can take turns with the asking as the experiment says.

    Raises
    ------
    TypeError, ValueError
        Naming the option, what it needs and the estimator found.
    """
    if protocol.warm_start:
        _check_goes_on(protocol.estimator)
    if protocol.acquisition_period is not None:
        _check_passes(protocol)
    if protocol.early_stopping or protocol.stops_by_training:
        _check_stops(protocol)


def check_lengths(
    acquisition_period: Any = None, patience: Any = None, early_stopping: Any = False
) -> None:
    """Check the numbers of epochs, and the name of the loss."""
    if not isinstance(early_stopping, bool) and early_stopping not in ("validation", "training"):
        raise TypeError(
            "early_stopping must be True or False, or the loss to stop by, 'validation' (as True) "
            f"or 'training'; found {found(early_stopping)}."
        )
    for name, value in (("acquisition_period", acquisition_period), ("patience", patience)):
        if value is None:
            continue
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ValueError(
                f"{name} must be a whole number of epochs, at least 1; found {found(value)}."
            )
        check_not_above(name, value, LARGEST)
    if patience is not None and not early_stopping:
        raise ValueError(
            f"patience must come with early_stopping=True or 'training'; found {patience} without."
        )


def _check_goes_on(estimator: Any) -> None:
    """Check that `fit` can go on: a search trains clones, a forest would add nothing."""
    last = _last_step(estimator, searches=False)[1]
    if "warm_start" in last.get_params(deep=False) and hasattr(last, "partial_fit"):
        return
    raise ValueError(
        "warm_start=True needs an estimator that can go on training: with a parameter warm_start "
        "and a method partial_fit, such as the nets of this package and of skorch, SGDClassifier "
        f"or MLPClassifier, alone or at the end of a pipeline; found a {type(last).__name__}. "
        "Leave warm_start out, and each round trains from scratch."
    )


def _check_passes(protocol: Interleaved) -> None:
    estimator, last = protocol.estimator, _last_step(protocol.estimator)[1]
    if isinstance(last, NeuralNet):
        return
    alone = _steps(estimator)[-1][1] is last
    if not (alone and hasattr(last, "partial_fit") and protocol.y.ndim == 1):
        kind = "with one label a sample" if protocol.y.ndim == 1 else "with several labels a sample"
        raise ValueError(
            "acquisition_period= needs an estimator that is trained by passes over the samples: a "
            "net of this package or of skorch or, with one label a sample, a classifier with "
            f"partial_fit, alone or at the end of a pipeline; found a {type(last).__name__} "
            f"{kind}. Leave acquisition_period out, and each round trains as the estimator says."
        )


def _check_stops(protocol: Interleaved) -> None:
    estimator, last = protocol.estimator, _last_step(protocol.estimator)[1]
    given = "'training'" if protocol.stops_by_training else "True"
    if not isinstance(last, NeuralNet) or (
        protocol.early_stopping and _steps(estimator)[-1][1] is not last
    ):
        raise TypeError(
            f"early_stopping={given} needs a net of this package or of skorch, such as "
            "TextCNNClassifier, as estimator or as the last step of a pipeline; found a "
            f"{type(_steps(estimator)[-1][1]).__name__}. Let it stop by its own means, or set its "
            "number of epochs."
        )
    if last.callbacks == "disable":
        raise ValueError(
            f"early_stopping={given} needs the losses of each epoch; found a net with "
            "callbacks='disable', which keeps none. Pass a list of callbacks, or None."
        )
