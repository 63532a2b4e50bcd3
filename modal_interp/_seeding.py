"""Randomness that leaves the global generators of NumPy and torch as they were."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
import torch
from sklearn.utils import check_random_state

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
