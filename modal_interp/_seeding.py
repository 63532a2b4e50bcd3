"""What results hang on: randomness, and threads; global generators are left as they were."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
import torch
from sklearn.utils import check_random_state
from threadpoolctl import threadpool_limits

# What `random_state=None` draws from, where somebody has said it.
_UNSEEDED: ContextVar[np.random.RandomState | None] = ContextVar("unseeded", default=None)


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch's generators for a while, then put their states back."""
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
    """Seed all global generators for what draws from them, then put them back."""
    numpys, pythons = np.random.get_state(), random.getstate()  # noqa: NPY002
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    np.random.seed(seed)  # noqa: NPY002 - those of other packages draw from it
    random.seed(seed)
    try:
        with seeded(seed, device), unseeded_from(seed):
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
