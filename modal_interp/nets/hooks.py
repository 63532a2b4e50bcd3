"""Looks into a wrapped module while it runs, and leaves it exactly as it was found.

This is the only file that hooks a module or switches its layers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from skorch import NeuralNet
from torch import Tensor, nn


@contextmanager
def untouched(net: NeuralNet) -> Iterator[set[nn.Parameter]]:
    """Evaluate with frozen parameters inside; put everything back outside.

    Gives the parameters that training changes. Training mode, ``requires_grad``, ``.grad``,
    parameters and the random generators are afterwards what they were before.
    """
    tops = [getattr(net, name + "_") for name in [*net._modules, *net._criteria]]
    modules = [m for top in tops if isinstance(top, nn.Module) for m in top.modules()]
    modes = [(m, m.training) for m in modules]
    required = [(p, p.requires_grad) for m in modules for p in m.parameters(recurse=False)]
    # An embedding with max_norm rewrites its own rows in every forward pass.
    rewritten = [
        (m, m.weight.detach().clone())
        for m in modules
        if isinstance(m, nn.Embedding) and m.max_norm is not None
    ]
    cuda = sorted({p.device.index for p, _ in required if p.is_cuda})
    try:
        net._set_training(False)
        for p, _ in required:
            p.requires_grad_(False)
        with torch.random.fork_rng(devices=cuda):
            yield {p for p, require in required if require}
    finally:
        for m, mode in modes:
            m.training = mode
        for p, require in required:
            p.requires_grad_(require)
        for m, weight in rewritten:
            m.weight.data.copy_(weight)


@contextmanager
def embeddings_as_leaves(layer: nn.Embedding) -> Iterator[list[tuple[Tensor, Tensor]]]:
    """Cut the graph behind the layer and collect (ids, embeddings) of each of its calls."""
    calls: list[tuple[Tensor, Tensor]] = []

    def cut(_: nn.Module, args: Any, kwargs: Any, output: Tensor) -> Tensor:
        leaf = output.detach().requires_grad_()
        calls.append((args[0] if args else kwargs["input"], leaf))
        return leaf

    with _hooked(layer.register_forward_hook(cut, with_kwargs=True)):
        yield calls


@contextmanager
def kept(layer: nn.Module | None) -> Iterator[list[tuple[Tensor, Tensor]]]:
    """Keep what the layer was given and what it gave in its last call; nothing for no layer."""
    last: list[tuple[Tensor, Tensor]] = []
    if layer is None:
        yield last
        return

    def keep(_: nn.Module, args: Any, kwargs: Any, output: Tensor) -> None:
        last[:] = [(args[0] if args else kwargs["input"], output)]

    with _hooked(layer.register_forward_hook(keep, with_kwargs=True)):
        yield last


@contextmanager
def outputs_replaced(layers: list[nn.Module], replace: Any) -> Iterator[None]:
    """Give on ``replace(layer, input)`` in the place of what these layers give."""

    def hook(layer: nn.Module, args: Any, kwargs: Any, output: Tensor) -> Tensor:
        return replace(layer, args[0] if args else kwargs["input"])

    handles = [layer.register_forward_hook(hook, with_kwargs=True) for layer in layers]
    with _hooked(*handles):
        yield


@contextmanager
def switched_on(layers: list[nn.Module]) -> Iterator[None]:
    """Put these layers alone, without those inside them, into training mode."""
    modes = [layer.training for layer in layers]
    try:
        for layer in layers:
            layer.training = True
        yield
    finally:
        for layer, mode in zip(layers, modes, strict=True):
            layer.training = mode


@contextmanager
def without_fast_paths() -> Iterator[None]:
    """Let transformers call the layers inside them, so that hooks and dropout act there."""
    enabled = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(enabled)


@contextmanager
def sparse_embeddings(net: NeuralNet) -> Iterator[None]:
    """Let the gradient of an embedding hold the rows that were read, and no others."""
    layers = [
        layer
        for layer in net.module_.modules()
        # torch has no sparse gradient that is scaled by the words' frequency.
        if isinstance(layer, nn.Embedding) and not (layer.sparse or layer.scale_grad_by_freq)
    ]
    try:
        for layer in layers:
            layer.sparse = True
        yield
    finally:
        for layer in layers:
            layer.sparse = False


@contextmanager
def _hooked(*handles: Any) -> Iterator[None]:
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
