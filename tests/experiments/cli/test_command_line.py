"""The command line: what people type, and what it says when they mistype."""

import csv
import gzip
import json
import os
import pickle
import signal
import subprocess
import sys
import time
import warnings

import numpy as np
import pandas as pd
import pytest

from modal_interp import WordEncoder, make_reviews, make_sigmoid
from modal_interp.experiments import __main__ as command_line
from modal_interp.experiments import full_training_scores, load_results
from modal_interp.experiments.cli.own_data import read_problem
from tests.experiments.small import result_bytes

SMALL = ["--seeds", "1", "--initial", "10", "--step", "10", "--budget", "20", "--max-epochs", "1",
         "--n-jobs", "1", "--strategies", "margin,random_sampling"]  # fmt: skip
TEXTS, CLASSES = make_reviews(60, random_state=0)
LABELS = np.array(["neg", "pos"])[CLASSES]
REPORT = {"summary.csv", "curves.csv", "pairs.csv", "learning_curves.png", "pairwise_matrix.png"}


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def run(*arguments):
    return command_line.main(["run", *SMALL, *map(str, arguments)])


def write(path, rows, header=("text", "label"), separator=",", encoding="utf-8"):
    with open(path, "w", newline="", encoding=encoding) as file:
        csv.writer(file, delimiter=separator).writerows([header, *rows])


def write_texts(path="own.csv", *, texts=TEXTS, labels=LABELS, **options):
    write(path, zip(texts, labels, strict=True), **options)


def write_table(path="table.csv", *, rows=40):
    """Write numbers with empty cells, a column of words, an empty one and the rows' numbers."""
    X, y = make_sigmoid(rows, random_state=0)
    X = X.astype(object)
    X[3, 0], X[4, 0], X[7, 1] = "", "NA", " "
    table = [(i, *X[i], "abc"[i % 3], "", f"class {y[i]}") for i in range(rows)]
    write(path, table, ("", "u", "v", "colour", "empty", "label"))


# What works.


def test_a_run_is_reported_and_can_be_reported_again(tmp_path, capsys):
    assert run("--dataset", "sigmoid") == 0
    shown = capsys.readouterr().out
    assert "normalised AUC" in shown
    assert "above random" in shown
    report = tmp_path / "results" / "report"
    assert {path.name for path in report.iterdir()} == REPORT
    for path in report.glob("*.png"):
        assert path.read_bytes().startswith(b"\x89PNG")
        assert path.stat().st_size > 10_000
    summary = pd.read_csv(report / "summary.csv", index_col="strategy")
    assert list(summary.index) == ["margin", "random_sampling"]
    assert len(pd.read_csv(report / "pairs.csv")) == 2
    curves = pd.read_csv(report / "curves.csv")
    assert curves["score"].tolist() == load_results("results")["score"].tolist()
    assert command_line.main(["report", "results"]) == 0
    assert capsys.readouterr().out == shown


def test_a_run_of_the_study_of_paper_topics(tmp_path, capsys):
    flags = ["--acquisition-period", "2", "--warm-start", "--early-stopping", "training",
             "--patience", "3", "--scoring", "roc_auc_ovr"]  # fmt: skip
    assert run("--dataset", "sigmoid", "--full-training", "0.01, 20,1.0", *flags) == 0
    results = load_results("results")
    settings = results.attrs["settings"]
    assert (settings["acquisition_period"], settings["patience"]) == (2, 3)
    assert settings["early_stopping"] == "training"
    shown = capsys.readouterr().out
    assert "trained once" in shown
    report = tmp_path / "results" / "report"
    assert {path.name for path in report.iterdir()} == {*REPORT, "full_training.csv"}
    found = pd.read_csv(report / "full_training.csv")
    assert found["n_labeled"].tolist() == [12, 20, 1200]
    assert found["score"].tolist() == full_training_scores(results)["score"].tolist()
    assert command_line.main(["report", "results"]) == 0
    assert capsys.readouterr().out == shown


def test_what_decided_is_told_in_words(capsys):
    write_texts()
    asks = ["--strategies", "alden_diversity,margin", "--explain"]
    assert run("--data", "own.csv", "--text-column", "text", *asks, "--out", "told") == 0
    shown = capsys.readouterr().out
    assert "what decided most often, by class:" in shown
    asked = pd.read_csv("told/report/asked.csv", keep_default_na=False)
    words = {word for text in TEXTS for word in WordEncoder().fit([text]).vocabulary_}
    assert set(asked[asked["strategy"] == "alden_diversity"]["decided"]) <= words
    rows = [(u, v, c) for (u, v), c in zip(*make_sigmoid(60, random_state=0), strict=True)]
    write("table.csv", rows, ("width", "height", "label"))
    assert run("--data", "table.csv", "--strategies", "dami_kmedoids", "--explain") == 0
    assert "“width” " in capsys.readouterr().out


