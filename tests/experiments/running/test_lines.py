"""What a results folder holds is checked line by line; nothing outside is read or written."""

import json
import os

import pytest

from modal_interp import margin, random_sampling
from modal_interp.experiments import load_results
from modal_interp.experiments.__main__ import main
from modal_interp.experiments.running import storage
from tests.experiments.small import run_small


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    run_small(folder, seeds=1, strategies=[random_sampling])
    return folder


def _file(folder, kind):
    strategy = "full_training" if kind == "full" else "random_sampling"
    return folder / ("times" if kind == "times" else "curves") / strategy / "seed-0.jsonl"


# Of the curve, the second line is changed; of the others the first.
DAMAGE = [
    ("curve", {"score": "0.5"}, "a number in 'score'"),
    ("curve", {"score": None}, "a number in 'score'"),
    ("curve", {"score": True}, "a number in 'score'"),
    ("curve", {"validation_score": [0.5]}, "a number or null in 'validation_score'"),
    ("curve", {"round": 1.0}, "a whole number from 0 in 'round'"),
    ("curve", {"round": True}, "a whole number from 0 in 'round'"),
    ("curve", {"round": 5}, "the rounds 0, 1, 2, ..."),
    ("curve", {"n_labeled": 31}, "as many new rows"),
    ("curve", {"n_labeled": -1}, "a whole number from 0 in 'n_labeled'"),
    ("curve", {"n_labeled": "30"}, "a whole number from 0 in 'n_labeled'"),
    ("curve", {"queried": 3}, "distinct whole numbers from 0 in 'queried'"),
    ("curve", {"queried": [1, 1]}, "distinct whole numbers from 0 in 'queried'"),
    ("curve", {"queried": [-1, 2]}, "distinct whole numbers from 0 in 'queried'"),
    ("curve", {"queried": [[1]]}, "distinct whole numbers from 0 in 'queried'"),
    ("curve", {"queried": [10**30]}, "distinct whole numbers from 0 in 'queried'"),
    ("curve", {"queried": []}, "as many new rows"),
    ("curve", {"queried": None}, "distinct whole numbers from 0 in 'queried'"),
    ("curve", {"strategy": "other"}, "round, n_labeled, score, validation_score, queried in each"),
    ("curve", {"seed": 3}, "round, n_labeled, score, validation_score, queried in each"),
    ("full", {"score": {}}, "a number in 'score'"),
    ("full", {"queried": [1]}, "one round, which asked for no rows"),
    ("times", {"round": -1}, "a whole number from 0 in 'round'"),
    ("times", {"round": 3}, "rounds in rising order"),
    ("times", {"fit_seconds": "1"}, "a number of seconds in 'fit_seconds'"),
    ("times", {"query_seconds": -1}, "a number of seconds in 'query_seconds'"),
    ("times", {"score_seconds": float("inf")}, "a number of seconds in 'score_seconds'"),
    ("times", {"score": 1.0}, "round, query_seconds, fit_seconds, score_seconds in each"),
]


@pytest.mark.parametrize(("kind", "change", "message"), DAMAGE, ids=str)
def test_values_that_do_not_fit_are_named(whole, kind, change, message):
    file = _file(whole, kind)
    before = file.read_bytes()
    lines = [json.loads(line) for line in before.splitlines()]
    lines[kind == "curve"].update(change)
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    try:
        with pytest.raises(ValueError, match="must hold") as told:
            load_results(whole)
        assert str(file) in str(told.value)
        assert message in str(told.value)
        assert message.startswith(("the r", "one r", "rounds in")) or (
            f"in line {1 + (kind == 'curve')}" in str(told.value)
        )
        if kind != "full":
            with pytest.raises((ValueError, RuntimeError)) as told:
                run_small(whole, seeds=1, strategies=[random_sampling])
            assert str(file) in str(told.value)
    finally:
        file.write_bytes(before)


