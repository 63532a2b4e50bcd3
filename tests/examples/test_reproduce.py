"""The reproductions run, on made-up texts; the real ones take hours."""

import sys
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from modal_interp import (
    TabularMLPClassifier,
    WordInterpretations,
    alden_diversity,
    make_reviews,
    make_sigmoid,
)
from modal_interp.experiments import load_results
from modal_interp.experiments.cli.problems import Problem, text_problem
from tests.examples.conftest import FOLDER
from tests.small_nets import MeanReader, small_net, word_ids
from tests.strategies.conftest import learner_of

pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason="runs in a checkout")


def tiny_problem(dataset, net=None, **params):
    """Stand in for `load_problem`: few made-up samples, and a net that is soon trained."""
    params = {**params, "max_epochs": 1}
    if net == "mlp":
        return Problem(TabularMLPClassifier(**params), *make_sigmoid(200, random_state=0))
    texts, y = make_reviews(200, random_state=0)
    vectors = params.pop("word_vectors", True)
    return text_problem(
        texts, y, net or "cnn", word_vectors=vectors, word_vector_epochs=1, **params
    )


def out(folder):
    return ["--out", str(folder), "--n-jobs", "1"]


def tiny_run(script, monkeypatch, name, *arguments):
    module = script(name)
    monkeypatch.setattr(module, "load_problem", tiny_problem)
    monkeypatch.setattr(sys, "argv", [name, *arguments])
    for protocol in sys.modules["settings"].PROTOCOLS.values():
        protocol.update(seeds=2, initial=20, step=20, budget=60)
    module.main()


@pytest.mark.parametrize(
    ("name", "data", "experiment"),
    [
        ("alden", ["--data", "mr", "--nets", "cnn"], "alden-mr-cnn"),
        ("dami_texts", ["--data", "mr", "--nets", "cnn"], "alden-mr-cnn"),
        ("dami_tables", ["--data", "news", "--dropout", "0.5"], "dami-news"),
    ],
)
def test_scripts_run_and_their_tables_are_made(
    script, monkeypatch, tmp_path, name, data, experiment
):
    tiny_run(script, monkeypatch, name, *data, *out(tmp_path / "results"))
    tables = script("tables")
    places = {"--results": tmp_path / "results" / "committed", "--out": tmp_path / "docs"}
    arguments = [str(part) for pair in places.items() for part in pair]
    monkeypatch.setattr(sys, "argv", ["tables", *arguments])
    tables.main()
    curves = pd.read_csv(tmp_path / "docs" / f"{experiment}.csv")
    assert curves["strategy"].nunique() == 6
    assert set(curves["n_labeled"]) == {20, 40, 60}
    pictures = list((tmp_path / "docs").glob("*.png"))
    assert len(pictures) == (1 if name == "alden" else 2)
    assert all(picture.stat().st_size > 10_000 for picture in pictures)
    if name != "dami_texts":  # ALDEN itself is not among its strategies
        assert len(pd.read_csv(tmp_path / "docs" / "summary.csv")) == 6


def test_tables_without_dropout_are_run_without_bald(script, monkeypatch, tmp_path):
    tiny_run(script, monkeypatch, "dami_tables", "--data", "news", *out(tmp_path))
    folder = tmp_path / "committed" / "dami-news-no-dropout" / "curves"
    assert "bald" not in {path.name for path in folder.iterdir()}
    assert len(list(folder.iterdir())) == 6  # five strategies and full training


def test_employee_has_a_column_for_each_common_id_from_the_start(script):
    rare, common = np.arange(100, 160), np.repeat([7, 8], 50)
    X = np.stack([np.r_[rare, common, 7], np.r_[common, rare, 8]], axis=1)
    columns = script("why_employee").common_ids(X).fit(X[:1]).transform([[7, 8], [8, 100]])
    np.testing.assert_array_equal(columns, [[1, 0, 0, 1], [0, 1, 0, 0]])