def test_figures_are_closed():
    from matplotlib import pyplot as plt

    assert run("--dataset", "sigmoid") == 0
    assert plt.get_fignums() == []


@pytest.mark.slow
def test_as_a_process(tmp_path):
    write_texts()
    command = [sys.executable, "-W", "error", "-m", "modal_interp.experiments"]
    given = ["run", *SMALL, "--data", "own.csv", "--text-column", "text", "--out", "texts"]
    for arguments in (given, ["report", "texts"]):
        ran = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        assert "learning_curves.png" in ran.stdout
    ran = subprocess.run([*command, "run"], capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert ran.stderr.startswith("error: one of --dataset NAME and --data FILE is needed")


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.usefixtures("ctrl_c_is_heard")
def test_ctrl_c_on_a_process_leaves_what_goes_on(tmp_path):
    long = ["--dataset", "sigmoid", "--budget", "1000", "--out", "killed"]
    ran = subprocess.Popen(
        [sys.executable, "-m", "modal_interp.experiments", "run", *SMALL, *long],
        stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    while not list(tmp_path.glob("killed/curves/margin/seed-0.jsonl")) and ran.poll() is None:
        time.sleep(0.02)
    ran.send_signal(signal.SIGINT)
    assert "the same command goes on from here" in ran.communicate(timeout=60)[1]
    assert ran.returncode == 130
    assert not list(tmp_path.rglob(".seed-*"))
    assert len(load_results("killed")) > 0
    assert command_line.main(["report", "killed"]) == 0  # though it is not finished


def test_made_up_texts_with_word_vectors(monkeypatch):
    given = {"word_vector_epochs": 1, "module__n_filters": 4}
    write_toml("own.toml", dataset="reviews", estimator_params=given)
    assert run("--config", "own.toml", "--strategies", "alden_diversity,egl_word") == 0
    assert len(load_results("results")) == 4


@pytest.mark.parametrize("step", ["0.05", "60"])
def test_sizes_are_shares_or_counts(step):
    sizes = ["--initial", step, "--step", step, "--budget", "180", "--split", "0.6,0,0.4"]
    assert run("--dataset", "sigmoid", *sizes, "--strategies", "random_sampling") == 0
    assert list(load_results("results")["n_labeled"]) == [60, 120, 180]


@pytest.mark.parametrize(("seeds", "expected"), [("3", [0, 1, 2]), ("0,5", [0, 5]), ("5,", [5])])
def test_seeds_are_a_number_or_named(seeds, expected):
    write_texts()
    own = ["--data", "own.csv", "--text-column", "text", "--no-word-vectors"]
    assert run(*own, "--seeds", seeds, "--strategies", "random_sampling") == 0
    assert sorted(load_results("results")["seed"].unique()) == expected


# Files of one's own.


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("own.csv", {}),
        ("own.csv", {"encoding": "utf-8-sig"}),
        ("own.csv", {"separator": ";"}),
        ("own.csv", {"header": (" text", "label ")}),
        ("own.tsv", {"separator": "\t"}),
        ("own.txt", {"separator": "\t"}),
    ],
)
@pytest.mark.parametrize("compressed", [False, True])
def test_kinds_of_files(name, options, compressed):
    write_texts("plain.csv")
    write_texts(name, **options)
    if compressed:
        with open(name, "rb") as file, gzip.open(f"{name}.gz", "wb") as packed:
            packed.write(file.read())
        name = f"{name}.gz"
    columns = {"label_column": "label", "text_column": "text", "word_vectors": False}
    expected, found = read_problem("plain.csv", **columns), read_problem(name, **columns)
    np.testing.assert_array_equal(found.X, expected.X)
    np.testing.assert_array_equal(found.y, LABELS)


def test_texts_with_line_breaks_quotes_and_separators():
    texts = [f'{text} "quoted",\nsecond; line\tand more' for text in TEXTS]
    write_texts(texts=texts)
    assert run("--data", "own.csv", "--text-column", "text", "--no-word-vectors") == 0
    problem = read_problem("own.csv", label_column="label", text_column="text", word_vectors=False)
    assert len(problem.X) == len(problem.y) == 60