@pytest.mark.parametrize("kind", ["curve", "full", "times"])
@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"{}\n", b"null\n", b"\xff\xfe{}\n", b"\x00\n", b"[" * 100_000, b'{"round": 0}\n',
     b'{"round": 0, "round": 0}\n', b"version https://git-lfs.github.com/spec/v1\n"],
    ids=lambda content: repr(content[:12]),
)  # fmt: skip
def test_other_contents_are_named(whole, kind, content):
    file = _file(whole, kind)
    before = file.read_bytes()
    file.write_bytes(content)
    try:
        with pytest.raises(ValueError, match="must hold") as told:
            load_results(whole)
        assert str(file) in str(told.value)
    finally:
        file.write_bytes(before)


def test_a_missing_name_is_named(whole):
    for kind in ("curve", "full", "times"):
        file = _file(whole, kind)
        before = file.read_bytes()
        first, *others = before.splitlines(keepends=True)
        for name in json.loads(first):
            line = {key: value for key, value in json.loads(first).items() if key != name}
            file.write_bytes(json.dumps(line).encode() + b"\n" + b"".join(others))
            with pytest.raises(ValueError, match="must hold") as told:
                load_results(whole)
            assert str(file) in str(told.value)
        file.write_bytes(before)
    assert len(load_results(whole)) == 7


def _swapped_rows(lines, train):
    lines[0]["queried"][0], lines[1]["queried"][0] = lines[1]["queried"][0], lines[0]["queried"][0]


def _test_row(lines, train):
    lines[1]["queried"][0] = next(row for row in range(200) if row not in train)


def _larger(lines, train):
    lines[1]["queried"].append(next(row for row in train if row not in lines[1]["queried"]))
    labeled = set(lines[0]["queried"]) | set(lines[1]["queried"])
    lines[1]["n_labeled"] = len(labeled)
    del lines[2:]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_swapped_rows, "the seed set of its seed"),
        (_test_row, "rows of the training part"),
        (_larger, "rounds of .* labelled samples"),
    ],
)
def test_rounds_of_another_split_or_size_are_not_continued(tmp_path, change, message):
    def run():
        run_small(tmp_path, seeds=1, strategies=[random_sampling, margin])

    run()
    curve = storage.Curve(tmp_path, "random_sampling", 0)
    lines = curve.rounds()
    train = sorted(row for line in lines for row in line["queried"])
    if change is _larger:
        # A row of the training part that was never asked for.
        other = storage.Curve(tmp_path, "margin", 0).rounds()
        train = [row for line in other for row in line["queried"] if row not in train]
    change(lines, train if change is _larger else _training_part())
    storage.write_lines(curve.rounds_file, lines)
    storage.Curve(tmp_path, "margin", 0).rounds_file.unlink()
    with pytest.raises(RuntimeError, match=message) as told:
        run()
    assert str(curve.rounds_file) in str(told.value)
    assert len(storage.Curve(tmp_path, "margin", 0).rounds()) == 7  # the others are run first


def _training_part():
    from modal_interp import make_sigmoid
    from modal_interp.experiments.running.plan import split_rows

    return set(split_rows(make_sigmoid(200, random_state=0)[1], (0.6, 0.2, 0.2), 0).train.tolist())


# Names.

NAMES = ["..", ".", "../other", "a/b", "a\\b", "/tmp", "C:a", "", " a", "a ", "a.", "a\n", "a\0",
         "-a", "full_training", "Full_Training", "con", "NUL", "com1.txt", "Lpt9", "aux",
         "\u6f22" * 34, "e" * 101, "\U0001f600", "\ud800", "_a", 3, None, "COM\u00b9"]  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_names_that_cannot_name_a_folder_are_refused(tmp_path, name):
    with pytest.raises(ValueError, match="a strategy's name must be made of"):
        run_small(tmp_path / "out", strategies={name: random_sampling})
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "name", ["\u6f22" * 33, "e" * 100, "a.b", "\u00e9t\u00e9=1+2-3", "console"]
)
def test_names_that_can_are_taken(tmp_path, name):
    run_small(tmp_path, seeds=[2**63 - 1], strategies={name: random_sampling}, budget=30)
    assert set(load_results(tmp_path)["strategy"]) == {name}


