"""Workers end with the process they work for, and run the code that it was given."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from modal_interp.experiments import load_results

RUN = """
import sys, time
from modal_interp import random_sampling
from tests.experiments.small import run_small
def slow(learner, X_pool, n_instances=1, *, random_state=None):
    time.sleep(0.3)
    return random_sampling(learner, X_pool, n_instances, random_state=random_state)
if __name__ == "__main__":
    run_small(sys.argv[1], seeds=6, step=2, n_jobs=2, strategies=[slow])
"""
ROOT = Path(__file__).parents[3]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


def _children(pid):
    """Return the processes that a process started, and those that they started."""
    try:
        own = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except FileNotFoundError:
        return []
    return [found for child in own for found in (child, *_children(child))]


def _alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="processes are read from /proc")
@pytest.mark.parametrize(
    ("name", "moment"),
    [
        ("SIGTERM", "start"),
        ("SIGKILL", "rounds"),
        pytest.param("SIGTERM", "rounds", marks=pytest.mark.slow),
        pytest.param("SIGKILL", "start", marks=pytest.mark.slow),
        pytest.param("SIGHUP", "rounds", marks=pytest.mark.slow),
    ],
)
def test_no_worker_outlives_the_process_it_works_for(tmp_path, name, moment):
    program = tmp_path / "program.py"
    program.write_text(RUN)
    run = subprocess.Popen(
        [sys.executable, program, tmp_path / "out"], env=ENVIRONMENT, stderr=subprocess.DEVNULL
    )
    began = time.monotonic()
    while time.monotonic() < began + 60 and run.poll() is None:
        written = len(list(tmp_path.glob("out/curves/slow/*.jsonl")))
        if written > 1 or (moment == "start" and len(_children(run.pid)) > 2):
            break
        time.sleep(0.01)
    children = _children(run.pid)
    assert len(children) > 2
    run.send_signal(getattr(signal, name))
    run.wait(30)
    ended = time.monotonic()
    while any(map(_alive, children)) and time.monotonic() < ended + 20:
        time.sleep(0.1)
    assert not [child for child in children if _alive(child)]


TWICE = """
import importlib, os, pathlib, sys, time
from tests.experiments.small import run_small
if __name__ == "__main__":
    file = pathlib.Path("own_strategy.py")
    for k in (0, 1):
        file.write_text(f"K = {k}\\ndef ask(learner, X, n_instances=1): return list(range(K, K + n_instances))")
        module = importlib.reload(sys.modules["own_strategy"]) if k else importlib.import_module("own_strategy")
        run_small(f"out{k}", seeds=2, budget=30, n_jobs=2, strategies=[module.ask])
"""  # noqa: E501


def test_workers_do_not_keep_code_that_was_changed(tmp_path):
    (tmp_path / "program.py").write_text(textwrap.dedent(TWICE))
    environment = {**ENVIRONMENT, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"}
    subprocess.run([sys.executable, "-B", "program.py"], cwd=tmp_path, env=environment, check=True)
    first, second = (
        load_results(tmp_path / f"out{k}").query("round == 1")["queried"] for k in (0, 1)
    )
    for one, other in zip(first, second, strict=True):
        assert one[1:].tolist() == other[:-1].tolist()