def write_vectors(path, spell=str):
    words = sorted(map(spell, WordEncoder().fit(TEXTS).vocabulary_))
    rows = [f"{word} {number} 0.5" for number, word in enumerate(words)]
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(rows))


def test_word_vectors_of_a_file_and_how_many_words_it_holds(capsys):
    write_texts()
    own = ["--data", "own.csv", "--text-column", "text", "--word-vectors", "glove.txt"]
    write_vectors("glove.txt")
    assert run(*own) == 0
    assert "100.0% of the words have one in glove.txt" in capsys.readouterr().out
    write_vectors("glove.txt", str.upper)
    with pytest.warns(UserWarning, match="lower-casing the words of vectors would find 100.0%"):
        assert run(*own, "--out", "other") == 0


@pytest.mark.parametrize("name", ["glove.txt", "vectors.kv", "vectors.bin"])
def test_no_pickle_of_word_vectors_is_loaded(name, tmp_path, capsys):
    class Payload:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "ran"),)

    write_texts()
    (tmp_path / name).write_bytes(pickle.dumps(Payload()))
    assert run("--data", "own.csv", "--text-column", "text", "--word-vectors", name) != 0
    assert "it is a pickle, which could run any code" in capsys.readouterr().err
    assert not (tmp_path / "ran").exists()


def test_some_texts_may_be_empty_and_null_is_a_word():
    texts = ["", " ", "null", "nan", "NA", *TEXTS[5:]]
    write_texts(texts=texts)
    assert run("--data", "own.csv", "--text-column", "text", "--no-word-vectors") == 0
    problem = read_problem("own.csv", label_column="label", text_column="text", word_vectors=False)
    assert (problem.X[:5] != 0).sum(axis=1).tolist() == [0, 0, 1, 1, 1]
    write_texts(texts=texts, labels=["null", *LABELS[1:]])  # but it is no class
    problem = read_problem("own.csv", label_column="label", text_column="text", word_vectors=False)
    assert problem.y.tolist() == LABELS[1:].tolist()


def test_labels_that_are_numbers_stay_numbers():
    write_texts(labels=CLASSES)
    assert run(
        "--data", "own.csv", "--text-column", "text", "--no-word-vectors", "--scoring", "f1"
    ) == 0  # fmt: skip
    for labels, kind in (([0, -3], "i"), (["01", "1"], "U"), (["1.0", "2"], "U")):
        write_texts(labels=np.array(labels)[CLASSES])
        y = read_problem("own.csv", label_column="label", text_column="text", word_vectors=False).y
        assert y.dtype.kind == kind
        assert set(y) == set(labels)


def test_a_class_of_one_row():
    write_texts(labels=["odd", *LABELS[1:]])
    assert run("--data", "own.csv", "--text-column", "text", "--no-word-vectors") == 0


def test_a_table():
    write_table()
    assert run("--data", "table.csv", "--strategies", "dami_kmedoids,badge") == 0
    problem = read_problem("table.csv", label_column="label")
    assert problem.X.shape == (40, 4)  # u, v, colour, empty; the first column has no name
    assert np.isfinite(problem.X).all()
    raw, _ = make_sigmoid(40, random_state=0)
    known = np.delete(raw[:, 0], [3, 4])
    np.testing.assert_allclose(np.delete(problem.X[:, 0], [3, 4]), known)
    np.testing.assert_allclose(problem.X[[3, 4], 0], np.median(known))
    np.testing.assert_array_equal(problem.X[:, 2], np.arange(40) % 3)
    seen = problem.estimator[:-1].fit(problem.X).transform(problem.X)
    np.testing.assert_allclose(seen[:, :3].mean(axis=0), 0, atol=1e-12)
    np.testing.assert_array_equal(seen[:, 3:], np.eye(3)[np.arange(40) % 3])


def test_a_table_with_text_labels_and_a_column_called_self():
    X, y = make_sigmoid(40, random_state=0)
    write("t.csv", [(x[0], "ab"[i % 2], y[i]) for i, x in enumerate(X)], ("x", "self", "label"))
    assert read_problem("t.csv", label_column="label").X[:4, 1].tolist() == [0, 1, 0, 1]


def test_huge_batches():
    assert run("--dataset", "sigmoid", "--batch-size", 10**9, "--strategies", "margin") == 0


