"""Names of strategies, which name folders and files on any system."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

FULL_TRAINING = "full_training"
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
        and name.casefold() != FULL_TRAINING
    )


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
                f"end with a dot, not be {FULL_TRAINING!r} nor a name that Windows keeps, "
                f"as 'con'; found {_shown(name)}. Pass a dict of name to strategy."
            )
        if (other := seen.setdefault(name.casefold(), name)) != name:
            raise ValueError(
                "strategies must have names that differ in more than capitals, which some file "
                f"systems do not tell apart; found {other!r} and {name!r}. Rename one."
            )


def _shown(name: Any) -> str:
    return repr(name) if len(repr(name)) <= 120 else f"{repr(name)[:100]}... ({len(name)} letters)"
