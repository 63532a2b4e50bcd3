"""A query asked once more: whether it chose these samples, and by which quantities."""

from __future__ import annotations

import inspect
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from modal_interp._seeding import generator, own_randomness
from modal_interp.queries.candidates import generator_state, name_of
from modal_interp.queries.query import Answer, answers_kept
from modal_interp.strategies.contributions import copy_of
from modal_interp.strategies.reasons import Reasons

Indices = NDArray[np.intp]
# What a strategy draws from here where the user gives it no `random_state`.
_SEED = 0


class Replay(NamedTuple):
    """What came of asking again."""

    name: str  # of the strategy
    options: dict[str, Any]
    answer: Answer | None  # None of a strategy that does not answer by a `Query`
    chosen: Indices  # (n,) places among the candidates
    metrics: NDArray[np.float64]  # (n,) NaN where the strategy gives none
    reasons: Reasons | None  # None of a strategy that gives none
    checked: bool  # whether it chose these samples again


def asked_again(
    learner: Any, X_pool: Any, indices: Indices, strategy: Any, options: dict[str, Any]
) -> Replay:
    """Ask a strategy again, for the samples of a query and for its reasons.

    Raises
    ------
    ValueError
        If it chooses other samples, or draws and nobody says from where.
    """
    function, options = _unwrapped(strategy, options)
    name = name_of(function)
    given = _fresh(options)
    if _takes(function, "n_instances"):
        given["n_instances"] = len(indices)
    with own_randomness(_SEED), answers_kept() as kept:
        unseeded = generator(None)  # what draws where nobody says from what
        before = generator_state(unseeded)
        result = function(learner, X_pool, **given)
        drew = generator_state(unseeded) != before
    options.pop("n_instances", None)
    found, metrics = _as_pair(result)
    answer = kept[-1] if kept else None
    if answer is None or not np.array_equal(answer.query.rows[answer.chosen], found):
        return _of_another(name, options, indices, found, metrics)
    same = np.array_equal(found, indices)
    if drew:
        _check_drawn(name, answer)
    elif not same:
        raise _other_query(name, indices, found)
    chosen = answer.chosen if same else _places(name, answer, indices)
    reasons = None if answer.why is None else _reasons(answer, chosen, name)
    if same:
        metrics = np.asarray(answer.metrics, dtype=np.float64)
    else:  # only the choice was drawn: the reasons hold of what was chosen then
        assert reasons is not None
        metrics = np.array([reason.metric for reason in reasons.of_each])
    return Replay(name, options, answer, chosen, metrics, reasons, same)


def _unwrapped(strategy: Any, options: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Return a strategy without the options that `partial` gives it, and all options."""
    while isinstance(strategy, partial) and not strategy.args:
        options = {**strategy.keywords, **options}
        strategy = strategy.func
    if not callable(strategy):
        raise TypeError(
            "strategy must be a query strategy, a function of a learner and a pool, or None for "
            f"the learner's own; found {strategy!r}."
        )
    return strategy, dict(options)


def _fresh(options: dict[str, Any]) -> dict[str, Any]:
    """Return options in which generators are copies: the user's own draw nothing here."""
    return {
        key: copy_of(value) if isinstance(value, RandomState) else value
        for key, value in options.items()
    }


def _takes(function: Any, name: str) -> bool:
    """Tell whether a function takes a keyword."""
    try:
        parameters = inspect.signature(function).parameters
    except ValueError:  # of some that are not written in Python
        return True
    kinds = {parameter.kind for parameter in parameters.values()}
    return name in parameters or inspect.Parameter.VAR_KEYWORD in kinds


def _as_pair(result: Any) -> tuple[Indices, Any]:
    """Return indices and metrics, whichever modAL it is for."""
    found, metrics = result[:2] if isinstance(result, tuple) else (result, None)
    return np.atleast_1d(np.asarray(found)), metrics


def _check_drawn(name: str, answer: Answer) -> None:
    """Raise an error if what is told of a query hangs on what it drew."""
    if answer.of_any and not any(step.drew for step in answer.query.narrowing):
        return
    raise ValueError(
        f"random_state must be that of the query, because {name} drew at random; found None. Ask "
        "with a seed, learner.query(..., random_state=0), and give explain_query the same."
    )


def _places(name: str, answer: Answer, indices: Indices) -> Indices:
    """Return where samples stand among the candidates."""
    rows = answer.query.rows
    places = np.minimum(np.searchsorted(rows, indices), len(rows) - 1)
    if not np.array_equal(rows[places], indices):
        raise _other_query(name, indices, rows[answer.chosen])
    return places


def _reasons(answer: Answer, chosen: Indices, name: str) -> Any:
    assert answer.why is not None
    try:
        return answer.why(chosen)
    except ValueError as error:
        if answer.of_any and not np.array_equal(chosen, answer.chosen):
            rows = answer.query.rows
            raise _other_query(name, rows[chosen], rows[answer.chosen]) from error
        raise


def _other_query(name: str, indices: Indices, found: Indices) -> ValueError:
    return ValueError(
        f"indices must be those of this query, in its order; found {indices[:5].tolist()} where "
        f"{name} asks for {found[:5].tolist()}. Explain a query before the learner is taught "
        "again, with the pool, the options and the random_state of that query."
    )


def _of_another(
    name: str, options: dict[str, Any], indices: Indices, found: Indices, metrics: Any
) -> Replay:
    """Return what is known of a strategy that answers in a way of its own."""
    n, same = len(indices), np.array_equal(found, indices)
    known = same and metrics is not None and np.shape(metrics) == (n,)
    known = known and np.asarray(metrics).dtype.kind in "fiu"
    values = np.asarray(metrics, dtype=np.float64) if known else np.full(n, np.nan)
    return Replay(name, options, None, np.arange(n), values, None, same)
