"""Explanations as a data frame."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd


def as_frame(query: Any) -> pd.DataFrame:
    """Return a row a sample, indexed by its row in the pool."""
    index = pd.Index([one.index for one in query], name="index")
    return pd.DataFrame([_row(one) for one in query], index=index)


def _row(one: Any) -> dict[str, Any]:
    # Of a table a list or a dict: pandas would spread an array over rows.
    sample = one.sample.tolist() if isinstance(one.sample, np.ndarray) else one.sample
    sample = sample.to_dict() if isinstance(sample, pd.Series) else sample
    row = {"place": one.place, "sample": sample, "metric": one.metric}
    if one.proba is not None:
        top = int(one.proba.mean.argmax())
        row |= {"predicted": one.proba.classes[top], "probability": one.proba.mean[top]}
        row |= {f"p({name})": p for name, p in zip(one.proba.classes, one.proba.mean, strict=True)}
        if len(one.proba.by) > 1:
            row["spread"] = one.proba.spread[top]
    for title, part in (("word", one.words), ("feature", one.features)):
        if part is not None and part.decided is not None:
            row[title] = part.names[part.decided]
            row["contribution"] = part.contributions[part.decided, part.shown]
    if one.counterpart is not None:
        other = one.counterpart
        row |= {"counterpart": other.name, "counterpart_index": other.index}
        row |= {"counterpart_source": other.source, "stands_in": other.stands_in}
        row["distance"] = other.distance
    for near in one.neighbours:
        row[f"{near.relation}: n"] = near.n_all
        if len(near.indices):
            row[near.relation] = int(near.indices[0])
            row[f"{near.relation}: distance"] = near.distances[0]
    for shares in one.shares:
        row |= {f"{shares.title}: {n}": v for n, v in zip(shares.names, shares.values, strict=True)}
    row |= {number.name: number.value for number in one.numbers}
    return row | {"sentence": one.sentence}
