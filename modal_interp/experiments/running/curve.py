"""One learning curve: modAL's loop for one strategy and one seed, from where it was left."""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from modAL.models import ActiveLearner
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.metrics import get_scorer

from modal_interp._seeding import own_randomness, with_threads
from modal_interp.experiments.running.asked import Told, asked_for, labels_in_words
from modal_interp.experiments.running.early_stopping import stopping_early
from modal_interp.experiments.running.lines import REMOVE
from modal_interp.experiments.running.plan import (
    Parts,
    Size,
    derived_seed,
    labelled_sizes,
    seed_set,
    split_rows,
)
from modal_interp.experiments.running.storage import FULL_TRAINING, Curve
from modal_interp.queries.query import answers_kept

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Protocol:
    """What the curves of an experiment share; `run_experiment` documents the fields."""

    estimator: Any
    X: Any
    y: NDArray[Any]
    initial: Size
    step: Size
    budget: Size
    split: tuple[Size, Size, Size]
    scoring: Any
    warm_start: bool
    early_stopping: bool
    n_threads: int
    explain: Any = False  # True, or what tells the names of words and features

    def seeded_estimator(self, seed: int, parts: Parts) -> Any:
        """Return the estimator unfitted, with all classes known and a seed in each of its parts."""
        estimator = clone(self.estimator)
        new: dict[str, Any] = {}
        for name, value in estimator.get_params(deep=True).items():
            kind = name.rpartition("__")[2]
            if kind == "random_state":
                new[name] = derived_seed(seed, "estimator")
            elif kind == "warm_start":
                new[name] = self.warm_start
            elif kind == "classes" and value is None and self.y.ndim == 1:
                # So that a class without labelled samples has an output from the start.
                new[name] = np.unique(self.y).tolist()
        estimator.set_params(**new)
        if not self.early_stopping:
            return estimator
        return stopping_early(estimator, self.X[parts.validation], self.y[parts.validation])

    def sizes(self, n_train: int) -> list[int]:
        """Return the number of labelled samples in each round."""
        return labelled_sizes(self.initial, self.step, self.budget, n_train)

    def score(self, estimator: Any, rows: Rows) -> float | None:
        """Return the score on these rows, None where there are none."""
        if len(rows) == 0:
            return None
        with own_randomness(derived_seed(0, "score, global")):
            return float(get_scorer(self.scoring)(estimator, self.X[rows], self.y[rows]))


def run_curve(
    protocol: Protocol,
    query: Callable[..., Any] | None,
    curve: Curve,
    may_write: Callable[[], None] = lambda: None,
) -> None:
    """Run what is missing of a curve; without `query`, train once on all training rows.

    `may_write` is called before each round is written, to raise if it must not be.
    """
    with with_threads(protocol.n_threads):
        parts = split_rows(protocol.y, protocol.split, curve.seed)
        sizes = protocol.sizes(len(parts.train)) if query else [len(parts.train)]
        rounds = curve.checked_rounds()
        curve.checked_times()
        _check_continued(curve, rounds, parts.train, sizes)
        missing = sizes[len(rounds) :]
        if not missing:
            return
        loop = _Loop(protocol, query, curve, parts)
        for n_labeled in missing:
            loop.run_round(n_labeled, may_write)


def _check_continued(curve: Curve, rounds: list[Any], train: Rows, sizes: list[int]) -> None:
    """Check that finished rounds are of this split and these sizes."""
    found = [line["n_labeled"] for line in rounds]
    queried = [row for line in rounds for row in line["queried"]]
    first = seed_set(train, sizes[0], curve.seed).tolist()
    if found != sizes[: len(found)]:
        rule = f"rounds of {sizes} labelled samples; found {found}"
    elif not np.isin(queried, train).all():
        rule = "rows of the training part of its seed; found others"
    elif queried and queried[: len(first)] != first:
        rule = "the seed set of its seed in round 0; found other rows"
    else:
        return
    raise ValueError(f"{curve.rounds_file} must hold {rule}. {REMOVE}")


