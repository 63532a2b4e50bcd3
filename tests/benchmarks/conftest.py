"""How things are measured: side by side in one process, in turn, by medians."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import psutil
import pytest
import torch

Work = Callable[[], object]


@pytest.fixture(autouse=True)
def _threads():
    """Both sides of a comparison have the same threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(psutil.cpu_count(logical=False) or 1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def beside(benchmark: Any) -> Callable[..., float]:
    """Give ``beside(work, other)``: time the two in turn and return the ratio of their medians."""

    def measure(
        work: Work, other: Work, *, row: str, limit: float, rounds: int = 5, faster: bool = False
    ) -> float:
        """Measure; with `faster` the ratio is how many times faster `work` is, else how much slower.

        The first run of each warms up, and is the one whose memory is watched.
        """
        seconds: list[float] = []

        def setup() -> None:
            start = time.perf_counter()
            other()
            seconds.append(time.perf_counter() - start)

        peaks = {"other": peak_memory(other), "work": peak_memory(work)}
        benchmark.pedantic(work, setup=setup, rounds=rounds)
        own, others = benchmark.stats.stats.median, float(np.median(seconds))
        ratio = others / own if faster else own / others
        benchmark.extra_info |= {
            "row": row,
            "limit": limit,
            "faster": faster,
            "ratio": ratio,
            "spread": spread(seconds, benchmark.stats.stats.data, faster),
            "seconds": own,
            "other_seconds": others,
            "peak_mb": peaks["work"],
            "other_peak_mb": peaks["other"],
        }
        return ratio

    return measure


def spread(others: list[float], own: list[float], faster: bool) -> tuple[float, float]:
    """Return the lowest and highest ratio of neighbouring runs."""
    ratios = [b / a if faster else a / b for a, b in zip(own, others, strict=True)]
    return min(ratios), max(ratios)


def peak_memory(work: Work) -> float:
    """Return by how many MB the process grows, at most, while it works."""
    gc.collect()
    process, done = psutil.Process(), threading.Event()
    before = peak = process.memory_info().rss

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.002):
            peak = max(peak, process.memory_info().rss)

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        work()
    finally:
        done.set()
        watching.join()
    return (peak - before) / 2**20
