"""What lies on the disk and how it is read: results, files, what made them, and problems."""

import errno
import json
import os
import stat
import textwrap
from functools import partial

import numpy as np
import pytest
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import Bunch

from modal_interp import (
    TabularMLPClassifier,
    TextBiLSTMClassifier,
    TextCNNClassifier,
    TextCNNLSTMClassifier,
    WordEncoder,
    dami_kmedoids,
    datasets,
    make_reviews,
    make_sigmoid,
    margin,
    random_sampling,
)
from modal_interp.experiments import load_results
from modal_interp.experiments.cli.own_data import read_problem
from modal_interp.experiments.cli.problems import load_problem, text_problem
from modal_interp.experiments.running import provenance, storage
from modal_interp.experiments.running.descriptions import described
from modal_interp.experiments.running.provenance import estimator_facts
from modal_interp.experiments.running.results import COLUMNS
from tests.experiments.small import run_small

# Results.


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    return folder, run_small(folder)


def test_what_is_returned_is_what_is_read(whole):
    folder, returned = whole
    read = load_results(str(folder))
    assert read.attrs == returned.attrs
    assert read.drop(columns="queried").equals(returned.drop(columns="queried"))
    for a, b in zip(read["queried"], returned["queried"], strict=True):
        np.testing.assert_array_equal(a, b)


def test_columns_and_their_kinds(whole):
    results = load_results(whole[0])
    assert tuple(results.columns) == COLUMNS
    kinds = results.dtypes.to_dict()
    for name in ("seed", "round", "n_labeled"):
        assert kinds[name] == np.int64
    for name in COLUMNS[4:10]:  # scores and seconds
        assert kinds[name] == np.float64
        assert results[name].notna().all()
    assert all(queried.dtype == np.int64 for queried in results["queried"])
    assert list(results.index) == list(range(2 * 2 * 7))
    assert (results.loc[results["round"] == 0, "query_seconds"] < 0.5).all()


def test_rows_are_in_order(whole):
    results = load_results(whole[0])
    order = results[["strategy", "seed", "round"]]
    assert order.equals(order.sort_values(["strategy", "seed", "round"]))
    assert (results["queried"].map(len).to_numpy() == np.where(results["round"] == 0, 20, 10)).all()


def test_attrs_say_what_made_them(whole):
    settings = load_results(whole[0]).attrs["settings"]
    assert settings["n_train"] == 120
    assert settings["split"] == [0.6, 0.2, 0.2]
    assert "accuracy" in settings["scoring"]
    assert set(settings["versions"]) >= {"python", "torch", "modAL-python", "modal_interp"}
    assert "torch" in load_results(whole[0])["versions"].iloc[0]


def test_some_strategies_and_seeds(whole):
    named = ["random_sampling", "dami_kmedoids"]
    results = load_results(whole[0], strategies=named)
    assert list(results["strategy"].unique()) == named
    results = load_results(whole[0], strategies=["random_sampling"], seeds=(1,))
    assert set(zip(results["strategy"], results["seed"], strict=True)) == {("random_sampling", 1)}
    assert results["full_score"].notna().all()
    assert load_results(whole[0], seeds=[7]).empty


def test_nothing_yet_has_the_columns_too(whole):
    empty = load_results(whole[0], seeds=[])
    assert tuple(empty.columns) == COLUMNS
    assert empty["score"].dtype == np.float64


def test_unfinished_curves_are_as_long_as_they_are(tmp_path):
    run_small(tmp_path)
    curve = storage.Curve(tmp_path, "dami_kmedoids", 1)
    storage.write_lines(curve.rounds_file, curve.rounds()[:3])
    storage.Curve(tmp_path, "random_sampling", 0).rounds_file.unlink()
    storage.Curve(tmp_path, storage.FULL_TRAINING, 0).rounds_file.unlink()
    results = load_results(tmp_path)
    lengths = results.groupby(["strategy", "seed"]).size().to_dict()
    assert lengths == {
        ("dami_kmedoids", 0): 7, ("dami_kmedoids", 1): 3, ("random_sampling", 1): 7,
    }  # fmt: skip
    assert results["full_score"].isna().equals(results["seed"] == 0)


