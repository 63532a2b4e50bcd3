"""Learning curves of several strategies and seeds, side by side and resumable."""

from __future__ import annotations

import contextlib
import copy
import os
import signal
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import joblib
import pandas as pd

from modal_interp.experiments.running.arguments import (
    check_counts,
    check_estimator,
    check_numbers,
    check_switches,
    checked_data,
    checked_seeds,
    checked_sizes,
    named_strategies,
    plain,
    plain_split,
)
from modal_interp.experiments.running.curve import Protocol, run_curve
from modal_interp.experiments.running.plan import Size
from modal_interp.experiments.running.progress import progress_bar
from modal_interp.experiments.running.provenance import code_version, settings_of
from modal_interp.experiments.running.results import load_results
from modal_interp.experiments.running.scorings import check_scoring
from modal_interp.experiments.running.storage import FULL_TRAINING, Claim, Curve, claim
from modal_interp.experiments.running.workers import workers

Strategies = Mapping[str, Callable[..., Any]]

# How a curve ends, if it does not fail.
_FINISHED, _HELD = "finished", "held by another process"


def run_experiment(
    estimator: Any,
    X: Any,
    y: Any,
    strategies: Sequence[Callable[..., Any]] | Strategies,
    *,
    seeds: int | Iterable[int] = 5,
    initial: Size = 0.02,
    step: Size = 0.02,
    budget: Size = 0.5,
    split: tuple[Size, Size, Size] = (0.6, 0.2, 0.2),
    scoring: Any = "accuracy",
    warm_start: bool = False,
    early_stopping: bool = False,
    full_training: bool = True,
    out: str | os.PathLike[str] | None = None,
    n_jobs: int = 1,
    n_threads: int = 1,
    verbose: int = 0,
) -> pd.DataFrame:
    """Run modAL's loop for each strategy and seed, and return the learning curves.

    Parameters
    ----------
    estimator : scikit-learn classifier
        Unfitted; what each strategy accepts, for most a net of this package, alone or as the last
        step of a pipeline. Each curve has a copy, with a seed of its own in every `random_state`
        and, where its `classes` are None, all classes of `y`.
    X : array, sparse matrix or list of str, of n samples
        All data; parts to train with, to validate on and to test on are drawn from it.
    y : array-like of shape (n,) or (n, C)
        Labels, or an indicator of several.
    strategies : sequence of callable, or dict of str to callable
        Query strategies as modAL calls them, by their names. Options go in by
        :class:`functools.partial`, which in a dict can have a name.
    seeds : int or iterable of int, default=5
        Repetitions, or a seed for each. All strategies of a seed share splits and seed set.
    initial, step, budget : float or int, default=0.02, 0.02, 0.5
        Labelled samples at first, more in each round, and in the end. A float is a share of the
        training part, an int a count.
    split : (train, validation, test), default=(0.6, 0.2, 0.2)
        Shares or counts of the rows, stratified where each class is large enough. Strategies
        choose from the training part.
    scoring : str or callable, default="accuracy"
        A scorer of scikit-learn.
    warm_start : bool, default=False
        False trains from scratch in each round; True goes on training (the estimator must have a
        parameter `warm_start`).
    early_stopping : bool, default=False
        False trains for the epochs that the estimator says; True stops by the loss on the
        validation part, and needs a net of this package.
    full_training : bool, default=True
        Also train once a seed on the whole training part, which :func:`normalized_auc` needs.
    out : path-like, optional
        Folder of the results. A folder that holds finished rounds of the same experiment is
        continued, whatever ended it; seeds and strategies may be added, and several processes may
        share it. Without it nothing is kept but the returned frame.
    n_jobs : int, default=1
        Curves at once, as joblib counts: -1 for one a processor.
    n_threads : int, default=1
        Threads of each curve. Part of the experiment, since sums are rounded by it: curves do not
        depend on `n_jobs`.
    verbose : int, default=0
        Above 0, a progress bar over rounds, with the newest score and the time left.

    Returns
    -------
    DataFrame
        A row for each strategy, seed and round, as :func:`load_results` gives it.

    Raises
    ------
    TypeError, ValueError
        If a parameter breaks its rule, before anything is trained; or if `out` holds results of
        another experiment, code or data, naming what differs.
    RuntimeError
        If curves fail, naming strategy and seed of each, after the others were run. What was
        finished is kept.

    Notes
    -----
    Curves of one `out` are equal to the last bit on one kind of machine, whatever `n_jobs` is and
    however often the run was ended and continued, as long as estimator and strategies are
    deterministic on one thread (on a GPU few are) and a strategy keeps nothing from one query to
    the next. With ``warm_start=True`` the earlier rounds of a continued curve are trained again.

    Nothing is trained on test rows; on validation rows only the moment to stop, with
    ``early_stopping=True``, and their labels are not counted. An encoder or word vectors that were
    fitted on all texts before have seen these texts, not their labels.

    Departs from the paper: none; the defaults are those of ALDEN (section 4.2), the loop is its
    Algorithm 1 with any strategy in the place of lines 7 to 15.

    Examples
    --------
    >>> from modal_interp import TabularMLPClassifier, margin, make_sigmoid, random_sampling
    >>> from modal_interp.experiments import run_experiment
    >>> X, y = make_sigmoid(200, random_state=0)
    >>> results = run_experiment(
    ...     TabularMLPClassifier(max_epochs=5), X, y, [margin, random_sampling],
    ...     seeds=2, initial=20, step=10, budget=40)
    >>> results.groupby("strategy")["n_labeled"].max().to_dict()
    {'margin': 40, 'random_sampling': 40}
    """
    X, y = checked_data(X, y)
    named, seed_list = named_strategies(strategies), checked_seeds(seeds)
    initial, step, budget = map(plain, (initial, step, budget))
    check_counts(initial=initial, step=step, budget=budget, split=split)
    n_jobs, n_threads = plain(n_jobs), plain(n_threads)
    check_numbers(n_jobs, n_threads)
    check_switches(
        warm_start=warm_start, early_stopping=early_stopping, full_training=full_training
    )
    protocol = Protocol(
        estimator=estimator, X=X, y=y, initial=initial, step=step, budget=budget,
        split=plain_split(split), scoring=scoring, warm_start=warm_start,
        early_stopping=early_stopping, n_threads=n_threads,
    )  # fmt: skip
    sizes = checked_sizes(protocol)
    check_estimator(protocol)
    check_scoring(protocol, seed_list, sizes[0])
    settings = settings_of(protocol, named)
    with _folder(out) as folder:
        claim(folder, settings)
        units = _units(folder, named, seed_list, full_training)
        with progress_bar([curve for curve, _ in units], len(sizes), verbose):
            _run(protocol, units, n_jobs, Claim.of(folder))
        return load_results(folder, strategies=list(named), seeds=seed_list)


