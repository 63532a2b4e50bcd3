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
    check_baselines,
    check_counts,
    check_estimator,
    check_explain,
    check_numbers,
    check_switches,
    checked_baselines,
    checked_data,
    checked_seeds,
    checked_sizes,
    named_strategies,
    plain,
    plain_split,
)
from modal_interp.experiments.running.curve import run_curve
from modal_interp.experiments.running.interleaving import Interleaved, check_lengths
from modal_interp.experiments.running.names import FULL_TRAINING, baseline_name
from modal_interp.experiments.running.plan import Size, part_sizes
from modal_interp.experiments.running.progress import progress_bar
from modal_interp.experiments.running.provenance import code_version, settings_of
from modal_interp.experiments.running.results import load_results
from modal_interp.experiments.running.scorings import check_scoring
from modal_interp.experiments.running.storage import Claim, Curve, claim
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
    acquisition_period: int | None = None,
    early_stopping: bool | str = False,
    patience: int | None = None,
    full_training: bool | Sequence[Size] = True,
    explain: Any = False,
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
        A scorer of scikit-learn, by predicted labels or by probabilities.
    warm_start : bool, default=False
        False trains from scratch in each round; True goes on training with all labels so far, from
        the weights and the optimiser's state of the round before. The estimator must be a net, or
        have a parameter `warm_start` and a method ``partial_fit``.
    acquisition_period : int, optional
        Epochs of training in each round, before the next query. Without it a round trains as long
        as the estimator says (`max_epochs` and `min_steps`, which count anew in each round).
    early_stopping : bool or {"validation", "training"}, default=False
        True or "validation" ask when the loss on the validation part no longer falls, with the
        weights of the best epoch; "training" when the training loss no longer falls, with those of
        the last. For nets; the epochs above are then the most.
    patience : int, optional
        Epochs without a lower loss until `early_stopping` stops; without it `n_iter_no_change` of
        the net, 10 where it has none.
    full_training : bool or sequence of float or int, default=True
        Also train once a seed on the whole training part, which :func:`normalized_auc` needs. Of
        shares and counts, such as ``[0.01, 0.1, 1.0]``, once on each: see
        :func:`full_training_scores`.
    explain : bool, encoder or list of str, default=False
        Keep in `out` which word or feature decided about each sample, for :func:`load_asked`. True
        names them by numbers; the encoder of the texts, or the columns of a table, by their names.
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

    An estimator that is no net makes a pass by one call of its ``partial_fit``. Full training makes
    `acquisition_period` passes, too; with ``warm_start=True`` as many as a whole curve. Nothing is
    trained on test rows; on validation rows only the moment to stop, with ``early_stopping=True``,
    labels not counted. What was fitted on all texts before has seen these, not their labels.

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
    check_switches(warm_start=warm_start)
    check_explain(explain, out)
    acquisition_period, patience = plain(acquisition_period), plain(patience)
    check_lengths(acquisition_period, patience, early_stopping)
    baselines = checked_baselines(full_training)
    protocol = Interleaved(
        estimator=estimator, X=X, y=y, initial=initial, step=step, budget=budget,
        split=plain_split(split), scoring=scoring, warm_start=warm_start,
        acquisition_period=acquisition_period, patience=patience, n_threads=n_threads,
        early_stopping=early_stopping in (True, "validation"), explain=explain,
        stops_by_training=early_stopping == "training",
    )  # fmt: skip
    sizes = checked_sizes(protocol)
    check_baselines(baselines, part_sizes(protocol.split, len(y))[0])
    check_estimator(protocol)
    check_scoring(protocol, seed_list, sizes[0])
    settings = settings_of(protocol, named)
    with _folder(out) as folder:
        claim(folder, settings)
        parts = _parts(protocol, named, baselines, len(sizes))
        # Seed by seed, so that what is finished can be compared.
        units = [(Curve(folder, name, seed), *what) for seed in seed_list for name, what in parts]
        with progress_bar([curve for curve, *_ in units], len(sizes), verbose):
            _run(units, n_jobs, Claim.of(folder))
        return load_results(folder, strategies=list(named), seeds=seed_list)


def _run(units: list[Any], n_jobs: int, claimed: Claim) -> None:
    """Run what is free; then wait for what other processes hold, in case they do not finish."""
    failures: list[str] = []
    for wait in (False, True):
        jobs = [joblib.delayed(_run_unit)(*unit, wait, claimed, code_version()) for unit in units]
        n_workers = min(n_jobs, max(1, len(jobs)))  # each is a process, also one without work
        ends = workers(n_workers)(jobs)
        failures += [end for end in ends if end not in (_FINISHED, _HELD)]
        units = [unit for unit, end in zip(units, ends, strict=True) if end == _HELD]
        if not units:
            break
    if failures:
        raise RuntimeError("\n".join(failures))


def _run_unit(
    curve: Curve, protocol: Interleaved, query: Any, wait: bool, claimed: Claim, code: str
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


def _parts(
    protocol: Interleaved, named: Strategies, baselines: list[Size], n_rounds: int
) -> list[tuple[str, tuple[Interleaved, Callable[..., Any] | None]]]:
    """Return what is run of each seed, by name: the trainings without asking, and the curves."""
    parts: list[tuple[str, tuple[Interleaved, Callable[..., Any] | None]]] = []
    for size in baselines:
        name = baseline_name(size)
        # All labels are no question of which; a part is a curve of one round.
        query = None if name == FULL_TRAINING else _never_asks
        parts.append((name, (protocol.of_baseline(size, n_rounds), query)))
    return [*parts, *((name, (protocol, query)) for name, query in named.items())]


def _never_asks(learner: Any, X_pool: Any, n_instances: int = 1) -> Any:
    raise AssertionError("a curve of one round has nothing to ask for")


@contextlib.contextmanager
def _folder(out: str | os.PathLike[str] | None) -> Any:
    if out is not None:
        yield Path(out).expanduser().absolute()
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)
