"""The lines of results files: JSON objects, each checked for what it must hold."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

REMOVE = "Nothing but this package should change it: remove it, and its curve is run again."
_Line = dict[str, Any]
_Rules = Mapping[str, Callable[[Any], str]]


def read_lines(path: Path, must_hold: _Rules | None = None) -> list[_Line]:
    """Return the objects of a JSON-lines file, none where there is no file.

    Parameters
    ----------
    path : Path
        The file.
    must_hold : dict of str to callable, optional
        What each line has, no more and no less, with functions that say what a value should be;
        "" where it is.

    Raises
    ------
    ValueError
        Naming file, line, the rule and the value found.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    if not content:
        raise ValueError(f"{path} must hold a line a round; found nothing. {REMOVE}")
    lines = content.removesuffix(b"\n").split(b"\n")
    return [_read(line, path, n, must_hold) for n, line in enumerate(lines, 1)]


def _read(line: bytes, path: Path, n: int, must_hold: _Rules | None) -> _Line:
    try:
        found = json.loads(line.decode(), object_pairs_hook=_distinct)
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"{path} must hold JSON in each line; found in line {n}: {error}. {REMOVE}"
        ) from error
    if not isinstance(found, dict):
        raise ValueError(
            f"{path} must hold a JSON object in each line; found {found!r:.100} in line {n}. "
            f"{REMOVE}"
        )
    if must_hold is None:
        return found
    if found.keys() != must_hold.keys():
        raise ValueError(
            f"{path} must hold {', '.join(must_hold)} in each line; found {', '.join(found):.200} "
            f"in line {n}. {REMOVE}"
        )
    for name, rule_broken in must_hold.items():
        if rule := rule_broken(found[name]):
            raise ValueError(
                f"{path} must hold {rule} in {name!r}; found {found[name]!r:.100} in line {n}. "
                f"{REMOVE}"
            )
    return found


def _distinct(pairs: list[tuple[str, Any]]) -> _Line:
    if len(found := dict(pairs)) < len(pairs):
        raise ValueError("a name stands in it twice")
    return found


def whole(value: Any) -> str:
    """Say that a value should be a whole number from 0, where it is none."""
    return "" if type(value) is int and 0 <= value < 2**63 else "a whole number from 0"


def number(value: Any) -> str:
    """Say that a value should be a number, where it is none."""
    return "" if type(value) in (int, float) else "a number"


def number_or_none(value: Any) -> str:
    """Say that a value should be a number or null, where it is neither."""
    return "" if value is None or not number(value) else "a number or null"


def seconds(value: Any) -> str:
    """Say that a value should be a number from 0, where it is none."""
    fits = type(value) in (int, float) and 0 <= value < float("inf")
    return "" if fits else "a number of seconds"


def distinct_rows(value: Any) -> str:
    """Say that a value should be distinct whole numbers from 0, where it is not."""
    fits = isinstance(value, list) and not any(map(whole, value)) and len({*value}) == len(value)
    return "" if fits else "distinct whole numbers from 0"


def objects(value: Any) -> str:
    """Say that a value should be a list of objects, where it is not."""
    fits = isinstance(value, list) and all(isinstance(one, dict) for one in value)
    return "" if fits else "a list of objects"


ROUND = {
    "round": whole,
    "n_labeled": whole,
    "score": number,
    "validation_score": number_or_none,
    "queried": distinct_rows,
}
ASKED = {"round": whole, "asked": objects}
TIMES = {"round": whole, "query_seconds": seconds, "fit_seconds": seconds, "score_seconds": seconds}


def check_rounds(path: Path, rounds: list[_Line], *, whole_training: bool) -> None:
    """Check the rounds of a curve beside each other.

    Raises
    ------
    ValueError
        Naming file, line, the rule and the value found.
    """
    if whole_training:
        if len(rounds) > 1 or any(line["queried"] for line in rounds):
            raise ValueError(f"{path} must hold one round, which asked for no rows. {REMOVE}")
        return
    labeled: set[int] = set()
    for n, line in enumerate(rounds, 1):
        new = set(line["queried"]) - labeled
        labeled |= new
        if not new or len(new) < len(line["queried"]) or len(labeled) != line["n_labeled"]:
            raise ValueError(
                f"{path} must hold as many new rows in 'queried' as 'n_labeled' grows by; found "
                f"{len(new)} new of {len(line['queried'])}, {len(labeled)} in all, where n_labeled "
                f"is {line['n_labeled']}, in line {n}. {REMOVE}"
            )


def check_times(path: Path, times: list[_Line]) -> None:
    """Check that the times of a curve are in the order of its rounds."""
    numbers = [line["round"] for line in times]
    if numbers != sorted(set(numbers)):
        raise ValueError(f"{path} must hold rounds in rising order; found {numbers}. {REMOVE}")
