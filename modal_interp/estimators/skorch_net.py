"""What skorch's classifier lacks: "auto" devices, randomness of its own, scikit-learn's manners."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from inspect import signature
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils import check_random_state
from skorch import NeuralNetClassifier
from skorch.dataset import Dataset
from skorch.utils import is_dataset
from torch import nn
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    RandomSampler,
    SequentialSampler,
    Subset,
    default_collate,
)

from modal_interp._seeding import one_at_a_time, seeded


class RowsDataset(Dataset):
    """Dataset that indexes a whole batch at once.

    skorch's own indexes row by row and stacks: with a small net that is most of the time of a
    prediction (6,000 rows of 10 columns: 91 ms against 32 ms).
    """

    def __getitems__(self, indices: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the rows and targets of a batch, (B, ...) and (B,)."""
        y = np.zeros(len(indices), dtype=np.float32) if self.y is None else self.y[indices]
        return torch.from_numpy(self.X[indices]), torch.from_numpy(y)

    def tensors(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return all rows and targets, (n, ...) and (n,), where they lie if torch can."""
        y = np.zeros(len(self), dtype=np.float32) if self.y is None else self.y
        return _as_tensor(self.X), _as_tensor(y)


def _as_tensor(array: NDArray[Any]) -> torch.Tensor:
    array = np.require(array, requirements="W")  # torch warns at others
    # Nor does torch take rows that lie in memory backwards.
    return torch.from_numpy(array.copy() if min(array.strides, default=0) < 0 else array)


class _WholeBatches(DataLoader):
    """A loader that takes each batch of a `RowsDataset` at once.

    The batches, and what is drawn from the generators, are those of a DataLoader, whose own loop
    takes 33 us a batch of 50 rows against 6: a step of a small net takes 500.
    """

    @classmethod
    def of(cls, loader: Any) -> Any:
        """Return such a loader in place of `loader` if it will do the same, else `loader`."""
        data = getattr(loader, "dataset", None)
        same = (
            type(loader) is DataLoader
            and loader.batch_size is not None  # as it is where a batch_sampler was given
            and type(loader.batch_sampler) is BatchSampler
            and type(loader.sampler) in (RandomSampler, SequentialSampler)
            and loader.collate_fn is collate
            and not (loader.num_workers or loader.pin_memory)
            and type(data.dataset if type(data) is Subset else data) is RowsDataset
        )
        if not same:
            return loader
        whole = cls.__new__(cls)
        vars(whole).update(vars(loader))
        return whole

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        # A DataLoader draws a seed for its workers, even where it has none: without this draw a
        # `random_state` would give another net than with a DataLoader.
        torch.empty((), dtype=torch.int64).random_(generator=self.generator)
        data: Any = self.dataset
        rows = torch.from_numpy(np.fromiter(self.sampler, np.int64))
        if isinstance(data, Subset):
            data, rows = data.dataset, torch.as_tensor(data.indices)[rows]
        X, y = data.tensors()
        size: Any = self.batch_size
        for start in range(0, len(rows) - (size - 1 if self.drop_last else 0), size):
            batch = rows[start : start + size]
            yield X.index_select(0, batch), y.index_select(0, batch)


def collate(batch: Any) -> Any:
    """Pass a ready batch on; stack the samples of any other dataset."""
    return batch if isinstance(batch, tuple) else default_collate(batch)


class _Private:
    """An attribute kept under a private name.

    skorch sets three public attributes in its constructor that are no parameters, which
    scikit-learn forbids.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self.name, self.key = name, f"_{name}"

    def __get__(self, net: Any, owner: type | None = None) -> Any:
        if net is None:  # asked of the class
            return self
        if self.key not in vars(net):
            raise AttributeError(f"{type(net).__name__} has no attribute {self.name!r}")
        return vars(net)[self.key]

    def __set__(self, net: Any, value: Any) -> None:
        vars(net)[self.key] = value


class _Net(NeuralNetClassifier):
    """A skorch classifier that knows nothing of labels yet."""

    history_ = _Private()
    initialized_ = _Private()
    virtual_params_ = _Private()

    def __init__(
        self,
        module: type[nn.Module],
        *,
        random_state: Any = None,
        criterion: type[nn.Module] = nn.CrossEntropyLoss,
        optimizer: type[torch.optim.Optimizer] = torch.optim.Adam,
        optimizer__fused: bool = True,
        lr: float = 1e-3,
        batch_size: int = 50,
        iterator_train__shuffle: bool = True,
        train_split: Any = None,
        device: Any = "auto",
        verbose: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            module,
            criterion=criterion,
            optimizer=optimizer,
            optimizer__fused=optimizer__fused,
            lr=lr,
            batch_size=batch_size,
            iterator_train__shuffle=iterator_train__shuffle,
            train_split=train_split,
            device=device,
            verbose=verbose,
            **kwargs,
        )
        self.random_state = random_state

    # Randomness.

    def initialize(self) -> _Net:
        """Build module, criterion and optimiser anew."""
        self._check_device_is_there()
        given = self.random_state
        self.random_state_ = None if given is None else check_random_state(given)
        return super().initialize()

    def fit_loop(self, X: Any, y: Any = None, epochs: int | None = None, **fit_params: Any) -> Any:
        """Run skorch's loop on checked input and encoded targets, by this net's own randomness."""
        with self._own_randomness():
            return super().fit_loop(X, y, epochs, **fit_params)

    @contextmanager
    def _own_randomness(self) -> Iterator[None]:
        """Draw from generators seeded by `random_state`; torch's global ones stay as they are.

        Each use takes a new seed from `random_state_`, so that training that goes on does not
        repeat its shuffles. One thread at a time, seeded or not: another would draw between.
        """
        with one_at_a_time():
            if self.random_state_ is None:
                yield
                return
            seed = int(self.random_state_.randint(2**31 - 1))
            with seeded(seed, torch.device(self.device or "cpu")):
                yield

    # Reading.

    def get_dataset(self, X: Any, y: Any = None) -> Any:
        """Return a dataset of `X`: one that is read by whole batches, unless the user has one."""
        if self.dataset is Dataset and not is_dataset(X) and not self.get_params_for("dataset"):
            return RowsDataset(X, y)
        return super().get_dataset(X, y)

    def get_iterator(self, dataset: Any, training: bool = False) -> Any:
        """Return skorch's iterator, which takes ready batches as they are.

        Where it is a plain DataLoader without workers, it also takes each batch at once.
        """
        iterator = super().get_iterator(dataset, training=training)
        if getattr(iterator, "collate_fn", None) is default_collate:
            iterator.collate_fn = collate
        if not training and getattr(iterator, "generator", 0) is None:
            # A DataLoader draws from torch's global generator even where it shuffles nothing.
            iterator.generator = torch.Generator()
        if training and type(iterator) is DataLoader and not len(iterator):
            raise ValueError(
                f"batch_size must be at most the number of training samples, {len(dataset)}, where "
                f"iterator_train__drop_last=True; found {iterator.batch_size}: no batch is left."
            )
        return _WholeBatches.of(iterator)

    def _set_training(self, training: bool = True) -> None:
        """Set the mode of module and criterion, which skorch asks for at every batch."""
        # To set a mode takes three times as long as to see that it is set.
        for name in (*self._modules, *self._criteria):
            part = getattr(self, f"{name}_")
            if not isinstance(part, nn.Module):
                continue
            if any(layer.training != training for layer in part.modules()):
                part.train(training)

    # The device: the parameter may say "auto", skorch always reads a device that torch knows.

    @property
    def device(self) -> Any:
        """The device that `device` stands for here."""
        given = vars(self)["device"]
        if given == "auto":
            return "cuda" if torch.cuda.is_available() else "cpu"
        return given

    @device.setter
    def device(self, value: Any) -> None:
        self.__dict__["device"] = value

    def _check_device_is_there(self) -> None:
        try:
            kind = torch.device("cpu" if self.device is None else self.device).type
        except RuntimeError as error:
            raise ValueError(
                f"device must be 'auto' or a device of torch, found {self.device!r}."
            ) from error
        if kind == "cuda" and not torch.cuda.is_available():
            raise ValueError(
                f"device={self.device!r}, but torch finds no CUDA here: pass 'auto' or 'cpu'."
            )

    def _check_device(self, requested_device: Any, map_device: Any) -> Any:
        # Called while parameters are loaded: "auto" goes on meaning this machine's best.
        if vars(self).get("device") == "auto":
            return "auto"
        return super()._check_device(requested_device, map_device)

    def __setstate__(self, state: dict[str, Any]) -> None:
        if state["device"] != "auto":
            super().__setstate__(state)
            return
        self.__dict__["device"] = "auto"
        super().__setstate__({**state, "device": self.device})

    # Parameters.

    def __sklearn_is_fitted__(self) -> bool:
        # skorch has this from 1.3 on.
        return "module_" in vars(self)

    def get_params_for_optimizer(self, prefix: str, named_parameters: Any) -> tuple[Any, Any]:
        """Leave `fused` out for an optimiser that does not know it."""
        args, kwargs = super().get_params_for_optimizer(prefix, named_parameters)
        if "fused" not in signature(self.optimizer).parameters:
            kwargs.pop("fused", None)
        return args, kwargs

    def get_params(self, deep: bool = True, **kwargs: Any) -> dict[str, Any]:
        """Return the parameters as they were given, `device="auto"` included."""
        return super().get_params(deep=deep, **kwargs) | {"device": vars(self)["device"]}

    def _get_param_names(self) -> list[str]:
        # skorch counts its own bookkeeping among the parameters.
        return [name for name in super()._get_param_names() if not name.startswith("_")]

    def set_params(self, **params: Any) -> _Net:
        """Set parameters for the next `fit`; those of the optimiser act at once, as in skorch."""
        # skorch would replace a trained module by a fresh one, and fails at iterator__ parameters.
        now = {}
        for key, value in params.items():
            at_once = key.startswith("callbacks") if self.initialized_ else "callbacks__" in key
            if at_once or ("__" not in key and key != "callbacks") or self._is_virtual_param(key):
                now[key] = value
            else:
                setattr(self, key, value)
                self._params_to_validate.add(key)
        return super().set_params(**now)
