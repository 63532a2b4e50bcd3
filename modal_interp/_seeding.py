"""What results hang on: randomness, and threads; global generators are left as they were."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import RLock
from typing import Any

import numpy as np
import torch
from sklearn.utils import check_random_state
from threadpoolctl import threadpool_limits

# What `random_state=None` draws from, where somebody has said it.
_UNSEEDED: ContextVar[np.random.RandomState | None] = ContextVar("unseeded", default=None)

# Held by the one query that looks into a net, or the one training. Torch's switches and generators
# are those of the process, and nets may share layers, so it is one for all of them; who has it may
# take it again.
_one_at_a_time = RLock()


def _renew_lock() -> None:
    """Let a forked process work, though another thread of its parent did so at the time."""
    global _one_at_a_time
    _one_at_a_time = RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


def one_at_a_time() -> Any:
    """Return what a thread holds while it looks into a net, trains one, or seeds torch."""
    return _one_at_a_time


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch's generators for a while, then put their states back; one thread at a time."""
    with one_at_a_time(), _seeded(seed, device):
        yield


@contextmanager
def _seeded(seed: int, device: torch.device) -> Iterator[None]:
    cuda = []
    if device.type == "cuda":
        cuda = [torch.cuda.current_device() if device.index is None else device.index]
    with torch.random.fork_rng(devices=cuda):
        # Not torch.manual_seed: it would seed every device, also those that were not forked.
        torch.default_generator.manual_seed(seed)
        for index in cuda:
            torch.cuda.default_generators[index].manual_seed(seed)
        yield


@contextmanager
def own_randomness(seed: int) -> Iterator[None]:
    """Seed all global generators for what draws from them, then put them back.

    Other threads are not held up: what is done inside may wait for some of its own.
    """
    numpys, pythons = np.random.get_state(), random.getstate()  # noqa: NPY002
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    np.random.seed(seed)  # noqa: NPY002 - those of other packages draw from it
    random.seed(seed)
    try:
        with _seeded(seed, device), unseeded_from(seed):
            yield
    finally:
        np.random.set_state(numpys)  # noqa: NPY002
        random.setstate(pythons)


def generator(random_state: Any) -> np.random.RandomState:
    """Return scikit-learn's generator of a `random_state`; for None a new one.

    With None `check_random_state` gives the global generator, which is not ours to advance.
    """
    if random_state is not None:
        return check_random_state(random_state)
    return _UNSEEDED.get() or np.random.RandomState()


@contextmanager
def unseeded_from(seed: int) -> Iterator[None]:
    """Let also what has no `random_state` be the same in each run, for a while."""
    token = _UNSEEDED.set(np.random.RandomState(seed))
    try:
        yield
    finally:
        _UNSEEDED.reset(token)


@contextmanager
def with_threads(n: int) -> Iterator[None]:
    """Compute with `n` threads: how many changes how sums are rounded."""
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        with threadpool_limits(n):
            yield
    finally:
        torch.set_num_threads(before)