def write_several(path="several.csv"):
    """Write texts with a label in each of two columns, and both in a third; the last has none."""
    odd = [int(i % 3 == 0) for i in range(60)]
    both = ["|".join(["pos"] * y + ["odd"] * z) or "|" for y, z in zip(CLASSES, odd, strict=True)]
    rows = list(zip(TEXTS, CLASSES, odd, both, strict=True))
    write(path, [*rows, (TEXTS[0], "", "", "")], ("text", "pos", "odd", "both"))


def test_several_labels_a_row(capsys):
    write_several()
    told = ["--data", "several.csv", "--text-column", "text", "--no-word-vectors"]
    told += ["--scoring", "f1_macro"]
    assert run(*told, "--label-column", "pos", "--label-column", "odd", "--out", "columns") == 0
    assert f"2, several a row: pos {sum(CLASSES)}, odd 20" in capsys.readouterr().out
    columns = read_problem(
        "several.csv", label_column=["pos", "odd"], text_column="text", word_vectors=False
    )
    assert columns.y.tolist() == [[int(y), int(i % 3 == 0)] for i, y in enumerate(CLASSES)]
    assert run(*told, "--label-column", "both", "--label-separator", "|", "--out", "cells") == 0
    assert "1 of 61 rows left out" in capsys.readouterr().out


def test_what_was_decided_is_told_before_training(capsys, monkeypatch):
    write_texts(separator="\t")
    monkeypatch.setattr(command_line, "run_experiment", lambda *_, **__: None)
    monkeypatch.setattr(command_line, "_report", lambda *_: 0)
    given = ["--data", "own.csv", "--text-column", "text", "--no-word-vectors", "--max-length", "9"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert run(*given) == 0
    out = capsys.readouterr().out
    for line in (
        "rows       60 of 60",
        "encoding   UTF-8",
        "separator  tab",
        "2 classes in column",
    ):
        assert line in out
    assert "of the texts after 9 words" in out


def test_a_tokenizer_of_ones_own():
    write_texts()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        problem = read_problem(
            "own.csv", label_column="label", text_column="text", word_vectors=False, tokenizer=list
        )
    assert problem.X.shape[1] == max(map(len, TEXTS))
    given = ["--data", "own.csv", "--text-column", "text", "--no-word-vectors"]
    assert run(*given, "--tokenizer", "builtins:list") == 0


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--tokenizer", "nowhere:split"], "tokenizer must be module:function"),
        (["--tokenizer", "os"], "tokenizer must be module:function"),
        (["--tokenizer", "os:sep"], "tokenizer must be a function"),
        (["--max-length", "0"], "max_length must be at least 1 and"),
        (["--encoding", "utf-99"], "encoding must be one that Python knows"),
        (["--separator", ";;"], "separator must be one character"),
        (["--quote", "''"], "quote must be one character or 'none'"),
        (["--drop", "nothing"], "drop must be a column of own.csv"),
        (["--drop", "text"], "drop must name columns that are not needed; found 'text'"),
        (["--decimal", ";"], "--decimal"),
        (["--word-vectors", "gone.txt"], "gone.txt"),
    ],
)
def test_flags_of_files_that_cannot_be(capsys, flags, message):
    write_texts()
    assert message in refused(capsys, "--data", "own.csv", "--text-column", "text", *flags)


# A file of settings.


def write_toml(path, **settings):
    params = settings.pop("estimator_params", {})
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    if params:
        lines += ["[estimator_params]", *(f"{n} = {json.dumps(v)}" for n, v in params.items())]
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines))


IN_A_FILE = {
    "dataset": "sigmoid", "seeds": [0, 3], "initial": 10, "step": 0.01, "budget": 30,
    "max-epochs": 1, "batch_size": 5, "lr": 0.02, "strategies": ["margin", "random_sampling"],
    "split": [0.5, 0.2, 0.3], "scoring": "f1", "warm_start": True, "n_jobs": 1, "out": "file",
    "acquisition-period": 2, "early_stopping": True, "patience": 1, "full_training": [0.1, 1.0],
}  # fmt: skip


