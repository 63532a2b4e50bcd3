"""Passes with dropout: predictions by samples of a net's parameters (Monte Carlo dropout)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.random import RandomState
from skorch import NeuralNet
from skorch.dataset import get_len
from skorch.utils import multi_indexing
from torch import Tensor, nn
from torch.nn.modules.dropout import _DropoutNd

from modal_interp._seeding import seeded
from modal_interp.nets.batches import Rows, batches
from modal_interp.nets.hooks import outputs_replaced, switched_on, untouched, without_fast_paths
from modal_interp.nets.outputs import precisely

# Layers whose dropout is a mask that can be drawn beforehand: of single values, of channels.
_BY_VALUE = (nn.Dropout,)
_BY_CHANNEL = (nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)
# Samples times passes that are replayed at once.
_REPLAYED = 2**14


class DropoutPasses(NamedTuple):
    """One batch: b samples under K passes."""

    rows: Rows  # (b,) rows of X
    proba: Tensor  # (b, K, C)
    several: bool  # each column is a label of its own; else a row is one distribution


def dropout_layers(net: NeuralNet) -> list[nn.Module]:
    """Return the layers of the net's module that drop something in training.

    Raises
    ------
    TypeError, ValueError
        If it is no net, or there is none.
    """
    if not isinstance(net, NeuralNet):
        raise TypeError(
            f"passes with dropout need a skorch net; found a {type(net).__name__}. Use a "
            "DeepEnsemble or a Committee of several members, which take the place of the passes."
        )
    layers = [layer for layer in net.module_.modules() if _drops(layer)]
    if not layers:
        raise ValueError(
            f"passes with dropout need a dropout layer with p > 0; {type(net.module_).__name__} "
            "holds none. Give it one (module__dropout=0.5 in this package's estimators), or use a "
            "DeepEnsemble or a Committee of several members, which take the place of the passes."
        )
    return layers


def check_passes(net: NeuralNet, n_passes: Any) -> None:
    """Check the number of passes, and that the net has dropout for them.

    Raises
    ------
    TypeError, ValueError
        Naming the parameter, the rule and the value found.
    """
    if isinstance(n_passes, bool) or not isinstance(n_passes, int | np.integer):
        raise TypeError(f"n_passes must be a whole number; found {n_passes!r}.")
    if n_passes < 1:
        raise ValueError(f"n_passes must be at least 1; found {n_passes}.")
    dropout_layers(net)


def dropout_passes(
    net: NeuralNet, X: Any, n_passes: int, random_state: RandomState, *, verbose: int = 0
) -> Generator[DropoutPasses, None, None]:
    r"""Yield :math:`p(y \mid x_i, \hat\omega_k)` for K draws of dropout, batch by batch.

    A draw is one mask a layer, the same for all samples: it stands for one net, drawn from the
    approximate posterior of Gal and Ghahramani (ICML 2016). So the passes of a sample do not
    depend on its batch, and those of two samples belong together. Where dropout sits only behind
    the encoder, samples are encoded once. Layers that drop by themselves (recurrent, attention and
    alpha dropout), and those given no dimension of samples (packed words), draw for each sample:
    reproducible, but not apart from its batch.

    Parameters
    ----------
    net : skorch.NeuralNet
        A fitted classifier whose module holds dropout layers.
    X : array of shape (n, ...), or whatever the net's ``dataset`` takes
        Samples.
    n_passes : int
        K, the number of draws.
    random_state : RandomState
        Seeds the masks.
    verbose : int
        Greater than 0 shows a progress bar.

    Yields
    ------
    DropoutPasses
        ``rows`` tells which samples a batch holds.

    Raises
    ------
    ValueError
        If the net has no dropout layer.
    """
    layers = dropout_layers(net)
    # Exactly these: a subclass may drop by rules of its own.
    native = [layer for layer in layers if type(layer) not in (*_BY_VALUE, *_BY_CHANNEL)]
    masked = [layer for layer in layers if layer not in native]
    masks = _Masks(masked, random_state.randint(2**31 - 1))
    # One pass is nothing to replay, and a change in place would be lost.
    alone = n_passes == 1 or any(getattr(layer, "inplace", False) for layer in masked)
    at_once = False if native or alone else None
    replaced = outputs_replaced(masked, masks.drop)
    with untouched(net), torch.no_grad(), without_fast_paths(), replaced:
        for rows, Xi in batches(net, X, verbose=verbose):
            found = None
            if get_len(Xi) > 1 and at_once is not False:  # of one sample shapes tell little
                at_once = at_once or _can_replay(net, Xi, masks, n_passes)
                found = _replayed(net, Xi, masks, n_passes) if at_once else None
                at_once = found is not None  # the first batch may have been too simple to tell
            if found is None:
                found = _one_by_one(net, Xi, masks, n_passes, native)
            yield DropoutPasses(rows, *found)


def _drops(layer: nn.Module) -> bool:
    if isinstance(layer, _DropoutNd):
        return layer.p > 0
    if isinstance(layer, nn.RNNBase):  # between its layers
        return layer.dropout > 0 and layer.num_layers > 1
    return isinstance(layer, nn.MultiheadAttention) and layer.dropout > 0


class _Masks:
    """The masks of all passes, drawn from seeds: any part of one can be drawn again."""

    def __init__(self, layers: list[nn.Module], seed: int) -> None:
        self.number = {layer: number for number, layer in enumerate(layers)}
        self.seed = seed
        self.drawn: dict[tuple[int, ...], Tensor] = {}  # the last one of each layer, call and pass
        self.device = torch.device("cpu")
        self.begin(range(1), 1)

    def begin(self, passes: range, n_samples: int, *, blank: bool = False) -> None:
        """Begin a forward pass that stands for these passes; a blank one drops nothing."""
        self.passes, self.n_samples, self.blank = passes, n_samples, blank
        self.spread = False  # over all passes, each below the last
        self.unclear = False  # whether a dimension beside that of the samples is as long
        self.calls = dict.fromkeys(self.number, 0)

    def drop(self, layer: nn.Module, x: Tensor) -> Tensor:
        """Return what the layer gives; where several passes run, those of all, each below the last.

        Raises
        ------
        _NotByRowsError
            If several passes run and the layer is not given a matrix with a row a sample.
        """
        call = self.calls[layer]
        self.calls[layer] += 1
        self.device = x.device  # where masks stay once they are drawn
        if len(self.passes) == 1:
            dropped = x * self._mask(layer, call, self.passes[0], *self._shared(x.shape)).to(x)
            # A module may count on a change in place and not look at what is returned.
            return x.copy_(dropped) if getattr(layer, "inplace", False) else dropped
        n, n_passes = self.n_samples, len(self.passes)
        if x.ndim != 2 or not (len(x) == n or (self.spread and len(x) == n * n_passes)):
            raise _NotByRowsError
        self.spread = True
        shape = (1, x.shape[1])
        masks = torch.stack([self._mask(layer, call, k, shape) for k in self.passes]).to(x)
        dropped = x.reshape(-1, n, x.shape[1]) * masks
        return dropped.reshape(-1, x.shape[1])

    def _shared(self, shape: torch.Size) -> tuple[tuple[int, ...], bool]:
        """Return the shape of a mask, and whether some dimension holds samples that share it."""
        outer = range(max(1, min(2, len(shape) - 1)))  # the last dimension holds features
        dims = [dim for dim in outer if shape[dim] == self.n_samples]
        self.unclear |= len(dims) > 1
        mask = tuple(1 if [dim] == dims[:1] else size for dim, size in enumerate(shape))
        return mask, bool(dims)

    def _mask(
        self, layer: Any, call: int, k: int, shape: tuple[int, ...], shared: bool = True
    ) -> Tensor:
        if self.blank or layer.p == 1:
            return torch.full(shape, float(self.blank), device=self.device)
        if isinstance(layer, _BY_CHANNEL):
            shape = (*shape[:2], *[1] * (len(shape) - 2))
        key = (self.number[layer], call, k)
        if not shared:
            stays = RandomState([self.seed, *key]).random_sample(shape) >= layer.p
            return torch.from_numpy(stays / (1 - layer.p))
        if key not in self.drawn or self.drawn[key].shape != shape:
            stays = np.empty(shape, dtype=np.float32)
            # Each row from a seed of its own: a shorter batch has a part of the same mask.
            for place in np.ndindex(shape[:-1]):
                rng = RandomState([self.seed, *key, *place])
                stays[place] = rng.random_sample(shape[-1]) >= layer.p
            self.drawn[key] = torch.from_numpy(stays / (1 - layer.p)).to(self.device)
        return self.drawn[key]


class _NotByRowsError(Exception):
    """A dropout layer inside the encoder: passes cannot be replayed from it."""


def _can_replay(net: NeuralNet, Xi: Any, masks: _Masks, n_passes: int) -> bool:
    """Tell whether all passes at once give for each sample what they give one by one.

    With nothing dropped, so that the two must be equal, whatever the module does.
    """
    n = get_len(Xi)
    masks.begin(range(1), n, blank=True)
    expected, _ = precisely(net, net.infer(Xi))
    n_passes = min(n_passes, max(2, _REPLAYED // n))
    masks.begin(range(n_passes), n, blank=True)
    try:
        found, _ = precisely(net, net.infer(Xi))
    except Exception:  # whatever a module of the user's raises at more rows than it was given
        return False
    expected = expected.repeat(n_passes, 1)
    return found.shape == expected.shape and torch.allclose(found, expected, rtol=1e-4, atol=1e-6)


def _replayed(net: NeuralNet, Xi: Any, masks: _Masks, n_passes: int) -> tuple[Tensor, bool] | None:
    """Return the probabilities (b, K, C) by few passes through the encoder; None if that fails."""
    n = get_len(Xi)
    at_once = max(2, _REPLAYED // n)
    found, several = [], False
    for first in range(0, n_passes, at_once):
        passes = range(first, min(first + at_once, n_passes))
        masks.begin(passes, n)
        try:
            proba, several = precisely(net, net.infer(Xi))
        except Exception:  # of whatever kind: pass by pass, a real one is raised again
            return None
        if len(proba) != n * len(passes):
            return None
        found.append(proba.reshape(len(passes), n, -1))
    return torch.cat(found).transpose(0, 1), several


def _one_by_one(
    net: NeuralNet, Xi: Any, masks: _Masks, n_passes: int, native: list[nn.Module]
) -> tuple[Tensor, bool]:
    """Return the probabilities (b, K, C) by one pass after the other."""
    device = torch.device(net.device or "cpu")
    passes, several = [], False
    for k in range(n_passes):
        masks.begin(range(k, k + 1), get_len(Xi))
        with switched_on(native), seeded(masks.seed + k, device):
            proba, several = precisely(net, net.infer(Xi))
        passes.append(proba)
    n = get_len(Xi)
    if n == 1 or not masks.unclear:
        return torch.stack(passes, dim=1), several
    # As many words as samples, say, and either may come first: other numbers of samples tell.
    parts = [multi_indexing(Xi, part) for part in (slice(0, 1), slice(1, n))]
    found = [_one_by_one(net, part, masks, n_passes, native=native)[0] for part in parts]
    return torch.cat(found), several
