"""What a function or a class is made of: its code, what that uses, and the files it comes from."""

from __future__ import annotations

import dis
import enum
import functools
import inspect
import os
import sys
from collections.abc import Iterator, Sequence
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

from modal_interp.experiments.running.own_files import file_of, files_digest, installed


class Parts(NamedTuple):
    """A kind, bytes, and further values: in an order that counts, and in one that does not."""

    kind: str
    content: bytes
    ordered: Sequence[Any] = ()
    unordered: Sequence[Any] = ()


# What classes hold for Python's own use, in part different in each process.
_MACHINERY = {
    "__dict__", "__weakref__", "__module__", "__qualname__", "__doc__", "__firstlineno__",
    "__static_attributes__", "__annotations__", "__annotate__", "__annotate_func__",
    "__annotations_cache__", "__abstractmethods__", "_abc_impl", "__slotnames__",
    "__parameters__", "__orig_bases__", "__hash__",
}  # fmt: skip
_STATIC_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE: classes without it are written in C


def code_parts(value: Any) -> Parts | None:
    """Return the parts of a function, method, class or module; None of anything else."""
    if isinstance(value, MethodType):
        return Parts("method", b"", [value.__func__, value.__self__])
    if isinstance(value, FunctionType):
        return _function(value)
    if issubclass(type(value), type):  # `list[int]` says that it is a class, and is none
        return _class(value)
    if isinstance(value, ModuleType):
        return Parts("module", _origin(value.__name__).encode(), [value.__name__])
    if inspect.isbuiltin(value):
        owner = value.__self__
        known = isinstance(owner, ModuleType) or owner is None
        return Parts(
            "builtin", b"", [value.__module__, value.__qualname__, None if known else owner]
        )
    if isinstance(value, staticmethod | classmethod):
        return Parts(type(value).__name__, b"", [value.__func__])
    if isinstance(value, property):
        return Parts("property", b"", [value.fget, value.fset, value.fdel])
    if isinstance(value, functools.cached_property):
        return Parts("cached property", b"", [value.func])
    if isinstance(value, functools._lru_cache_wrapper):
        return Parts("lru_cache", b"", [value.__wrapped__, value.cache_parameters()])
    return None


def named(value: Any) -> str | None:
    """Return the name by which a function or class of an installed package is known, if it is one.

    A function that a package made from a user's, as a decorator does, is not known by its name.
    """
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    if isinstance(value, type) and not value.__flags__ & _STATIC_TYPE:
        return f"{module}.{name}"
    if not isinstance(module, str) or not isinstance(name, str):
        return None
    package = installed(module)
    if package is None or "<locals>" in name:
        return None
    if not isinstance(value, type) and _found_by_name(module, name) is not value:
        return None
    return f"{module}.{name}" + (f" ({package})" if package else "")


def _found_by_name(module: str, name: str) -> Any:
    found: Any = sys.modules.get(module)
    for word in name.split("."):
        found = getattr(found, word, None)
    return found


def _origin(module: str | None) -> str:
    """Return what tells the code of a whole module, "" where it was typed."""
    package = installed(module)
    if package is not None:
        return f"package {package}"
    return files_digest(module or "") if file_of(module) is not None else ""


def _function(value: FunctionType) -> Parts:
    if (name := named(value)) is not None:
        return Parts("named", name.encode(), [])
    here = value.__globals__.get("__name__")
    state = {key: part for key, part in vars(value).items() if key != "__wrapped__"}
    wrapped = vars(value).get("__wrapped__")
    cells = [_content(cell) for cell in value.__closure__ or ()]
    used: list[Any] = []
    if installed(here) is None:
        used = list(_used(value, whole=file_of(here) is None))
    return Parts(
        "function",
        f"{_origin(here)} {_origin(value.__module__)}".encode(),
        [_code(value.__code__), value.__defaults__, value.__kwdefaults__, cells, state, wrapped],
        used,
    )


def _content(cell: Any) -> Any:
    try:
        return [cell.cell_contents]
    except ValueError:
        return "empty"


def _code(code: CodeType) -> tuple[Any, ...]:
    """Return what runs: the source does not tell two lambdas on one line apart."""
    constants = [_code(part) if inspect.iscode(part) else part for part in code.co_consts]
    names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
    handlers = getattr(code, "co_exceptiontable", b"")
    return (code.co_code, handlers, names, counts, tuple(constants))


def _used(function: FunctionType, *, whole: bool) -> Iterator[tuple[str, Any]]:
    """Give the global names that a function uses, with what they stand for.

    Where its file counts, only what cannot change as the strategy runs, and other code: the file
    says how the rest began. What was typed has no file, so that all that it uses counts.
    """
    for name in sorted(set(_global_names(function.__code__))):
        if name not in function.__globals__:
            continue
        found = function.__globals__[name]
        if found is os.environ:
            continue  # another in each shell
        if whole or is_code(found) or _fixed(found):
            yield name, found


def _global_names(code: CodeType) -> Iterator[str]:
    for step in dis.get_instructions(code):
        if step.opname.startswith("LOAD") and ("GLOBAL" in step.opname or "NAME" in step.opname):
            yield step.argval
    for part in code.co_consts:
        if inspect.iscode(part):
            yield from _global_names(part)


def is_code(value: Any) -> bool:
    """Tell whether a value is a function, a class or a module."""
    return inspect.isroutine(value) or isinstance(value, type | ModuleType)


def _fixed(value: Any) -> bool:
    """Tell whether a value cannot change."""
    if isinstance(value, tuple | frozenset):
        return all(_fixed(part) for part in value)
    return value is None or isinstance(
        value, bool | int | float | complex | str | bytes | enum.Enum
    )


def _class(value: type) -> Parts:
    if (name := named(value)) is not None:
        return Parts("named", name.encode(), [])
    whole = file_of(value.__module__) is None
    members = [
        (name, part)
        for name, part in vars(value).items()
        if name not in _MACHINERY and not inspect.isdatadescriptor(part)
        if whole or _is_member_code(part) or _fixed(part)
    ] + [(name, part) for name, part in vars(value).items() if isinstance(part, property)]
    if issubclass(value, enum.Enum):
        members = [(part.name, part.value) for part in value]
        members += [(name, part) for name, part in vars(value).items() if inspect.isfunction(part)]
    return Parts(
        "class",
        f"{value.__qualname__} {_origin(value.__module__)}".encode(),
        [list(value.__bases__), type(value)],
        members,
    )


def _is_member_code(value: Any) -> bool:
    kinds = (FunctionType, staticmethod, classmethod, functools.cached_property)
    return isinstance(value, kinds)
