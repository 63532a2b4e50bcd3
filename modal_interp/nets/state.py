"""What a net and torch are like, kept before a query and put back after it.

What changed is told by the values themselves, not by the classes of layers: whatever a module of
the user's rewrites in a forward pass is put back.
"""

from __future__ import annotations

import random
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from skorch import NeuralNet
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.utils._python_dispatch import TorchDispatchMode

# Numbers of a tensor, and of all tensors together, that are copied beforehand. Larger ones are
# copied once something is about to be written to them.
_SMALL, _SMALL_TOGETHER = 2**16, 2**20


def tops(net: NeuralNet) -> list[nn.Module]:
    """Return the modules and criteria of a net."""
    found = [getattr(net, name + "_") for name in [*net._modules, *net._criteria]]
    return [top for top in found if isinstance(top, nn.Module)]


class Found:
    """What a net and torch are like now."""

    def __init__(self, net: NeuralNet) -> None:
        self.net, self.infer = net, vars(net).get("infer")
        self.modules = list({id(m): m for top in tops(net) for m in top.modules()}.values())
        self.modes = [(m, m.training) for m in self.modules]
        self.attributes = [_attributes(m) for m in self.modules]
        self.tensors = _Tensors(self.modules)
        self.required = [
            (p, p.requires_grad) for m in self.modules for p in m.parameters(recurse=False)
        ]
        devices = {p.device for p, _ in self.required}
        self.switches = _switches()
        self.switches += _generators(devices)
        self.done = False

    def put_back(self) -> None:
        """Make everything what it was; to be called again where an interruption got in between."""
        if self.done:
            return
        for switch in self.switches:
            switch()
        own = vars(self.net)
        own.pop("infer", None) if self.infer is None else own.update(infer=self.infer)
        for held in self.attributes:
            held.put_back()
        for p, require in self.required:
            p.requires_grad_(require)
        lost = self.tensors.put_back()
        self.done = True
        if lost:
            warnings.warn(
                f"the module rewrites its {', '.join(lost)} in some of its passes, but not in the "
                "first: the query left it changed.",
                stacklevel=2,
            )


class _attributes:  # noqa: N801 - read as what it holds
    """The attributes of a module, and torch's tables among them: parameters, buffers, hooks.

    What a module of the user's writes down in a list of its own is the user's.
    """

    def __init__(self, module: nn.Module) -> None:
        scripted = isinstance(module, torch.jit.ScriptModule)  # whose attributes lie elsewhere
        self.living = {} if scripted else vars(module)
        self.values = dict(self.living)
        self.tables = [
            (value, value.copy())
            for name, value in self.values.items()
            if name.startswith("_") and isinstance(value, dict)
        ]

    def put_back(self) -> None:
        for now, then in [(self.living, self.values), *self.tables]:
            for key in now.keys() - then.keys():
                del now[key]
            for key, value in then.items():
                if now.get(key, now) is not value:
                    now[key] = value


class _Tensors:
    """The values of a module's parameters, buffers and other tensors."""

    def __init__(self, modules: list[nn.Module]) -> None:
        self.copies: dict[int, tuple[Tensor, Tensor, Tensor]] = {}
        self.large: dict[int, tuple[str, Tensor, Tensor, Any]] = {}
        room = _SMALL_TOGETHER
        for name, tensor in _named_tensors(modules):
            if is_lazy(tensor):
                raise ValueError(
                    f"the net must be fitted before a query; its module's {name} has no shape yet "
                    "(a lazy layer). Call fit, or the module once."
                )
            if tensor.numel() <= min(room, _SMALL):
                room -= tensor.numel()
                self.copy(tensor, tensor.detach())
            else:
                self.large[id(tensor)] = (name, tensor, tensor.detach(), _version(tensor))

    def copy(self, tensor: Tensor, values: Tensor) -> None:
        """Copy a tensor's values, which lie in `values`."""
        self.copies[id(tensor)] = (tensor, values, values.clone())

    def copy_large(self, pointers: set[int] | None = None) -> None:
        """Copy the larger tensors that lie at these places in memory, or all of them."""
        for _, tensor, values, _ in self.large.values():
            here = pointers is None or values.untyped_storage().data_ptr() in pointers
            if here and id(tensor) not in self.copies:
                self.copy(tensor, values)

    def put_back(self) -> list[str]:
        """Return the names of those that were changed and not copied before."""
        others = [held for key, held in self.large.items() if key not in self.copies]
        for _, tensor, values, _ in others:
            _place_back(tensor, values)
        for tensor, values, copy in self.copies.values():
            _place_back(tensor, values)
            if not _same(tensor, copy):
                with torch.inference_mode(tensor.is_inference()):
                    tensor.data.copy_(copy)
        return [name for name, tensor, _, version in others if _version(tensor) != version]


