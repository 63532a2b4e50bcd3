"""The loop is modAL's: sizes, splits, seeds, choices and scores, against a loop written out."""

import itertools

import joblib
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from modAL.models import ActiveLearner
from modAL.uncertainty import uncertainty_sampling
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from skorch import NeuralNetClassifier

from modal_interp import (
    TabularMLPClassifier,
    TextCNNClassifier,
    WordEncoder,
    alden_diversity,
    dami_kmedoids,
    make_reviews,
    make_sigmoid,
    margin,
    random_sampling,
)
from modal_interp.experiments import run_experiment
from modal_interp.experiments.running import runner
from modal_interp.experiments.running.plan import (
    derived_seed,
    labelled_sizes,
    part_sizes,
    seed_set,
    split_rows,
)
from modal_interp.modules import TabularMLP
from tests.experiments.small import run_small


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return run_small(tmp_path_factory.mktemp("results"))


def test_the_curve_is_that_of_a_loop_written_out(results):
    X, y = make_sigmoid(200, random_state=0)
    for seed in (0, 1):
        parts = split_rows(y, (0.6, 0.2, 0.2), seed)
        labeled = list(seed_set(parts.train, 20, seed))
        for round_ in range(7):
            net = TabularMLPClassifier(
                max_epochs=4, classes=[0, 1], random_state=derived_seed(seed, "estimator")
            )
            learner = ActiveLearner(net, dami_kmedoids, X[labeled], y[labeled])
            row = results.query(
                "strategy == 'dami_kmedoids' and seed == @seed and round == @round_"
            )
            assert row["n_labeled"].item() == len(labeled)
            assert row["score"].item() == learner.score(X[parts.test], y[parts.test])
            assert row["validation_score"].item() == learner.score(
                X[parts.validation], y[parts.validation]
            )
            pool = [row for row in parts.train if row not in set(labeled)]
            asked = learner.query(
                X[pool], n_instances=10, random_state=derived_seed(seed, "query", round_ + 1)
            )[0]
            labeled += [pool[index] for index in asked]


def test_rounds_hold_distinct_training_rows(results):
    _, y = make_sigmoid(200, random_state=0)
    for (_, seed), curve in results.groupby(["strategy", "seed"]):
        queried = np.concatenate(list(curve["queried"]))
        train = split_rows(y, (0.6, 0.2, 0.2), seed).train
        assert len(set(queried)) == len(queried) == curve["n_labeled"].iloc[-1] == 80
        assert set(queried) <= set(train)


def test_strategies_of_a_seed_share_splits_and_seed_set(results):
    first = results[results["round"] == 0]
    for _, same_seed in first.groupby("seed"):
        seed_sets = {tuple(queried) for queried in same_seed["queried"]}
        assert len(seed_sets) == 1
        assert same_seed["score"].nunique() == same_seed["full_score"].nunique() == 1
    assert len({tuple(queried) for queried in first["queried"]}) == 2


def test_full_training_is_training_on_all_training_rows(results):
    X, y = make_sigmoid(200, random_state=0)
    parts = split_rows(y, (0.6, 0.2, 0.2), 0)
    rows = seed_set(parts.train, len(parts.train), 0)
    net = TabularMLPClassifier(max_epochs=4, random_state=derived_seed(0, "estimator"))
    expected = net.fit(X[rows], y[rows]).score(X[parts.test], y[parts.test])
    assert set(results.loc[results["seed"] == 0, "full_score"]) == {expected}


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ((0.02, 0.02, 0.5, 6397), [128, 256, 384]),
        ((10, 5, 22, 100), [10, 15, 20, 22]),
        ((0.1, 0.1, 0.3, 10), [1, 2, 3]),
        ((10, 5, 10, 100), [10]),
        ((1, 0.5, 1.0, 4), [1, 3, 4]),
    ],
)
def test_sizes(sizes, expected):
    found = labelled_sizes(*sizes)
    assert found[: len(expected)] == expected
    if sizes[0] == 0.02:
        assert len(found) == 25
        assert found[-1] == 3198
        assert set(np.diff(found)) <= {127, 128}


