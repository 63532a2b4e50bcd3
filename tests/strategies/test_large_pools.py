"""Pools that do not fit in memory: files mapped to arrays, data sets that make their samples."""

import gc
import os
import pickle
import tracemalloc
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn import config_context
from torch.utils.data import Dataset, IterableDataset, TensorDataset

from modal_interp import alden_diversity, exclude_duplicates, most_uncertain, strategies
from modal_interp.nets import samples as samples_module
from modal_interp.nets.samples import Samples, distinct_rows
from modal_interp.representations.interpretations import word_interpretations
from tests.small_nets import MeanReader, SmoothTable, small_net, table, word_ids
from tests.strategies.conftest import learner_of

OF_SCORES = ["egl_word", "least_confidence", "margin", "entropy", "bald"]


class Generated(IterableDataset):
    """Word ids that come one text after the other."""

    def __init__(self, ids):
        self.ids = ids

    def __len__(self):
        return len(self.ids)

    def __iter__(self):
        return (torch.from_numpy(row) for row in self.ids)


class Indexed(Dataset):
    """Word ids that are looked up one by one, with a target as skorch's data sets have it."""

    def __init__(self, ids):
        self.ids = ids

    def __len__(self):
        return len(self.ids)

    def __getitem__(self, i):
        return self.ids[i], 0


def mapped(ids, folder):
    """The same ids in a file."""
    path = folder / "ids.npy"
    np.save(path, ids)
    return np.load(path, mmap_mode="r")


def learner(strategy):
    labels = np.arange(6) % 2
    torch.manual_seed(0)
    net = small_net(MeanReader)
    return learner_of(net, strategy, word_ids(6, seed=2), labels)


def chosen(name, X, **options):
    strategy = getattr(strategies, name)
    found = strategy(learner(strategy), X, n_instances=5, random_state=0, **options)
    return (found[0] if isinstance(found, tuple) else found).tolist()


@pytest.mark.parametrize("name", strategies.__all__)
@pytest.mark.parametrize("kind", ["mapped", Generated, Indexed])
def test_every_strategy_reads_them_as_arrays(name, kind, tmp_path):
    ids = word_ids(60, seed=3)
    pool = mapped(ids, tmp_path) if kind == "mapped" else kind(ids)
    assert chosen(name, pool) == chosen(name, ids)


@pytest.mark.parametrize("name", strategies.__all__)
def test_candidates_of_an_indexed_data_set(name):
    ids = word_ids(60, seed=3)
    candidates = np.arange(0, 60, 2)
    expected = chosen(name, ids, candidates=candidates)
    assert chosen(name, Indexed(ids), candidates=candidates) == expected


def test_candidates_of_samples_that_come_in_turn_are_refused():
    with pytest.raises(TypeError, match="candidates must be None"):
        chosen("egl_word", Generated(word_ids(20)), candidates=10)


def test_a_data_set_without_a_length_is_refused():
    class Endless(IterableDataset):
        def __iter__(self):
            return iter([])

    with pytest.raises(TypeError, match="X_pool must tell how many samples it holds"):
        chosen("egl_word", Endless())


def test_unknown_words_of_a_data_set_are_named():
    ids = word_ids(20)
    ids[7, 1] = 99
    with pytest.raises(ValueError, match=r"word ids from 0 to 11.*found 99"):
        chosen("egl_word", Generated(ids))


def test_exclude_duplicates_needs_arrays():
    with pytest.raises(TypeError, match="must reach the net as arrays"):
        exclude_duplicates(learner(alden_diversity), Indexed(word_ids(20)))


@pytest.mark.parametrize("name", OF_SCORES)
def test_only_scores_are_held(name, tmp_path):
    rng = np.random.default_rng(0)
    pool = mapped(rng.integers(1, 12, size=(40_000, 40)), tmp_path)
    chosen(name, pool[:500])
    tracemalloc.start()
    chosen(name, pool)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # Keys and places of rows, probabilities and scores: about 100 bytes a sample, of 320.
    assert peak < 0.5 * pool.nbytes


@pytest.mark.parametrize("n_outputs", [2, 4])
def test_interpretations_in_files_are_those_in_memory(n_outputs):
    torch.manual_seed(0)
    net, ids = small_net(MeanReader, n_outputs), word_ids(700, seed=3)
    expected = word_interpretations(net, ids)
    # Nothing in memory; a batch in memory and those behind it in a file.
    for working_memory in (0, 0.01):
        with config_context(working_memory=working_memory):
            found = word_interpretations(net, ids)
        assert isinstance(of_mapping(found.values), np.memmap)
        for array, other in zip(pickle.loads(pickle.dumps(found)), expected, strict=True):
            np.testing.assert_array_equal(array, other)


