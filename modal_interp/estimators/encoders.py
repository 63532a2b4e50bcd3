"""Pretrained encoders: loaded, checked, and shared where they stay as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from modal_interp._seeding import seeded
from modal_interp.modules.feature_store import FeatureStore
from modal_interp.modules.transformer import weights_state
from modal_interp.texts.pretrained import import_transformers, local_first, stamp


class Shared:
    """An encoder that nobody trains, and the features that it gave so far."""

    def __init__(self, encoder: nn.Module) -> None:
        self.encoder = encoder.requires_grad_(False)
        self.stores: dict[Any, FeatureStore] = {}  # by pooling
        self.state = weights_state(encoder.parameters())

    def is_as_loaded(self, load: Callable[[], nn.Module]) -> bool:
        """Tell whether the encoder is still what its files hold, whatever was done to a net's."""
        weights = self.encoder.state_dict()
        if any(p.requires_grad for p in self.encoder.parameters()):
            return False
        state = weights_state(self.encoder.parameters())
        if state != self.state:  # written to, perhaps with the same values
            given = load().state_dict()
            if any(not torch.equal(weights[name].cpu(), given[name]) for name in given):
                return False
            self.state = state
        return True


def is_pretrained(model: Any) -> bool:
    """Tell whether a model is given by name or folder; else by its configuration alone."""
    return isinstance(model, str | Path)


def fresh_encoder(model: Any) -> nn.Module:
    """Return an encoder of its own, to be trained.

    Raises
    ------
    ImportError, TypeError, ValueError
        If transformers is not installed, `model` is of no kind that makes an encoder, or its files
        are not to be had.
    """
    if is_pretrained(model):
        return deepcopy(_loaded(str(model), stamp(model)))
    return _built(model)


def encoder_to_look_at(model: Any) -> Any:
    """Return an encoder to check input by, which nobody may train or change: no copy is made."""
    if is_pretrained(model):
        return _loaded(str(model), stamp(model))
    with seeded(0, torch.device("cpu")):
        return _built(model)


@lru_cache(maxsize=4)
def _shared(model: str, files: Any, device: str, padding: int) -> Shared:
    with torch.inference_mode(False):
        return Shared(deepcopy(_loaded(model, files)).to(device))


def shared_encoder(
    model: str | Path, pooling: str, device: Any, padding: int
) -> tuple[nn.Module, FeatureStore]:
    """Return the encoder that all nets which leave it as it is have together, and its features.

    Those whose tokenizers pad with another id have another one: its embedding says which id it is.
    """
    of = (str(model), stamp(model))
    shared = _shared(*of, str(device), padding)
    # Somebody may have trained it by hand, in a net of theirs.
    if not shared.is_as_loaded(partial(_loaded, *of)):
        _shared.cache_clear()
        shared = _shared(*of, str(device), padding)
    return shared.encoder, shared.stores.setdefault(pooling, FeatureStore())


@lru_cache(maxsize=2)
def _loaded(model: str, files: Any) -> nn.Module:
    """Load an encoder from its files, as it lies there."""
    transformers = import_transformers()
    # Weights that files lack, such as a pooler's, are drawn: alike each time.
    with torch.inference_mode(False), seeded(0, torch.device("cpu")), _quietly(transformers):
        config = local_first(transformers.AutoConfig.from_pretrained, model, "configuration")
        _check_kind(config, model)
        encoder = local_first(transformers.AutoModel.from_pretrained, model, "encoder")
    return _ready(encoder)


def _built(config: Any) -> nn.Module:
    """Build an encoder by its configuration, its weights drawn from torch's generator."""
    transformers = import_transformers()
    if not isinstance(config, transformers.PretrainedConfig):
        raise TypeError(
            "model must be a name, a folder, or a configuration of transformers; found a "
            f"{type(config).__name__}. Pass the folder that its save_pretrained writes."
        )
    _check_kind(config, type(config).__name__)
    return _ready(transformers.AutoModel.from_config(config))


def _ready(encoder: Any) -> nn.Module:
    if not isinstance(getattr(encoder, "get_input_embeddings", lambda: None)(), nn.Embedding):
        raise ValueError(
            f"model must read token ids by an nn.Embedding; {type(encoder).__name__} does not."
        )
    if all(getattr(encoder, part, None) is not None for part in ("encoder", "decoder")):
        # As of the encoder alone of such a model, whose files do not say that it was cut out.
        raise _not_alone(type(encoder).__name__, encoder.config)
    return encoder.float().eval()


def _not_alone(name: Any, config: Any) -> ValueError:
    return ValueError(
        f"model must be an encoder alone; {name} is a {config.model_type} of encoder and decoder. "
        "Take an encoder such as BERT, RoBERTa, MPNet or MiniLM."
    )


def _check_kind(config: Any, name: Any) -> None:
    if getattr(config, "is_encoder_decoder", False):
        raise _not_alone(name, config)
    if not isinstance(getattr(config, "hidden_size", None), int):
        raise ValueError(
            f"model must be an encoder of texts; {name} is a {config.model_type}, whose "
            "configuration has no hidden_size."
        )


@contextmanager
def _quietly(transformers: Any) -> Iterator[None]:
    """Show no bar for weights that are read in a moment; a download shows its own."""
    logging = transformers.utils.logging
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def longest_text(encoder: nn.Module) -> int | None:
    """Return how many tokens an encoder has places for; None where it needs none."""
    n_places = getattr(encoder.config, "max_position_embeddings", None)
    for name, layer in encoder.named_modules():
        places = isinstance(layer, nn.Embedding) and "position" in name.rpartition(".")[2]
        if places and layer.num_embeddings == n_places:
            # RoBERTa and its kin count places from behind the padding's id on.
            return n_places - (0 if layer.padding_idx is None else layer.padding_idx + 1)
    return None


def last_layers(encoder: nn.Module, n: int) -> list[nn.Module]:
    """Return the last `n` layers of an encoder.

    Raises
    ------
    ValueError
        If it does not have so many, or they are not to be told.
    """
    n_layers = getattr(encoder.config, "num_hidden_layers", None)
    stacks = [m for m in encoder.modules() if isinstance(m, nn.ModuleList) and len(m) == n_layers]
    if not stacks:
        raise ValueError(
            f"trainable must be 'head', 'contrastive' or 'all' for {type(encoder).__name__}, "
            f"whose layers are not a list, or share their weights; found {n}."
        )
    if n > len(stacks[0]):
        raise ValueError(
            "trainable as a number must be that of the encoder's last layers, from 1 to "
            f"{n_layers}; found {n}."
        )
    return list(stacks[0])[-n:]
