"""What a value is made of, so that it is told from others, and equal ones are found equal."""

from __future__ import annotations

import collections
import random
import types
import weakref
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import torch

from modal_interp.experiments.running.code_parts import Parts, code_parts
from modal_interp.experiments.running.object_parts import (
    NoValueError,
    OfNet,
    attributes,
    object_parts,
)


def parts_of(value: Any) -> Parts:
    """Return the parts of anything that is not plain.

    Raises
    ------
    NoValueError
        If it has none that another process would find again.
    """
    if (plain := _EXACT.get(type(value))) is not None:
        return plain(value)
    if value is pd.NaT or value is pd.NA:
        return Parts("missing", repr(value).encode())
    for kinds, split in _SPLITS:
        if isinstance(value, kinds):
            found = split(value)
            break
    else:
        found = code_parts(value) or object_parts(value)
    if type(value).__module__ in ("builtins", "numpy"):
        return found
    return found._replace(ordered=[type(value), *found.ordered])


def _list(value: list[Any] | tuple[Any, ...]) -> Parts:
    return Parts(type(value).__name__, b"", value)


def _dict(value: dict[Any, Any]) -> Parts:
    return Parts("dict", b"", [], list(value.items()))


def _ordered_dict(value: Any) -> Parts:
    return Parts("ordered dict", b"", [list(value.items()), *attributes(value)])


def _set(value: Any) -> Parts:
    return Parts(
        "frozen" if isinstance(value, frozenset) else "set", b"", attributes(value), list(value)
    )


def _array(value: np.ndarray[Any, Any]) -> Parts:
    dtype = value.dtype
    kind = f"array {type(value).__name__} {dtype} {dtype.str} {value.shape}".replace(
        "memmap", "ndarray"
    )
    if isinstance(value, np.ma.MaskedArray):
        return Parts(
            kind, b"", [np.asarray(value.data), np.ma.getmaskarray(value), value.fill_value]
        )
    value = np.asarray(value)
    if dtype.names:  # field by field: between them may lie anything
        return Parts(kind, b"", [value[name] for name in dtype.names])
    if dtype.hasobject or dtype.kind == "T":
        return _objects(kind, value.ravel().tolist())
    if dtype.char in "gG":  # some of their bytes mean nothing
        return Parts(kind, b"", [repr(number) for number in value.ravel()])
    if dtype.kind in "fc" and np.isnan(value).any():
        value = _one_nan(value.copy())
    return Parts(kind, np.ascontiguousarray(value).tobytes())


def _objects(kind: str, values: list[Any]) -> Parts:
    if all(type(part) is str for part in values):  # texts: many
        lengths = repr([len(part) for part in values])
        return Parts(f"{kind} str", "".join([lengths, *values]).encode("utf-8", "surrogatepass"))
    return Parts(kind, b"", values)


