"""Explanations as plain text."""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np
import pandas as pd

# Characters of a sample that are shown, and of one of its parts; parts that are listed.
_SAMPLE, _WORD, _LISTED = 120, 24, 8


def brief(one: Any) -> str:
    """Return an explanation in one line."""
    return f"<Explanation of {one.index}: {one.sentence}>"


def brief_query(query: Any) -> str:
    """Return the explanation of a query in one line."""
    return f"<QueryExplanation of {len(query)} samples by {query.strategy}>"


def shown(sample: Any, limit: int = _SAMPLE) -> str:
    """Return a sample in one short line."""
    if isinstance(sample, str):
        text = " ".join(sample[: 4 * limit].split())
        return text if len(text) <= limit else text[: limit - 1] + "\u2026"
    if isinstance(sample, np.ndarray):
        return shown(np.array2string(sample.ravel()[:20], precision=4, threshold=20), limit)
    if isinstance(sample, pd.Series | dict):
        parts = (f"{key}={shown(value, _WORD)}" for key, value in islice(sample.items(), _LISTED))
        return shown(", ".join(parts), limit)
    return "" if sample is None else shown(str(sample), limit)
