"""Results are never lost or mixed up: kills, full disks, other settings, several processes."""

import contextlib
import errno
import json
import os
import random
import signal
import time
from functools import partial

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from modal_interp import TabularMLPClassifier, badge, dami_kmedoids, margin, random_sampling
from modal_interp.experiments import load_results
from modal_interp.experiments.running import storage
from tests.experiments.small import result_bytes, run_small


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    run_small(folder)
    return result_bytes(folder)


@pytest.mark.parametrize(
    ("options", "n_kills"),
    [
        ({}, 20),
        ({"warm_start": True, "seeds": 1}, 3),
        ({"warm_start": True, "acquisition_period": 2, "full_training": [0.1], "seeds": 1}, 3),
    ],
    ids=["from scratch", "warm start", "periods and a baseline"],
)
def test_killed_and_continued_a_run_gives_the_same_bytes(tmp_path, processes, options, n_kills):
    run_small(tmp_path / "whole", **options)
    expected = result_bytes(tmp_path / "whole")
    moments = random.Random(0)
    kills = 0
    while kills < n_kills:
        process = processes(target=run_small, args=(tmp_path / "killed",), kwargs=options)
        process.start()
        _wait_for_progress(tmp_path / "killed", process)
        time.sleep(moments.uniform(0, 0.08))
        if not process.is_alive():  # finished: begin again, and kill more
            process.join()
            assert result_bytes(tmp_path / "killed") == expected
            _remove(tmp_path / "killed")
            continue
        process.kill()
        process.join()
        kills += 1
    run_small(tmp_path / "killed", **options)
    assert result_bytes(tmp_path / "killed") == expected


def _wait_for_progress(folder, process):
    """Wait until another round is written, so that the kills are spread over the run."""
    before = _written(folder)
    while _written(folder) == before and process.is_alive():
        time.sleep(0.002)


def _written(folder):
    return sum(len(storage.read_lines(file)) for file in folder.glob("curves/*/seed-*.jsonl"))


def _remove(folder):
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


def test_two_processes_share_a_folder(tmp_path, processes, uninterrupted):
    both = [processes(target=run_small, args=(tmp_path,)) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join()
    assert [process.exitcode for process in both] == [0, 0]
    assert result_bytes(tmp_path) == uninterrupted


def test_one_and_two_workers_give_the_same_curves(tmp_path, uninterrupted):
    run_small(tmp_path, n_jobs=2)
    assert result_bytes(tmp_path) == uninterrupted


def test_a_full_disk_loses_nothing_that_was_finished(tmp_path, monkeypatch, uninterrupted):
    written = 0
    replace = os.replace

    def full_after_twenty_files(source, target):
        nonlocal written
        written += 1
        if written > 20:
            raise OSError(errno.ENOSPC, "No space left on device")
        replace(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", full_after_twenty_files)
        with pytest.raises(RuntimeError, match="No space left"):
            run_small(tmp_path)
    assert not list(tmp_path.rglob(".seed-*"))
    assert len(load_results(tmp_path)) > 5
    run_small(tmp_path)
    assert result_bytes(tmp_path) == uninterrupted


CALLS = []


def impatient(learner, X_pool, n_instances=1, *, random_state=None):
    CALLS.append(None)
    if len(CALLS) == 3:
        raise KeyboardInterrupt
    return random_sampling(learner, X_pool, n_instances, random_state=random_state)


def test_ctrl_c_loses_nothing_that_was_finished(tmp_path, uninterrupted):
    CALLS.clear()
    with pytest.raises(KeyboardInterrupt):
        run_small(tmp_path, strategies={"random_sampling": impatient})
    rounds = storage.Curve(tmp_path, "random_sampling", 0).rounds()
    assert len(rounds) == 3
    run_small(tmp_path, strategies={"random_sampling": impatient})
    kept = result_bytes(tmp_path)
    for name in kept:
        if name != "settings.json":
            assert kept[name] == uninterrupted[name]


def swallowed(learner, X_pool, n_instances=1, *, random_state=None):
    if len(CALLS) < 1:
        CALLS.append(None)
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    return random_sampling(learner, X_pool, n_instances, random_state=random_state)


@pytest.mark.usefixtures("ctrl_c_is_heard")
def test_ctrl_c_that_somebody_swallowed_stops_before_the_next_round_is_written(tmp_path):
    CALLS.clear()
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        run_small(tmp_path, strategies={"random_sampling": swallowed})
    assert len(storage.Curve(tmp_path, "random_sampling", 0).rounds()) == 1
    assert signal.getsignal(signal.SIGINT) is handler


def test_a_lock_is_freed_though_the_error_is_looked_at(tmp_path):
    curve = storage.Curve(tmp_path, "badge", 0)
    with pytest.raises(KeyboardInterrupt) as kept, curve.lock(wait=False):
        raise KeyboardInterrupt
    with curve.lock(wait=False) as held:
        assert held
    assert kept.tb is not None  # as a notebook keeps the last traceback, and all it refers to


def test_a_round_without_its_times_is_not_counted(tmp_path, uninterrupted):
    run_small(tmp_path)
    curve = storage.Curve(tmp_path, "random_sampling", 1)
    storage.write_lines(curve.rounds_file, curve.rounds()[:-1])  # killed between the two files
    assert len(load_results(tmp_path, strategies=["random_sampling"], seeds=[1])) == 6
    run_small(tmp_path)
    assert result_bytes(tmp_path) == uninterrupted


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"step": 15}, "experiment / step: 10 there, 15 here"),
        ({"budget": 90}, "experiment / budget: 80 there, 90 here"),
        ({"split": (0.7, 0.1, 0.2)}, "experiment / split"),
        ({"scoring": "roc_auc"}, "experiment / scoring: accuracy there, roc_auc here"),
        ({"n_threads": 2}, "experiment / n_threads: 1 there, 2 here"),
        ({"estimator": TabularMLPClassifier(max_epochs=5)}, "max_epochs: 4 there, 5 here"),
        ({"X": np.zeros((200, 2))}, "data: 200 samples, digest"),
        (
            {"strategies": {"dami_kmedoids": partial(dami_kmedoids, target="logit")}},
            "strategies / dami_kmedoids",
        ),
    ],
)
def test_a_folder_of_another_experiment_is_refused(tmp_path, change, difference):
    run_small(tmp_path, seeds=1, strategies=[dami_kmedoids])
    before = result_bytes(tmp_path)
    with pytest.raises(ValueError, match="made differently") as refused:
        run_small(tmp_path, **{"strategies": [dami_kmedoids], **change})
    assert difference in str(refused.value)
    assert result_bytes(tmp_path) == before