def test_employee_is_run_with_these_columns(script, monkeypatch, tmp_path):
    def ids(dataset, net, **params):
        X = np.random.RandomState(0).randint(3, size=(400, 2))
        mlp = TabularMLPClassifier(**{**params, "max_epochs": 1})
        return Problem(make_pipeline(OneHotEncoder(), mlp), X, X[:, 0] % 2)

    module = script("why_employee")
    monkeypatch.setattr(sys, "argv", ["why_employee", "--quick", *out(tmp_path)])
    monkeypatch.setattr(module, "load_problem", ids)
    module.main()
    folder = tmp_path / "quick" / "dami-employee-all-ids"
    assert set(load_results(folder)["strategy"]) == set(module.OTHERS)


def test_curves_of_other_runs_are_kept(script, monkeypatch, tmp_path):
    tiny_run(
        script, monkeypatch, "dami_tables", "--data", "news", "--dropout", "0.5", *out(tmp_path)
    )
    tables, folder = script("tables"), tmp_path / "committed" / "dami-news"
    file = tmp_path / "dami-news.csv"
    here = tables.merged_curves(folder, file)
    assert set(here["seed"]) == {0, 1}
    there = here.assign(seed=here["seed"] + 1, score=0.5)  # seeds 1 and 2; 1 is known to both
    there.to_csv(file, index=False)
    merged = tables.merged_curves(folder, file)
    assert set(merged["seed"]) == {0, 1, 2}
    assert len(merged) == len(here) * 3 // 2
    assert set(merged.loc[merged["seed"] > 0, "score"]) == {0.5}
    replaced = tables.merged_curves(folder, file, replace=True)
    assert set(replaced.loc[replaced["seed"] == 2, "score"]) == {0.5}
    assert set(replaced.loc[replaced["seed"] == 1, "score"]) != {0.5}
    assert set(tables.merged_curves(tmp_path / "none", file)["seed"]) == {1, 2}


def test_unfinished_curves_are_not_kept(script, monkeypatch, tmp_path):
    tiny_run(
        script, monkeypatch, "dami_tables", "--data", "news", "--dropout", "0.5", *out(tmp_path)
    )
    folder = tmp_path / "committed" / "dami-news"
    file = folder / "curves" / "badge" / "seed-1.jsonl"
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:-1]))
    found = script("tables").finished_curves(folder)
    assert set(found.loc[found["strategy"] == "badge", "seed"]) == {0}
    assert set(found.loc[found["strategy"] == "bald", "seed"]) == {0, 1}


def test_only_seeds_that_all_compared_strategies_have_are_compared(script):
    names = ["badge", "bald", "coreset", "random_sampling", "egl_word"]
    curves = [(name, seed) for name in [*names, "alden_diversity"] for seed in (0, 1)]
    curves = pd.DataFrame([*curves, ("dami_kmedoids", 0)], columns=["strategy", "seed"])
    found = {
        paper: set(chosen["seed"])
        for paper, _, chosen in script("tables").comparisons({"alden-mr-cnn": curves})
    }
    assert found == {"alden": {0, 1}, "dami-texts": {0}}


def test_seeds_that_never_reach_the_score_count_as_more_than_any_number(script):
    names = ["bald", "badge", "coreset", "egl_word", "alden_diversity", "random_sampling"]
    points = [(name, seed, round_) for name in names for seed in (0, 1) for round_ in (0, 1)]
    curves = pd.DataFrame(points, columns=["strategy", "seed", "round"])
    curves = curves.assign(n_labeled=10 + 10 * curves["round"], full_score=1.0)
    curves["score"] = 0.5 + 0.5 * curves["round"] * (curves["strategy"] != "bald")
    table = script("tables").labels_needed({"alden-mr-cnn": curves}, share=0.75)
    assert table["alden-mr-cnn, 0.750"].to_dict() == {
        name: "not by 50 %" if name == "bald" else "15" for name in names
    }