def test_a_file_does_what_flags_do(tmp_path):
    write_toml("own.toml", **IN_A_FILE)
    assert command_line.main(["run", "--config", "own.toml"]) == 0
    flags = ["--dataset", "sigmoid", "--seeds", "0,3", "--initial", "10", "--step", "0.01",
             "--budget", "30", "--max-epochs", "1", "--batch-size", "5", "--lr", "0.02",
             "--strategies", "margin, random_sampling", "--split", "0.5,0.2,0.3",
             "--scoring", "f1", "--warm-start", "--n-jobs", "1", "--out", "flags",
             "--acquisition-period", "2", "--early-stopping", "--patience", "1",
             "--full-training", "0.1,1.0"]  # fmt: skip
    assert command_line.main(["run", *flags]) == 0
    assert result_bytes(tmp_path / "file") == result_bytes(tmp_path / "flags")
    assert len(result_bytes(tmp_path / "file")) == 9


def test_flags_win_over_the_file():
    write_toml("own.toml", **{**IN_A_FILE, "strategies": "margin"})
    flags = ["--step", "10", "--seeds", "1", "--out", "other"]
    assert command_line.main(["run", "--config", "own.toml", *flags]) == 0
    results = load_results("other")
    assert list(results["n_labeled"]) == [10, 20, 30]
    assert set(results["strategy"]) == {"margin"}


def test_a_flag_of_data_wins_over_those_of_the_file():
    write_toml("own.toml", data="gone.csv", text_column="text", label_column="y")
    assert run("--config", "own.toml", "--dataset", "sigmoid") == 0
    write_toml("own.toml", dataset="sigmoid")
    write_table()
    assert run("--config", "own.toml", "--data", "table.csv", "--out", "table") == 0


def test_bald_on_a_table_takes_dropout_from_the_file():
    write_toml("own.toml", dataset="sigmoid", estimator_params={"module__dropout": 0.5})
    assert run("--config", "own.toml", "--strategies", "bald") == 0


# What is refused, before anything is trained or written.


