"""Results on disk: written at once or not at all, one process a curve, one experiment a folder."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import uuid
from pathlib import Path
from typing import Any, NamedTuple

from filelock import FileLock, Timeout

_SETTINGS = "settings.json"
_PARTS = ("data", "estimator", "experiment", "strategies", "versions")
FULL_TRAINING = "full_training"
_REMOVE = "Nothing but this package should change it: remove it, and its curve is run again."


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
        found = read_lines(self.rounds_file)
        if [line.get("round") for line in found] != list(range(len(found))):
            raise ValueError(
                f"{self.rounds_file} must hold the rounds 0, 1, 2, ... in this order; found "
                f"{[line.get('round') for line in found]}. {_REMOVE}"
            )
        return found

    def times(self) -> list[dict[str, Any]]:
        """Return the times, each with its round: a kill may have left one of a lost round."""
        return read_lines(self.times_file)

    def append(self, round_: dict[str, Any], times: dict[str, Any]) -> None:
        """Add a finished round; whoever reads meanwhile sees all of it or nothing."""
        number, done = round_["round"], self.rounds()
        if number != len(done):
            raise RuntimeError(
                f"{self.rounds_file} should hold {number} rounds, and holds {len(done)}: somebody "
                "changed it meanwhile."
            )
        earlier = [line for line in self.times() if line["round"] < number]
        write_lines(self.times_file, [*earlier, {"round": number, **times}])
        write_lines(self.rounds_file, [*done, round_])

    @contextlib.contextmanager
    def lock(self, *, wait: bool) -> Any:
        """Hold the curve for this process; give False where another has it and `wait` is off.

        The operating system frees the lock of a process that dies, however it dies.
        """
        path = self.folder / "locks" / f"{self.strategy}-{self.seed}.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path, timeout=-1 if wait else 0)
        try:
            lock.acquire()
        except Timeout:
            yield False
            return
        try:
            _remove_unnamed(self.rounds_file)
            _remove_unnamed(self.times_file)
            yield True
        finally:
            lock.release()


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a JSON-lines file, none where there is no file."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    try:
        found = [json.loads(line) for line in text.splitlines()]
    except ValueError as error:
        raise ValueError(f"{path} must hold JSON in each line ({error}). {_REMOVE}") from error
    if not all(isinstance(line, dict) for line in found):
        raise ValueError(f"{path} must hold a JSON object in each line. {_REMOVE}")
    return found


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
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return {part: found[part] for part in _PARTS}
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} must hold {', '.join(_PARTS)} as JSON; it is damaged ({error!r}). Without it "
            "it cannot be told what made the results: name another folder."
        ) from error


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


class Claim(NamedTuple):
    """The right of a process, and of the workers it starts, to write into a folder."""

    folder: Path
    made_with: str
    owner: int
    machine: str

    @classmethod
    def of(cls, folder: Path) -> Claim:
        """Return the claim of this process on a folder that it has claimed."""
        return cls(folder, _made_with(folder), os.getpid(), platform.node())

    def check(self) -> None:
        """Check that the claim holds still: a worker may outlive its owner, and the folder."""
        if _made_with(self.folder) != self.made_with:
            raise RuntimeError(f"{self.folder} was removed or replaced meanwhile.")
        if not self._owner_lives():
            raise RuntimeError(f"the process {self.owner} that this one works for is gone.")

    def _owner_lives(self) -> bool:
        if self.owner in (os.getpid(), os.getppid()):
            return True
        if os.name != "posix" or platform.node() != self.machine:
            return True  # it cannot be told
        try:
            os.kill(self.owner, 0)  # no signal: only asks whether there is such a process
        except ProcessLookupError:
            return False
        except PermissionError:
            pass
        return True


def _made_with(folder: Path) -> str:
    """Return what the folder's results are made with, whatever strategies are added."""
    try:
        return json.dumps({**read_settings(folder), "strategies": None}, sort_keys=True)
    except FileNotFoundError:
        return ""


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