def test_split_is_stratified_and_disjoint():
    y = np.array(["a"] * 90 + ["b"] * 10)
    parts = split_rows(y, (0.6, 0.2, 0.2), 3)
    assert [len(part) for part in parts] == [60, 20, 20]
    assert sorted(np.concatenate(parts)) == list(range(100))
    assert [(y[part] == "b").sum() for part in parts] == [6, 2, 2]
    assert part_sizes((50, 0, 0.25), 100) == (50, 0, 25)
    rare = np.array(["a"] * 30 + ["b"])  # cannot be stratified
    assert len(split_rows(rare, (0.6, 0.2, 0.2), 0).train) == 19


def test_splits_differ_between_seeds():
    y = np.arange(100) % 2
    first, second = (set(split_rows(y, (0.6, 0.2, 0.2), seed).train) for seed in (0, 1))
    assert first != second


def test_estimators_of_scikit_learn_and_strategies_of_modal():
    X, y = make_sigmoid(100, random_state=0)
    results = run_experiment(
        make_pipeline(StandardScaler(), LogisticRegression()), X, y, [uncertainty_sampling],
        seeds=1, initial=10, step=5, budget=20, split=(0.7, 0, 0.3),
    )  # fmt: skip
    assert results["validation_score"].isna().all()
    assert list(results["n_labeled"]) == [10, 15, 20]


def test_global_generators_are_seeded_for_estimators_that_draw_from_them(tmp_path):
    X, y = make_sigmoid(100, random_state=0)
    net = NeuralNetClassifier(
        TabularMLP, module__n_features=2, module__n_classes=2, max_epochs=2, verbose=0,
        train_split=None, classes=[0, 1],
    )  # fmt: skip

    def by_global_draw(learner, X_pool, n_instances=1):
        return np.random.permutation(len(X_pool))[:n_instances]  # noqa: NPY002

    given = {"seeds": 2, "initial": 10, "step": 5, "budget": 25}
    data = X.astype(np.float32), y.astype(np.int64)
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    first, second = (run_experiment(net, *data, [by_global_draw], **given) for _ in range(2))
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    assert first["score"].equals(second["score"])
    assert [q.tolist() for q in first["queried"]] == [q.tolist() for q in second["queried"]]


def test_texts_as_lists_of_strings_and_string_labels():
    texts, y = make_reviews(120, random_state=0)
    encoder = WordEncoder().fit(texts)
    net = TextCNNClassifier(n_words=encoder.n_words_, max_epochs=2, module__embedding_dim=8)
    results = run_experiment(
        make_pipeline(FrozenEstimator(encoder), net), list(texts), np.array(["neg", "pos"])[y],
        [alden_diversity, random_sampling], seeds=1, initial=10, step=10, budget=30,
    )  # fmt: skip
    assert len(results) == 6


def test_early_stopping_watches_the_validation_part():
    X, y = make_sigmoid(300, random_state=0)
    estimator = make_pipeline(
        StandardScaler(), TabularMLPClassifier(max_epochs=200, n_iter_no_change=2, lr=0.05)
    )
    seen = []

    def watch(learner, X_pool, n_instances=1):
        net = learner.estimator.steps[-1][1]
        seen.append((len(net.history), net.history[-1, "valid_loss"]))
        return random_sampling(learner, X_pool, n_instances, random_state=0)

    given = {"seeds": 1, "initial": 40, "step": 20, "budget": 80, "strategies": {"watch": watch}}
    run_experiment(estimator, X, y, early_stopping=True, **given)
    assert all(epochs < 200 for epochs, _ in seen)


def test_early_stopping_takes_whole_numbers_and_refuses_sparse_ones():
    X, y = make_sigmoid(200, random_state=0)
    given = {"seeds": 1, "strategies": [random_sampling], "initial": 40, "step": 20, "budget": 60}
    net = TabularMLPClassifier(max_epochs=3)
    rounded = X.round().astype(np.int64)
    assert len(run_experiment(net, rounded, y, early_stopping=True, **given)) == 2
    sparse = scipy.sparse.csr_array(rounded)
    with pytest.raises(RuntimeError, match="needs dense samples"):
        run_experiment(net, sparse, y, early_stopping=True, **given)