def _one_nan(value: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """NaN is one value, whatever its unused bits are."""
    halves = [value.real, value.imag] if value.dtype.kind == "c" else [value]
    for half in halves:
        half[np.isnan(half)] = np.nan
    return value


def _scalar(value: np.generic) -> Parts:
    return Parts(f"scalar {type(value).__name__}", b"", [np.asarray(value)])


def _tensor(value: torch.Tensor) -> Parts:
    kind = f"tensor {value.dtype} {tuple(value.shape)} {value.requires_grad} {value.layout}"
    if value.is_quantized or value.is_nested:
        raise NoValueError("a quantized or nested tensor")
    kind += f" {value.device.type}"
    if value.device.type == "meta":
        return Parts(kind, b"")  # it holds no numbers
    value = value.detach()
    if value.layout == torch.sparse_coo:
        value = value.coalesce()
        return Parts(kind, b"", [value.indices(), value.values()])
    if value.layout != torch.strided:
        value = value.to_sparse_coo().coalesce()
        return Parts(kind, b"", [value.indices(), value.values()])
    value = value.resolve_conj().resolve_neg().cpu()
    if value.is_complex():
        return Parts(kind, b"", [torch.view_as_real(value)])
    value = value.reshape(-1).contiguous()
    if value.is_floating_point() and value.element_size() > 1:
        value = value.masked_fill(value.isnan(), torch.nan)
    return Parts(kind, value.view(torch.uint8).numpy().tobytes())


# What torch keeps of hooks are numbers of when they came; the hooks themselves count.
_ORDERED_IN_MODULES = ("_parameters", "_buffers", "_modules")


def _module(value: torch.nn.Module, *, of_net: bool = False) -> Parts:
    """Layers, parameters and buffers in their order, then all other attributes."""
    if isinstance(value, torch.jit.ScriptModule):
        raise NoValueError("a module of TorchScript")
    if (original := getattr(value, "_orig_mod", None)) is not None:
        return Parts("compiled module", b"", [original])
    state = dict(vars(value))
    ordered: list[Any] = [list(state.pop(name, {}).items()) for name in _ORDERED_IN_MODULES]
    if of_net:
        del state["training"]
        ordered[-1] = [(name, layer and OfNet(layer)) for name, layer in ordered[-1]]
    for name in [name for name in state if "_hooks" in name]:
        ordered.append((name, list((state.pop(name) or {}).values())))
    return Parts("module", b"", [*ordered, state])


def _module_of_net(value: OfNet) -> Parts:
    found = _module(value.module, of_net=True)
    return found._replace(ordered=[type(value.module), *found.ordered])


def _generator(value: Any) -> Parts:
    """Return the state of a generator of random numbers; a global one is seeded by each curve."""
    if any(value is known for known in (np.random.mtrand._rand, torch.default_generator, _GLOBAL)):
        return Parts("global generator", b"")
    if isinstance(value, random.Random):
        return Parts("Random", b"", [value.getstate()])
    if isinstance(value, torch.Generator):
        return Parts("torch generator", b"", [value.device.type, value.get_state()])
    if isinstance(value, np.random.RandomState):
        return Parts("random state", b"", [value.get_state(legacy=False)])
    if isinstance(value, np.random.Generator):
        return Parts("generator", b"", [value.bit_generator])
    if isinstance(value, np.random.BitGenerator):
        return Parts("bits", b"", [value.state, getattr(value, "seed_seq", None)])
    spawned = [value.entropy, value.spawn_key, value.pool_size, value.n_children_spawned]
    return Parts("seed sequence", b"", spawned)


def _sparse(value: Any) -> Parts:
    rows = value.tocsr().copy()
    rows.sum_duplicates()
    numbers = [rows.data, rows.indices.astype(np.int64), rows.indptr.astype(np.int64)]
    return Parts(f"sparse {value.shape}", b"", numbers)


def _frame(value: pd.DataFrame | pd.Series) -> Parts:
    columns = [value.iloc[:, i] for i in range(value.shape[1])] if value.ndim == 2 else [value]
    arrays = [(column.dtype, column.array) for column in columns]
    names = value.columns if value.ndim == 2 else value.name
    return Parts("frame", b"", [value.index, names, arrays, value.attrs])


def _index(value: Any) -> Parts:
    if isinstance(value, pd.MultiIndex):
        levels = [value.get_level_values(i) for i in range(value.nlevels)]
        return Parts("levels", b"", levels)
    return Parts("index", b"", [list(value.names), value.dtype, value.array])


def _column(value: Any) -> Parts:
    """Return what an array of pandas holds."""
    if isinstance(value, pd.Categorical):
        return Parts("categories", b"", [value.categories, value.ordered, value.codes])
    whole = value.to_numpy(dtype=object) if value.dtype != object else np.asarray(value)
    if isinstance(value.dtype, np.dtype) and value.dtype.kind in "biufc":
        whole = value.to_numpy()
    return Parts("column", b"", [str(value.dtype), whole])


def _moment(value: Any) -> Parts:
    return Parts(f"{type(value).__name__} {value.unit}", b"", [repr(value)])


_GLOBAL = random.seed.__self__  # type: ignore[attr-defined]
_GENERATORS = (
    random.Random, torch.Generator, np.random.RandomState, np.random.Generator,
    np.random.BitGenerator, np.random.SeedSequence,
)  # fmt: skip
_EXACT: dict[type, Any] = {list: _list, tuple: _list, dict: _dict, OfNet: _module_of_net}
_SPLITS: Iterable[tuple[Any, Any]] = (
    (collections.OrderedDict, _ordered_dict),
    (types.MappingProxyType, lambda value: Parts("proxy", b"", [dict(value)])),
    (weakref.ref, lambda value: Parts("weak", b"", [value()])),
    (torch.UntypedStorage, lambda value: Parts("storage", bytes(value.tolist()))),
    ((set, frozenset), _set),
    (np.ndarray, _array),
    (np.generic, _scalar),
    (torch.Tensor, _tensor),
    (torch.nn.Module, _module),
    (_GENERATORS, _generator),
    ((pd.DataFrame, pd.Series), _frame),
    (pd.Index, _index),
    (pd.api.extensions.ExtensionArray, _column),
    ((pd.Timestamp, pd.Timedelta), _moment),
)