@pytest.mark.parametrize("kind", ["versions / torch", "versions / modal_interp"])
def test_results_of_another_version_are_refused(tmp_path, kind):
    run_small(tmp_path, seeds=1, strategies=[random_sampling])
    settings = storage.read_settings(tmp_path)
    settings["versions"][kind.partition(" / ")[2]] = "0.0"
    (tmp_path / "settings.json").write_text(json.dumps(settings))
    with pytest.raises(ValueError, match=f"{kind}: 0.0 there"):
        run_small(tmp_path, seeds=1, strategies=[random_sampling])


def test_curves_of_unknown_origin_are_refused(tmp_path):
    run_small(tmp_path, seeds=1, strategies=[random_sampling])
    (tmp_path / "settings.json").unlink()
    with pytest.raises(ValueError, match=r"no settings\.json"):
        run_small(tmp_path, seeds=1, strategies=[random_sampling])


def test_seeds_and_strategies_may_be_added(tmp_path, uninterrupted):
    run_small(tmp_path, seeds=[1], strategies=[random_sampling])
    run_small(tmp_path, seeds=[0], strategies=[dami_kmedoids])
    run_small(tmp_path)
    assert result_bytes(tmp_path) == uninterrupted
    run_small(tmp_path, strategies=[margin], seeds=1)
    found = load_results(tmp_path)
    assert set(found["strategy"]) == {"dami_kmedoids", "margin", "random_sampling"}


def test_a_failing_strategy_is_named_and_the_others_are_kept(tmp_path):
    def fails(learner, X_pool, n_instances=1):
        raise ZeroDivisionError("no luck")

    with pytest.raises(RuntimeError, match=r"fails with seed 0 failed after 1 rounds.*no luck"):
        run_small(tmp_path, strategies={"random_sampling": random_sampling, "fails": fails})
    assert set(load_results(tmp_path, strategies=["random_sampling"])["round"]) == set(range(7))


def test_a_continued_run_asks_nothing_again(tmp_path):
    run_small(tmp_path, strategies=[badge])

    def asks(*args, **kwargs):
        raise AssertionError("asked again")

    settings = storage.read_settings(tmp_path)
    run_small(tmp_path, strategies=[badge])
    assert storage.read_settings(tmp_path) == settings