class _Loop:
    """modAL's loop, continued from the rounds that a file holds."""

    def __init__(
        self, protocol: Protocol, query: Callable[..., Any] | None, curve: Curve, parts: Parts
    ) -> None:
        self.protocol, self.query, self.curve, self.parts = protocol, query, curve, parts
        self.queried = [
            np.asarray(done["queried"], dtype=np.int64) for done in curve.checked_rounds()
        ]
        self.learner: ActiveLearner | None = None
        self.asked: list[dict[str, Any]] | None = None  # why, of the newest query
        # What is trained anew has no memory: only its last training must be done again.
        n_done = len(self.queried)
        for round_ in range(0 if protocol.warm_start else max(0, n_done - 1), n_done):
            self._train(round_)

    def run_round(self, n_labeled: int, may_write: Callable[[], None]) -> None:
        """Ask for samples up to `n_labeled`, train, score, and write the round down."""
        started = time.perf_counter()
        self.queried.append(self._choose(n_labeled))
        asked = time.perf_counter()
        self._train(len(self.queried) - 1)
        trained = time.perf_counter()
        round_ = {
            "round": len(self.queried) - 1,
            "n_labeled": n_labeled,
            "score": self._score(self.parts.test),
            "validation_score": self._score(self.parts.validation),
            # All training rows in the case of full training, which the split tells.
            "queried": self.queried[-1].tolist() if self.query else [],
        }
        times = {
            "query_seconds": asked - started,
            "fit_seconds": trained - asked,
            "score_seconds": time.perf_counter() - trained,
        }
        may_write()
        seconds = {name: round(value, 4) for name, value in times.items()}
        self.curve.append(round_, seconds, self.asked)

    def _score(self, rows: Rows) -> float | None:
        assert self.learner is not None
        return self.protocol.score(self.learner.estimator, rows)

    def _choose(self, n_labeled: int) -> Rows:
        """Return rows of the data to label next."""
        seed, round_ = self.curve.seed, len(self.queried)
        if round_ == 0:
            return seed_set(self.parts.train, n_labeled, seed)
        pool = self.parts.train[~np.isin(self.parts.train, np.concatenate(self.queried))]
        n = n_labeled - (len(self.parts.train) - len(pool))
        options = {"n_instances": n}
        if _takes_random_state(self.query):
            options["random_state"] = derived_seed(seed, "query", round_)
        assert self.learner is not None
        X_pool = self.protocol.X[pool]
        with own_randomness(derived_seed(seed, "query, global", round_)), answers_kept() as kept:
            found = self.learner.query(X_pool, **options)[0]
        chosen = _checked_choice(found, n, len(pool))
        if self.protocol.explain:
            told = Told(None if self.protocol.explain is True else self.protocol.explain)
            why = asked_for(kept, self.learner, X_pool, chosen, told)
            labels = self._labels(pool[chosen])
            self.asked = [
                {**one, "row": int(row), "label": label}
                for one, row, label in zip(why, pool[chosen], labels, strict=True)
            ]
        return pool[chosen]

    def _labels(self, rows: Rows) -> list[str]:
        """Return labels in words: of several those that a sample has."""
        y = self.protocol.y[rows]
        return [str(label) for label in y] if y.ndim == 1 else [labels_in_words(one) for one in y]

    def _train(self, round_: int) -> None:
        """Train on the samples of this round and those before."""
        X, y = self.protocol.X, self.protocol.y
        with own_randomness(derived_seed(self.curve.seed, "fit, global", round_)):
            if self.learner is not None:
                if not self.protocol.warm_start:
                    # A fresh copy, so that a round knows nothing of how many went before.
                    self.learner.estimator = self._fresh_estimator()
                rows = self.queried[round_]
                self.learner.teach(X[rows], y[rows])
                return
            rows = np.concatenate(self.queried[: round_ + 1])
            self.learner = ActiveLearner(
                estimator=self._fresh_estimator(),
                query_strategy=_failing_once(self.query or _never_asks),
                X_training=X[rows],
                y_training=y[rows],
            )

    def _fresh_estimator(self) -> Any:
        return self.protocol.seeded_estimator(self.curve.seed, self.parts)


def _never_asks(learner: Any, X_pool: Any, n_instances: int = 1) -> Any:
    raise AssertionError(f"{FULL_TRAINING} has nothing left to ask for")


def _failing_once(query: Callable[..., Any]) -> Callable[..., Any]:
    """Let modAL 0.4.2 see an error at once: it calls a strategy again after any, also Ctrl-C."""
    errors: list[BaseException] = []

    @functools.wraps(query)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if errors:
            raise errors[0]
        try:
            return query(*args, **kwargs)
        except BaseException as error:
            errors.append(error)
            raise

    return guarded


def _takes_random_state(query: Any) -> bool:
    """Tell whether a strategy has a `random_state` that nobody has set."""
    parameter = inspect.signature(query).parameters.get("random_state")
    return parameter is not None and parameter.default in (None, inspect.Parameter.empty)


def _checked_choice(found: Any, n: int, n_pool: int) -> Rows:
    chosen = np.asarray(found)
    whole = chosen.ndim == 1 and np.issubdtype(chosen.dtype, np.integer)
    if (
        not whole
        or len(np.unique(chosen)) != n
        or len(chosen) != n
        or chosen.max() >= n_pool
        or chosen.min() < 0
    ):
        raise ValueError(
            f"a query strategy must return n_instances={n} distinct rows of a pool of {n_pool}; "
            f"found {chosen!r}."
        )
    return chosen.astype(np.int64)
