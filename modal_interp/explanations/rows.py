"""Samples in one short line: texts as they are, rows of tables with the names of their columns."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np
import pandas as pd

from modal_interp.explanations.text import shown
from modal_interp.explanations.windows import strongest, visible

_NAME = 24


def in_a_line(sample: Any, features: Any = None, limit: int = 120, n: int = 4) -> str:
    """Return a sample in a short line.

    Parameters
    ----------
    sample : Any
        As it stands in the pool, or among the labelled samples.
    features : Features, optional
        Of the sample that is explained: what they say of the order in which to name columns.
    limit : int
        Characters, at most.
    n : int
        Columns, the strongest contributions first.
    """
    values = None if features is None else _values(sample)
    if values is None or len(values) != len(features.names):
        return shown(sample, limit)
    order = strongest(features.contributions[:, features.shown], features.decided, n)
    parts = [f"{visible(features.names[k], _NAME)} {_short(values[k])}" for k in order]
    return shown(", ".join(parts) + ", \u2026" * (len(values) > n), limit)


def _values(sample: Any) -> list[Any] | None:
    """Return the values of a row of a table; None of another sample."""
    if hasattr(sample, "toarray"):
        sample = sample.toarray()
    if isinstance(sample, dict):
        return None
    if isinstance(sample, np.ndarray | pd.Series | list | tuple):
        return list(np.ravel(np.asarray(sample, dtype=object)))
    return None


def _short(value: Any) -> str:
    number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    return f"{float(value):.4g}" if number else shown(value, _NAME)
