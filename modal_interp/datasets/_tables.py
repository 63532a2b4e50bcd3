"""Fetches the four public tables of DAMI: from a file at hand, else from OpenML."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import TransformerMixin
from sklearn.utils import Bunch

from modal_interp.datasets._files import at_hand, ready
from modal_interp.datasets._preprocessing import one_hot_ids, scaled, scaled_and_one_hot
from modal_interp.datasets._table_files import (
    DEFAULT,
    EMPLOYEE,
    POPULARITY,
    POPULARITY_PART,
    TELESCOPE,
    features_of,
    numbers_of,
    target_of,
)

# The sex, the education and the marriage of a client are codes, not quantities.
_DEFAULT_CODES = (1, 2, 3)
# Shares from which an article counts as popular: the choice of those who collected the table.
_POPULAR = 1400
_UCI_TERMS = "Terms: CC BY 4.0."


def fetch_employee(
    *,
    data_home: str | os.PathLike[str] | None = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
) -> Any:
    """Fetch Employee: 32,769 requests for access at Amazon, denied or granted, by 9 ids.

    Parameters
    ----------
    data_home : path-like, optional
        Folder of the data. Without it the environment variable ``MODAL_INTERP_DATA``, else the
        user's cache folder. It is searched for ``amazon_employee_access.csv.gz`` and
        ``tabular/amazon_employee_access.csv.gz``.
    download_if_missing : bool, default=True
        Whether to download from OpenML what the folder lacks; it is stored there and read from
        then on.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    Bunch
        ``data`` (n, d) float64, ``target`` (n,) int64, ``target_names`` list of str in
        alphabetical order that `target` indexes, ``feature_names`` list of d str,
        ``preprocessing`` an unfitted transformer to put before the net in a pipeline, ``DESCR``
        with publisher, citation, terms and counts, ``filename`` the file that was read.

    Raises
    ------
    OSError
        If the file is missing and cannot be downloaded; it says which file to place where.
    ValueError
        If the file cannot be read or does not hold the columns, numbers and labels it should.
    TypeError
        If `data_home` is not a path.

    Notes
    -----
    Amazon.com - Employee Access Challenge, Kaggle 2013. The columns are ids, whose order means
    nothing. `preprocessing` gives each id of ten or more labelled rows a column: the more rows
    are labelled, the more columns, which a net that was built with ``warm_start=True`` cannot
    follow.

    Departs from the paper: DAMI's table says 32,771 samples, the published one has 32,769. How
    DAMI encodes the ids is not said.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from modal_interp import TabularMLPClassifier
    >>> from modal_interp.datasets import fetch_employee
    >>> table = fetch_employee()  # doctest: +SKIP
    >>> net = make_pipeline(table.preprocessing, TabularMLPClassifier())  # doctest: +SKIP
    """
    descr = (
        "Employee, Amazon.com - Employee Access Challenge: whether access to a resource was "
        "granted to an employee (5.8 % were denied), by nine ids.\n\nPublisher: Amazon and Kaggle, "
        "https://www.kaggle.com/c/amazon-employee-access-challenge\n"
        "Terms: the rules of the competition; no open licence is stated.\n"
        "Cite: Amazon.com - Employee Access Challenge, Kaggle, 2013."
    )
    frame, path = ready(EMPLOYEE, data_home, download_if_missing)
    table = features_of(frame, EMPLOYEE, path)
    target = target_of(frame, EMPLOYEE, path, ["0", "1"])
    return _bunch(table, target, ["denied", "granted"], path, descr, one_hot_ids(), return_X_y)


def fetch_telescope(
    *,
    data_home: str | os.PathLike[str] | None = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
) -> Any:
    """Fetch Telescope: 19,020 showers of particles, of gamma rays or hadrons, by 10 numbers.

    Parameters
    ----------
    data_home, download_if_missing, return_X_y
        As for :func:`fetch_employee`, the files being ``magic04.csv.gz`` and
        ``tabular/magic04.csv.gz``.

    Returns
    -------
    Bunch
        As for :func:`fetch_employee`.

    Raises
    ------
    OSError, ValueError, TypeError
        As for :func:`fetch_employee`.

    Notes
    -----
    Bock, MAGIC Gamma Telescope, UCI Machine Learning Repository. Simulated; 115 rows repeat an
    earlier one. The rows may be sorted by class: shuffle them.

    Departs from the paper: DAMI's table says 11 features, the class among them; here are 10.

    Examples
    --------
    >>> from modal_interp.datasets import fetch_telescope
    >>> X, y = fetch_telescope(return_X_y=True)  # doctest: +SKIP
    """
    descr = (
        "Telescope, MAGIC gamma telescope: 12,332 simulated showers of gamma rays and 6,688 of "
        "hadrons, by ten numbers of their image.\n\nPublisher: R. K. Bock; UCI Machine Learning "
        f"Repository, https://doi.org/10.24432/C52C8B\n{_UCI_TERMS}\n"
        "Cite: Bock, MAGIC Gamma Telescope, UCI Machine Learning Repository, 2004."
    )
    frame, path = ready(TELESCOPE, data_home, download_if_missing)
    table = features_of(frame, TELESCOPE, path)
    target = target_of(frame, TELESCOPE, path, ["g", "h"])
    return _bunch(table, target, ["gamma", "hadron"], path, descr, scaled(), return_X_y)


def fetch_default(
    *,
    data_home: str | os.PathLike[str] | None = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
) -> Any:
    """Fetch Default: 30,000 clients of a bank, who default on their credit card's debt or not.

    Parameters
    ----------
    data_home, download_if_missing, return_X_y
        As for :func:`fetch_employee`, the files being ``default_credit_card.csv.gz`` and
        ``tabular/default_credit_card.csv.gz``.

    Returns
    -------
    Bunch
        As for :func:`fetch_employee`.

    Raises
    ------
    OSError, ValueError, TypeError
        As for :func:`fetch_employee`.

    Notes
    -----
    Yeh and Lien, "The comparisons of data mining techniques for the predictive accuracy of
    probability of default of credit card clients", Expert Systems with Applications 36, 2009.
    `preprocessing` takes SEX, EDUCATION and MARRIAGE for codes and the other columns for numbers.

    Departs from the paper: DAMI's table says 24 features, the number of the client among them;
    here are 23, without it.

    Examples
    --------
    >>> from modal_interp.datasets import fetch_default
    >>> X, y = fetch_default(return_X_y=True)  # doctest: +SKIP
    """
    descr = (
        "Default, default of credit card clients: whether 30,000 clients of a bank in Taiwan "
        "default on the next payment (22 % do), by their credit, bills and payments of six months."
        "\n\nPublisher: I-Cheng Yeh; UCI Machine Learning Repository, "
        f"https://doi.org/10.24432/C55S3H\n{_UCI_TERMS}\n"
        'Cite: Yeh and Lien, "The comparisons of data mining techniques for the predictive '
        'accuracy of probability of default of credit card clients", Expert Systems with '
        "Applications 36, 2009."
    )
    frame, path = ready(DEFAULT, data_home, download_if_missing)
    table = features_of(frame, DEFAULT, path)
    target = target_of(frame, DEFAULT, path, ["0", "1"])
    preprocessing = scaled_and_one_hot(table.shape[1], _DEFAULT_CODES)
    return _bunch(table, target, ["no", "yes"], path, descr, preprocessing, return_X_y)


def fetch_news(
    *,
    data_home: str | os.PathLike[str] | None = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
) -> Any:
    """Fetch NewsPopularity: 39,644 articles, popular or not, by 58 numbers.

    Parameters
    ----------
    data_home, download_if_missing, return_X_y
        As for :func:`fetch_employee`, the files being ``online_news.csv.gz`` and
        ``tabular/online_news.csv.gz``. Where ``online_news_part_14828.csv.gz`` is at hand, the
        14,828 articles of some of the months, it is taken instead of a download.

    Returns
    -------
    Bunch
        As for :func:`fetch_employee`.

    Raises
    ------
    OSError, ValueError, TypeError
        As for :func:`fetch_employee`.

    Notes
    -----
    Fernandes, Vinagre and Cortez, "A Proactive Intelligent Decision Support System for Predicting
    the Popularity of Online News", EPIA 2015, with their threshold: 1,400 shares or more are
    popular. The rows are sorted by date: shuffle them.

    Departs from the paper: DAMI's table says 39,797 samples and 61 features, as the description
    of the table does; the table has 39,644 rows, and of its 61 columns the address, the age and
    the shares themselves are left out here. DAMI does not say from where on news are popular.

    Examples
    --------
    >>> from modal_interp.datasets import fetch_news
    >>> X, y = fetch_news(return_X_y=True)  # doctest: +SKIP
    """
    descr = (
        "NewsPopularity, Online News Popularity: whether articles of mashable.com were shared "
        "1,400 times or more, by 58 numbers of each. The table has 39,644 rows; "
        "online_news_part_14828 has those of some of the months.\n\nPublisher: Fernandes, Vinagre "
        "and Cortez; UCI Machine Learning Repository, https://doi.org/10.24432/C5NS3V\n"
        f"{_UCI_TERMS}\n"
        'Cite: Fernandes, Vinagre and Cortez, "A Proactive Intelligent Decision Support System '
        'for Predicting the Popularity of Online News", EPIA 2015.'
    )
    sources = (POPULARITY, POPULARITY_PART)
    source = next((s for s in sources if at_hand(s, data_home)), POPULARITY)
    frame, path = ready(source, data_home, download_if_missing)
    table = features_of(frame, source, path)
    target = (numbers_of(frame, "shares", path) < _POPULAR).astype(np.int64)
    return _bunch(table, target, ["popular", "unpopular"], path, descr, scaled(), return_X_y)


def _bunch(
    table: pd.DataFrame,
    target: NDArray[np.int64],
    names: Sequence[str],
    path: Path,
    descr: str,
    preprocessing: TransformerMixin,
    return_X_y: bool,
) -> Any:
    data = np.ascontiguousarray(table.to_numpy(dtype=np.float64))
    if return_X_y:
        return data, target
    per_class = ", ".join(f"{name} {np.sum(target == i):,}" for i, name in enumerate(names))
    return Bunch(
        data=data,
        target=target,
        target_names=list(names),
        feature_names=list(table.columns),
        preprocessing=preprocessing,
        DESCR=f"{descr}\n\nHere: {len(data):,} rows of {path.name} ({per_class}).",
        filename=str(path),
    )