def test_no_results(tmp_path):
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(FileNotFoundError, match=r"holds no results: it has no settings\.json"):
            load_results(folder)
    assert list(tmp_path.iterdir()) == []


def test_without_parts_and_full_training(tmp_path):
    results = run_small(tmp_path, seeds=1, split=(0.8, 0, 0.2), full_training=False)
    for frame in (results, load_results(tmp_path)):
        assert frame["validation_score"].isna().all()
        assert frame["full_score"].isna().all()
        assert frame["full_score"].dtype == np.float64
    assert not (tmp_path / "curves" / storage.FULL_TRAINING).exists()


def test_a_folder_by_the_home_directory(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    run_small("~/mine", seeds=1, strategies=[random_sampling])
    assert (tmp_path / "mine" / "settings.json").is_file()
    assert len(load_results("~/mine")) == 7


# Files.


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch, step):
    path = tmp_path / "folder" / "file"
    storage.write_text(path, "old\n")

    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, step, full)
        with pytest.raises(OSError, match="No space left"):
            storage.write_text(path, "new\n")
    assert path.read_bytes() == b"old\n"
    assert os.listdir(path.parent) == ["file"]
    storage.write_text(path, "new\n")
    assert path.read_bytes() == b"new\n"


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
@pytest.mark.parametrize(("umask", "expected"), [(0o022, 0o644), (0o002, 0o664), (0o077, 0o600)])
def test_permissions_follow_the_umask(tmp_path, umask, expected):
    before = os.umask(umask)
    try:
        storage.write_text(tmp_path / "file", "text")
        storage.write_text(tmp_path / "file", "text again")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == expected


def test_lines_come_back_as_they_were(tmp_path):
    lines = [{"score": 0.1 + 0.2, "queried": [3, 1]}, {"score": None, "queried": []}]
    storage.write_lines(tmp_path / "file", lines)
    assert storage.read_lines(tmp_path / "file") == lines
    assert (tmp_path / "file").read_bytes().count(b"\n") == 2
    assert storage.read_lines(tmp_path / "missing") == []


def test_what_a_killed_process_had_not_named_is_removed(tmp_path):
    curve = storage.Curve(tmp_path, "margin", 0)
    curve.append({"round": 0}, {"fit_seconds": 1})
    others = curve.rounds_file.with_name(".seed-01.jsonl.ab")
    left = [path.with_name(f".{path.name}.0123") for path in (curve.rounds_file, curve.times_file)]
    for path in [others, *left]:
        path.touch()
    with curve.lock(wait=False) as held:
        assert held
    assert others.exists()
    assert not any(path.exists() for path in left)
    assert curve.rounds() == [{"round": 0}]


# What made them.

OWN = """
    def strategy(learner, X_pool, n_instances=1, scale={scale}):
        return X_pool[:n_instances] * {scale}
"""


def described_elsewhere(interpreter, tmp_path, source, expression):
    """Return what another process says of something in a module of one's own."""
    (tmp_path / "own.py").write_text(textwrap.dedent(source))
    code = (
        "import numpy as np, modal_interp; from functools import partial; import own;"
        "from modal_interp.experiments.running.descriptions import described;"
        "from modal_interp.experiments.running.provenance import estimator_facts;"
        f"print({expression})"
    )
    return interpreter.run(code, tmp_path).strip()


