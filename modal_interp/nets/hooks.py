"""Looks into a wrapped module while it runs, and leaves it exactly as it was found.

This is the only file that hooks a module or switches its layers.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from threading import get_ident
from typing import Any

import torch
from skorch import NeuralNet
from torch import Tensor, nn

from modal_interp._seeding import one_at_a_time
from modal_interp.nets.state import CopyBeforeWriting, Found


@contextmanager
def untouched(net: NeuralNet) -> Iterator[set[nn.Parameter]]:
    """Evaluate with frozen parameters inside; put everything back outside.

    Gives the parameters that training changes. The module, its layers' attributes, modes and
    hooks, ``requires_grad``, parameters and buffers, torch's switches and the random generators are
    afterwards what they were before, also where the passes are interrupted, and whatever a forward
    pass of the module rewrites. One thread at a time is inside, or trains; what holds outside
    (autocast, inference mode, another default dtype) does not matter here.
    """
    ambient = torch.inference_mode(False) if torch.is_inference_mode_enabled() else nullcontext()
    with one_at_a_time(), _left_as_found(net) as found, ambient:
        _as_if_alone(net, found)
        yield {p for p, require in found.required if require}


@contextmanager
def _left_as_found(net: NeuralNet) -> Iterator[Found]:
    # A function of its own: an interruption at the word `try` passes by what surrounds it.
    found = Found(net)
    try:
        try:
            yield found
        finally:
            _put_back(found)
    finally:
        _put_back(found)  # where the first was interrupted


def _as_if_alone(net: NeuralNet, found: Found) -> None:
    """Evaluate, whatever mode the net is in and whatever torch's switches say."""
    for kind in ("cpu", "cuda"):
        torch.set_autocast_enabled(kind, False)
    torch.set_anomaly_enabled(False)
    if "torch._dynamo.eval_frame" in sys.modules and hasattr(torch.compiler, "set_stance"):
        torch.compiler.set_stance("force_eager")  # for functions that a module compiled
    dtypes = {p.dtype for p, _ in found.required if p.dtype in (torch.float32, torch.float64)}
    if len(dtypes) == 1 and torch.get_default_dtype() not in dtypes:
        torch.set_default_dtype(*dtypes)
    for m in found.modules:
        _run_as_written(m)
    net._set_training(False)
    for p, _ in found.required:
        p.requires_grad_(False)
    if found.tensors.large:
        _watch_first_pass(net, found)


def _run_as_written(module: nn.Module) -> None:
    """Let a compiled module run uncompiled, so that hooks act and all shapes will do."""
    own = vars(module)
    original = own.get("_modules", {}).get("_orig_mod")
    if original is not None and "dynamo_ctx" in own:
        own["forward"] = original
    if own.get("_compiled_call_impl") is not None:
        own["_compiled_call_impl"] = None


def _watch_first_pass(net: NeuralNet, found: Found) -> None:
    """Copy what the module writes to in its first pass, before it does."""
    given = vars(net).get("infer")

    def infer(*args: Any, **kwargs: Any) -> Any:
        own = vars(net)
        own.pop("infer") if given is None else own.update(infer=given)
        try:
            with CopyBeforeWriting(found.tensors):
                return net.infer(*args, **kwargs)
        except Exception:  # of whatever kind: some modules cannot be watched
            found.tensors.copy_large()
            return net.infer(*args, **kwargs)

    vars(net)["infer"] = infer


def _put_back(found: Found) -> None:
    for m, mode in found.modes:
        if m.training != mode:
            m.training = mode
    found.put_back()


@contextmanager
def embeddings_as_leaves(layer: nn.Embedding) -> Iterator[list[tuple[Tensor, Tensor]]]:
    """Cut the graph behind the layer and collect (ids, embeddings) of each of its calls."""
    calls: list[tuple[Tensor, Tensor]] = []
    thread = get_ident()

    def cut(_: nn.Module, args: Any, kwargs: Any, output: Tensor) -> Tensor:
        if get_ident() != thread:  # of a net that has this layer too, and predicts meanwhile
            return output
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
    """Let the gradient of an embedding hold the rows that were read, and no others.

    A layer that computes the vectors of words that it was not trained on has rows for them, too.
    """
    layers = [
        layer
        for layer in net.module_.modules()
        # torch has no sparse gradient that is scaled by the words' frequency.
        if isinstance(layer, nn.Embedding) and not (layer.sparse or layer.scale_grad_by_freq)
    ]
    computing: list[Any] = [layer for layer in layers if hasattr(layer, "storing")]
    try:
        with ExitStack() as stack:
            for layer in computing:
                stack.enter_context(layer.storing())
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