def test_changed_alden_is_alden_where_nothing_changes(script):
    why = script("why_alden")
    labeled, pool = word_ids(30, seed=0), word_ids(20, seed=1)
    known = np.where(np.isin(pool, labeled), pool, labeled.max())
    learner = learner_of(small_net(MeanReader), alden_diversity, labeled, None)
    assert picks(learner, alden_diversity, known) == picks(learner, why.alden_known_words, known)
    assert len(set(picks(learner, why.alden_shuffled, pool, random_state=0))) == 5


def picks(learner, query, pool, **options):
    learner.query_strategy = query
    return learner.query(pool, n_instances=5, **options)[0].tolist()


def test_shuffled_interpretations_change_the_choice_and_follow_the_seed(script):
    why = script("why_alden")
    labeled, pool = word_ids(30, seed=0), word_ids(60, seed=1)
    learner = learner_of(small_net(MeanReader), alden_diversity, labeled, None)
    found = [picks(learner, why.alden_shuffled, pool, random_state=seed) for seed in (0, 0, 1)]
    assert found[0] == found[1] != found[2]


def test_interpretations_stay_in_their_text_or_go_anywhere(script):
    why, random_state = script("why_alden"), np.random.RandomState(0)
    offsets = np.array([0, 3, 3, 10])  # a text without words between the others
    words = WordInterpretations(np.arange(10), np.arange(10.0)[:, None], offsets)
    for permuted in (why._in_each_text, why._over_all_words):
        dealt = [permuted(words, random_state) for _ in range(50)]
        assert all(sorted(values[:, 0]) == list(range(10)) for values in dealt)
        stays = all(set(values[:3, 0]) == {0, 1, 2} for values in dealt)
        assert stays == (permuted is why._in_each_text)
        assert len({tuple(values[:, 0]) for values in dealt}) > 40


def test_mean_pooling_sees_no_padding(script):
    torch.manual_seed(0)
    module = script("why_alden").MeanPooledCNN(50, 2, embedding_dim=6, n_filters=4).eval()
    ids = torch.tensor([[5, 6, 7, 8, 9, 3], [4, 2, 0, 0, 0, 0], [0] * 6])
    alone = torch.cat([module(row[None]) for row in ids])
    torch.testing.assert_close(module(ids), alone)
    windows = torch.relu(module.convolutions[0](module.embedding(ids[:1]).transpose(1, 2)))
    pooled = module._max_over_time(
        module.convolutions[0], module.embedding(ids[:1]).transpose(1, 2), torch.tensor([6])
    )
    torch.testing.assert_close(pooled, windows.mean(dim=2))


def test_variants_and_their_tables(script, monkeypatch, tmp_path):
    why = script("why_alden")
    monkeypatch.setattr(why, "load_problem", tiny_problem)
    monkeypatch.setattr(why, "PROTOCOL", {"initial": 20, "step": 20, "budget": 60})
    places = ["--out", str(tmp_path / "out"), "--tables", str(tmp_path / "tables")]
    monkeypatch.setattr(sys, "argv", ["why", "--quick", "--n-jobs", "1", *places])
    why.main()
    arguments = ["why", "--seeds", "1", "--n-jobs", "1", *places]
    monkeypatch.setattr(sys, "argv", [*arguments, "--only", "mean-pooling"])
    why.main()
    table = pd.read_csv(tmp_path / "tables" / "why.csv")
    assert set(table["variant"]) == {"base", "mean-pooling"}
    assert len(table) == 11 + 4
    curves = pd.read_csv(tmp_path / "tables" / "curves.csv")
    assert curves.groupby("variant")["strategy"].nunique().to_dict() == {
        "base": 11, "mean-pooling": 4,
    }  # fmt: skip
    kinds = pd.read_csv(tmp_path / "tables" / "kinds_of_texts.csv", index_col="strategy")
    assert kinds["words_a_text"].idxmax() == "longest"
    assert "(all texts)" in kinds.index
    shares = pd.read_csv(tmp_path / "tables" / "overlap.csv", index_col="strategy")
    assert (np.diag(shares) == 1).all()
    assert shares.to_numpy().min() >= 0