def test_two_processes_say_the_same_until_the_code_changes(interpreters, tmp_path):
    expression = """[
        described(own.strategy), described(partial(own.strategy, scale=np.arange(30))),
        described(lambda x: x), described({'b': np.ones(50), 'a': {1, 2}}),
        estimator_facts(modal_interp.TextCNNClassifier(embedding_matrix=np.ones((9, 3)))),
    ]"""
    expression = " ".join(expression.split())
    first, second = (
        described_elsewhere(one, tmp_path, OWN.format(scale=1), expression) for one in interpreters
    )
    assert first == second
    assert "strategy (code " in first
    changed = described_elsewhere(interpreters[0], tmp_path, OWN.format(scale=2), expression)
    assert changed != first


def test_functions_of_packages_are_named_and_ones_own_have_a_digest():
    assert described(margin) == "modal_interp.strategies.uncertainty.margin"
    assert described(TabularMLPClassifier) == "modal_interp.estimators.mlp.TabularMLPClassifier"
    assert described(LogisticRegression).startswith("sklearn.")
    assert "(code " in described(run_small)

    def one(learner):
        return learner

    same, one_name = one, one

    def one(learner):
        return not learner

    assert described(same) == described(one_name) != described(one)


def test_partials_are_told_apart_by_what_they_bind():
    target = described(partial(dami_kmedoids, target="logit"))
    assert target.startswith(described(dami_kmedoids))
    assert "target='logit'" in target
    both = partial(dami_kmedoids, n_passes=2, target="logit")
    assert described(both) == described(partial(dami_kmedoids, target="logit", n_passes=2))
    assert len({described(s) for s in (dami_kmedoids, both, partial(margin, 1), margin)}) == 4


def test_arrays_are_told_apart_by_what_they_hold():
    long = np.arange(1000.0)
    assert described(long) == described(long.copy())
    changed = long.copy()
    changed[500] += 1e-9
    assert described(changed) != described(long)
    assert described(long.reshape(10, 100)) != described(long)
    assert described(long.astype(np.float32)) != described(long)
    assert described(np.arange(3)) != described(np.arange(3) + 1)
    assert len(described(long)) < 100


def test_simple_values():
    assert described("a") == "'a'"
    assert described(1) == "1" != described(1.0) == "1.0"
    assert described(None) == "None"
    assert described((3, 4, 5)) == described([3, 4, 5]) == "[3, 4, 5]"


def test_a_frozen_part_is_seen(tmp_path):
    texts, _ = make_reviews(50, random_state=0)
    facts = []
    for known in (texts, texts, texts[:25]):
        encoder = FrozenEstimator(WordEncoder().fit(known))
        facts.append(estimator_facts(make_pipeline(encoder, TextCNNClassifier())))
    assert facts[0] == facts[1]
    assert facts[0] != facts[2]
    json.dumps(facts)


