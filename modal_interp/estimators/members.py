"""The members of an ensemble: alike but for their seeds, and trained each by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any, NamedTuple

import joblib
import numpy as np
import torch
from joblib.parallel import get_active_backend
from numpy.random import RandomState
from numpy.typing import NDArray
from sklearn.base import clone, is_classifier
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection._search import BaseSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing, indexable
from torch.utils.data import Dataset, Subset
from tqdm.auto import tqdm

from modal_interp._seeding import one_at_a_time, own_randomness, with_threads

# Parameters that members follow; others are objects, which each member has of its own.
_FOLLOWED = (bool, int, float, str, np.number, np.bool_, type(None))


class Task(NamedTuple):
    """What the members are trained on, and how."""

    X: Any
    y: NDArray[Any]
    method: str  # fit or partial_fit
    params: dict[str, Any]  # of that method
    bootstrap: bool


def check_member(estimator: Any) -> None:
    """Raise an error unless members can be cloned of an estimator, and differ."""
    name = type(estimator).__name__
    if isinstance(estimator, type) or not (hasattr(estimator, "fit") and is_classifier(estimator)):
        raise TypeError(f"estimator must be a classifier; found {estimator!r}.")
    if not hasattr(estimator, "predict_proba"):
        raise TypeError(
            f"estimator must be a classifier with predict_proba; found a {name} without. Of one "
            "that only decides, CalibratedClassifierCV(estimator) makes probabilities."
        )
    if isinstance(_last_step(estimator)[1], FrozenEstimator):
        raise TypeError(
            "estimator must end in a classifier that each member trains for itself; found a "
            "FrozenEstimator, which would be the same in all of them. Freeze only what stands "
            "before it."
        )


def new_members(estimator: Any, n: int, rng: RandomState, classes: Any) -> list[Any]:
    """Return unfitted members, each with seeds of its own, that know the classes.

    Each parameter ``random_state``, wherever it stands, is set, as in scikit-learn's ensembles.
    """
    names = _named(estimator, "random_state")
    prefix, last = _last_step(estimator)
    # So that what a member's samples lack has a column all the same.
    unknown = "classes" in last.get_params(deep=False) and last.get_params()["classes"] is None
    told = {f"{prefix}classes": classes} if unknown and classes is not None else {}
    members = []
    for _ in range(n):
        member = clone(estimator)
        own = {**told, **{name: int(rng.randint(2**31 - 1)) for name in names}}
        members.append(member.set_params(**own) if own else member)
    return members


def goes_on(estimator: Any) -> bool:
    """Tell whether `fit` of an estimator goes on from the last one, by its ``warm_start``."""
    # A search trains clones.
    return bool(getattr(_last_step(estimator, searches=False)[1], "warm_start", False))


def follow(members: list[Any], estimator: Any) -> None:
    """Give fitted members the numbers, switches and names that were set in `estimator` since."""
    own = {*_named(estimator, "random_state"), *_named(estimator, "classes")}
    given = {
        name: value
        for name, value in estimator.get_params().items()
        if isinstance(value, _FOLLOWED) and name not in own
    }
    for member in members:
        has = member.get_params()
        changed = {
            name: value
            for name, value in given.items()
            if type(has.get(name)) is not type(value) or has[name] != value
        }
        if changed:
            member.set_params(**changed)


def trained(
    members: list[Any], task: Task, rng: RandomState, *, n_jobs: int | None, verbose: int
) -> list[Any]:
    """Return the members trained on a task, the same for every number of jobs.

    Each has a seed for what draws from global generators, and an equal share of the threads: how
    many there are changes how sums are rounded.
    """
    threads = max(1, torch.get_num_threads() // len(members))
    seeds = rng.randint(2**31 - 1, size=len(members)).tolist()
    jobs = [(member, task, seed, threads) for member, seed in zip(members, seeds, strict=True)]
    done = _run(jobs, n_jobs, shown=verbose > 0)
    if verbose > 0:  # a bar that is not shown takes a lock of tqdm's all the same
        done = tqdm(done, total=len(members), unit="member")
    return [_with_frozen_of(new, old) for new, old in zip(done, members, strict=True)]


def _run(jobs: list[Any], n_jobs: int | None, *, shown: bool) -> Iterator[Any]:
    backend, _ = get_active_backend()
    n_workers = min(joblib.effective_n_jobs(n_jobs), len(jobs))
    # Threads would share the global generators, and draw by turns that nobody knows.
    if n_workers == 1 or getattr(backend, "uses_threads", False):
        yield from (_train(*job) for job in jobs)
        return
    one_by_one = shown and backend.supports_return_generator
    yield from joblib.Parallel(
        n_jobs=n_workers,
        # Without memory maps: torch warns at arrays that it cannot write to.
        max_nbytes=None,
        batch_size=1,
        return_as="generator" if one_by_one else "list",
    )(joblib.delayed(_train)(*job) for job in jobs)


def _train(member: Any, task: Task, seed: int, threads: int) -> Any:
    X, y, params = task.X, task.y, task.params
    if task.bootstrap:
        rows = drawn_rows(y, RandomState(seed))
        params = {name: _drawn(name, value, rows) for name, value in params.items()}
        X, y = _rows(X, rows), y[rows]
    # The global generators are its own for a while: no other net of this process trains meanwhile.
    turn = nullcontext() if _trains_by_threads(member) else one_at_a_time()
    with turn, with_threads(threads), own_randomness(seed):
        getattr(member, task.method)(X, y, **params)
    return member


def _trains_by_threads(member: Any) -> bool:
    """Tell whether threads of its own may train for a member; they would wait for its turn."""
    backend, _ = get_active_backend()
    n_jobs = [member.get_params()[name] for name in _named(member, "n_jobs")]
    return getattr(backend, "uses_threads", False) or any(n not in (None, 1) for n in n_jobs)


def drawn_rows(y: NDArray[Any], rng: RandomState) -> NDArray[np.intp]:
    """Draw rows with replacement, among them some of each class, and of each label a yes and a no.

    Where the draw lacks one, a row of each takes the place of the last ones that were drawn.
    """
    columns = y.T if y.ndim > 1 else y[None]
    rows = rng.randint(len(y), size=len(y))
    if all(len(np.unique(of[rows])) == len(np.unique(of)) for of in columns):
        return rows
    of_each = [rng.choice(np.flatnonzero(of == v)) for of in columns for v in np.unique(of)]
    kept = np.unique(of_each)
    return np.concatenate([kept, rows[: len(y) - len(kept)]])


def _drawn(name: str, value: Any, rows: NDArray[np.intp]) -> Any:
    """Return a parameter of `fit` for these rows, where it has a value for each sample."""
    each = name != "classes" and np.ndim(value) > 0 and len(value) == len(rows)
    return _rows(value, rows) if each else value


def _rows(X: Any, rows: NDArray[np.intp]) -> Any:
    if isinstance(X, Dataset):
        return Subset(X, rows.tolist())
    return _safe_indexing(indexable(X)[0], rows)


def _named(estimator: Any, parameter: str) -> list[str]:
    """Return all names of a parameter, of the estimator and of those inside it."""
    names = estimator.get_params(deep=True)
    return sorted(name for name in names if name.rpartition("__")[2] == parameter)


def _last_step(estimator: Any, *, searches: bool = True) -> tuple[str, Any]:
    """Return the classifier in pipelines, searches and ensembles, and how its names begin."""
    prefix, kinds = "", (BaseSearchCV,) if searches else ()
    while True:
        if isinstance(estimator, Pipeline):
            name, estimator = estimator.steps[-1]
        elif isinstance(estimator, kinds) or getattr(estimator, "is_committee", False):
            name, estimator = "estimator", estimator.estimator
        else:
            return prefix, estimator
        prefix += f"{name}__"


def _with_frozen_of(fitted: Any, given: Any) -> Any:
    """Return a member that another process fitted with the frozen steps that it was given.

    All members share them, and a query asks each of them once.
    """
    if fitted is given:
        return fitted
    if isinstance(fitted, Pipeline):
        pairs = zip(fitted.steps, given.steps, strict=True)
        fitted.steps = [(name, _with_frozen_of(new, old)) for (name, new), (_, old) in pairs]
    elif isinstance(fitted, BaseSearchCV):
        _with_frozen_of(fitted.estimator, given.estimator)
        if hasattr(fitted, "best_estimator_"):
            _with_frozen_of(fitted.best_estimator_, given.estimator)
    elif getattr(fitted, "is_committee", False):
        for member in fitted.estimators_:
            _with_frozen_of(member, given.estimator)
    return given if isinstance(given, FrozenEstimator) else fitted


def known_labels(y: NDArray[Any]) -> NDArray[Any] | None:
    """Return the labels of `y` where they can be a classifier's classes: two or more of them."""
    labels = np.unique(y) if y.ndim == 1 else y[:0]
    return labels if len(labels) > 1 else None