def _place_back(tensor: Tensor, values: Tensor) -> None:
    """Let a tensor lie where it lay, if its module has given it others by ``.data =``."""
    moved = tensor.data_ptr() != values.data_ptr() or tensor.shape != values.shape
    if moved and not _same(tensor, values):
        tensor.data = values


def _same(tensor: Tensor, other: Tensor) -> bool:
    return tensor.dtype == other.dtype and torch.equal(tensor.detach(), other)


def _version(tensor: Tensor) -> Any:
    return None if tensor.is_inference() else tensor._version


def _named_tensors(modules: Iterable[nn.Module]) -> Iterator[tuple[str, Tensor]]:
    """Yield each dense tensor that a module holds, once."""
    seen: set[int] = set()
    for m in modules:
        named: list[tuple[str, Any]] = [
            *m.named_parameters(recurse=False),
            *m.named_buffers(recurse=False),
        ]
        if not isinstance(m, torch.jit.ScriptModule):
            named += [(name, value) for name, value in vars(m).items() if isinstance(value, Tensor)]
        for name, tensor in named:
            if id(tensor) not in seen and tensor.layout == torch.strided:
                seen.add(id(tensor))
                yield f"{type(m).__name__}.{name}", tensor


class CopyBeforeWriting(TorchDispatchMode):
    """Copies the larger tensors of a module right before an operation writes to them."""

    def __init__(self, tensors: _Tensors) -> None:
        super().__init__()
        self.tensors = tensors

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func._schema.is_mutable:
            self.tensors.copy_large(set(_written(func._schema, args, kwargs)))
        return func(*args, **kwargs)


def _written(schema: Any, args: Any, kwargs: Any) -> Iterator[int]:
    """Yield where in memory an operation writes to."""
    for place, argument in enumerate(schema.arguments):
        if argument.alias_info is None or not argument.alias_info.is_write:
            continue
        value = args[place] if place < len(args) else kwargs.get(argument.name)
        for tensor in value if isinstance(value, list | tuple) else [value]:
            if isinstance(tensor, Tensor):
                yield tensor.untyped_storage().data_ptr()


def _switches() -> list[Callable[[], Any]]:
    """Return what sets torch's switches, of this thread and of the process, to what they are."""
    cudnn, mha = torch.backends.cudnn, torch.backends.mha
    compiler = sys.modules.get("torch._dynamo.eval_frame")  # where something was compiled
    stance = getattr(compiler, "_stance", None)
    return [
        *([] if stance is None else [partial(compiler._set_stance, stance)]),  # type: ignore[union-attr]
        partial(torch.set_grad_enabled, torch.is_grad_enabled()),
        partial(torch.set_default_dtype, torch.get_default_dtype()),
        partial(mha.set_fastpath_enabled, mha.get_fastpath_enabled()),
        partial(cudnn.set_flags, _enabled=cudnn.enabled),
        partial(
            torch.set_anomaly_enabled,
            torch.is_anomaly_enabled(),
            torch.is_anomaly_check_nan_enabled(),
        ),
        *(
            partial(torch.set_autocast_enabled, kind, torch.is_autocast_enabled(kind))
            for kind in ("cpu", "cuda")
        ),
    ]


def _generators(devices: set[torch.device]) -> list[Callable[[], Any]]:
    """Return what puts the states of Python's, NumPy's and torch's generators back."""
    cuda = sorted(device.index for device in devices if device.type == "cuda")
    return [
        partial(random.setstate, random.getstate()),
        partial(np.random.set_state, np.random.get_state()),  # noqa: NPY002 - a module may draw
        partial(torch.set_rng_state, torch.get_rng_state()),
        *(partial(torch.cuda.set_rng_state, torch.cuda.get_rng_state(i), i) for i in cuda),
    ]
