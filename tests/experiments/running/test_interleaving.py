"""How training and asking take turns: passes, saturation, going on, and training without asking."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier

from modal_interp import (
    DeepEnsemble,
    TabularMLPClassifier,
    TextBiLSTMClassifier,
    TextCNNLSTMClassifier,
    WordEncoder,
    bald,
    make_reviews,
    make_sigmoid,
    margin,
    random_sampling,
)
from modal_interp.experiments import full_training_scores, load_results, run_experiment
from modal_interp.experiments.running import provenance, storage
from modal_interp.experiments.running.plan import derived_seed, seed_set, split_rows
from modal_interp.modules import TabularMLP
from tests.experiments.small import result_bytes, run_small
from tests.small_nets import word_ids

X, Y = make_sigmoid(200, random_state=0)
SMALL = {"seeds": 1, "initial": 20, "step": 10, "budget": 50}
PERIODS = {"warm_start": True, "acquisition_period": 2}


def mlp(**options):
    return TabularMLPClassifier(**{"max_epochs": 4, **options})


def skorch_net(**options):
    return NeuralNetClassifier(
        TabularMLP, module__n_features=2, module__n_classes=2, max_epochs=4, verbose=0,
        train_split=None, classes=[0, 1], criterion=torch.nn.CrossEntropyLoss, **options,
    )  # fmt: skip


FOREIGN = X.astype(np.float32), Y.astype(np.int64)


def watched(estimator, look, X=X, y=Y, **options):
    """Run one curve; return what `look` sees of the net at each query."""
    seen = []

    def watch(learner, X_pool, n_instances=1):
        trained = learner.estimator
        seen.append(look(trained.steps[-1][1] if hasattr(trained, "steps") else trained))
        return random_sampling(learner, X_pool, n_instances, random_state=0)

    options = {"full_training": False, **SMALL, **options}
    run_experiment(estimator, X, y, {"watch": watch}, **options)
    return seen


def n_epochs(net):
    return len(net.history)


def n_steps(net):
    state = net.optimizer_.state
    return int(state[next(iter(state))]["step"])


# Passes.


@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize(
    ("make", "data"), [(mlp, (X, Y)), (skorch_net, FOREIGN)], ids=["ours", "skorch"]
)
@pytest.mark.parametrize(
    ("warm_start", "expected"), [(True, [2, 4, 6]), (False, [2, 2, 2])], ids=str
)
def test_a_period_is_so_many_epochs_before_each_query(make, data, scaled, warm_start, expected):
    net = make_pipeline(StandardScaler(), make()) if scaled else make()
    options = {"warm_start": warm_start, "acquisition_period": 2}
    assert watched(net, n_epochs, *data, **options) == expected


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        # 20, 30 and 40 samples in batches of 10: a round of 7 steps at least has whole epochs.
        ({"warm_start": False}, [8, 9, 8]),
        ({"warm_start": True}, [8, 17, 25]),
        # A period is told in epochs, one here, and leaves no other rule.
        ({"warm_start": False, "acquisition_period": 1}, [2, 3, 4]),
        ({"warm_start": True, "acquisition_period": 1}, [2, 5, 9]),
    ],
    ids=str,
)
def test_the_least_steps_count_in_each_round_and_not_beside_a_period(options, expected):
    net = mlp(max_epochs=1, min_steps=7, batch_size=10)
    assert watched(net, n_steps, **options) == expected


def test_training_goes_on_with_the_weights_and_the_state_of_the_optimiser():
    seed = derived_seed(0, "estimator")
    rows = seed_set(split_rows(Y, (0.6, 0.2, 0.2), 0).train, 20, 0)
    net = mlp(max_epochs=2, min_steps=0, random_state=seed, warm_start=True).fit(X[rows], Y[rows])

    def weights(net):
        moments = [s["exp_avg"].clone() for s in net.optimizer_.state.values()]
        return [p.detach().clone() for p in net.module_.parameters()] + moments

    expected = weights(net)
    more, queried = [], []

    def watch(learner, X_pool, n_instances=1):
        more.append(weights(learner.estimator))
        queried.append(learner.X_training)
        return random_sampling(learner, X_pool, n_instances, random_state=0)

    given = {**SMALL, "full_training": False, **PERIODS}
    run_experiment(mlp(), X, Y, {"watch": watch}, **given)
    assert all(map(torch.equal, more[0], expected))
    labels = {tuple(row): label for row, label in zip(X, Y, strict=True)}
    y_again = np.array([labels[tuple(row)] for row in queried[1]])
    net.partial_fit(queried[1], y_again)  # all labels so far
    assert all(map(torch.equal, more[1], weights(net)))


@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("make", [SGDClassifier, MLPClassifier])
@pytest.mark.parametrize("warm_start", [False, True])
def test_classifiers_of_scikit_learn_make_passes_by_partial_fit(make, scaled, warm_start):
    made = {SGDClassifier: {"loss": "log_loss"}, MLPClassifier: {"hidden_layer_sizes": (4,)}}[make]
    net = make(**made)
    net = make_pipeline(StandardScaler(), net) if scaled else net
    options = {"warm_start": warm_start, "acquisition_period": 3}

    def n_seen(net):
        return round(net.t_ - (make is SGDClassifier))

    rounds = np.array([3 * 20, 3 * 30, 3 * 40])
    expected = np.cumsum(rounds) if warm_start else rounds
    assert watched(net, n_seen, **options) == expected.tolist()


def test_a_class_that_the_seed_set_lacks_is_told_to_partial_fit():
    y = np.where(np.arange(200) % 20 == 0, 2, Y)
    options = {**SMALL, **PERIODS, "initial": 3, "budget": 23, "scoring": "roc_auc_ovr"}
    net = SGDClassifier(loss="log_loss")
    results = run_experiment(net, X, y, [random_sampling], **{**options, "step": 10})
    assert results["score"].between(0, 1).all()


def test_members_of_an_ensemble_make_the_passes():
    def longest(ensemble):
        return [len(member.history) for member in ensemble.estimators_]

    net = DeepEnsemble(mlp(), n_members=2)
    assert watched(net, longest, **PERIODS) == [[2, 2], [4, 4], [6, 6]]


class Probabilities(TabularMLPClassifier):
    """A net that a pipeline can have before its last step."""

    def transform(self, X):
        return self.predict_proba(X)


def test_a_frozen_net_before_the_last_step_stays_as_it_is():
    before = Probabilities(max_epochs=9).fit(X, Y)
    net = make_pipeline(FrozenEstimator(before), mlp())
    assert watched(net, n_epochs, **PERIODS) == [2, 4, 6]
    assert before.max_epochs == len(before.history) == 9


# Saturation.


def saturated_by(losses, patience):
    """Return the number of epochs that skorch's rule, a fall by 1e-4 of the best, trains for."""
    best, misses = np.inf, 0
    for n, loss in enumerate(losses, 1):
        if loss < best:
            best, misses = loss - 1e-4 * loss, 0
        else:
            misses += 1
        if misses == patience:
            return n
    return len(losses)