def classes_of(members: list[Any], y: NDArray[Any]) -> NDArray[Any]:
    """Return the classes that all members know; of several labels, their names or numbers."""
    found = [getattr(member, "classes_", None) for member in members]
    if y.ndim > 1:
        named = isinstance(found[0], np.ndarray) and found[0].shape == y.shape[1:]
        return np.array(found[0]) if named else np.arange(y.shape[1])
    known = [np.unique(y) if classes is None else np.asarray(classes) for classes in found]
    if any(classes.tolist() != known[0].tolist() for classes in known):
        raise ValueError(
            "the members of an ensemble must know the same classes; found "
            f"{[classes.tolist() for classes in known]}. Name them all by classes=."
        )
    return known[0].copy()


def probabilities(member: Any, X: Any, n_classes: int, *, several: bool) -> NDArray[np.float64]:
    """Return the probability of each class, or of each of several labels, (n, C)."""
    given = member.predict_proba(X)
    if several and isinstance(given, list):  # of each label, the probabilities of no and of yes
        pairs = zip(given, member.classes_, strict=True)
        given = np.column_stack([_of_yes(np.asarray(of), known) for of, known in pairs])
    proba = np.asarray(given, dtype=np.float64)
    if proba.shape[1:] != (n_classes,):
        raise ValueError(
            f"predict_proba of a member, a {type(member).__name__}, must give a column for each of "
            f"the {n_classes} classes; found shape {proba.shape}. Name all labels by classes= of "
            "the estimator."
        )
    return proba


def _of_yes(proba: NDArray[Any], known: Any) -> NDArray[Any]:
    labels = np.asarray(known).tolist()
    return proba[:, labels.index(1)] if 1 in labels else np.zeros(len(proba))