def refused(capsys, *arguments, command="run"):
    """Return the one line of an error, and check that it stayed at that."""
    before = set(os.listdir())
    given = [command, *map(str, arguments)] if command == "report" else ["run", *SMALL, *arguments]
    assert command_line.main([str(part) for part in given]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: ")
    assert shown.err.count("\n") == 1
    assert set(os.listdir()) == before
    return shown.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "one of --dataset NAME and --data FILE is needed"),
        ("--dataset sigmoid --data a.csv", "and not both"),
        ("--dataset nope", "--dataset: invalid choice: 'nope'"),
        ("--dataset sigmoid --step 2%", "a share such as 0.02 or a count such as 100; found '2%'"),
        ("--dataset sigmoid --step -1", "step must be a share in (0, 1] as a float or a count"),
        ("--dataset sigmoid --step nan", "found nan"),
        ("--dataset sigmoid --budget 2.0", "budget must be a share"),
        ("--dataset sigmoid --budget 5000", "at most the 1200 training rows"),
        ("--dataset sigmoid --seeds ten", "such as 0,1,2; found 'ten'"),
        ("--dataset sigmoid --seeds 0-3", "found '0-3'"),
        ("--dataset sigmoid --seeds 1,1", "seeds must be a number of repetitions"),
        ("--dataset sigmoid --seeds 0", "seeds must be a number of repetitions"),
        ("--dataset sigmoid --split a,b,c", "found 'a'"),
        ("--dataset sigmoid --split 0.6,0.4", "split must be (train, validation, test)"),
        ("--dataset sigmoid --split 0.8,0,0.2 --early-stopping", "needs a validation part"),
        ("--dataset sigmoid --strategies nope", "out of alden_diversity, badge"),
        ("--dataset sigmoid --strategies ,", "at least one query strategy"),
        ("--dataset sigmoid --strategies margin, badge", "unrecognized arguments: badge"),
        ("--dataset sigmoid --strategies egl_word", "'egl_word' looks at the words of texts"),
        ("--dataset sigmoid --strategies bald", "'bald' needs dropout"),
        ("--dataset sigmoid --scoring auc", "scoring must be a scorer of scikit-learn"),
        ("--dataset sigmoid --estimator cnn", "must be 'mlp' for the table 'sigmoid'"),
        ("--dataset reviews --estimator mlp", "must be one of cnn, bilstm, cnn_lstm for texts"),
        ("--dataset sigmoid --text-column text", "text_column must come with --data"),
        ("--dataset sigmoid --no-word-vectors", "word_vectors must come with texts"),
        ("--dataset sigmoid --max-epochs 0", "max_epochs must be a whole number, at least 1"),
        ("--dataset sigmoid --batch-size -1", "batch_size must be a whole number, at least 1"),
        ("--dataset sigmoid --lr nan", "lr must be a number above 0; found nan"),
        ("--dataset sigmoid --acquisition-period 0", "acquisition_period must be a whole number"),
        ("--dataset sigmoid --acquisition-period 2.5", "a whole number such as 10; found '2.5'"),
        ("--dataset sigmoid --early-stopping test", "invalid choice: 'test'"),
        ("--dataset sigmoid --patience 3", "patience must come with early_stopping"),
        ("--dataset sigmoid --full-training 2%", "a share such as 0.02 or a count"),
        ("--dataset sigmoid --full-training 1.5", "full_training must be True or False, or a list"),
        ("--dataset sigmoid --full-training 5000", "no more than there are; found 5000"),
        ("--dataset sigmoid --n-jobs 0", "n_jobs must be a whole number other than 0; found 0"),
        ("--dataset sigmoid --n-threads -1", "n_threads must be at least 1; found -1"),
        ("--dataset sigmoid --bugdet 3", "unrecognized arguments: --bugdet 3"),
        ("--data gone.csv", "--data must be a file; found 'gone.csv'"),
        ("--config gone.toml", "--config must be a TOML file; gone.toml cannot be read"),
    ],
)  # fmt: skip
def test_mistyped_flags(capsys, arguments, message):
    assert message in refused(capsys, *arguments.split())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"bugdet": 0.5},
            "sets 'bugdet', which does not exist; what does: acquisition_period",
        ),
        ({"config": "a"}, "sets 'config', which does not exist"),
        ({"out": 3}, "out must be a string; found 3"),
        ({"strategies": 3}, "strategies must be names of strategies; found 3"),
        ({"split": 3}, "split must be (train, validation, test); found 3"),
        ({"step": "2%"}, "step must be a share"),
        ({"seeds": "ten"}, "seeds must be a number"),
        ({"warm_start": "no"}, "warm_start must be true or false; found 'no'"),
        ({"early_stopping": "test"}, "or the loss to stop by"),
        ({"early_stopping": 1}, "early_stopping must be true, false, 'validation' or 'training'"),
        ({"acquisition_period": "5"}, "acquisition_period must be a whole number of epochs"),
        ({"full_training": 0.5}, "full_training must be true, false, or shares and counts"),
        ({"full_training": ["all"]}, "full_training must be True or False, or a list of shares"),
        ({"max_epochs": 1.5}, "max_epochs must be a whole number, at least 1; found 1.5"),
        ({"lr": "fast"}, "lr must be a number above 0; found 'fast'"),
        ({"dataset": "nope"}, "dataset must be one of mr, subj"),
        ({"tokenizer": "os:system"}, "tokenizer must be given as a flag, --tokenizer"),
        ({"drop": 3}, "drop must be names of columns; found 3"),
        ({"decimal": ","}, "decimal must come with --data FILE"),
        ({"max_length": 5}, "max_length must come with texts; found it with a table"),
        ({"estimator": "svm"}, "estimator must be one of cnn, bilstm, cnn_lstm, mlp; found 'svm'"),
        ({"estimator_params": {"nope": 1}}, "parameters of TabularMLPClassifier; found 'nope'"),
        ({"estimator_params": {"module__nope": 1}}, "found 'module__nope'"),
        ({"estimator_params": {"optimizr__nope": 1}}, "found 'optimizr__nope'"),
    ],
)
def test_mistyped_files(capsys, settings, message):
    write_toml("own.toml", **{"dataset": "sigmoid", "n_jobs": 1, **settings})
    assert command_line.main(["run", "--config", "own.toml"]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert os.listdir() == ["own.toml"]


def test_a_file_that_is_no_toml(capsys):
    with open("own.toml", "w") as file:
        file.write('dataset = "sigmoid')
    assert "own.toml cannot be read (Unterminated string" in refused(capsys, "--config", "own.toml")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"encoding": "cp1251", "texts": ["не"] * 60}, "must be a CSV file in UTF-8"),
        ({"labels": ["neg", *[" "] * 59]}, "found 1 in the 1 rows of 'label'"),
        ({"labels": ["neg", *["null"] * 59]}, "(59 rows have no label)"),
        ({"labels": ["neg"] * 60}, "at least two classes, with two rows each on average; found 1"),
        ({"labels": np.arange(60) / 7}, "found 60 in the 60 rows of 'label'"),
        ({"texts": [""] * 60}, "text_column must hold texts; found none in 'text'"),
        ({"texts": [], "labels": []}, "must hold rows below its header line; found none"),
        ({"header": ("text", "y")}, "label_column must be a column of own.csv, one of 'text', 'y'"),
        ({"header": ("x", "label")}, "text_column must be a column of own.csv"),
        ({"header": (TEXTS[0] * 9, "label")}, "...', 'label'; found 'text'"),
    ],
)
def test_files_that_cannot_be_used(capsys, options, message):
    write_texts(**options)
    assert message in refused(capsys, "--data", "own.csv", "--text-column", "text")


