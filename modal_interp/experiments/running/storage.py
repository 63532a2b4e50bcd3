"""Results on disk: written at once or not at all, one process a curve, one experiment a folder."""

from __future__ import annotations

import contextlib
import json
import os
import platform
from pathlib import Path
from typing import Any, NamedTuple

from filelock import FileLock, Timeout

from modal_interp.experiments.running.files import inside, remove_unnamed, write_lines, write_text
from modal_interp.experiments.running.lines import (
    ASKED,
    REMOVE,
    ROUND,
    TIMES,
    check_rounds,
    check_times,
    read_lines,
)
from modal_interp.experiments.running.names import FULL_TRAINING, check_names, name_fits

_SETTINGS = "settings.json"
_PARTS = {"data": str, "estimator": dict, "experiment": dict, "strategies": dict, "versions": dict}
# Of what is known about code and data. Scheme 1 saw neither all code nor all values.
_IDENTITY = 2


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

    @property
    def asked_file(self) -> Path:
        """The file of what decided in each round, where that was to be kept."""
        return self.folder / "asked" / self.strategy / f"seed-{self.seed}.jsonl"

    def rounds(self) -> list[dict[str, Any]]:
        """Return the finished rounds."""
        return self._numbered(read_lines(inside(self.folder, self.rounds_file)))

    def _numbered(self, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if [line.get("round") for line in found] != list(range(len(found))):
            raise ValueError(
                f"{self.rounds_file} must hold the rounds 0, 1, 2, ... in this order; found "
                f"{[line.get('round') for line in found]}. {REMOVE}"
            )
        return found

    def checked_rounds(self) -> list[dict[str, Any]]:
        """Return the finished rounds after a check of all that they hold."""
        found = self._numbered(read_lines(inside(self.folder, self.rounds_file), ROUND))
        check_rounds(self.rounds_file, found, whole_training=self.strategy == FULL_TRAINING)
        return found

    def times(self) -> list[dict[str, Any]]:
        """Return the times, each with its round: a kill may have left one of a lost round."""
        return read_lines(inside(self.folder, self.times_file))

    def checked_times(self) -> list[dict[str, Any]]:
        """Return the times after a check of all that they hold."""
        found = read_lines(inside(self.folder, self.times_file), TIMES)
        check_times(self.times_file, found)
        return found

    def asked(self) -> list[dict[str, Any]]:
        """Return what decided, each with its round, after a check; rounds may be missing."""
        found = read_lines(inside(self.folder, self.asked_file), ASKED)
        check_times(self.asked_file, found)
        return found

    def append(
        self,
        round_: dict[str, Any],
        times: dict[str, Any],
        asked: list[dict[str, Any]] | None = None,
    ) -> None:
        """Add a finished round; whoever reads meanwhile sees all of it or nothing."""
        number, done = round_["round"], self.rounds()
        if number != len(done):
            raise RuntimeError(
                f"{self.rounds_file} should hold {number} rounds, and holds {len(done)}: somebody "
                "changed it meanwhile."
            )
        earlier = [line for line in self.times() if line["round"] < number]
        write_lines(self.times_file, [*earlier, {"round": number, **times}])
        if asked is not None:
            before = [line for line in self.asked() if line["round"] < number]
            write_lines(self.asked_file, [*before, {"round": number, "asked": asked}])
        write_lines(self.rounds_file, [*done, round_])

    @contextlib.contextmanager
    def lock(self, *, wait: bool) -> Any:
        """Hold the curve for this process; give False where another has it and `wait` is off.

        The operating system frees the lock of a process that dies, however it dies.
        """
        path = self.folder / "locks" / f"{self.strategy}-{self.seed}.lock"
        for file in (path, self.rounds_file, self.times_file, self.asked_file):
            inside(self.folder, file)
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path, timeout=-1 if wait else 0)
        try:
            lock.acquire()
        except Timeout:
            yield False
            return
        try:
            remove_unnamed(self.rounds_file)
            remove_unnamed(self.times_file)
            remove_unnamed(self.asked_file)
            yield True
        finally:
            lock.release()


def read_settings(folder: Path) -> dict[str, Any]:
    """Return what the results of a folder were made with.

    Raises
    ------
    FileNotFoundError
        If the folder holds no results.
    """
    path = inside(folder, folder / _SETTINGS)
    if not path.is_file():
        raise FileNotFoundError(
            f"{folder} holds no results: it has no {_SETTINGS}. Name the folder that was given to "
            "run_experiment as out=, or to the command line as --out."
        )
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        wrong = _wrong_with(found)
    except (ValueError, RecursionError) as error:
        wrong = repr(error)
    if wrong:
        raise ValueError(
            f"{path} must hold {', '.join(_PARTS)} as JSON; it is damaged ({wrong}). Without it "
            "it cannot be told what made the results: name another folder."
        )
    return {"identity": found.get("identity", 1), **{part: found[part] for part in _PARTS}}


def _wrong_with(found: Any) -> str:
    """Return what is wrong with settings; "" if nothing is. They may come from anybody."""
    if not isinstance(found, dict):
        return "no object"
    for part, kind in _PARTS.items():
        if not isinstance(found.get(part), kind):
            return f"{part} is {'missing' if part not in found else 'of another kind'}"
    for part in ("strategies", "versions"):
        if not all(isinstance(text, str) for text in found[part].values()):
            return f"{part} holds what is no text"
    for name in found["strategies"]:
        if not name_fits(name):
            return f"{name!r:.100} is no name of a strategy"
    return ""


def claim(folder: Path, settings: dict[str, Any]) -> None:
    """Make the folder hold results of these settings; strategies may be added later.

    Raises
    ------
    ValueError
        If it holds results of others; the message names each difference.
    """
    folder.mkdir(parents=True, exist_ok=True)
    settings = {"identity": _IDENTITY, **settings}
    with FileLock(folder / "settings.lock"):
        remove_unnamed(folder / _SETTINGS)
        if (folder / _SETTINGS).is_file():
            there = read_settings(folder)
            _refuse_earlier(folder, there)
            check_names([*there["strategies"], *settings["strategies"]])
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


def _refuse_earlier(folder: Path, there: dict[str, Any]) -> None:
    if there["identity"] != _IDENTITY:
        raise ValueError(
            f"{folder} holds results of another version of this package, which told code, options "
            "and data apart in another way, so that they cannot be continued. load_results and "
            "the command report read them still; to run more, name another folder."
        )


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
