"""Lets modAL run beside current scikit-learn releases.

modAL calls ``check_X_y(..., force_all_finite=...)`` in ``fit`` and ``teach``. scikit-learn 1.6
renamed that keyword to ``ensure_all_finite``: 1.6 and 1.7 warn at each call, 1.8 fails
(modAL's issue #196, open). This module puts a wrapper that renames the keyword into modAL's own
modules. scikit-learn itself is left alone, and a modAL that no longer needs it as well.
"""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable
from typing import Any

# check_X_y is imported by models.base in modAL 0.4.1 and by models.learners in 0.4.2.
_MODAL_MODULES = ("modAL.models.base", "modAL.models.learners")


def _renames_keyword(check_X_y: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap `check_X_y` so that it takes ``force_all_finite`` under its old name."""

    @functools.wraps(check_X_y)
    def checked(*args: Any, **kwargs: Any) -> Any:
        if "force_all_finite" in kwargs:
            kwargs["ensure_all_finite"] = kwargs.pop("force_all_finite")
        return check_X_y(*args, **kwargs)

    checked._mends_modal = True  # type: ignore[attr-defined]
    return checked


def mend_modal() -> None:
    """Rebind ``check_X_y`` inside modAL where scikit-learn has renamed its keyword.

    Runs when ``modal_interp`` is imported. Calling it again changes nothing.
    """
    for name in _MODAL_MODULES:
        module = importlib.import_module(name)
        check_X_y = getattr(module, "check_X_y", None)
        if check_X_y is None or hasattr(check_X_y, "_mends_modal"):
            continue
        if "ensure_all_finite" in inspect.signature(check_X_y).parameters:
            module.check_X_y = _renames_keyword(check_X_y)  # type: ignore[attr-defined]
