"""A scikit-learn classifier over a pretrained encoder."""

from __future__ import annotations

from collections.abc import Iterator
from numbers import Real
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from modal_interp._seeding import seeded
from modal_interp.estimators.callbacks import fine_tuning_callbacks
from modal_interp.estimators.classifier import _ModuleClassifier
from modal_interp.estimators.contrastive import pull_together
from modal_interp.estimators.encoders import (
    fresh_encoder,
    is_pretrained,
    last_layers,
    shared_encoder,
)
from modal_interp.estimators.token_ids import as_token_ids, vocabulary_for
from modal_interp.modules import TextTransformer
from modal_interp.modules._words import check_size
from modal_interp.modules.feature_store import FeatureStore
from modal_interp.modules.transformer import check_pooling

DEFAULT_MODEL = "sentence-transformers/all-MiniLM-L6-v2"

# What trains the output layer alone, and what trains the encoder with it.
_HEAD = {"lr": 1e-3, "batch_size": 50, "epochs": 15, "steps": 300}
_ENCODER = {"lr": 5e-5, "batch_size": 16, "epochs": 3, "steps": 100}


class _ByWhatIsTrained:
    """A parameter whose None stands for a value that follows from `trainable`."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, net: Any, owner: type | None = None) -> Any:
        if net is None:  # asked of the class
            return self
        given = vars(net)[self.name]
        return net._usual[self.name] if given is None else given

    def __set__(self, net: Any, value: Any) -> None:
        vars(net)[self.name] = value


class TransformerClassifier(_ModuleClassifier):
    """DOC"""

    lr, batch_size = _ByWhatIsTrained(), _ByWhatIsTrained()

    def __init__(
        self,
        model: Any = DEFAULT_MODEL,
        *,
        module: type[nn.Module] = TextTransformer,
        trainable: str | int = "head",
        pooling: str = "mean",
        tokenizer: Any = None,
        contrastive_steps: int = 120,
        contrastive_batch_size: int = 24,
        contrastive_lr: float = 5e-5,
        lr: float | None = None,
        batch_size: int | None = None,
        optimizer: type[torch.optim.Optimizer] = torch.optim.AdamW,
        iterator_valid__batch_size: int = 256,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            module,
            lr=lr,  # type: ignore[arg-type]
            batch_size=batch_size,  # type: ignore[arg-type]
            optimizer=optimizer,
            iterator_valid__batch_size=iterator_valid__batch_size,
            **kwargs,
        )
        self.model = model
        self.trainable = trainable
        self.pooling = pooling
        self.tokenizer = tokenizer
        self.contrastive_steps = contrastive_steps
        self.contrastive_batch_size = contrastive_batch_size
        self.contrastive_lr = contrastive_lr

    @property
    def _usual(self) -> dict[str, Any]:
        return _HEAD if vars(self).get("trainable") in ("head", "contrastive") else _ENCODER

    @property
    def usual_epochs(self) -> int:  # type: ignore[override]
        """Passes over the samples where nobody tells."""
        return int(self._usual["epochs"])

    @property
    def usual_steps(self) -> int:  # type: ignore[override]
        """Least steps of training where nobody tells."""
        return int(self._usual["steps"])

    # What is read.

    def _check_input(self, X: Any, *, reset: bool) -> NDArray[np.int64]:
        if not reset:
            return as_token_ids(X, self.module_.encoder, *self._vocabulary)
        self._check_options()
        self._vocabulary = vocabulary_for(self.model, self.tokenizer)
        encoder = self._untrained()
        check_pooling(self.pooling, encoder)
        ids = as_token_ids(X, encoder, *self._vocabulary)
        self.n_words_ = encoder.get_input_embeddings().num_embeddings
        return ids

    def _untrained(self) -> Any:
        """Return an encoder to check input by; nothing is trained of it."""
        if is_pretrained(self.model):
            return shared_encoder(self.model, self.pooling, self.device)[0]
        with seeded(0, torch.device("cpu")):
            return fresh_encoder(self.model)

    def _check_options(self) -> None:
        super()._check_options()
        kinds = ("head", "all", "contrastive")
        number = isinstance(self.trainable, int) and not isinstance(self.trainable, bool)
        if not (self.trainable in kinds or (number and self.trainable >= 1)):
            raise ValueError(
                f"trainable must be one of {kinds}, or a number of last layers, at least 1; found "
                f"{self.trainable!r}."
            )
        check_size("contrastive_steps", self.contrastive_steps)
        check_size("contrastive_batch_size", self.contrastive_batch_size, 2)
        if not (isinstance(self.contrastive_lr, Real) and 0 < self.contrastive_lr < np.inf):
            raise ValueError(
                f"contrastive_lr must be a number above 0; found {self.contrastive_lr!r}."
            )

    # What is trained.

    def _module_sizes(self) -> dict[str, Any]:
        if "_vocabulary" not in vars(self):
            self._vocabulary = vocabulary_for(self.model, self.tokenizer)
        found = self._vocabulary[0]
        words = (
            {}
            if found is None
            else {
                "padding": found.padding,
                "no_words": found.no_words,
                "begins_word": found.begins_word,
            }
        )
        return {"encoder": self._encoder(), "pooling": self.pooling, **words}

    def _shares(self) -> bool:
        return self.trainable == "head" and is_pretrained(self.model)

    def _encoder(self) -> Any:
        if self._shares():
            return shared_encoder(self.model, self.pooling, self.device)[0]
        with self._own_randomness():
            return fresh_encoder(self.model)

    def initialize_module(self) -> TransformerClassifier:
        """Build the module, and freeze what is not trained."""
        super().initialize_module()
        if self.trainable in ("head", "contrastive"):
            shared = shared_encoder(self.model, self.pooling, self.device) if self._shares() else ()
            self.module_.freeze(shared[1] if shared else FeatureStore())
        elif self.trainable != "all":
            encoder = self.module_.encoder.requires_grad_(False)
            for layer in last_layers(encoder, int(self.trainable)):
                layer.requires_grad_(True)
        return self

    def get_all_learnable_params(self) -> Iterator[tuple[str, nn.Parameter]]:
        """Yield the parameters that are trained, each with its name."""
        named = super().get_all_learnable_params()
        yield from ((name, p) for name, p in named if p.requires_grad)

    def fit_loop(self, X: Any, y: Any = None, epochs: int | None = None, **fit_params: Any) -> Any:
        """Encode the texts, after the encoder was fine-tuned if it is to be; then skorch's loop."""
        if self.trainable == "contrastive":
            self._pull_together(X, y)
        if self.module_.store is not None:
            self.module_.read(X, verbose=self.verbose)
        return super().fit_loop(X, y, epochs, **fit_params)

    def _pull_together(self, X: NDArray[np.int64], y: NDArray[Any]) -> None:
        if len(np.unique(y, axis=0)) < 2:
            return  # nothing to keep apart
        encoder = self.module_.encoder.requires_grad_(True)
        try:
            with self._own_randomness():
                pull_together(
                    self.module_,
                    X,
                    y,
                    n_steps=self.contrastive_steps,
                    n_texts=self.contrastive_batch_size,
                    lr=self.contrastive_lr,
                    device=self.device,
                    verbose=self.verbose,
                )
        finally:
            encoder.requires_grad_(False).eval()
            self.module_.store.forget()

    @property
    def _default_callbacks(self) -> list[tuple[str, Any]]:
        usual = super()._default_callbacks
        return usual if self._usual is _HEAD else [*usual, *fine_tuning_callbacks()]

    def get_params(self, deep: bool = True, **kwargs: Any) -> dict[str, Any]:
        """Return the parameters as they were given, None included."""
        given = {name: vars(self)[name] for name in ("lr", "batch_size")}
        return super().get_params(deep=deep, **kwargs) | given