def test_columns_of_one_name(capsys):
    write("own.csv", [(t, y, y) for t, y in zip(TEXTS, LABELS, strict=True)],
          ("text", "label", "label"))  # fmt: skip
    assert "found 'label' twice" in refused(capsys, "--data", "own.csv", "--text-column", "text")


def test_rows_of_other_lengths(capsys):
    write("own.csv", [*zip(TEXTS, LABELS, strict=True), ("a", "b", "c")])
    error = refused(capsys, "--data", "own.csv", "--text-column", "text")
    assert "as many columns in each row" in error
    assert "line 62" in error
    with open("short.csv", "w") as file:
        file.write("text,label\na,1\nb\n")
    error = refused(capsys, "--data", "short.csv", "--text-column", "text")
    assert "line 3 has 1" in error


def test_an_empty_file_and_a_folder(capsys, tmp_path):
    open("own.csv", "w").close()
    assert "No columns to parse" in refused(capsys, "--data", "own.csv")
    (tmp_path / "folder.csv").mkdir()
    assert "folder.csv must be a CSV file" in refused(capsys, "--data", "folder.csv")


def test_texts_taken_for_a_table(capsys):
    write_texts()
    assert "60 different ones" in (error := refused(capsys, "--data", "own.csv"))
    assert "Name a column of texts, --text-column" in error


def test_numbers_that_are_none(capsys):
    X, y = make_sigmoid(40, random_state=0)
    for bad in ("inf", "-1e300"):
        write("t.csv", [(bad if i == 3 else X[i, 0], y[i]) for i in range(40)], ("u", "label"))
        error = refused(capsys, "--data", "t.csv")
        assert f"must be finite and fit float32; found {bad} in 'u'" in error
    write("t.csv", [(X[i, 0] if i else "1,5 or so", y[i]) for i in range(40)], ("u", "label"))
    assert "write numbers with a point" in refused(capsys, "--data", "t.csv")


def test_a_table_of_labels_alone(capsys):
    write("t.csv", [(i % 2,) for i in range(40)], ("label",))
    assert "must have a column besides its labels" in refused(capsys, "--data", "t.csv")


def test_networks_for_texts_on_a_table(capsys):
    write_table()
    error = refused(capsys, "--data", "table.csv", "--estimator", "bilstm")
    assert "estimator='bilstm' reads texts: name their column" in error
    assert "'u', 'v', 'colour'" in error


def test_a_column_for_both(capsys):
    write_texts()
    given = ["--data", "own.csv", "--text-column", "label"]
    assert "must differ; found 'label' for both" in refused(capsys, *given)


def test_a_folder_of_another_experiment(capsys, tmp_path):
    assert run("--dataset", "sigmoid") == 0
    before = result_bytes(tmp_path / "results")
    capsys.readouterr()
    assert run("--dataset", "sigmoid", "--lr", "0.5") == 2
    error = capsys.readouterr().err
    assert "made differently" in error
    assert "estimator / params / lr: 0.003 there, 0.5 here" in error
    assert result_bytes(tmp_path / "results") == before


def test_results_in_a_file(capsys):
    write_texts()
    given = ["--dataset", "sigmoid", "--out", "own.csv"]
    assert "out must be a folder; found the file 'own.csv'" in refused(capsys, *given)


# Interrupted, and reports of little.


def test_ctrl_c(monkeypatch, capsys):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(command_line, "run_experiment", interrupted)
    assert run("--dataset", "sigmoid") == 130
    assert "the same command goes on from here" in capsys.readouterr().err


def test_a_curve_that_fails_is_named(capsys):
    assert run("--dataset", "sigmoid", "--strategies", "badge", "--lr", "1e30") == 2
    assert "badge with seed 0 failed after 1 rounds" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["missing", "empty", "others", "file"])
def test_reports_of_what_holds_no_results(capsys, tmp_path, kind):
    if kind != "missing":
        (tmp_path / "folder").touch() if kind == "file" else (tmp_path / "folder").mkdir()
    if kind == "others":
        (tmp_path / "folder" / "notes.txt").touch()
    assert "folder holds no results" in refused(capsys, "folder", command="report")