def test_the_search_looks_at_validation_scores_of_random_sampling(script, monkeypatch, tmp_path):
    search = script("search_settings")
    monkeypatch.setattr(search, "load_problem", tiny_problem)
    monkeypatch.setattr(search, "CURVE", {"initial": 20, "step": 20, "budget": 60})
    monkeypatch.setattr(
        search, "SETTINGS", {"mlp": [{"lr": 0.01, "max_epochs": 1}, {"lr": 0.02, "max_epochs": 1}]}
    )
    out = tmp_path / "search.csv"
    monkeypatch.setattr(sys, "argv", ["s", "tables", "--dataset", "news", "--out", str(out)])
    search.main()
    found = pd.read_csv(out)
    assert found["lr"].tolist() == [0.01, 0.02]
    assert found["validation_score"].between(0, 1).all()


def test_few_labels_goes_on_where_it_was_ended(script, monkeypatch, tmp_path):
    few = script("few_labels")
    monkeypatch.setattr(few, "read", lambda name: make_reviews(200, random_state=0))
    monkeypatch.setattr(few, "N_TEST", 40)
    monkeypatch.setattr(few, "N_VALIDATION", 20)
    quick = {"module__embedding_dim": 100, "max_epochs": 1}
    models = {name: partial(few.MODELS[name], **quick) for name in ("cnn", "cnn-vectors")}
    monkeypatch.setattr(few, "MODELS", {"tfidf": few.tfidf, **models})
    out = tmp_path / "few" / "results.csv"
    call = ["f", "--data", "mr", "--models", *few.MODELS, "--sizes", "20", "--out", str(out)]
    for seeds in ("1", "2"):
        monkeypatch.setattr(sys, "argv", [*call, "--seeds", seeds])
        few.main()
    found = pd.read_csv(out)
    assert found["model"].tolist() == ["tfidf", "cnn", "cnn-vectors"] * 2
    assert found["seed"].tolist() == [0] * 3 + [1] * 3
    assert found[["validation", "test"]].stack().between(0, 1).all()
    table = out.with_name("table.md").read_text(encoding="utf-8")
    assert table.startswith("| data | labels | tfidf | cnn | cnn-vectors |\n")
    assert table.count("±") == 3
    assert out.with_name("few_labels.png").stat().st_size > 10_000


def test_few_labels_tests_on_texts_that_are_never_labelled(script, monkeypatch):
    few = script("few_labels")
    monkeypatch.setattr(few, "read", lambda name: (np.arange(3_000), np.arange(3_000) % 2))
    texts = few.Texts("mr")
    parts = [texts.test, texts.validation, texts.labelled(500, 0), texts.labelled(500, 1)]
    assert [len(part) for part in parts] == [1500, 500, 500, 500]
    assert not set(parts[0]) & set(parts[1])
    assert not {*parts[2], *parts[3]} & {*parts[0], *parts[1]}
    assert set(parts[2]) != set(parts[3])


def test_embeddings_of_ones_own(script, monkeypatch, tmp_path, capsys):
    own = script("embeddings")
    y = np.array(["neg", "pos"])[np.arange(90) % 2]
    X = np.random.default_rng(0).normal(size=(90, 12)) + 3 * (y == "pos")[:, None]
    np.savez(tmp_path / "mine.npz", X=X.astype(np.float32), y=y)
    out = tmp_path / "found.csv"
    call = ["e", str(tmp_path / "mine.npz"), "--sizes", "20", "--seeds", "2", "--out", str(out)]
    monkeypatch.setattr(sys, "argv", call)
    own.main()
    found = pd.read_csv(out)
    assert found["model"].tolist() == ["logreg", "mlp-before", "mlp"] * 2
    assert (found["test"] > 0.9).all()
    assert "| mine | 20 | " in capsys.readouterr().out