def test_early_stopping_behind_frozen_steps():
    X, y = make_sigmoid(100, random_state=0)
    frozen = FrozenEstimator(StandardScaler().fit(X))
    net = make_pipeline(frozen, TabularMLPClassifier(max_epochs=2))
    given = {"seeds": 1, "strategies": [random_sampling], "initial": 20, "step": 20, "budget": 40}
    assert len(run_experiment(net, X, y, early_stopping=True, **given)) == 2


def test_lambdas_in_estimator_and_scorer(tmp_path):
    estimator = make_pipeline(FunctionTransformer(lambda X: X * 2), LogisticRegression())
    scorer = make_scorer(lambda true, found: float((true == found).mean()))
    given = {"estimator": estimator, "strategies": [random_sampling], "scoring": scorer}
    run_small(tmp_path, **given)
    other = make_pipeline(FunctionTransformer(lambda X: X * 3), LogisticRegression())
    with pytest.raises(ValueError, match="made differently"):
        run_small(tmp_path, **{**given, "estimator": other})


class Counting:
    """A strategy with a state."""

    def __init__(self):
        self.calls = 0

    def __call__(self, learner, X_pool, n_instances=1):
        self.calls += 1
        return (np.arange(n_instances) + self.calls) % len(X_pool)


def test_strategies_with_a_state_begin_anew_in_each_curve(tmp_path):
    strategy = Counting()
    first = run_small(tmp_path / "1", strategies={"counting": strategy})
    assert strategy.calls == 0
    second = run_small(tmp_path / "2", strategies={"counting": strategy}, n_jobs=2)
    assert [q.tolist() for q in first["queried"]] == [q.tolist() for q in second["queried"]]
    run_small(tmp_path / "1", strategies={"counting": strategy})


def test_threads_are_not_used_for_workers(results):
    with joblib.parallel_config(backend="threading"):
        found = run_small(None, n_jobs=2)
    pd.testing.assert_series_equal(found["score"], results["score"])


def test_numbers_of_numpy_are_numbers(tmp_path, results):
    sizes = {"initial": np.int64(20), "step": np.int32(10), "budget": np.int64(80)}
    split = (np.float64(0.6), np.float32(0.2), np.float64(0.2))
    found = run_small(tmp_path, seeds=np.arange(2), **sizes, split=split)
    pd.testing.assert_series_equal(found["score"], results["score"])


def test_all_curves_are_tried_before_failures_are_told():
    def fails(learner, X_pool, n_instances=1):
        raise ZeroDivisionError("no luck")

    with pytest.raises(RuntimeError) as failed:
        run_small(None, strategies={"fails": fails})
    assert "fails with seed 0 failed" in str(failed.value)
    assert "fails with seed 1 failed" in str(failed.value)


