"""What a strategy needs of modAL, and what modAL needs of a strategy.

This is the only file that knows modAL, beside `modal_compat`, which mends it: it looks through
learners, committees and pipelines at the fitted nets, and it speaks modAL's two return contracts.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import scipy.sparse as sp
from modAL.models.base import BaseCommittee, BaseLearner
from numpy.typing import NDArray
from torch.utils.data import Dataset

from modal_interp.queries.estimators import classifier_of, members_of, net_of
from modal_interp.queries.modal_compat import metrics_wanted
from modal_interp.queries.seen import Seen
from modal_interp.queries.stacking import is_named, n_samples


class View(NamedTuple):
    """One fitted net, with the pool and the labelled samples as that net sees them.

    Attributes
    ----------
    net : skorch.NeuralNet
        The net of a learner, or of a member of a committee or an ensemble. Another classifier,
        whole, where the strategy can do without a net (``open_query(..., any_classifier=True)``).
    pool : array of shape (m, ...), or what the last step before the net gives
        The candidates.
    labeled : list of the same
        The labelled samples: one collection, more where the members of a committee were taught
        others, none where the strategy does not need them.

    Notes
    -----
    Departs from the paper: none; it computes nothing.
    """

    net: Any
    pool: Any
    labeled: list[Any]  # one collection; more where the members of a committee were taught others


def views_of(
    learner: BaseLearner | BaseCommittee,
    X_pool: Any,
    n_instances: int,
    *,
    X_labeled: Any = None,
    needs_labeled: bool = False,
    any_classifier: bool = False,
) -> list[View]:
    """Look through a learner, or each member of a committee, at its nets and their input.

    Everything is checked before any costly work: modAL 0.4.2 runs a strategy again when it fails.

    Parameters
    ----------
    learner : ActiveLearner, DeepActiveLearner or Committee of modAL
        Its estimators are skorch classifiers, or ensembles of them, alone or at the end of a
        pipeline.
    X_pool : array, list, Series, data frame, sparse matrix, dict of arrays or Dataset of n samples
        The unlabelled samples, before the steps of a pipeline.
    n_instances : int
        How many samples will be asked for.
    X_labeled : like `X_pool`, optional
        The labelled samples. Without them, what the learner was taught; for a committee, what any
        of its members was taught.
    needs_labeled : bool
        Whether the strategy cannot do without labelled samples.
    any_classifier : bool
        Whether a classifier with ``predict_proba`` will do that is no net.

    Returns
    -------
    list of View
        One a net; ``labeled`` is empty where `needs_labeled` is false.

    Raises
    ------
    TypeError, ValueError, NotFittedError
        Naming the parameter, the rule and the value found.
    """
    members = _members(learner)
    find = classifier_of if any_classifier else net_of
    found = [one for member in members for one in members_of(member.estimator, find)]
    check_query(learner, X_pool, n_instances)
    taught = _labeled_samples(members, X_labeled) if needs_labeled else []
    seen, param = Seen(), labeled_param(X_labeled)
    return [
        View(
            net,
            seen.by(net, steps, X_pool, "X_pool"),
            [seen.by(net, steps, X, param) for X in taught],
        )
        for steps, net in found
    ]


def check_query(learner: Any, X_pool: Any, n_instances: Any) -> None:
    """Check what every query is given, whatever the estimators.

    Raises
    ------
    TypeError, ValueError
        Naming the parameter, the rule and the value found.
    """
    _members(learner)
    _check_samples(X_pool, "X_pool")
    _check_n_instances(n_instances, n_samples(X_pool))


def labeled_param(X_labeled: Any) -> str:
    """Name the labelled samples in an error as the user gave them."""
    return "X_training" if X_labeled is None else "X_labeled"


def query_result(
    learner: BaseLearner | BaseCommittee, indices: NDArray[np.intp], metrics: NDArray[Any]
) -> Any:
    """Return what this learner's ``query`` takes from a strategy.

    modAL 0.4.2 unpacks ``(indices, metrics)`` and would split a bare array of two indices; modAL
    0.4.1 takes a tuple for ``(indices, instances)`` and needs the bare array, unless it was asked
    for ``return_metrics``, which is mended into it and unpacks.
    """
    # Of modAL's own class: a user's subclass may pass its arguments on.
    base = BaseCommittee if isinstance(learner, BaseCommittee) else BaseLearner
    if metrics_wanted() or "return_metrics" in inspect.signature(base.query).parameters:
        return indices, metrics
    return indices


def taught_samples(learner: BaseLearner | BaseCommittee, X_labeled: Any = None) -> list[Any]:
    """Return the collections of labelled samples with their labels, each once.

    Parameters
    ----------
    learner : ActiveLearner, DeepActiveLearner or Committee of modAL
        Who was taught them.
    X_labeled : collection of samples, optional
        What goes before what the learner keeps.

    Returns
    -------
    list of (collection, labels)
        In the order in which strategies see them. The labels are None where nobody keeps them;
        empty where the samples are not kept either.
    """
    members = _members(learner)
    held = [(getattr(m, "X_training", None), getattr(m, "y_training", None)) for m in members]
    if X_labeled is not None:
        return [(X_labeled, next((y for X, y in held if is_same(X, X_labeled)), None))]
    if any(X is None for X, _ in held):
        return []
    return [(X, y) for i, (X, y) in enumerate(held) if not any(is_same(X, Y) for Y, _ in held[:i])]


def estimators_of(learner: BaseLearner | BaseCommittee) -> list[Any]:
    """Return the estimator of a learner, or those of a committee's members."""
    return [member.estimator for member in _members(learner)]


