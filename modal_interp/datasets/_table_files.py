"""The ready files of the public tables, and how each is made from what OpenML gives."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn import datasets

from modal_interp.datasets._files import Source


class Published(NamedTuple):
    """A table as OpenML holds it."""

    data_id: int
    columns: tuple[str, ...]
    label: str
    n_rows: int
    # What the label may be, where it is not a number.
    labels: tuple[str, ...] = ()
    # The sum of each column, where OpenML numbers the columns instead of naming them.
    totals: tuple[int, ...] | None = None


# They tell rows apart, and nothing about their labels.
_NO_FEATURES = {"id", "url", "timedelta"}
# The totals of any two columns are further apart.
_TOTALS_RTOL = 1e-3


def _source(file: str, published: Published) -> Source:
    return Source(
        file,
        (*published.columns, published.label),
        f"https://www.openml.org/d/{published.data_id}",
        functools.partial(read_openml, published),
        label=published.label,
        folder="tabular",
    )


def read_openml(published: Published, folder: Path) -> pd.DataFrame:
    """Download a table from OpenML; rows of its features and its label, named as ours."""
    fetched = datasets.fetch_openml(
        data_id=published.data_id, data_home=str(folder), as_frame=True, parser="auto"
    )
    frame = fetched.frame
    if len(frame) != published.n_rows:
        raise ValueError(f"expected {published.n_rows} rows, found {len(frame)}")
    label = _label_column(published.label, list(frame.columns), fetched.target_names)
    theirs = _in_our_order(published, [column for column in frame.columns if column != label])
    made = pd.DataFrame(
        {
            ours: _floats(frame[column])
            for ours, column in zip(published.columns, theirs, strict=True)
        }
    ).assign(**{published.label: _labels(frame[label])})
    _check(made, published)
    return made


def _check(made: pd.DataFrame, published: Published) -> None:
    """Refuse what is not the table, before it is stored."""
    numbers = list(published.columns)
    found = sorted(set(made[published.label]))
    if not published.labels:
        numbers.append(published.label)
    elif found != sorted(published.labels):
        raise ValueError(f"expected the labels {' and '.join(published.labels)}; found {found}")
    if bad := [column for column in numbers if not np.isfinite(_floats(made[column])).all()]:
        raise ValueError(f"expected finite numbers; found others in {', '.join(bad)}")
    if published.totals is not None:
        totals = made[list(published.columns)].sum()
        if not np.allclose(totals, published.totals, rtol=_TOTALS_RTOL, atol=0):
            raise ValueError(f"expected columns with other totals than {totals.tolist()}")


def _label_column(ours: str, columns: list[str], targets: list[str]) -> str:
    for column in columns:
        if _key(column) == _key(ours):
            return column
    if len(targets) != 1:
        raise ValueError(f"expected a column {ours} or one target; found {targets}")
    return targets[0]


def _in_our_order(published: Published, columns: list[str]) -> list[str]:
    """Return the columns that are ours, by their names or else by their places."""
    ours = [_key(column) for column in published.columns]
    named = {_key(column): column for column in columns}
    if set(ours) <= set(named):
        return [named[key] for key in ours]
    placed = [column for column in columns if _key(column) not in _NO_FEATURES]
    pairs = [(ours[i], _key(column)) for i, column in enumerate(placed[: len(ours)])]
    same = sum(name == key for name, key in pairs)
    # A few names may differ where all others stand in their places.
    strangers = sum(key not in ours for _, key in pairs)
    sure = same + strangers == len(ours) and (published.totals is not None or 2 * same > len(ours))
    if len(placed) != len(ours) or not sure:
        raise ValueError(f"expected the columns {', '.join(published.columns)}; found {columns}")
    return placed


def _key(name: str) -> str:
    """Spell a name without what publishers add: colons, quotes, blanks, capitals."""
    return "".join(character for character in name.casefold() if character.isalnum())


def _floats(values: pd.Series) -> NDArray[np.float64]:
    # Not pd.to_numeric, which may miss the nearest double.
    numeric = pd.api.types.is_numeric_dtype(values)
    return (values.to_numpy() if numeric else _plain(values)).astype(np.float64)


def _plain(values: pd.Series) -> NDArray[np.object_]:
    # What OpenML calls nominal comes as words, at times with their quotes.
    return np.array([str(value).strip("'\" ") for value in values], dtype=object)


def _labels(values: pd.Series) -> NDArray[np.object_]:
    plain = _plain(values)
    numbers = pd.to_numeric(pd.Series(plain), errors="coerce").to_numpy(dtype=np.float64)
    if not np.array_equal(numbers, np.round(numbers)):  # words, fractions or gaps
        return plain
    return numbers.astype(np.int64).astype(str).astype(object)


def features_of(frame: pd.DataFrame, source: Source, path: Path) -> pd.DataFrame:
    """Return the numbers of the ready file's rows, without the label."""
    features = [column for column in source.columns if column != source.label]
    return pd.DataFrame({column: numbers_of(frame, column, path) for column in features})