@pytest.mark.parametrize(
    ("make", "lr", "data"),
    [(mlp, 0.3, (X, Y)), (skorch_net, 3.0, FOREIGN)],
    ids=["ours", "skorch"],
)
@pytest.mark.parametrize("loss", ["train_loss", "valid_loss"])
@pytest.mark.parametrize("warm_start", [False, True])
def test_a_round_ends_where_the_loss_no_longer_falls(make, lr, data, loss, warm_start):
    net = make(lr=lr).set_params(max_epochs=60)
    options = {
        "early_stopping": "training" if loss == "train_loss" else "validation", "patience": 3,
        "warm_start": warm_start,
    }  # fmt: skip
    seen = watched(net, lambda net: list(net.history[:, loss]), *data, **options)
    before = 0
    for losses in seen:
        of_round = losses[before:] if warm_start else losses
        assert len(of_round) == saturated_by(of_round, 3) < 60
        before = len(losses)


def test_a_validation_loss_keeps_the_best_epoch_and_a_training_loss_the_last():
    def gap(net):
        best = min(net.history[:, "valid_loss"])
        loss = torch.nn.functional.cross_entropy
        parts = split_rows(Y, (0.6, 0.2, 0.2), 0)
        with torch.no_grad():
            rows = torch.from_numpy(FOREIGN[0][parts.validation])
            now = loss(net.module_(rows), torch.from_numpy(FOREIGN[1][parts.validation]))
        return abs(float(now) - best) < 1e-5

    for make, data in ((mlp, (X, Y)), (skorch_net, FOREIGN)):
        net = make(lr=0.3).set_params(max_epochs=60)
        assert all(watched(net, gap, *data, early_stopping=True, patience=3))


def test_an_ensemble_stops_by_its_training_losses():
    net = DeepEnsemble(mlp(max_epochs=60, lr=0.3), n_members=2)
    seen = watched(
        net, lambda e: [len(m.history) for m in e.estimators_], early_stopping="training",
        patience=2,
    )  # fmt: skip
    assert all(1 < n < 60 for round_ in seen for n in round_)


