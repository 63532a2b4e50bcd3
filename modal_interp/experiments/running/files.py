"""Files that are written at once or not at all, and lie in the folder of the results."""

from __future__ import annotations

import contextlib
import json
import os
import uuid
from pathlib import Path
from typing import Any


def inside(folder: Path, path: Path) -> Path:
    """Return a path after a check that it stays in the folder: what is received may hold links.

    Raises
    ------
    ValueError
        Naming where it leads to.
    """
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ValueError(
            f"{path} must lie in {folder}; found a link to {path.resolve()}. Put a copy of what "
            "it leads to in its place, if you know it."
        )
    return path


def write_lines(path: Path, lines: list[dict[str, Any]]) -> None:
    """Write a JSON-lines file in one step."""
    write_text(path, "".join(json.dumps(line) + "\n" for line in lines))


def write_text(path: Path, text: str) -> None:
    """Write a file under a temporary name, see it on the disk, then give it its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unnamed = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with unnamed.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unnamed, path)
        _sync_folder(path.parent)
    except BaseException:
        with contextlib.suppress(OSError):
            unnamed.unlink()
        raise


def _sync_folder(folder: Path) -> None:
    """See the new name on the disk, too, where folders can be opened."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def remove_unnamed(path: Path) -> None:
    """Remove what a killed process had not given its name yet; nobody else may be writing it."""
    for leftover in path.parent.glob(f".{path.name}.*"):
        leftover.unlink()