def numbers_of(frame: pd.DataFrame, column: str, path: Path) -> NDArray[np.float64]:
    """Return one column of the ready file as numbers, all of them finite."""
    try:
        numbers = _floats(frame[column])
    except ValueError:
        numbers = pd.to_numeric(frame[column], errors="coerce").to_numpy(dtype=np.float64)
    if not (finite := np.isfinite(numbers)).all():
        raise ValueError(
            f"{path} must hold finite numbers in the column {column}; found "
            f"{frame[column].iloc[int(finite.argmin())]!r}. Remove it to download it again."
        )
    return numbers


def target_of(
    frame: pd.DataFrame, source: Source, path: Path, labels: list[str]
) -> NDArray[np.int64]:
    """Return the place of each row's label in `labels`."""
    places = pd.Index(labels).get_indexer(frame[source.label].astype(str))
    if (places < 0).any():
        raise ValueError(
            f"{path} must hold {' or '.join(labels)} in the column {source.label}; found "
            f"{frame[source.label].iloc[int(places.argmin())]!r}. Remove it to download it again."
        )
    return places.astype(np.int64)


_EMPLOYEE = (
    "RESOURCE MGR_ID ROLE_ROLLUP_1 ROLE_ROLLUP_2 ROLE_DEPTNAME ROLE_TITLE ROLE_FAMILY_DESC "
    "ROLE_FAMILY ROLE_CODE"
)
_TELESCOPE = "fLength fWidth fSize fConc fConc1 fAsym fM3Long fM3Trans fAlpha fDist"
_DEFAULT = (
    "LIMIT_BAL SEX EDUCATION MARRIAGE AGE PAY_0 PAY_2 PAY_3 PAY_4 PAY_5 PAY_6 "
    "BILL_AMT1 BILL_AMT2 BILL_AMT3 BILL_AMT4 BILL_AMT5 BILL_AMT6 "
    "PAY_AMT1 PAY_AMT2 PAY_AMT3 PAY_AMT4 PAY_AMT5 PAY_AMT6"
)
_DEFAULT_TOTALS = (
    *(5024529680, 48112, 55594, 46556, 1064565, -501, -4013, -4986, -6620, -7986, -8733),
    *(1536699927, 1475372255, 1410394644, 1297888469, 1209342029, 1166152812),
    *(169907415, 177634905, 156770445, 144782306, 143981629, 156465077),
)
_NEWS = (
    "n_tokens_title n_tokens_content n_unique_tokens n_non_stop_words n_non_stop_unique_tokens "
    "num_hrefs num_self_hrefs num_imgs num_videos average_token_length num_keywords "
    "data_channel_is_lifestyle data_channel_is_entertainment data_channel_is_bus "
    "data_channel_is_socmed data_channel_is_tech data_channel_is_world kw_min_min kw_max_min "
    "kw_avg_min kw_min_max kw_max_max kw_avg_max kw_min_avg kw_max_avg kw_avg_avg "
    "self_reference_min_shares self_reference_max_shares self_reference_avg_sharess "
    "weekday_is_monday weekday_is_tuesday weekday_is_wednesday weekday_is_thursday "
    "weekday_is_friday weekday_is_saturday weekday_is_sunday is_weekend LDA_00 LDA_01 LDA_02 "
    "LDA_03 LDA_04 global_subjectivity global_sentiment_polarity global_rate_positive_words "
    "global_rate_negative_words rate_positive_words rate_negative_words avg_positive_polarity "
    "min_positive_polarity max_positive_polarity avg_negative_polarity min_negative_polarity "
    "max_negative_polarity title_subjectivity title_sentiment_polarity abs_title_subjectivity "
    "abs_title_sentiment_polarity"
)
EMPLOYEE = _source(
    "amazon_employee_access.csv.gz",
    Published(4135, tuple(_EMPLOYEE.split()), "ACTION", 32_769, ("0", "1")),
)
TELESCOPE = _source(
    "magic04.csv.gz", Published(1120, tuple(_TELESCOPE.split()), "class", 19_020, ("g", "h"))
)
DEFAULT = _source(
    "default_credit_card.csv.gz",
    Published(
        42477,
        tuple(_DEFAULT.split()),
        "default.payment.next.month",
        30_000,
        ("0", "1"),
        _DEFAULT_TOTALS,
    ),
)
POPULARITY = _source("online_news.csv.gz", Published(4545, tuple(_NEWS.split()), "shares", 39_644))
# The first and the last months only; it may stand in for the whole, when it is at hand.
POPULARITY_PART = POPULARITY._replace(file="online_news_part_14828.csv.gz")