@pytest.mark.parametrize("kind", [TextBiLSTMClassifier, TextCNNLSTMClassifier])
@pytest.mark.parametrize("loss", ["train_loss", "valid_loss"])
def test_nets_for_texts_with_several_labels_stop(kind, loss):
    small = {"module__embedding_dim": 4, "module__hidden_size": 3}
    net = kind(n_words=12, max_epochs=40, min_steps=0, lr=0.3, **small)
    labels = np.random.RandomState(0).randint(0, 2, (120, 3))  # nothing to be learnt from the words
    stopping = "training" if loss == "train_loss" else "validation"
    seen = watched(
        net, lambda net: list(net.history[:, loss]), word_ids(120), labels,
        early_stopping=stopping, patience=2, scoring="f1_macro",
    )  # fmt: skip
    assert all(len(losses) == saturated_by(losses, 2) < 40 for losses in seen)


def test_a_period_is_the_most_that_early_stopping_trains():
    options = {"early_stopping": True, "acquisition_period": 3}
    assert watched(mlp(max_epochs=60), n_epochs, **options) == [3, 3, 3]


# What is refused.


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"acquisition_period": 0}, "acquisition_period must be a whole number of epochs"),
        ({"acquisition_period": True}, "acquisition_period must be a whole number of epochs"),
        ({"acquisition_period": 2.5}, "acquisition_period must be .*; found 2.5"),
        ({"acquisition_period": 10**20}, "acquisition_period must be at most"),
        ({"patience": 3}, "patience must come with early_stopping"),
        ({"patience": 0, "early_stopping": True}, "patience must be a whole number of epochs"),
        ({"early_stopping": "test"}, "'validation' .as True. or 'training'; found 'test'"),
        ({"estimator": LogisticRegression(), "warm_start": True},
         "go on training: .* found a LogisticRegression. Leave warm_start out"),
        ({"estimator": RandomForestClassifier(), "warm_start": True}, "a RandomForestClassifier"),
        ({"estimator": GaussianNB(), "warm_start": True}, "found a GaussianNB"),
        ({"estimator": make_pipeline(StandardScaler(), LogisticRegression()), "warm_start": True},
         "at the end of a pipeline; found a LogisticRegression"),
        ({"estimator": GridSearchCV(mlp(), {"lr": [0.1]}), "warm_start": True},
         "found a GridSearchCV"),
        ({"estimator": DeepEnsemble(LogisticRegression()), "warm_start": True},
         "found a LogisticRegression"),
        ({"estimator": LogisticRegression(), "acquisition_period": 5},
         "passes over the samples: .* found a LogisticRegression"),
        ({"estimator": DeepEnsemble(SGDClassifier(loss="log_loss")), "acquisition_period": 5},
         "found a SGDClassifier"),
        ({"estimator": MLPClassifier(), "y": (X > 0).astype(int), "acquisition_period": 5},
         "a MLPClassifier with several labels"),
        ({"estimator": SGDClassifier(), "early_stopping": "training"},
         "early_stopping='training' needs a net of this package or of skorch"),
        ({"estimator": DeepEnsemble(mlp()), "early_stopping": True}, "found a DeepEnsemble"),
        ({"estimator": mlp(callbacks="disable"), "early_stopping": "training"},
         "callbacks='disable'"),
        ({"full_training": [0.5, 1.5]}, "full_training must be True or False, or a list"),
        ({"full_training": [True]}, "full_training must be"),
        ({"full_training": 0.5}, "full_training must be"),
        ({"full_training": "0.5"}, "full_training must be"),
        ({"full_training": [0.001]}, "at least 1 of the 120 training rows .*found 0.001"),
        ({"full_training": [121]}, "no more than there are; found 121"),
        ({"strategies": {"full_training=0.1": margin}}, "nor that with = and a number"),
    ],
    ids=lambda value: value if isinstance(value, str) else ",".join(value),
)  # fmt: skip
def test_what_cannot_be_is_refused_before_anything_is_written(tmp_path, options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        run_small(tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


# Files.


@pytest.mark.parametrize(
    ("options", "n_jobs"),
    [
        pytest.param(PERIODS, 2, marks=pytest.mark.slow),
        (PERIODS, 1),
        ({"acquisition_period": 2}, 1),
        ({"warm_start": True, "early_stopping": "training", "patience": 2}, 1),
        ({"warm_start": True, "early_stopping": True, "patience": 2}, 1),
    ],
    ids=str,
)
def test_a_cut_run_goes_on_the_same_with_any_number_of_workers(tmp_path, options, n_jobs):
    options = {**options, "seeds": 1, "budget": 60, "full_training": [0.1, 40, 1.0]}
    run_small(tmp_path / "whole", **options)
    run_small(tmp_path / "cut", n_jobs=n_jobs, **options)
    assert same(tmp_path)
    for strategy in ("dami_kmedoids", "random_sampling"):
        curve = storage.Curve(tmp_path / "cut", strategy, 0)
        storage.write_lines(curve.rounds_file, curve.rounds()[:3])
    storage.Curve(tmp_path / "cut", "full_training=0.1", 0).rounds_file.unlink()
    run_small(tmp_path / "cut", **options)
    assert same(tmp_path)


def same(folder):
    return result_bytes(folder / "cut") == result_bytes(folder / "whole")


def test_what_is_kept_of_a_scikit_learn_classifier_goes_on_the_same(tmp_path):
    net = make_pipeline(StandardScaler(), SGDClassifier(loss="log_loss"))
    given = {"estimator": net, "strategies": [margin], "seeds": 1, **PERIODS}
    for name in ("whole", "cut"):
        run_small(tmp_path / name, **given)
    curve = storage.Curve(tmp_path / "cut", "margin", 0)
    storage.write_lines(curve.rounds_file, curve.rounds()[:3])
    run_small(tmp_path / "cut", **given)
    assert same(tmp_path)


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"acquisition_period": 3}, "experiment / acquisition_period: 2 there, 3 here"),
        ({"acquisition_period": None}, "experiment / acquisition_period: 2 there, nothing here"),
        ({"early_stopping": "training"}, "experiment / early_stopping: False there, training here"),
        ({"early_stopping": True, "patience": 2}, "experiment / patience: nothing there, 2 here"),
    ],
    ids=str,
)
def test_a_folder_of_other_turns_is_refused(tmp_path, change, difference):
    given = {"seeds": 1, "strategies": [random_sampling], **PERIODS}
    run_small(tmp_path, **given)
    before = result_bytes(tmp_path)
    with pytest.raises(ValueError, match="made differently") as refused:
        run_small(tmp_path, **{**given, **change})
    assert difference in str(refused.value)
    assert result_bytes(tmp_path) == before


