"""What is kept of the reasons in each round, and what a report says of it."""

from collections import Counter
from functools import partial

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from modal_interp import (
    TabularMLPClassifier,
    TextCNNClassifier,
    WordEncoder,
    alden_diversity,
    dami_kmedoids,
    egl_word,
    make_reviews,
    make_sigmoid,
    margin,
    random_sampling,
)
from modal_interp.experiments import load_asked, load_results, run_experiment
from modal_interp.experiments.analysis.asked_words import deciding, in_words, kinds
from tests.experiments.small import result_bytes, run_small

TEXTS, SIDES = make_reviews(120, random_state=0)
ENCODER = WordEncoder().fit(TEXTS)
IDS = ENCODER.transform(TEXTS)
SMALL = {"seeds": 2, "initial": 10, "step": 5, "budget": 20, "split": (60, 0, 40)}
STRATEGIES = [alden_diversity, egl_word, margin, random_sampling]


def cnn():
    sizes = {"module__embedding_dim": 6, "module__n_filters": 4}
    return TextCNNClassifier(n_words=ENCODER.n_words_, max_epochs=3, **sizes)


@pytest.fixture(scope="module")
def reviews(tmp_path_factory):
    folder = tmp_path_factory.mktemp("asked") / "results"
    options = {**SMALL, "full_training": False}
    run_experiment(cnn(), IDS, SIDES, STRATEGIES, explain=ENCODER, out=folder, **options)
    return folder


def test_all_that_was_asked_for_is_told(reviews):
    asked, results = load_asked(reviews), load_results(reviews)
    for (strategy, seed, round_), group in asked.groupby(["strategy", "seed", "round"]):
        line = results[(results["strategy"] == strategy) & (results["seed"] == seed)]
        queried = line[line["round"] == round_]["queried"].iloc[0]
        assert group["row"].tolist() == queried.tolist()
    assert len(asked) == len(STRATEGIES) * 2 * 10
    assert asked["label"].tolist() == [str(label) for label in SIDES[asked["row"]]]


def test_words_are_those_of_the_text_as_they_are_written(reviews):
    asked = load_asked(reviews)
    by_words = asked[asked["strategy"].isin(["alden_diversity", "egl_word"])]
    for row, word in zip(by_words["row"], by_words["decided"], strict=True):
        assert word in ENCODER.tokenize([TEXTS[row]])[0]
    assert asked[asked["strategy"].isin(["margin", "random_sampling"])]["decided"].isna().all()
    assert (asked["n_words"] == (IDS[asked["row"]] > 0).sum(axis=1)).all()


def test_unseen_words_are_those_of_no_text_labelled_before(reviews):
    asked, results = load_asked(reviews), load_results(reviews)
    for (strategy, seed, round_), group in asked.groupby(["strategy", "seed", "round"]):
        of_curve = results[(results["strategy"] == strategy) & (results["seed"] == seed)]
        before = np.concatenate(of_curve[of_curve["round"] < round_]["queried"].tolist())
        seen = set(IDS[before].ravel().tolist())
        expected = [sum(int(k) not in seen for k in IDS[row] if k) for row in group["row"]]
        assert group["n_unseen"].tolist() == expected


def test_margins_and_predictions_are_those_before_the_answer(reviews):
    asked = load_asked(reviews)
    assert asked["predicted"].isin([str(side) for side in np.unique(SIDES)]).all()
    assert asked["margin"].between(0, 1).all()
    closest = asked[asked["strategy"] == "margin"]["margin"].mean()
    assert closest < asked[asked["strategy"] == "random_sampling"]["margin"].mean()


@pytest.mark.parametrize("warm_start", [False, True])
def test_explaining_changes_no_curve(tmp_path, warm_start):
    options = {"seeds": 1, "budget": 50, "warm_start": warm_start}
    plain = run_small(tmp_path / "plain", **options)
    run_small(tmp_path / "told", explain=True, **options)
    assert result_bytes(tmp_path / "plain") == result_bytes(tmp_path / "told")
    assert len(load_asked(tmp_path / "told")) == 2 * 30
    assert load_asked(tmp_path / "plain").empty
    # What was begun without goes on with it.
    run_small(tmp_path / "plain", explain=True, **options, strategies=[margin])
    assert set(load_asked(tmp_path / "plain")["strategy"]) == {"margin"}
    assert len(plain) == 2 * 4


