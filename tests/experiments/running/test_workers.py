"""Workers end with the process they work for, and run the code that it was given."""

import importlib
import os
import signal
import sys
import time
from pathlib import Path

import pytest
from joblib.externals.loky import get_reusable_executor
from sklearn.naive_bayes import GaussianNB

from modal_interp import random_sampling
from modal_interp.experiments import load_results
from tests.experiments.small import run_small


def slow(learner, X_pool, n_instances=1, *, random_state=None):
    time.sleep(0.3)
    return random_sampling(learner, X_pool, n_instances, random_state=random_state)


def run_slow(out):
    run_small(out, seeds=6, step=2, n_jobs=2, strategies=[slow])


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
        pytest.param("SIGKILL", "rounds", marks=pytest.mark.slow),
        pytest.param("SIGTERM", "rounds", marks=pytest.mark.slow),
        pytest.param("SIGKILL", "start", marks=pytest.mark.slow),
        pytest.param("SIGHUP", "rounds", marks=pytest.mark.slow),
    ],
)
def test_no_worker_outlives_the_process_it_works_for(tmp_path, processes, name, moment):
    run = processes(target=run_slow, args=(tmp_path / "out",))
    run.start()
    began = time.monotonic()
    while time.monotonic() < began + 60 and run.is_alive():
        written = len(list(tmp_path.glob("out/curves/slow/*.jsonl")))
        if written > 1 or (moment == "start" and len(_children(run.pid)) > 2):
            break
        time.sleep(0.01)
    children = _children(run.pid)
    assert len(children) > 2
    os.kill(run.pid, getattr(signal, name))
    run.join(30)
    assert run.exitcode == -getattr(signal, name)
    ended = time.monotonic()
    while any(map(_alive, children)) and time.monotonic() < ended + 20:
        time.sleep(0.1)
    assert not [child for child in children if _alive(child)]


def run_twice(folder):
    """Run a strategy of one's own, and again when its code was changed, by the same workers."""
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"  # one of the same second and size would be read
    sys.dont_write_bytecode = True
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    code = "K = {}\ndef ask(learner, X, n_instances=1): return list(range(K, K + n_instances))"
    for k in (0, 1):
        Path("own_strategy.py").write_text(code.format(k))
        own = sys.modules.get("own_strategy")
        ask = (importlib.reload(own) if own else importlib.import_module("own_strategy")).ask
        run_small(f"out{k}", estimator=GaussianNB(), budget=30, n_jobs=2, strategies=[ask])
    get_reusable_executor().shutdown()  # the workers would wait for more, and this process for them


@pytest.mark.slow
def test_workers_do_not_keep_code_that_was_changed(tmp_path, processes):
    run = processes(target=run_twice, args=(tmp_path,))
    run.start()
    run.join(120)
    assert run.exitcode == 0
    first, second = (
        load_results(tmp_path / f"out{k}").query("round == 1")["queried"] for k in (0, 1)
    )
    assert len(first) == 2
    for one, other in zip(first, second, strict=True):
        assert one[1:].tolist() == other[:-1].tolist()
