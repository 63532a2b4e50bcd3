"""How things are measured: side by side in one process, in turn, by medians."""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import psutil
import pytest
import torch
from threadpoolctl import threadpool_limits

Work = Callable[[], object]
# Rows that differ in n alone, for which the growth is fitted.
GROWTH = pytest.StashKey[dict[str, list[tuple[int, float]]]]()


@pytest.fixture(autouse=True)
def _threads():
    """Both sides of a comparison have the same threads, whatever library multiplies for them."""
    n_threads = int(os.environ.get("OMP_NUM_THREADS", psutil.cpu_count(logical=False) or 1))
    before = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    with threadpool_limits(n_threads):
        yield
    torch.set_num_threads(before)


@pytest.fixture
def beside(benchmark: Any, request: pytest.FixtureRequest) -> Callable[..., float]:
    """Give ``beside(work, other)``: time the two in turn and return the ratio of their medians."""

    def measure(
        work: Work,
        other: Work,
        *,
        row: str,
        limit: float | None,
        rounds: int = 5,
        faster: bool = False,
        n: int | None = None,
    ) -> float:
        """Measure: how many times slower `work` is than `other`, or with `faster` how many faster.

        A first run of each warms up, and is the one whose memory is watched; where there is but
        one round, that is the only run.
        """
        seconds: list[float] = []
        peaks: dict[str, float] = {}

        def setup() -> None:
            start = time.perf_counter()
            other()
            seconds.append(time.perf_counter() - start)

        def watched() -> None:
            peaks["work"] = peak_memory(work)

        if rounds > 1:
            watched()
            peaks["other"] = peak_memory(other)
        benchmark.pedantic(work if rounds > 1 else watched, setup=setup, rounds=rounds)
        own, others = benchmark.stats.stats.median, float(np.median(seconds))
        benchmark.extra_info |= {
            "row": row,
            "n": n,
            "limit": limit,
            "faster": faster,
            "ratio": others / own if faster else own / others,
            "spread": spread(seconds, benchmark.stats.stats.data, faster),
            "seconds": own,
            "other_seconds": others,
            "peak_mb": peaks["work"],
            "other_peak_mb": peaks.get("other"),
        }
        if n is not None:
            request.config.stash.setdefault(GROWTH, {}).setdefault(row, []).append((n, own))
        return benchmark.extra_info["ratio"]

    return measure


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    for row, points in config.stash.get(GROWTH, {}).items():
        if len(points) > 1:
            terminalreporter.write_line(f"{row}: seconds grow with n to the {growth(points):.2f}")


def growth(points: list[tuple[int, float]]) -> float:
    """Return the exponent b of seconds = a n^b, by least squares of the logarithms."""
    n, seconds = np.log(np.array(sorted(points))).T
    return float(np.polyfit(n, seconds, 1)[0])


def spread(others: list[float], own: list[float], faster: bool) -> tuple[float, float]:
    """Return the lowest and highest ratio of neighbouring runs."""
    ratios = [b / a if faster else a / b for a, b in zip(own, others, strict=True)]
    return min(ratios), max(ratios)


def peak_memory(work: Work) -> float:
    """Return by how many MB the process grows, at most, while it works.

    What the process had been given before and not used is not seen.
    """
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
