"""A pretrained encoder with one linear layer on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from modal_interp._out_of_core import cuts_with_room
from modal_interp.modules._words import check_dropout, check_size, trim
from modal_interp.modules.feature_store import FeatureStore

Pooling = Literal["mean", "cls", "own"]

# Floats that a layer of a frozen encoder gives of texts read together: what a CPU's cache holds,
# and what keeps a GPU busy.
_CACHED, _ON_GPU = 2**20, 2**25
# Texts that are sorted by length together while all are encoded.
_SORTED_TOGETHER = 2**10


class TextTransformer(nn.Module):
    """Classify texts by an encoder of Hugging Face's transformers and one linear layer.

    Parameters
    ----------
    n_classes : int
        Number of outputs.
    encoder : nn.Module
        Takes `input_ids` and `attention_mask` and gives a ``last_hidden_state``, as what
        ``AutoModel`` loads does. It is taken as it is, not copied.
    pooling : {"mean", "cls", "own"}, default="mean"
        Features of a text: the mean of its tokens' last states, that of the first token, or what
        the encoder gives as ``pooler_output``.
    dropout : float in [0, 1), default=0.5
        Share of the features that training drops.
    padding : int, default=0
        Id of padding.
    no_words : sequence of int, default=()
        Ids of marks such as ``[CLS]``.
    begins_word : ndarray of shape (V,), bool, default=None
        Whether an id begins a word. None: each is a word.

    Attributes
    ----------
    encoder : nn.Module
        The encoder.
    dropout : nn.Dropout
        Before the output layer.
    output : nn.Linear
        From the features to `n_classes` logits.
    store : FeatureStore or None
        The features of texts, once the encoder is frozen.

    Raises
    ------
    ValueError
        If a parameter breaks its rule; the message names it and the value found.

    Notes
    -----
    Features are brought to mean 0 and variance 1, text by text (layer normalisation without
    weights), so that one step size suits the output layer on any encoder. Neither padding nor the
    other texts of a batch change a result, rounding aside.

    Departs from the paper: none; ALDEN and DAMI use no pretrained encoder.
    """

    def __init__(
        self,
        n_classes: int,
        *,
        encoder: nn.Module,
        pooling: Pooling = "mean",
        dropout: float = 0.5,
        padding: int = 0,
        no_words: Any = (),
        begins_word: Any = None,
    ) -> None:
        super().__init__()
        n_classes = check_size("n_classes", n_classes)
        check_pooling(pooling, encoder)
        self.encoder = encoder
        self.dropout = nn.Dropout(check_dropout(dropout))
        self.output = nn.Linear(_width(encoder), n_classes)
        self.pooling, self.padding = pooling, padding
        words = encoder.get_input_embeddings()  # type: ignore[operator]
        words.padding_idx = padding  # queries ask there which id is no word
        self.read_by = {
            "embedding_layer": next(key for key, m in self.named_modules() if m is words),
            "output_layer": "output",
            # A tokenizer may know more than the encoder: ids without a row are never read.
            "no_words": [number for number in no_words if number < words.num_embeddings],
            "begins_word": None if begins_word is None else begins_word[: words.num_embeddings],
        }
        self.store: FeatureStore | None = None
        self._has_others = False

    def freeze(self, store: FeatureStore, *, shared: bool = False) -> None:
        """Leave the encoder as it is, without dropout, and encode each text once.

        Gradients by its word embeddings can be pulled all the same.

        Parameters
        ----------
        store : FeatureStore
            Where features are kept: its own, or one for several that have this encoder.
        shared : bool, default=False
            Whether others have this encoder. Then weights that are loaded into this module, and a
            move to another device or dtype, are of a copy, and leave theirs as it is.
        """
        self.encoder.requires_grad_(False)
        for layer in self.encoder.modules():
            if isinstance(layer, nn.Dropout):
                layer.p = 0.0
        self.encoder.eval()
        self.store, self._has_others = store, shared
        self._look_through()

    def _look_through(self) -> None:
        # To go through them at each step took as long as all else of it.
        self._layers = tuple(self.encoder.modules())
        self._weights = tuple(self.encoder.parameters())

    def train(self, mode: bool = True) -> TextTransformer:
        """Set the mode, of a frozen encoder never to training."""
        if self.store is None:
            return super().train(mode)
        vars(self)["training"] = mode  # of this part alone
        for part in (self.dropout, self.output):
            part.train(mode)
        return self

    def _part(self) -> None:
        """Have an encoder of its own from now on."""
        if self._has_others:
            self.encoder = deepcopy(self.encoder)

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name == "encoder" and vars(self).get("store") is not None:
            self.freeze(FeatureStore())  # the features were those of another

    def _apply(self, fn: Any, recurse: bool = True) -> Any:
        """Move or convert the module, as ``to``, ``double`` and their like do."""
        if self.store is None:
            return super()._apply(fn, recurse)
        probe = self._weights[0].detach()[:0]
        becomes = fn(probe)
        if (becomes.dtype, becomes.device) != (probe.dtype, probe.device):
            self._part()
        super()._apply(fn, recurse)
        self._look_through()
        return self

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> Any:
        """Load weights, as torch does; features stay known where the encoder's are what they were.

        Parameters
        ----------
        state_dict, strict, assign
            As in ``nn.Module.load_state_dict``.
        """
        if self.store is None:
            return super().load_state_dict(state_dict, strict, assign)
        same = not assign and self._has(state_dict)
        if not same:
            self._part()
        before = self._state()
        found = super().load_state_dict(state_dict, strict, assign)
        self._look_through()
        if same and self.store.state == before:
            self.store.state = self._state()
        return found

    def _has(self, state_dict: Mapping[str, Any]) -> bool:
        """Tell whether the encoder has the weights that it would be given."""
        mine = self.encoder.state_dict(prefix="encoder.")
        given = {name: state_dict[name] for name in mine if name in state_dict}
        return all(torch.equal(mine[name], value.to(mine[name])) for name, value in given.items())

    def _state(self) -> Any:
        return weights_state(self._weights)

    def forward(self, ids: Tensor) -> Tensor:
        """Return logits of shape (B, n_classes) for token ids of shape (B, T), int64."""
        return self.output(self.dropout(self.features(ids)))

    def features(self, ids: Tensor) -> Tensor:
        """Return the features of texts, (B, H), as the output layer reads them without dropout."""
        if self.store is None or self._is_watched():
            return self.encode(ids)
        texts, lengths = ids.cpu().numpy(), trim(ids, self.padding)[1].cpu().numpy()
        kept = self.store.get(
            texts, lengths, lambda rows: self._encoded(ids, lengths, rows), state=self._state()
        )
        return torch.from_numpy(kept).to(self.output.weight)

    def read(self, ids: Any, *, verbose: int = 0) -> None:
        """Compute and keep the features of texts (n, T), so that a pass over them has them."""
        ids = torch.as_tensor(ids)
        order = torch.from_numpy(np.argsort(trim(ids, self.padding)[1].numpy(), kind="stable"))
        parts = order.split(_SORTED_TOGETHER)
        for rows in tqdm(parts, unit="batch", leave=False) if verbose > 0 else parts:
            self.features(ids[rows].to(self.output.weight.device))

    def encode(self, ids: Tensor) -> Tensor:
        """Return the features of texts, (B, H), by a pass through the encoder."""
        ids = trim(ids, self.padding)[0]
        if not ids.shape[1]:  # an encoder reads one token at least
            ids = nn.functional.pad(ids, (0, 1), value=self.padding)
        is_token = ids != self.padding
        mask = is_token.clone()
        mask[:, 0] |= ~is_token.any(dim=1)  # attention to nothing is no number
        found = self.encoder(input_ids=ids, attention_mask=mask.long())
        return nn.functional.layer_norm(self._pooled(found, is_token), self.output.weight.shape[1:])

    def _pooled(self, found: Any, is_token: Tensor) -> Tensor:
        if self.pooling == "own":
            return found.pooler_output
        states = found.last_hidden_state
        if self.pooling == "cls":
            return states[:, 0]
        share = is_token / is_token.sum(dim=1, keepdim=True).clamp(min=1)
        return torch.einsum("bth,bt->bh", states, share.to(states))

    def _is_watched(self) -> bool:
        """Tell whether a pass is to go through the encoder, for what hooks or trains it."""
        hooked = any(layer._forward_hooks or layer._forward_pre_hooks for layer in self._layers)
        return hooked or any(p.requires_grad for p in self._weights)

    def _encoded(self, ids: Tensor, lengths: Any, rows: Any) -> Any:
        """Return the features of some rows, texts of like length read together."""
        by_length = np.argsort(lengths[rows], kind="stable")
        found = np.empty((len(rows), self.output.in_features), dtype=np.float32)
        # Without autocast: others read these features, too.
        with torch.inference_mode(), torch.autocast(ids.device.type, enabled=False):
            for part in cuts_with_room(lengths[rows[by_length]], self._room()):
                some = by_length[part]
                features = self.encode(ids[torch.from_numpy(rows[some]).to(ids.device)])
                found[some] = features.float().cpu().numpy()
        return found

    def _room(self) -> int:
        """Return how many tokens are read together."""
        config: Any = self.encoder.config
        widest = max(_width(self.encoder), getattr(config, "intermediate_size", 0))
        return (_CACHED if self.output.weight.device.type == "cpu" else _ON_GPU) // widest


def weights_state(weights: Iterable[Tensor]) -> Any:
    """Return what differs once weights were written to, or are of another dtype."""
    weights = list(weights)
    # Of what inference mode made torch counts no versions.
    return weights[0].dtype, sum(0 if p.is_inference() else p._version for p in weights)


def check_pooling(pooling: Any, encoder: nn.Module) -> None:
    """Raise a ValueError where an encoder cannot pool so."""
    if pooling not in ("mean", "cls", "own"):
        raise ValueError(f"pooling must be 'mean', 'cls' or 'own'; found {pooling!r}.")
    if pooling == "own" and getattr(encoder, "pooler", None) is None:
        raise ValueError(
            f"pooling='own' needs an encoder that pools; {type(encoder).__name__} has no pooler. "
            "Use 'mean' or 'cls'."
        )


def _width(encoder: nn.Module) -> int:
    config: Any = encoder.config
    return int(config.hidden_size)