def test_features_are_called_by_their_columns(tmp_path):
    X, y = make_sigmoid(120, random_state=0)
    net = make_pipeline(StandardScaler(), TabularMLPClassifier(max_epochs=3))
    for names, expected in ((True, {"x0", "x1"}), (["width", "height"], {"width", "height"})):
        out = tmp_path / str(names)
        run_experiment(net, X, y, [dami_kmedoids], explain=names, out=out, **SMALL)
        asked = load_asked(out)
        assert set(asked["decided"]) <= expected
        assert asked["n_words"].isna().all()
    run_experiment(
        TabularMLPClassifier(max_epochs=3), X, y, [dami_kmedoids], explain=True,
        out=tmp_path / "alone", **SMALL,
    )  # fmt: skip
    assert set(load_asked(tmp_path / "alone")["decided"]) <= {"feature 0", "feature 1"}


def test_several_labels(tmp_path):
    Y = np.random.RandomState(0).randint(0, 2, (120, 3))
    run_experiment(
        cnn(), IDS, Y, [alden_diversity], explain=ENCODER, out=tmp_path / "r",
        scoring="f1_macro", **SMALL,
    )  # fmt: skip
    asked = load_asked(tmp_path / "r")
    columns = [np.flatnonzero(Y[row]).tolist() for row in asked["row"]]
    assert asked["label"].tolist() == [", ".join(map(str, found)) for found in columns]
    assert asked["output"].isin(["0", "1", "2"]).all()


def first(learner, X_pool, n_instances=1):
    return np.arange(n_instances)


def test_other_classifiers_and_strategies(tmp_path):
    model = make_pipeline(TfidfVectorizer(), LogisticRegression())
    strategies = {"first": first, "margin": margin, "few": partial(margin, candidates=20)}
    run_experiment(model, list(TEXTS), SIDES, strategies, explain=True, out=tmp_path / "r", **SMALL)
    asked = load_asked(tmp_path / "r")
    assert asked["decided"].isna().all()
    assert asked["margin"].between(0, 1).all()


# The report.


def test_counts_are_those_of_the_words(reviews):
    asked = load_asked(reviews)
    found = deciding(asked, n=1000)
    for (strategy, label), group in found.groupby(["strategy", "label"]):
        mine = asked[(asked["strategy"] == strategy) & (asked["label"] == label)]["decided"]
        assert dict(zip(group["decided"], group["n"], strict=True)) == Counter(mine)
        assert np.isclose(group["share"].sum(), 1)
    assert deciding(asked, n=2).groupby(["strategy", "label"]).size().max() == 2


def test_kinds_are_means_over_the_samples():
    asked = pd.DataFrame(
        {
            "strategy": ["a", "a", "b"],
            "label": ["x", "y", "x"],
            "predicted": ["x", "x", None],
            "margin": [0.2, 0.4, np.nan],
            "n_words": [4, 0, 10],
            "n_unseen": [1, 0, 5],
        }
    )
    found = kinds(asked)
    assert found.loc["a"].tolist() == [2, 2, 0.25, pytest.approx(0.3), 0.5]
    assert found.loc["b", ["samples", "words", "share unseen"]].tolist() == [1, 10, 0.5]


def test_a_report_tells_what_decided(reviews):
    told = in_words(load_asked(reviews))
    assert "what decided most often, by class:" in told
    assert "egl_word, " in told
    assert "share unseen" in told


@pytest.mark.parametrize(
    ("explain", "error", "message"),
    [
        (1, TypeError, "explain must be True or False, the encoder"),
        (["a", 3], TypeError, "a list of the columns' names; found"),
        (True, ValueError, "explain= must come with out="),
    ],
)
def test_what_is_refused(explain, error, message, tmp_path):
    out = None if error is ValueError else tmp_path
    with pytest.raises(error, match=message):
        run_experiment(cnn(), IDS, SIDES, [margin], explain=explain, out=out, **SMALL)


def test_a_damaged_file_is_named(reviews, tmp_path):
    run_small(tmp_path, seeds=1, budget=30, explain=True)
    file = next((tmp_path / "asked").rglob("*.jsonl"))
    file.write_text(file.read_text().replace('"asked"', '"told"'))
    with pytest.raises(ValueError, match="must hold round, asked in each line"):
        load_asked(tmp_path)
