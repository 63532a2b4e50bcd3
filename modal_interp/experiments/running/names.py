"""Names of strategies, which name folders and files on any system."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

FULL_TRAINING = "full_training"
# Of training once on a part: full_training=0.05 on a share, full_training=300 on so many.
_OF_PART = re.compile(rf"{FULL_TRAINING}=(\d+(?:\.\d+)?(?:e-?\d+)?)", re.IGNORECASE)
_MOST_BYTES = 100
# Windows gives these to devices, whatever stands behind a dot.
_DEVICES = {
    "con",
    "prn",
    "aux",
    "nul",
    *(f"{port}{n}" for port in ("com", "lpt") for n in "0123456789¹²³"),
}


def name_fits(name: Any) -> bool:
    """Tell whether a strategy's name can name a folder wherever results are carried to."""
    return (
        isinstance(name, str)
        and re.fullmatch(r"[^\W_][\w=.+-]*", name) is not None
        and len(name.encode()) <= _MOST_BYTES  # file systems count bytes
        and not name.endswith(".")
        and name.partition(".")[0].casefold() not in _DEVICES
        and not is_baseline(name)
    )


def is_baseline(name: str) -> bool:
    """Tell whether a name is that of training once, on all labels or on a part of them."""
    return name.casefold() == FULL_TRAINING or _OF_PART.fullmatch(name) is not None


def baseline_name(size: float | int) -> str:
    """Return the name of training once on a share or a count of the training part."""
    return FULL_TRAINING if size == 1 and isinstance(size, float) else f"{FULL_TRAINING}={size!r}"


def baseline_size(name: str) -> float | int | None:
    """Return the share or count that a name stands for; None where it is no such name."""
    if name == FULL_TRAINING:
        return 1.0
    found = _OF_PART.fullmatch(name)
    if found is None:
        return None
    return int(found[1]) if found[1].isdigit() else float(found[1])


def check_names(names: Iterable[Any]) -> None:
    """Check the names of strategies, each and beside each other.

    Raises
    ------
    ValueError
        Naming the one that does not fit.
    """
    seen: dict[str, str] = {}
    for name in names:
        if not name_fits(name):
            raise ValueError(
                "a strategy's name must be made of letters, digits and _ - + . = (it names a "
                f"folder), at most {_MOST_BYTES} bytes in UTF-8, begin with a letter or digit, not "
                f"end with a dot, not be {FULL_TRAINING!r} (nor that with = and a number) nor "
                f"a name that Windows keeps, as 'con'; found {_shown(name)}. Pass a dict of name "
                "to strategy."
            )
        if (other := seen.setdefault(name.casefold(), name)) != name:
            raise ValueError(
                "strategies must have names that differ in more than capitals, which some file "
                f"systems do not tell apart; found {other!r} and {name!r}. Rename one."
            )


def _shown(name: Any) -> str:
    return repr(name) if len(repr(name)) <= 120 else f"{repr(name)[:100]}... ({len(name)} letters)"
