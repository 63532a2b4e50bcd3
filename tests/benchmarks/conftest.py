"""The fixture by which things are measured side by side, and what a run tells of itself."""

from __future__ import annotations

import platform
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np
import pytest
import torch
from pytest_benchmark.utils import load_timer
from threadpoolctl import threadpool_limits

from tests.benchmarks.measure import (
    SMALLEST,
    Work,
    growth,
    is_installed,
    n_threads,
    peak_memory,
    spread,
)

# Rows that differ in n alone, for which the growth is fitted.
GROWTH = pytest.StashKey[dict[str, list[tuple[int, float]]]]()


@pytest.fixture(autouse=True)
def _threads():
    """Both sides of a comparison have the same threads, whatever library multiplies for them."""
    before = torch.get_num_threads()
    torch.set_num_threads(n_threads())
    with threadpool_limits(n_threads()):
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
        one round, that is the only run. On a machine that does other work, too, both sides are
        timed by the processor: --benchmark-timer=time.process_time.
        """
        if torch.cuda.is_available():
            torch.cuda.reset_peak_memory_stats()
        seconds: list[float] = []
        peaks: dict[str, float] = {}
        timer = load_timer(request.config.getoption("benchmark_timer")).target

        def setup() -> None:
            start = timer()
            if rounds > 1:
                other()
            else:  # watching takes time, of both sides then
                peaks["other"] = peak_memory(other)
            seconds.append(timer() - start)

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
        if torch.cuda.is_available():
            benchmark.extra_info["torch_mb"] = torch.cuda.max_memory_allocated() / 2**20
        if n is not None:
            request.config.stash.setdefault(GROWTH, {}).setdefault(row, []).append((n, own))
        return benchmark.extra_info["ratio"]

    return measure


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    for row, points in config.stash.get(GROWTH, {}).items():
        if sum(n >= SMALLEST for n, _ in points) > 1:
            terminalreporter.write_line(f"{row}: seconds grow with n to the {growth(points):.2f}")


def pytest_benchmark_update_machine_info(config: pytest.Config, machine_info: Any) -> None:
    packages = ["numpy", "scipy", "torch", "scikit-learn", "skorch", "modAL-python"]
    peers = ["scikit-activeml", "small-text", "batchbald_redux", "kmedoids", "scikit-learn-extra"]
    encoders = ["transformers", "tokenizers", "sentence-transformers"]
    machine_info["threads"] = n_threads()
    machine_info["versions"] = {"Python": platform.python_version()} | {
        name: version(name) for name in [*packages, *peers, *encoders] if is_installed(name)
    }