def test_times_that_a_power_cut_lost_are_missing_and_no_more(tmp_path, uninterrupted):
    run_small(tmp_path)
    curve = storage.Curve(tmp_path, "random_sampling", 1)
    storage.write_lines(curve.rounds_file, curve.rounds()[:5])
    storage.write_lines(curve.times_file, curve.times()[:3])
    run_small(tmp_path)
    assert result_bytes(tmp_path) == uninterrupted
    found = load_results(tmp_path, strategies=["random_sampling"], seeds=[1])
    assert found["fit_seconds"].isna().tolist() == [False] * 3 + [True] * 2 + [False] * 2


def test_a_damaged_curve_is_named(tmp_path):
    run_small(tmp_path, seeds=1, strategies=[random_sampling])
    file = storage.Curve(tmp_path, "random_sampling", 0).rounds_file
    file.write_text(file.read_text()[:-20])
    with pytest.raises(ValueError, match=r"seed-0\.jsonl must hold JSON in each line"):
        load_results(tmp_path)


def test_rounds_know_nothing_of_how_many_went_before(tmp_path):
    search = GridSearchCV(
        TabularMLPClassifier(max_epochs=2),
        {"lr": [0.001, 0.1]},
        cv=StratifiedKFold(3, shuffle=True, random_state=np.random.RandomState(0)),
    )
    given = {"estimator": search, "strategies": [dami_kmedoids], "seeds": 1, "budget": 60}
    run_small(tmp_path / "whole", **given)
    run_small(tmp_path / "cut", **given)
    curve = storage.Curve(tmp_path / "cut", "dami_kmedoids", 0)
    storage.write_lines(curve.rounds_file, curve.rounds()[:2])
    run_small(tmp_path / "cut", **given)
    assert result_bytes(tmp_path / "cut") == result_bytes(tmp_path / "whole")


@pytest.mark.parametrize("options", [{"early_stopping": True}, {"n_jobs": 2}], ids=str)
def test_a_cut_run_goes_on_the_same(tmp_path, options):
    for name in ("whole", "cut"):
        run_small(tmp_path / name, seeds=1, **options)
    for strategy in ("dami_kmedoids", "random_sampling"):
        curve = storage.Curve(tmp_path / "cut", strategy, 0)
        storage.write_lines(curve.rounds_file, curve.rounds()[:3])
    run_small(tmp_path / "cut", seeds=1, **options)
    assert result_bytes(tmp_path / "cut") == result_bytes(tmp_path / "whole")


def slow_choice(learner, X_pool, n_instances=1, *, random_state=None):
    time.sleep(0.2)
    return random_sampling(learner, X_pool, n_instances, random_state=random_state)


def test_workers_stop_when_the_process_they_work_for_is_killed(tmp_path, processes):
    options = {"n_jobs": 2, "strategies": {"random_sampling": slow_choice}, "step": 2}
    process = processes(target=run_small, args=(tmp_path,), kwargs=options)
    process.start()
    began = time.monotonic()
    while _written(tmp_path) < 4:
        assert process.is_alive()
        assert time.monotonic() < began + 120
        time.sleep(0.05)
    process.kill()
    process.join()
    time.sleep(1)
    written = _written(tmp_path)
    time.sleep(1)
    assert _written(tmp_path) == written < 60


def removing_strategy(learner, X_pool, n_instances=1, *, random_state=None):
    for settings in REMOVED:
        settings.unlink(missing_ok=True)
    return random_sampling(learner, X_pool, n_instances, random_state=random_state)


REMOVED = []


def test_nothing_is_written_into_a_folder_that_was_replaced(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "tests.experiments.running.test_resuming.REMOVED", [tmp_path / "settings.json"]
    )
    with pytest.raises(RuntimeError, match="was removed or replaced meanwhile"):
        run_small(tmp_path, seeds=1, strategies=[removing_strategy])
    assert len(storage.Curve(tmp_path, "removing_strategy", 0).rounds()) == 1


def unseeded_choice(learner, X_pool, n_instances=1):
    return badge(learner, X_pool, n_instances)


def test_a_strategy_that_passes_no_seed_on_gives_the_same_curves(tmp_path):
    for folder, n_jobs in (("one", 1), ("two", 2)):
        run_small(tmp_path / folder, strategies=[unseeded_choice], n_jobs=n_jobs)
    assert result_bytes(tmp_path / "one") == result_bytes(tmp_path / "two")
