"""What is measured: seconds that grow, ratios that vary, memory that is taken."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version

import numpy as np
import psutil

Work = Callable[[], object]
SMALLEST = 10_000  # pool for which growth is fitted


def growth(points: list[tuple[int, float]]) -> float:
    """Return the exponent b of seconds = a n^b, by least squares of the logarithms.

    Smaller pools than 10,000 are over before costs that do not grow are forgotten.
    """
    points = [(n, seconds) for n, seconds in points if n >= SMALLEST]
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


def n_threads() -> int:
    return int(os.environ.get("OMP_NUM_THREADS", psutil.cpu_count(logical=False) or 1))


def is_installed(package: str) -> bool:
    try:
        return bool(version(package))
    except PackageNotFoundError:
        return False
