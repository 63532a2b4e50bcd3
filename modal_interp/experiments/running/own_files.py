"""Whose code it is: that of a package, known by version, or a user's own, known by its files."""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.metadata
import site
import sys
import sysconfig
from collections.abc import Iterator
from importlib.machinery import PathFinder
from pathlib import Path
from typing import NamedTuple

import modal_interp

# Their versions are noted with every experiment, or are those of Python.
NOTED = ("modal_interp", "modAL", "sklearn", "skorch", "torch", "numpy", "scipy")


class _Module(NamedTuple):
    name: str
    path: Path

    @property
    def package(self) -> str:
        return self.name if self.path.stem == "__init__" else self.name.rpartition(".")[0]


def installed(name: str | None) -> str | None:
    """Return the package and version that a module comes with, "" where it is noted anyway.

    None says that it is a user's own, in a file or typed.
    """
    name = name if isinstance(name, str) else ""  # some classes in C have no module to name
    top = name.partition(".")[0]
    if top == "__main__":
        return None
    path = _path(top)
    if path is None:
        # Built into Python, or a package without a file of its own, as `google` and `mpl_toolkits`.
        known = top in NOTED or top in sys.builtin_module_names or top in sys.stdlib_module_names
        return "" if known else (_distribution(top) if _inside(_path(name)) else None)
    if path.is_relative_to(Path(modal_interp.__file__).parent):
        return ""
    if not _inside(path):
        return None
    if top in NOTED or (top in sys.stdlib_module_names and not _distribution(top)):
        return ""
    return _distribution(top)


def file_of(name: str | None) -> Path | None:
    """Return the file of a user's own module; None of one that was typed, or is a script.

    Whole scripts do not count: they also hold the call that adds seeds and strategies.
    """
    if not name or not isinstance(name, str) or name == "__main__" or installed(name) is not None:
        return None
    return _path(name)


def files_digest(name: str) -> str:
    """Return a digest of a user's own module and of what it imports, wherever it lies.

    Files of the user's own count by their bytes, installed packages by their versions. Imports
    are read, not run: one whose name is made by the code is not seen.
    """
    path = file_of(name)
    assert path is not None
    # The module itself without its name: a file may be imported as `mine` and as `pkg.mine`.
    files = {"": _digest_of(path)}
    packages: set[str] = set()
    seen, left = {path}, [_Module(name, path)]
    while left:
        for imported in _imports(left.pop()):
            package = installed(imported)
            found = _path(imported)
            if package is not None:
                packages.add(package)
            elif found is not None and found not in seen:
                seen.add(found)
                files[imported] = _digest_of(found)
                left.append(_Module(imported, found))
    return hashlib.sha256(repr((sorted(files.items()), sorted(packages))).encode()).hexdigest()


def loaded_digest() -> str:
    """Return a digest of the files of all of the user's own modules that are loaded."""
    files: dict[str, str] = {}
    for name, module in list(sys.modules.items()):
        found = getattr(module, "__file__", None)
        if name != "__main__" and found and installed(name) is None and Path(found).is_file():
            files[name] = _digest_of(Path(found))
    return hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()


def _digest_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()


def _imports(module: _Module) -> Iterator[str]:
    """Give the dotted names that a file imports anywhere in it, with the packages around them."""
    if module.path.suffix != ".py":
        return
    try:
        tree = ast.parse(module.path.read_bytes())
    except (SyntaxError, ValueError):
        return  # nothing can be imported from it, either
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = _base(node, module.package)
            names = [base, *(f"{base}.{alias.name}" for alias in node.names)]
        for name in names:
            words = name.split(".")
            yield from (".".join(words[:n]) for n in range(1, len(words) + 1) if words[0])


def _base(node: ast.ImportFrom, package: str) -> str:
    """Return the absolute name of what a `from ... import` reads."""
    if not node.level:
        return node.module or ""
    words = package.split(".")
    return ".".join(
        [*words[: len(words) - node.level + 1], *([node.module] if node.module else [])]
    )


def _path(name: str) -> Path | None:
    """Return the file of a module, without importing it; None where there is none."""
    if (loaded := sys.modules.get(name)) is not None:
        found = getattr(loaded, "__file__", None)
        return Path(found).resolve() if found and Path(found).is_file() else None
    places: list[str] | None = None
    spec = None
    words = name.split(".")
    for n in range(1, len(words) + 1):
        try:
            spec = PathFinder.find_spec(".".join(words[:n]), places)
        except (ImportError, ValueError, AttributeError):
            return None
        if spec is None:
            return None
        places = list(spec.submodule_search_locations or [])
    if spec is None or not spec.has_location or not spec.origin:
        return None
    return Path(spec.origin).resolve()


def _inside(path: Path | None) -> bool:
    """Tell whether a file lies where Python or its packages are installed."""
    return path is not None and any(path.is_relative_to(folder) for folder in _folders())


@functools.cache
def _folders() -> list[Path]:
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    found = [sysconfig.get_path(name) for name in names]
    found += [*site.getsitepackages(), site.getusersitepackages()]
    return [Path(folder).resolve() for folder in found if folder]


@functools.cache
def _distributions() -> dict[str, list[str]]:
    return dict(importlib.metadata.packages_distributions())


@functools.cache
def _distribution(top: str) -> str | None:
    """Return names and versions of what installed a top-level package, None if nothing did."""
    names = sorted(set(_distributions().get(top, [])))
    return " ".join(f"{name} {importlib.metadata.version(name)}" for name in names) or None
