"""Rows of a collection of samples, and collections under one another, whatever holds them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp

_FRAMES = (pd.DataFrame, pd.Series)


def is_named(X: Any) -> bool:
    """Tell whether samples are a dict of arrays; a sparse DOK matrix is a dict of another kind."""
    return isinstance(X, dict) and not sp.issparse(X)


def n_samples(X: Any) -> int:
    """Return how many samples a collection holds."""
    if is_named(X):
        return len(next(iter(X.values()), ()))
    return int(X.shape[0]) if hasattr(X, "shape") else len(X)


def take_rows(X: Any, rows: Any) -> Any:
    """Return rows by their position, in the kind of collection that `X` is.

    Parameters
    ----------
    X : array, list, Series, data frame, sparse matrix or dict of arrays of n samples
        The samples.
    rows : int, list of int or ndarray of int or bool
        Positions; of a mask, those where it is true.

    Returns
    -------
    array, list, Series, data frame or sparse matrix
        The rows; of one position, what the collection holds there.
    """
    if isinstance(X, _FRAMES):
        return X.iloc[rows]
    if is_named(X):
        return {key: part[rows] for key, part in X.items()}
    if isinstance(X, list):
        at = np.arange(len(X))[rows]
        return X[at] if np.ndim(at) == 0 else [X[row] for row in at]
    if sp.issparse(X):
        return with_rows(X)[rows].asformat(X.format)
    return X[rows]


def with_rows(X: Any) -> Any:
    """Return samples of which rows can be taken: a sparse matrix in CSR, anything else as it is."""
    return X.tocsr() if sp.issparse(X) else X


def stack_rows(blocks: Sequence[Any]) -> Any:
    """Return all samples in one collection, of the kind of the first.

    Parameters
    ----------
    blocks : sequence of collections
        Arrays, lists, Series, data frames or sparse matrices. What follows is turned into the
        kind of the first; columns of frames go by their names.

    Returns
    -------
    array, list, Series, data frame or sparse matrix
        The samples, first block first.

    Raises
    ------
    ValueError
        If a block does not have the columns of the first.
    """
    first, *others = blocks
    if is_named(first):
        return _by_name(blocks)
    if any(sp.issparse(block) for block in blocks):
        form = next(block.format for block in blocks if sp.issparse(block))
        return sp.vstack([_as_sparse(block) for block in blocks], format=form)
    if isinstance(first, pd.DataFrame):
        return pd.concat([first, *(_with_columns_of(first, block) for block in others)])
    if isinstance(first, pd.Series):
        return pd.concat([first, *(_named_like(first, block) for block in others)])
    if isinstance(first, list):
        return [row for block in blocks for row in _as_list(block)]
    return np.concatenate(blocks)


def _by_name(blocks: Sequence[Any]) -> dict[str, Any]:
    """Return dicts of arrays as one, array below array."""
    shapes = [{key: np.shape(part)[1:] for key, part in block.items()} for block in blocks]
    if any(shape != shapes[0] for shape in shapes):
        raise ValueError(
            "X must hold the arrays that the learner was taught, by their names and as wide; found "
            f"{shapes[-1]} beside {shapes[0]}. Pad all texts to one length."
        )
    return {key: np.concatenate([block[key] for block in blocks]) for key in blocks[0]}


def _as_sparse(block: Any) -> Any:
    return block if sp.issparse(block) else sp.csr_matrix(np.asarray(block))


def _as_list(block: Any) -> list[Any]:
    if isinstance(block, pd.DataFrame):
        return list(block.to_numpy().tolist())
    return list(block) if isinstance(block, list) else list(block.tolist())


def _named_like(first: pd.Series, block: Any) -> pd.Series:
    if isinstance(block, pd.Series):
        return block.rename(first.name)
    return pd.Series(list(block), name=first.name)


def _with_columns_of(first: pd.DataFrame, block: Any) -> pd.DataFrame:
    """Return a block as a frame whose columns are those of the first, in their order."""
    if not isinstance(block, pd.DataFrame):
        return pd.DataFrame(block, columns=first.columns)
    if list(block.columns) == list(first.columns):
        return block
    if sorted(map(str, block.columns)) != sorted(map(str, first.columns)):
        raise ValueError(
            f"X must have the columns {list(first.columns)} of what the learner was taught; found "
            f"{list(block.columns)}."
        )
    return block[list(first.columns)]