def test_the_code_of_this_counts_where_it_is_used(tmp_path, monkeypatch):
    given = {"seeds": 1, "strategies": [random_sampling]}
    run_small(tmp_path / "plain", **given)
    run_small(tmp_path / "periods", **given, **PERIODS)
    monkeypatch.setattr(provenance, "interleaving_version", lambda: "code of tomorrow")
    run_small(tmp_path / "plain", **given)
    with pytest.raises(ValueError, match=r"versions / interleaving: code .* there, code of tomor"):
        run_small(tmp_path / "periods", **given, **PERIODS)


# What version 0.1.0.dev0 wrote before there were these options: its settings but for versions.
BEFORE = {
    "budget": 80, "early_stopping": False, "initial": 20, "n_threads": 1, "n_train": 120,
    "scoring": "accuracy", "split": [0.6, 0.2, 0.2], "step": 10, "warm_start": False,
}  # fmt: skip
ROUNDS = (
    '{"round": 0, "n_labeled": 20, "score": 0.45, "validation_score": 0.5, "queried": [170, 36, '
    "154, 115, 163, 130, 2, 135, 180, 56, 98, 5, 42, 3, 6, 16, 87, 14, 101, 157]}\n"
    '{"round": 1, "n_labeled": 30, "score": 0.575, "validation_score": 0.6, "queried": [167, 177, '
    "51, 186, 29, 188, 61, 26, 84, 8]}\n"
)


@pytest.mark.parametrize("change", [{}, {"warm_start": True}, {"early_stopping": True}], ids=str)
def test_folders_from_before_are_read_and_continued(tmp_path, change):
    given = {"seeds": 1, "strategies": [random_sampling], **change}
    run_small(tmp_path / "now", **given)
    settings = json.loads((tmp_path / "now" / "settings.json").read_text())
    assert settings["experiment"] == {**BEFORE, **change}
    assert sorted(settings) == [
        "data", "estimator", "experiment", "identity", "strategies", "versions",
    ]  # fmt: skip
    assert settings["identity"] == 2
    assert "interleaving" not in settings["versions"]
    folder = Path(tmp_path / "before")
    file = folder / "curves" / "random_sampling" / "seed-0.jsonl"
    file.parent.mkdir(parents=True)
    file.write_text(ROUNDS)
    old = {**settings, "experiment": {**BEFORE, **change}}
    (folder / "settings.json").write_text(json.dumps(old, indent=1, sort_keys=True) + "\n")
    assert list(load_results(folder)["score"]) == [0.45, 0.575]
    assert full_training_scores(load_results(folder)).empty
    run_small(folder, **given)
    assert result_bytes(folder)["settings.json"] == result_bytes(tmp_path / "now")["settings.json"]
    lines = file.read_text().splitlines(keepends=True)
    assert "".join(lines[:2]) == ROUNDS
    assert len(lines) == 7