def test_the_code_that_makes_curves_is_known_by_its_bytes(tmp_path, monkeypatch):
    before = provenance.code_version.__wrapped__()
    assert before == provenance.code_version.__wrapped__()
    for name in ("__init__.py", "experiments/curve.py", "experiments/report.py", "datasets/a.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("one = 1\n")
    monkeypatch.setattr(provenance.modal_interp, "__file__", str(tmp_path / "__init__.py"))
    first = provenance.code_version.__wrapped__()
    (tmp_path / "experiments" / "report.py").write_text("two = 2\n")
    (tmp_path / "datasets" / "a.py").write_text("two = 2\n")
    (tmp_path / "__init__.py").write_bytes(b"one = 1\r\n")
    assert provenance.code_version.__wrapped__() == first != before
    (tmp_path / "experiments" / "curve.py").write_text("two = 2\n")
    assert provenance.code_version.__wrapped__() != first


# Problems.


def test_the_reviews_as_word_ids():
    problem = load_problem("reviews", word_vector_epochs=1, max_epochs=3)
    texts, y = make_reviews(2000, random_state=0)
    encoder = WordEncoder().fit(texts)
    np.testing.assert_array_equal(problem.X, encoder.transform(texts))
    np.testing.assert_array_equal(problem.y, y)
    assert isinstance(problem.estimator, TextCNNClassifier)
    params = problem.estimator.get_params()
    assert params["max_epochs"] == 3
    assert params["embedding_matrix"].shape[0] == encoder.n_words_
    again = load_problem("reviews", word_vector_epochs=1, max_epochs=3)
    assert estimator_facts(again.estimator) == estimator_facts(problem.estimator)


def test_the_reviews_without_word_vectors():
    problem = load_problem("reviews", "bilstm", word_vectors=False)
    assert isinstance(problem.estimator, TextBiLSTMClassifier)
    assert problem.estimator.get_params()["embedding_matrix"] is None


def test_topics_of_papers_and_of_projects(monkeypatch):
    texts, Y = np.array(["a fine net", "a graph", "nets again"], dtype=object), np.eye(3, 2)
    bunches = {
        "fetch_paper_topics": Bunch(data=texts, target=[1, 0, 1], target_names=["graphs", "nets"]),
        "fetch_paper_projects": Bunch(data=texts, target=Y, target_names=["graphs", "nets"]),
    }
    for name, bunch in bunches.items():
        bunch.target = np.array(bunch.target)
        monkeypatch.setattr(datasets, name, lambda bunch=bunch: bunch)
    papers = load_problem("paper_topics", "cnn_lstm", word_vectors=False)
    assert isinstance(papers.estimator, TextCNNLSTMClassifier)
    assert papers.y.tolist() == ["nets", "graphs", "nets"]
    projects = load_problem("paper_projects", word_vectors=False)
    np.testing.assert_array_equal(projects.y, Y)


def test_the_sigmoid_table():
    problem = load_problem("sigmoid", module__hidden=(4,))
    X, y = make_sigmoid(2000, random_state=0)
    np.testing.assert_array_equal(problem.X, X)
    np.testing.assert_array_equal(problem.y, y)
    assert isinstance(problem.estimator, TabularMLPClassifier)
    assert problem.estimator.get_params()["module__hidden"] == (4,)


def test_a_table_of_ones_own_is_scaled_by_what_is_labelled(tmp_path):
    X, y = make_sigmoid(40, random_state=0)
    rows = [f"{u},{v},{label}" for (u, v), label in zip(X, y, strict=True)]
    (tmp_path / "t.csv").write_text("\n".join(["u,v,label", *rows]))
    problem = read_problem(tmp_path / "t.csv", label_column="label", max_epochs=1)
    assert isinstance(problem.estimator, Pipeline)
    fitted = problem.estimator.fit(problem.X[:10], problem.y[:10])
    scaler = fitted[0].transformers_[0][1]
    assert isinstance(scaler, StandardScaler)
    np.testing.assert_allclose(scaler.mean_, X[:10].mean(axis=0))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (partial(load_problem, "nope"), "dataset must be one of mr, subj.*found 'nope'"),
        (partial(load_problem, "sigmoid", "cnn"), "must be 'mlp' for the table 'sigmoid'"),
        (
            partial(load_problem, "reviews", "mlp"),
            "one of cnn, bilstm, cnn_lstm for texts",
        ),
        (partial(text_problem, ["a"], [0], "svm"), "found 'svm'"),
    ],
)
def test_problems_that_do_not_exist(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def _made(number):
    def strategy(learner, X_pool, n_instances=1):
        return number

    return strategy


def _recursive():
    def count(k):
        return 0 if k == 0 else count(k - 1)

    return count


class _Strategy:
    def __init__(self, number):
        self.number = number

    def ask(self, learner, X_pool, n_instances=1):
        return self.number


def test_what_the_source_of_a_function_does_not_show_tells_it_apart():
    pairs = [
        (_made(1), _made(2)),
        (_Strategy(1).ask, _Strategy(2).ask),
        (lambda X: X + 1, lambda X: X + 2),
        (lambda X: X.min(), lambda X: X.max()),
        (np.array([0.123456789012]), np.array([0.1234567890121])),
    ]
    for one, other in pairs:
        assert described(one) != described(other)
    assert described(_made(1)) == described(_made(1))
    assert described(_recursive()) == described(_recursive())
    assert described(_Strategy(1).ask) == described(_Strategy(1).ask)


SOURCE = """
from sklearn.metrics import make_scorer
K = {constant}
def helper(x):
    return x + {helped}
def strategy(learner, X_pool, n_instances=1):
    def inner(x):
        return x + {inner}
    return inner(helper(K)) if "a" in {{"a", "bb", "ccc", "dddd"}} else None
class Asks:
    def __call__(self, learner, X_pool, n_instances=1):
        return {called}
def score(a, b):
    return {scored}
found = [strategy, Asks(), make_scorer(score)]
"""
SAME = {"constant": 1, "helped": 2, "inner": 3, "called": 4, "scored": 5}


def _typed(**changes):
    """Return what was typed at a prompt: there is no source to read."""
    namespace = {"__name__": "typed"}
    exec(SOURCE.format(**{**SAME, **changes}), namespace)
    return [described(value) for value in namespace["found"]]


@pytest.mark.parametrize(
    ("change", "changed"),
    [("constant", 0), ("helped", 0), ("inner", 0), ("called", 1), ("scored", 2)],
)
def test_code_that_a_strategy_calls_tells_it_apart(change, changed):
    differing = [a != b for a, b in zip(_typed(), _typed(**{change: 9}), strict=True)]
    assert differing == [place == changed for place in range(3)]


def test_a_set_in_the_code_is_the_same_in_every_process(interpreters, tmp_path):
    script = (
        "from modal_interp.experiments.running.descriptions import described\n"
        "def strategy(learner): return 'a' in {'a', 'bb', 'ccc', 'dddd', 'eeeee'}\n"
        "print(described(strategy))"
    )
    found = {one.run(script, tmp_path) for one in interpreters}
    assert len(found) == 1


def test_the_layout_of_data_in_memory_does_not_matter():
    X = np.arange(12.0).reshape(4, 3)
    y = np.array([0, 1, 0, 1])
    wide = np.hstack([X, X])[:, :3]
    assert len({provenance.data_digest(A, y) for A in (X, np.asfortranarray(X), wide)}) == 1
    assert provenance.data_digest(X + 1, y) != provenance.data_digest(X, y)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda lines: lines[1:], "must hold the rounds 0, 1, 2"),
        (lambda lines: [lines[0], *lines], "must hold the rounds 0, 1, 2"),
        (lambda lines: ["[1]\n", *lines], "must hold a JSON object in each line"),
        (lambda lines: [*lines[:-1], lines[-1][:9]], "must hold JSON in each line"),
    ],
)
def test_damaged_curves_are_named(tmp_path, damage, message):
    run_small(tmp_path, seeds=1)
    file = storage.Curve(tmp_path, "random_sampling", 0).rounds_file
    file.write_text("".join(damage(file.read_text().splitlines(keepends=True))))
    with pytest.raises(ValueError, match=message):
        load_results(tmp_path)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"data": 1'])
def test_damaged_settings_are_named(tmp_path, text):
    run_small(tmp_path, seeds=1)
    (tmp_path / "settings.json").write_text(text)
    with pytest.raises(ValueError, match=r"settings\.json must hold data, estimator"):
        load_results(tmp_path)


def test_results_are_chosen_by_names_and_seeds(tmp_path):
    run_small(tmp_path)
    assert set(load_results(tmp_path, seeds=1)["seed"]) == {0}
    (tmp_path / "curves" / "random_sampling" / "seed-0 copy.jsonl").write_text("a stray file")
    assert set(load_results(tmp_path)["seed"]) == {0, 1}
    with pytest.raises(TypeError, match="list of names; found 'badge'"):
        load_results(tmp_path, strategies="badge")
    with pytest.raises(ValueError, match="found 'badge'"):
        load_results(tmp_path, strategies=["badge"])