def _run(protocol: Protocol, units: list[Any], n_jobs: int, claimed: Claim) -> None:
    """Run what is free; then wait for what other processes hold, in case they do not finish."""
    failures: list[str] = []
    for wait in (False, True):
        jobs = [
            joblib.delayed(_run_unit)(protocol, query, curve, wait, claimed, code_version())
            for curve, query in units
        ]
        n_workers = min(n_jobs, max(1, len(jobs)))  # each is a process, also one without work
        ends = workers(n_workers)(jobs)
        failures += [end for end in ends if end not in (_FINISHED, _HELD)]
        units = [unit for unit, end in zip(units, ends, strict=True) if end == _HELD]
        if not units:
            break
    if failures:
        raise RuntimeError("\n".join(failures))


def _run_unit(
    protocol: Protocol, query: Any, curve: Curve, wait: bool, claimed: Claim, code: str
) -> str:
    """Return how it ended: one failure must not keep the other curves from being run."""
    with curve.lock(wait=wait) as mine:
        if not mine:
            return _HELD
        try:
            if code_version() != code:
                raise RuntimeError(f"the code of this package was changed, from {code}.")
            claimed.check()
            with _remembered_interrupts() as check_interrupts:

                def may_write() -> None:
                    check_interrupts()
                    claimed.check()

                # A copy: a strategy with a state must not carry it from curve to curve.
                run_curve(protocol, copy.deepcopy(query), curve, may_write)
        except Exception as error:
            return (
                f"{curve.strategy} with seed {curve.seed} failed{_after(curve)}: "
                f"{type(error).__name__}: {error}\n{traceback.format_exc()}"
            )
        return _FINISHED


def _after(curve: Curve) -> str:
    with contextlib.suppress(ValueError, OSError):  # the file itself may be what is wrong
        return f" after {len(curve.rounds())} rounds"
    return ""


@contextlib.contextmanager
def _remembered_interrupts() -> Iterator[Callable[[], None]]:
    """Give a check that raises if Ctrl-C was pressed: modAL 0.4.2 swallows any error of a query."""
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield lambda: None
        return
    pressed: list[int] = []

    def remember(number: int, frame: Any) -> None:
        pressed.append(number)
        handler(number, frame)

    def check() -> None:
        if pressed:
            raise KeyboardInterrupt

    signal.signal(signal.SIGINT, remember)
    try:
        yield check
    finally:
        signal.signal(signal.SIGINT, handler)


def _units(
    folder: Path, named: Strategies, seeds: list[int], full_training: bool
) -> list[tuple[Curve, Callable[..., Any] | None]]:
    """Return the curves seed by seed, so that what is finished can be compared."""
    queries: dict[str, Callable[..., Any] | None] = dict(named)
    if full_training:
        queries = {FULL_TRAINING: None, **queries}
    return [(Curve(folder, name, seed), query) for seed in seeds for name, query in queries.items()]


@contextlib.contextmanager
def _folder(out: str | os.PathLike[str] | None) -> Any:
    if out is not None:
        yield Path(out).expanduser().absolute()
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)