# Training without asking.


def test_baselines_are_trained_on_the_first_rows_of_the_seed(tmp_path):
    given = {"seeds": 2, "strategies": [random_sampling], "budget": 40}
    results = run_small(tmp_path, full_training=[0.05, 1 / 6, 50, 1.0], **given)
    found = full_training_scores(results)
    assert found["n_labeled"].tolist() == [6, 6, 20, 20, 50, 50, 120, 120]
    assert found["size"].tolist()[::2] == [0.05, 1 / 6, 50, 1.0]
    assert [type(size) for size in found["size"][::2]] == [float, float, int, float]
    assert found["seed"].tolist() == [0, 1] * 4
    for seed in (0, 1):
        parts = split_rows(Y, (0.6, 0.2, 0.2), seed)
        for _, row in found[found["seed"] == seed].iterrows():
            rows = seed_set(parts.train, row["n_labeled"], seed)
            net = mlp(classes=[0, 1], random_state=derived_seed(seed, "estimator"))
            net.fit(X[rows], Y[rows])
            assert row["score"] == net.score(X[parts.test], Y[parts.test])
            assert row["validation_score"] == net.score(X[parts.validation], Y[parts.validation])
    first = results[results["round"] == 0].set_index("seed")["score"]
    of_initial = found[found["n_labeled"] == 20].set_index("seed")["score"]
    assert first.equals(of_initial)
    assert results["full_score"].notna().all()


def test_baselines_can_be_added_and_are_read_again(tmp_path):
    given = {"seeds": 2, "strategies": [random_sampling]}
    first = run_small(tmp_path, full_training=False, **given)
    assert full_training_scores(first).empty
    assert first["full_score"].isna().all()
    run_small(tmp_path, full_training=(0.1,), **given)
    more = run_small(tmp_path, full_training=np.array([0.5, 1.0]), **given)
    assert more["score"].equals(first["score"])
    found = full_training_scores(more)
    assert found["size"].tolist() == [0.1, 0.1, 0.5, 0.5, 1.0, 1.0]
    assert found.equals(full_training_scores(load_results(tmp_path)))
    assert full_training_scores(load_results(tmp_path, seeds=iter([1])))["seed"].eq(1).all()
    with pytest.raises(TypeError, match="must be a pandas DataFrame; found list"):
        full_training_scores([])


@pytest.mark.parametrize(("warm_start", "n_epochs"), [(False, 2), (True, 8)])
def test_full_training_makes_as_many_passes_as_a_curve(tmp_path, warm_start, n_epochs):
    given = {**SMALL, "warm_start": warm_start, "acquisition_period": 2}  # of four rounds
    results = run_experiment(mlp(), X, Y, [random_sampling], full_training=[0.5, 1.0], **given)
    parts = split_rows(Y, (0.6, 0.2, 0.2), 0)
    for _, row in full_training_scores(results).iterrows():
        rows = seed_set(parts.train, row["n_labeled"], 0)
        seed = derived_seed(0, "estimator")
        net = mlp(max_epochs=n_epochs, random_state=seed).fit(X[rows], Y[rows])
        assert row["score"] == net.score(X[parts.test], Y[parts.test])


def test_progress_counts_a_baseline_as_one_round(capsys):
    run_small(None, seeds=1, strategies=[random_sampling], full_training=[0.1, 1.0], verbose=1)
    assert "9/9" in capsys.readouterr().err


# The study of paper topics, in small.


def test_the_call_of_the_study():
    texts, y = make_reviews(120, random_state=0)
    encoder = WordEncoder().fit(texts)
    net = TextBiLSTMClassifier(
        n_words=encoder.n_words_, module__embedding_dim=4, module__hidden_size=4
    )
    results = run_experiment(
        net, encoder.transform(texts), y, [bald, random_sampling],
        seeds=1, initial=0.1, step=0.05, budget=0.2, acquisition_period=5, warm_start=True,
        scoring="roc_auc", full_training=[0.1, 1.0],
    )  # fmt: skip
    assert results["n_labeled"].unique().tolist() == [7, 11, 14]
    assert results["score"].between(0, 1).all()