def _members(learner: Any) -> list[BaseLearner]:
    if isinstance(learner, BaseCommittee):
        if not learner.learner_list:
            raise ValueError("learner must be a Committee of at least one member; found none.")
        return list(learner.learner_list)
    if isinstance(learner, BaseLearner):
        return [learner]
    raise TypeError(
        "learner must be an ActiveLearner, DeepActiveLearner or Committee of modAL; found a "
        f"{type(learner).__name__}. Wrap an estimator in ActiveLearner(estimator=...)."
    )


def _check_samples(X: Any, param: str) -> None:
    kinds = np.ndarray | list | pd.DataFrame | pd.Series | Dataset | dict
    if not isinstance(X, kinds) and not sp.issparse(X):
        named = " Of what a tokenizer gives make a dict: dict(...)." * isinstance(X, Mapping)
        raise TypeError(
            f"{param} must be an array, a list, a Series, a data frame, a sparse matrix, a dict of "
            f"arrays or a torch Dataset of samples; found a {type(X).__name__}.{named}"
        )
    if is_named(X):
        _check_named(X, param)
    if not hasattr(X, "__len__") and not hasattr(X, "shape"):
        raise TypeError(
            f"{param} must tell how many samples it holds, by __len__; found a "
            f"{type(X).__name__} that does not."
        )
    if isinstance(X, np.ndarray) and X.ndim == 0:
        raise ValueError(f"{param} must have one row a sample; found a single value, {X!r}.")
    if n_samples(X) == 0:
        hint = " All are labelled: end the loop." if param == "X_pool" else ""
        raise ValueError(f"{param} must hold at least one sample; found none.{hint}")


def _check_named(X: dict[Any, Any], param: str) -> None:
    """Check that a dict holds arrays of equally many samples."""
    others = [part for part in X.values() if not isinstance(part, np.ndarray) or not part.ndim]
    if not X or others:
        found = f"a {type(others[0]).__name__}" if others else "none"
        raise TypeError(
            f"{param} as a dict must hold arrays, one for each argument of the module, a row a "
            f"sample; found {found}. Of a tokenizer ask for return_tensors='np'."
        )
    sizes = {key: len(part) for key, part in X.items()}
    if len(set(sizes.values())) > 1:
        raise ValueError(f"{param} as a dict must hold arrays of equally many rows; found {sizes}.")


def _check_n_instances(n_instances: Any, n_pool: int) -> None:
    if isinstance(n_instances, bool) or not isinstance(n_instances, int | np.integer):
        raise TypeError(f"n_instances must be a whole number; found {n_instances!r}.")
    if not 1 <= n_instances <= n_pool:
        raise ValueError(
            f"n_instances must lie between 1 and the size of the pool, {n_pool}; found "
            f"{n_instances}." + (_left(n_pool) if n_instances > 0 else "")
        )


def _left(n_pool: int) -> str:
    return f" Only {n_pool} {'is' if n_pool == 1 else 'are'} left: ask for n_instances={n_pool}."


def _labeled_samples(members: Sequence[BaseLearner], X_labeled: Any) -> list[Any]:
    """Return the collections of labelled samples, each of them once."""
    if X_labeled is not None:
        found = [X_labeled]
    else:
        found = [getattr(member, "X_training", None) for member in members]
        found = [X for i, X in enumerate(found) if not any(is_same(X, Y) for Y in found[:i])]
    if any(X is None for X in found):
        raise ValueError(
            "the labelled samples are needed and the learner does not hold them (X_training is "
            "None, as in a DeepActiveLearner or after fitting the estimator by hand). Pass them: "
            "learner.query(X_pool, n_instances=..., X_labeled=X_of_the_labelled_samples), or "
            "candidates=partial(exclude_duplicates, X_labeled=...)."
        )
    for X in found:
        _check_samples(X, labeled_param(X_labeled))
    return found


def is_same(X: Any, Y: Any) -> bool:
    """Tell whether two collections hold the same; what cannot be told counts as other."""
    if is_named(X) and is_named(Y):
        return X.keys() == Y.keys() and all(is_same(part, Y[key]) for key, part in X.items())
    both_arrays = isinstance(X, np.ndarray) and isinstance(Y, np.ndarray)
    return X is Y or (both_arrays and np.array_equal(X, Y))