def of_mapping(array):
    """What lies under an array, at the end of all its views."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


@pytest.mark.parametrize("kind", [np.asarray, Indexed])
def test_alden_chooses_alike_by_files(kind):
    ids = word_ids(60, seed=3)
    expected = chosen("alden_diversity", kind(ids))
    with config_context(working_memory=0):
        assert chosen("alden_diversity", kind(ids)) == expected


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="reads what Linux tells")
def test_temporary_files_vanish(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with config_context(working_memory=0):
        found = word_interpretations(small_net(MeanReader), word_ids(60, seed=3))
        assert str(tmp_path) in Path("/proc/self/maps").read_text()
        chosen("alden_diversity", word_ids(60, seed=3))
    assert not os.listdir(tmp_path)
    del found
    gc.collect()
    assert str(tmp_path) not in Path("/proc/self/maps").read_text()
    opened = [os.path.realpath(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")]
    assert not any(path.startswith(str(tmp_path)) for path in opened)


def test_alden_holds_no_more_of_the_words_than_it_may(tmp_path):
    rng = np.random.default_rng(0)
    pool = mapped(rng.integers(1, 12, size=(30_000, 40)), tmp_path)
    chosen("alden_diversity", pool[:500])
    tracemalloc.start()
    with config_context(working_memory=1):
        chosen("alden_diversity", pool)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # In memory it takes twice as much. A block of words takes 2 MB an array.
    assert peak < 32 * 2**20


def test_rows_are_told_apart_where_hashes_are_not(monkeypatch):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 3, size=(200, 3))
    expected = distinct_rows(X)
    monkeypatch.setattr(samples_module, "_hashes", lambda words: np.zeros(len(words), np.uint64))
    found = distinct_rows(X)
    assert expected[0].rows.tolist() == found[0].rows.tolist()
    assert expected[1].tolist() == found[1].tolist()


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.float32, np.float64, bool])
@pytest.mark.parametrize("n_columns", [1, 3, 8])
def test_distinct_rows(dtype, n_columns):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 2, size=(40, n_columns)).astype(dtype)
    if X.dtype.kind == "f":
        X[X == 0] *= rng.choice([-1, 1], size=(X == 0).sum())  # both zeros are one number
    parts = [X[:15], X[15:]]
    distinct, sample_of = distinct_rows(Samples(parts))
    rows = distinct[np.arange(len(distinct))]
    assert rows.dtype == dtype
    assert len(np.unique(rows, axis=0)) == len(rows)
    np.testing.assert_array_equal(rows[sample_of], X)


def test_different_rows_are_not_copied():
    X = np.arange(12.0).reshape(4, 3)
    distinct, sample_of = distinct_rows(X)
    assert distinct is X
    assert sample_of == slice(None)


@pytest.mark.parametrize("name", sorted(set(strategies.__all__) - {"random_sampling"}))
def test_batches_that_leave_samples_out_are_refused(name):
    asked = learner(getattr(strategies, name))
    asked.estimator.iterator_valid__drop_last = True
    asked.estimator.iterator_valid__batch_size = 16
    with pytest.raises(ValueError, match="each sample once, in order; it gave 48 of 60"):
        getattr(strategies, name)(asked, Indexed(word_ids(60)), n_instances=55)


def test_a_data_set_that_is_longer_than_it_says_is_refused():
    class Twice(Generated):
        def __iter__(self):
            return (torch.from_numpy(row) for row in [*self.ids, *self.ids])

    with pytest.raises(ValueError, match="it gave more than 60"):
        chosen("egl_word", Twice(word_ids(60)))


def test_a_data_set_of_tensors():
    ids = word_ids(60)
    assert chosen("egl_word", TensorDataset(torch.from_numpy(ids))) == chosen("egl_word", ids)


def test_a_table_of_double_precision_in_a_data_set():
    torch.manual_seed(0)
    net = small_net(SmoothTable)
    asked = learner_of(net, strategies.margin, table(6), np.arange(6) % 2)
    X = np.random.default_rng(0).normal(size=(40, table(1).shape[1]))
    expected, found = (strategies.margin(asked, pool, n_instances=5) for pool in (X, Indexed(X)))
    np.testing.assert_array_equal(np.asarray(expected), np.asarray(found))


def test_candidates_in_turn_of_a_data_set():
    ids = word_ids(60)
    candidates = [20, partial(most_uncertain, fraction=0.5)]
    assert chosen("badge", Indexed(ids), candidates=candidates) == chosen(
        "badge", ids, candidates=candidates
    )
