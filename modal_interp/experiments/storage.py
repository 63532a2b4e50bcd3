"""Results on disk: written at once or not at all, one process a curve, one experiment a folder."""

from __future__ import annotations

import contextlib
import json
import os
import uuid
from pathlib import Path
from typing import Any, NamedTuple

from filelock import FileLock, Timeout

_SETTINGS = "settings.json"
FULL_TRAINING = "full_training"


class Curve(NamedTuple):
    """One (strategy, seed) in a results folder: a JSON line a round, and the times beside it.

    The times have a file of their own, because nothing else differs between two runs.
    """

    folder: Path
    strategy: str
    seed: int

    @property
    def rounds_file(self) -> Path:
        """The file of the rounds."""
        return self.folder / "curves" / self.strategy / f"seed-{self.seed}.jsonl"

    @property
    def times_file(self) -> Path:
        """The file of the seconds that each round took."""
        return self.folder / "times" / self.strategy / f"seed-{self.seed}.jsonl"

    def rounds(self) -> list[dict[str, Any]]:
        """Return the finished rounds."""
        return read_lines(self.rounds_file)

    def times(self) -> list[dict[str, Any]]:
        """Return the times of the finished rounds: a kill may have left one more."""
        return read_lines(self.times_file)[: len(self.rounds())]

    def append(self, round_: dict[str, Any], times: dict[str, Any]) -> None:
        """Add a finished round; whoever reads meanwhile sees all of it or nothing."""
        # The times first: a round whose times are missing could not be told from a lost one.
        write_lines(self.times_file, [*self.times(), times])
        write_lines(self.rounds_file, [*self.rounds(), round_])

    @contextlib.contextmanager
    def lock(self, *, wait: bool) -> Any:
        """Hold the curve for this process; give False where another has it and `wait` is off.

        The operating system frees the lock of a process that dies, however it dies.
        """
        path = self.folder / "locks" / f"{self.strategy}-{self.seed}.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(path, timeout=-1 if wait else 0):
                _remove_unnamed(self.rounds_file)
                _remove_unnamed(self.times_file)
                yield True
        except Timeout:
            yield False


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a JSON-lines file, none where there is no file."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in text.splitlines()]


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
    except BaseException:
        with contextlib.suppress(OSError):
            unnamed.unlink()
        raise


def _remove_unnamed(path: Path) -> None:
    """Remove what a killed process had not given its name yet; nobody else may be writing it."""
    for leftover in path.parent.glob(f".{path.name}.*"):
        leftover.unlink()


def read_settings(folder: Path) -> dict[str, Any]:
    """Return what the results of a folder were made with.

    Raises
    ------
    FileNotFoundError
        If the folder holds no results.
    """
    path = folder / _SETTINGS
    if not path.is_file():
        raise FileNotFoundError(
            f"{folder} holds no results: it has no {_SETTINGS}. Name the folder that was given to "
            "run_experiment as out=, or to the command line as --out."
        )
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def claim(folder: Path, settings: dict[str, Any]) -> None:
    """Make the folder hold results of these settings; strategies may be added later.

    Raises
    ------
    ValueError
        If it holds results of others; the message names each difference.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "settings.lock"):
        _remove_unnamed(folder / _SETTINGS)
        if (folder / _SETTINGS).is_file():
            there = read_settings(folder)
            _refuse_others(folder, there, settings)
            # Those of both: an experiment may be continued with fewer strategies, or more.
            settings = {**settings, "strategies": {**there["strategies"], **settings["strategies"]}}
            if settings == there:
                return
        elif any((folder / name).exists() for name in ("curves", "times")):
            raise ValueError(
                f"{folder} holds curves but no {_SETTINGS}, so it cannot be told what made them. "
                "Name another folder."
            )
        write_text(folder / _SETTINGS, json.dumps(settings, indent=1, sort_keys=True) + "\n")


def _refuse_others(folder: Path, there: dict[str, Any], here: dict[str, Any]) -> None:
    old, new = _flat(there), _flat(here)
    differences = [
        f"  {key}: {old.get(key, 'nothing')!s} there, {new.get(key, 'nothing')!s} here"
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key) and not _one_sided_strategy(key, there, here)
    ]
    if differences:
        lines = "\n".join(differences)
        raise ValueError(
            f"{folder} holds results that were made differently:\n{lines}\nContinue with what made "
            "them, or name another folder."
        )


def _one_sided_strategy(key: str, there: dict[str, Any], here: dict[str, Any]) -> bool:
    """Tell whether a difference is only that one side has a strategy more."""
    kind, _, rest = key.partition(" / ")
    name = rest.partition(" / ")[0]
    return kind == "strategies" and not (name in there[kind] and name in here[kind])


def _flat(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat = {}
    for key, value in settings.items():
        if isinstance(value, dict):
            flat.update(_flat(value, f"{prefix}{key} / "))
        else:
            flat[f"{prefix}{key}"] = value
    return flat
