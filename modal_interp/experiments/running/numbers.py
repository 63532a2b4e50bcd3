"""Whole numbers within what a run can do, and values of any length in one line of a message."""

from __future__ import annotations

from typing import Any

MOST_SEEDS = 100_000
LARGEST_SEED = 2**63 - 1  # the frame of the results holds them as int64
MOST_WORKERS = 1024  # each a process, or a thread: more than this brings a machine down
LARGEST = 2**31 - 1


def found(value: Any) -> str:
    """Return what a message says was found, in at most 60 characters."""
    try:
        text = repr(value)
    except ValueError:  # Python writes no number of more than 4300 digits
        bits = value.bit_length() if isinstance(value, int) else 0
        return f"a number of about {bits * 3 // 10} digits" if bits else "numbers too long to write"
    return text if len(text) <= 60 else f"{text[:40]}... ({len(text)} characters)"


def check_not_above(name: str, value: float, most: float) -> None:
    """Raise a ValueError where a number is larger than what can be run."""
    if value > most:
        largest = f"{most:,}" if isinstance(most, int) else f"{most:g}"
        raise ValueError(f"{name} must be at most {largest}; found {found(value)}.")
