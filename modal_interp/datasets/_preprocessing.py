"""What stands between the columns of a table and the net: fitted on the labelled rows only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

# In standard deviations. Amounts of money reach 50 and more, what was seen of them in training 5.
_FARTHEST = 5
# Rows that a category must have for a column of its own; 5 gave twice as many columns and the same
# AUC, 20 a lower one.
_MIN_FREQUENCY = 10


def scaled() -> Pipeline:
    """Standardise each column, and clip it, so that no row lies far outside of the rest.

    Transforms that bend the columns (quantiles, powers, asinh) gained an MLP nothing that was
    larger than the spread over seeds, except where they spread indicators further than numbers.
    """
    clip = FunctionTransformer(
        np.clip, kw_args={"a_min": -_FARTHEST, "a_max": _FARTHEST}, feature_names_out="one-to-one"
    )
    return make_pipeline(StandardScaler(), clip)


def scaled_and_one_hot(n_columns: int, codes: Sequence[int]) -> ColumnTransformer:
    """Scale the numbers, and give each category of the columns `codes` a column of its own."""
    numbers = [column for column in range(n_columns) if column not in codes]
    # By position, for data are arrays. A category that no labelled row has is a row of zeros.
    return ColumnTransformer(
        [
            ("numbers", scaled(), numbers),
            ("codes", OneHotEncoder(handle_unknown="ignore", sparse_output=False), list(codes)),
        ]
    )


def one_hot_ids() -> OneHotEncoder:
    """Give each id that is common in its column a column; the others, unseen too, share one.

    Encoding each id by the share of its labels (TargetEncoder) has few columns, but is no better
    than chance while some ten labels of the rarer class are known.
    """
    # As float32, as the net computes: there may be a thousand columns.
    return OneHotEncoder(
        min_frequency=_MIN_FREQUENCY,
        handle_unknown="infrequent_if_exist",
        sparse_output=False,
        dtype=np.float32,
    )