def test_names_that_differ_in_capitals_alone_are_refused(tmp_path):
    with pytest.raises(ValueError, match="found 'one' and 'One'"):
        run_small(tmp_path / "out", strategies={"one": random_sampling, "One": margin})
    run_small(tmp_path, seeds=1, budget=30, strategies={"one": random_sampling})
    with pytest.raises(ValueError, match="found 'one' and 'ONE'"):
        run_small(tmp_path, seeds=1, budget=30, strategies={"ONE": random_sampling})
    assert len(load_results(tmp_path)) == 2


def test_seeds_that_are_too_large_for_a_column_are_refused(tmp_path):
    with pytest.raises(ValueError, match="seeds must be"):
        run_small(tmp_path / "out", seeds=[2**63])
    assert not (tmp_path / "out").exists()


# What is received.


def _received(whole, tmp_path, change):
    settings = storage.read_settings(whole)
    change(settings)
    (tmp_path / "received").mkdir()
    (tmp_path / "received" / "settings.json").write_text(json.dumps(settings))
    return tmp_path / "received"


@pytest.mark.parametrize("name", [name for name in NAMES if isinstance(name, str)], ids=ascii)
def test_received_names_lead_nowhere(whole, tmp_path, name):
    def change(settings):
        settings["strategies"] = {name: "x"}

    folder = _received(whole, tmp_path, change)
    for use in (load_results, lambda folder: run_small(folder, seeds=1)):
        with pytest.raises(ValueError, match="is no name of a strategy") as told:
            use(folder)
        assert str(folder / "settings.json") in str(told.value)


@pytest.mark.parametrize(
    "change",
    [{"strategies": ["a"]}, {"strategies": {"a": 1}}, {"versions": "1"}, {"versions": {"torch": 2}},
     {"experiment": None}, {"data": {}}, {"estimator": "a"}],
    ids=str,
)  # fmt: skip
def test_settings_of_another_form_are_named(whole, tmp_path, change):
    folder = _received(whole, tmp_path, lambda settings: settings.update(change))
    with pytest.raises(ValueError, match=r"settings\.json must hold data, estimator"):
        load_results(folder)


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
@pytest.mark.parametrize(
    "path",
    ["curves", "times", "curves/random_sampling", "curves/random_sampling/seed-0.jsonl",
     "times/random_sampling/seed-0.jsonl", "curves/full_training", "settings.json", "locks"],
)  # fmt: skip
def test_received_links_lead_nowhere(tmp_path, path):
    private, received = tmp_path / "private", tmp_path / "received"
    for folder in (private, received):
        run_small(folder, seeds=1, strategies=[random_sampling], budget=40)
    (received / path).rename(tmp_path / "was here")
    (received / path).symlink_to(private / path)
    before = {file: file.read_bytes() for file in private.rglob("*") if file.is_file()}
    if path != "locks":
        with pytest.raises(ValueError, match="found a link to"):
            load_results(received)
    with pytest.raises((ValueError, RuntimeError), match="found a link to"):
        run_small(received, seeds=1, strategies=[random_sampling], budget=40)
    assert {file: file.read_bytes() for file in private.rglob("*") if file.is_file()} == before


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_report_is_not_written_through_a_link(tmp_path, capsys):
    (tmp_path / "elsewhere").mkdir()
    run_small(tmp_path / "out", seeds=1, strategies=[random_sampling], budget=40)
    (tmp_path / "out" / "report").symlink_to(tmp_path / "elsewhere")
    assert main(["report", str(tmp_path / "out")]) == 2
    assert "found a link to" in capsys.readouterr().err
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_the_folder_itself_may_be_a_link(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "disk")
    run_small(tmp_path / "out", seeds=1, strategies=[random_sampling], budget=40)
    assert len(load_results(tmp_path / "out")) == 3


def test_results_of_an_earlier_version_are_read_and_not_continued(tmp_path):
    run_small(tmp_path, seeds=1, strategies=[random_sampling], budget=40)
    settings = storage.read_settings(tmp_path)
    del settings["identity"]
    (tmp_path / "settings.json").write_text(json.dumps(settings))
    assert len(load_results(tmp_path)) == 3
    with pytest.raises(ValueError, match="results of another version of this package"):
        run_small(tmp_path, seeds=1, strategies=[random_sampling], budget=40)