def test_warm_start_goes_on_training():
    X, y = make_sigmoid(200, random_state=0)
    epochs = []

    def watch(learner, X_pool, n_instances=1):
        epochs.append(len(learner.estimator.history))
        return random_sampling(learner, X_pool, n_instances, random_state=0)

    given = {"seeds": 1, "initial": 20, "step": 10, "budget": 50, "strategies": {"watch": watch}}
    run_experiment(TabularMLPClassifier(max_epochs=3), X, y, warm_start=True, **given)
    run_experiment(TabularMLPClassifier(max_epochs=3), X, y, **given)
    assert epochs == [3, 6, 9, 3, 3, 3]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"strategies": []}, "strategies must hold at least one"),
        ({"strategies": margin}, "strategies must be a list or dict"),
        ({"strategies": "margin"}, "strategies must be a list or dict"),
        ({"strategies": [margin, margin]}, "'margin' twice"),
        ({"strategies": {"a/b": margin}}, "name must be made of letters"),
        ({"strategies": {"_mine": margin}}, "begin with a letter"),
        ({"scoring": None}, "scoring must be a scorer"),
        ({"seeds": 1.5}, "seeds must be"),
        ({"seeds": True}, "seeds must be"),
        ({"X": scipy.sparse.csr_array(np.full((200, 2), np.inf))}, "X must hold finite numbers"),
        ({"strategies": {"..": margin}}, "name must be made of letters"),
        ({"strategies": {"full_training": margin}}, "not be 'full_training'"),
        ({"strategies": {"margin": 3}}, "must be callable"),
        ({"seeds": 0}, "seeds must be"),
        ({"seeds": [1, 1]}, "seeds must be"),
        ({"seeds": [-1]}, "seeds must be"),
        ({"initial": 0}, "initial must be a share"),
        ({"initial": 1.5}, "initial must be a share"),
        ({"step": True}, "step must be a share"),
        ({"budget": "all"}, "budget must be a share"),
        ({"budget": 10}, "must give a rising number"),
        ({"budget": 121}, "must give a rising number"),
        ({"split": (0.6, 0.6, 0.2)}, "split must leave"),
        ({"split": (0.6, 0.4)}, "split must be"),
        ({"split": (0.8, 0.2, 0.0)}, "split must leave"),
        ({"scoring": "fun"}, "fun"),
        ({"scoring": "f1", "y": ["a", "b"] * 100}, "scoring='f1' cannot score the labels"),
        ({"warm_start": 1}, "warm_start must be True or False"),
        ({"early_stopping": "yes"}, "early_stopping must be True or False"),
        ({"full_training": None}, "full_training must be True or False"),
        ({"X": np.full((200, 2), np.nan)}, "X must hold finite numbers.*found 400"),
        ({"n_jobs": 0}, "n_jobs must be"),
        ({"n_threads": 0}, "n_threads must be"),
        ({"y": [0] * 200}, "at least two classes"),
        ({"y": [0, 1]}, "y must hold a label for each"),
        ({"estimator": 3}, "estimator must be"),
        (
            {"estimator": LogisticRegression(), "early_stopping": True},
            "needs a net of this package",
        ),
        ({"early_stopping": True, "split": (0.8, 0, 0.2)}, "needs a validation part"),
        ({"estimator": StandardScaler(), "warm_start": True}, "a parameter warm_start"),
    ],
)
def test_bad_input_is_refused_before_anything_is_written(tmp_path, options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        run_small(tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_data_frames_are_refused_with_the_next_step():
    with pytest.raises(TypeError, match="to_numpy"):
        run_small(None, X=pd.DataFrame(np.zeros((200, 2))))


@pytest.mark.parametrize("answer", [[0, 0], [0], [0, 10_000], [-1, 0], [0.5, 1.5]])
def test_a_strategy_that_answers_wrongly_is_named(answer):
    def wrong(learner, X_pool, n_instances=1):
        return np.array(answer), np.zeros(len(answer))

    with pytest.raises(RuntimeError, match="wrong with seed 0"):
        run_small(None, strategies=[wrong], step=2, budget=24)


def test_progress_tells_of_rounds_and_scores(capsys):
    run_small(None, verbose=1)
    shown = capsys.readouterr().err
    assert "30/30" in shown
    assert "round" in shown
    assert "random_sampling 0." in shown or "dami_kmedoids 0." in shown


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"X": np.full((200, 2), 1e300)}, r"found 1e\+300 in row 0, column 0"),
        ({"seeds": itertools.count()}, "seeds must be at most 100,000"),
        ({"seeds": range(10**12)}, "seeds must be at most 100,000"),
        ({"seeds": [2**63]}, "each at most 9223372036854775807"),
        ({"step": 1e-12}, "more than 120 rounds"),
        ({"budget": 10**400}, "at most the 120 training rows"),
        ({"n_jobs": 10**6}, "n_jobs must be at most 1,024"),
    ],
)
def test_huge_numbers_are_refused_before_anything_is_written(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        run_small(tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_no_more_workers_than_curves(monkeypatch, results):
    asked = []

    def one_after_the_other(n_jobs):
        asked.append(n_jobs)
        return joblib.Parallel(n_jobs=1)

    monkeypatch.setattr(runner, "workers", one_after_the_other)
    pd.testing.assert_frame_equal(
        run_small(None, n_jobs=1000)[["strategy", "score"]], results[["strategy", "score"]]
    )
    curves = results.groupby(["strategy", "seed"]).ngroups + results["seed"].nunique()
    assert asked == [curves]  # with those of training on all labels