def test_a_report_before_the_first_round(capsys, tmp_path):
    assert run("--dataset", "sigmoid") == 0
    for path in tmp_path.glob("results/curves/[mr]*/*.jsonl"):
        path.unlink()
    assert command_line.main(["report", "results"]) == 2
    assert "nothing to report yet" in capsys.readouterr().err


def test_reports_of_unfinished_curves(capsys, tmp_path):
    assert run("--dataset", "sigmoid", "--seeds", "2", "--budget", "40") == 0
    path = tmp_path / "results" / "curves" / "margin" / "seed-1.jsonl"
    path.write_text(path.read_text().partition("\n")[0] + "\n")  # round 0 alone
    assert command_line.main(["report", "results"]) == 0
    summary = pd.read_csv("results/report/summary.csv", index_col="strategy")
    assert summary["n_unfinished"].tolist() == [1, 0]
    assert summary["n_seeds"].tolist() == [1, 2]


def test_reports_of_one_strategy_or_one_round(tmp_path):
    assert run("--dataset", "sigmoid", "--strategies", "margin") == 0
    assert run("--dataset", "sigmoid", "--budget", "10", "--out", "one") == 0
    for folder in ("results", "one"):
        names = {path.name for path in (tmp_path / folder / "report").iterdir()}
        assert names == REPORT - {"pairwise_matrix.png"}


# Numbers beyond all use.

HUGE = "9" * 20
LONG = "9" * 5000


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        *((f"--{name}", value)
          for name in ("seeds", "initial", "step", "budget", "n-jobs", "n-threads", "max-epochs",
                       "batch-size")
          for value in (HUGE, LONG) if (name, value) != ("step", HUGE)),
        ("--seeds", f"0,{HUGE}"), ("--seeds", f"0,{LONG}"), ("--seeds", "1000000000"),
        ("--step", "1e-300"), ("--step", "5e-324"), ("--step", "1e400"), ("--budget", "1e400"),
        ("--step", "1e-9"), ("--split", f"{HUGE},1,1"), ("--split", f"{LONG},1,1"),
        ("--lr", "1e400"), ("--lr", "1e300"), ("--lr", HUGE * 20), ("--n-jobs", f"-{HUGE}"),
        ("--n-jobs", "100000"), ("--max-epochs", "1e400"), ("--max-epochs", "1000000000"),
    ],
)  # fmt: skip
def test_huge_numbers_in_flags(capsys, flag, value):
    if flag != "--n-jobs" or not value.startswith("-"):
        error = refused(capsys, "--dataset", "sigmoid", flag, value)
    else:
        error = refused(capsys, "--dataset", "sigmoid", f"{flag}={value}")
    assert error.count("\n") == 1
    assert len(error) < 400


def test_huge_lengths_of_texts(capsys):
    for value in (HUGE, LONG):
        assert "max_length" in refused(
            capsys, "--dataset", "reviews", "--max-length", value
        ).replace("-", "_")


def test_a_huge_step_goes_to_the_end_at_once():
    assert run("--dataset", "sigmoid", "--step", HUGE, "--initial", "20", "--budget", "30") == 0
    assert load_results("results")["n_labeled"].unique().tolist() == [20, 30]


@pytest.mark.parametrize(
    "line",
    [
        *(f"{name} = {value}"
          for name in ("seeds", "budget", "n_jobs", "n_threads", "max_epochs", "batch_size", "lr")
          for value in (HUGE + "0" * 400, "0x" + "f" * 5000, "inf", "nan", LONG)),
        f"seeds = [0, {HUGE}]", "step = 1e-300", "initial = 1e400", f"split = [{HUGE}, 1, 1]",
        *(f"estimator_params = {{ {param} }}"
          for param in (f"max_epochs = {HUGE}", f"module__hidden = [{HUGE}]", "lr = inf",
                        "batch_size = 0x" + "f" * 5000, "optimizer__weight_decay = 1e400",
                        f"n_iter_no_change = {HUGE}")),
    ],
)  # fmt: skip
def test_huge_numbers_in_files(capsys, line):
    with open("own.toml", "w", encoding="utf-8") as file:
        file.write(f'dataset = "sigmoid"\n{line}\n')
    assert command_line.main(["run", "--config", "own.toml"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert len(error) < 400
    assert os.listdir() == ["own.toml"]
