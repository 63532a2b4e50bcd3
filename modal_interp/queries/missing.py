"""Missing values: where samples have none, and which estimators can do without."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.exceptions import NotFittedError
from skorch import NeuralNet
from torch.utils.data import Dataset

from modal_interp.queries.estimators import is_ensemble, unwrap
from modal_interp.queries.stacking import is_named, take_rows

# So many incomplete samples tell whether an estimator takes them.
_TRIED = 1000


def incomplete(X: Any) -> NDArray[np.bool_]:
    """Return which samples hold NaN, None or infinity somewhere, of shape (n,).

    Only what can be looked at as a whole is: samples of a torch ``Dataset`` count as complete.
    """
    if isinstance(X, Dataset):
        return np.zeros(len(X) if hasattr(X, "__len__") else 0, dtype=bool)
    if is_named(X):
        return np.any([incomplete(part) for part in X.values()], axis=0)
    if isinstance(X, pd.DataFrame):
        columns = [incomplete(X.iloc[:, j]) for j in range(X.shape[1])]
        return np.any(columns, axis=0) if columns else np.zeros(len(X), dtype=bool)
    if isinstance(X, pd.Series):
        floats = pd.api.types.is_float_dtype(X.dtype)
        infinite = np.isinf(X.to_numpy(dtype=float, na_value=np.nan)) if floats else False
        return np.asarray(X.isna()) | infinite
    if sp.issparse(X):
        found = sp.coo_matrix(X)
        none = np.zeros(X.shape[0], dtype=bool)
        none[found.row[_gaps(found.data)]] = True
        return none
    if isinstance(X, list):
        X = _as_array(X)
    if not isinstance(X, np.ndarray) or X.ndim == 0:
        return np.zeros(1, dtype=bool)
    if X.dtype.kind not in "fcO":  # whole numbers and strings are never missing
        return np.zeros(len(X), dtype=bool)
    return _gaps(X).reshape(len(X), -1).any(axis=1)


def check_complete(estimators: list[Any], X_pool: Any, rows: NDArray[np.intp]) -> None:
    """Refuse candidates with missing values that an estimator could not be taught.

    Parameters
    ----------
    estimators : list of estimator
        Of the learner, or of each member of a committee.
    X_pool : collection of n samples
        The unlabelled samples.
    rows : ndarray of shape (m,), intp
        The candidates.

    Raises
    ------
    ValueError
        If one of them is incomplete and one of the estimators does not take such.
    """
    found = incomplete(X_pool)
    gaps = rows[found[rows]] if found.any() else rows[:0]
    if not len(gaps):
        return
    tried = take_rows(X_pool, gaps[:_TRIED])
    for estimator in estimators:
        if not takes_incomplete(estimator, tried):
            raise ValueError(
                "X_pool must hold a value everywhere, since the learner's "
                f"{type(estimator).__name__} takes no missing ones and could not be taught them; "
                f"found NaN, None or infinity in {len(gaps)} of {len(rows)} candidates, the first "
                f"in row {gaps[0]}. Put an imputer before the estimator, as in "
                "make_pipeline(SimpleImputer(), estimator), or leave these rows out by candidates=."
            )


def takes_incomplete(estimator: Any, X: Any) -> bool:
    """Tell whether an estimator can learn from these incomplete samples.

    A net takes them where the steps before it fill them in; it is not run. Another estimator takes
    them where it answers for them, with numbers. One that is not fitted yet says so in ``fit``.
    """
    try:
        ends = _ends(estimator)
        if all(isinstance(last, NeuralNet) for _, last in ends):
            return not any(incomplete(_through(steps, X)).any() for steps, _ in ends)
    except (AttributeError, TypeError, ValueError):  # not fitted, or of what it cannot read
        return False
    try:
        with np.errstate(all="ignore"):
            answer = getattr(estimator, "predict_proba", estimator.predict)(X)
    except NotFittedError:
        return True
    except (AttributeError, TypeError, ValueError):
        return False
    several = answer if isinstance(answer, list) else [answer]
    return not any(incomplete(np.asarray(each)).any() for each in several)


def _ends(estimator: Any) -> list[tuple[list[Any], Any]]:
    """Return the last estimator and the steps before it; of an ensemble, those of each member."""
    steps, last = unwrap(estimator)
    if not is_ensemble(last):
        return [(steps, last)]
    members = getattr(last, "estimators_", [last.estimator])
    return [([*steps, *before], end) for member in members for before, end in _ends(member)]


def _through(steps: list[Any], X: Any) -> Any:
    for step in steps:
        X = step.transform(X)
    return X


def _as_array(X: list[Any]) -> NDArray[Any]:
    """Return rows of numbers as numbers, and anything else as objects, one a sample."""
    if X and isinstance(X[0], list | tuple | np.ndarray):
        try:
            return np.asarray(X)
        except ValueError:  # rows of several lengths
            pass
    return np.fromiter(X, dtype=object, count=len(X))


def _gaps(values: NDArray[Any]) -> NDArray[np.bool_]:
    if values.dtype.kind in "fc":
        return np.asarray(~np.isfinite(values))
    if values.dtype.kind == "O":
        return np.asarray(pd.isna(values))
    return np.zeros(values.shape, dtype=bool)
