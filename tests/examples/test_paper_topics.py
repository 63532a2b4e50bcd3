"""The study of paper topics runs, on made-up texts; the real one takes hours."""

from functools import partial

import numpy as np
import pandas as pd
import pytest

from modal_interp import datasets, make_reviews
from tests.examples.conftest import FOLDER

pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason="runs in a checkout")


@pytest.fixture
def study(monkeypatch, script):
    """Return the script, with made-up texts and few curves."""
    topics = script("paper_topics")
    topics.texts.cache_clear()
    monkeypatch.setattr(topics, "texts", lambda source: make_reviews(160, random_state=0))
    trained = partial(topics.bilstm, width=4)
    tiny = {
        "methods-bilstm": ["random_sampling", "least_confidence"],
        "retrain-bilstm": ["random_sampling", "least_confidence"],
    }
    for name, strategies in tiny.items():
        changed = {"net": trained, "strategies": topics.chosen(*strategies)}
        options = {**topics.STUDIES[name].options, "scoring": "accuracy", "acquisition_period": 1}
        changed["options"] = {**options, "full_training": [0.2] if "methods" in name else False}
        monkeypatch.setitem(topics.STUDIES, name, topics.STUDIES[name]._replace(**changed))
    sizes = {"initial": 20, "step": 10, "budget": 60, "split": (100, 20, 40)}
    monkeypatch.setattr(topics, "QUICK", sizes)
    return topics


def test_curves_become_tables_and_figures(study, monkeypatch, script, tmp_path, capsys):
    names = ["methods-bilstm", "retrain-bilstm"]
    command = ["paper_topics", "--quick", "--studies", *names, "--out", str(tmp_path)]
    monkeypatch.setattr("sys.argv", command)
    study.main()
    report, out = script("paper_topics_report"), tmp_path / "docs"
    monkeypatch.setattr(
        "sys.argv", ["report", "--results", str(tmp_path / "quick"), "--out", str(out)]
    )
    report.main()
    curves = pd.read_csv(out / "curves.csv")
    assert curves.groupby("study").size().to_dict() == dict.fromkeys(names, 2 * 5)
    assert "[0.847]" in (out / "baselines.md").read_text()
    assert "/ 0.853" in (out / "table_3.md").read_text()
    assert "bilstm, least_confidence | 60 |" in (out / "retrain_or_keep.md").read_text()
    assert (out / "figure_2.png").stat().st_size > 10_000
    before = {file.name: file.read_bytes() for file in out.iterdir()}
    report.main()  # what is there already is not doubled
    assert {file.name: file.read_bytes() for file in out.iterdir()} == before


def test_uncertainty_is_counted_by_steps(study, monkeypatch, script, tmp_path):
    counting = script("paper_topics_uncertainty")
    monkeypatch.setattr(counting, "SIZES", [40])
    monkeypatch.setattr(counting, "N_ASKED", 60)
    monkeypatch.setattr(counting, "bilstm", partial(study.bilstm, width=4))
    out = tmp_path / "docs" / "uncertainty.csv"
    monkeypatch.setattr("sys.argv", ["uncertainty", "--seeds", "0", "1", "--out", str(out)])
    counting.main()
    rows = pd.read_csv(out)
    sums = rows.groupby("seed")[["papers", "wrong"]].sum()
    assert sums["papers"].tolist() == [60, 60]
    assert (rows["wrong"] <= rows["papers"]).all()
    assert np.isclose(rows["from"].max(), 0.95)
    script("paper_topics_report").draw_uncertainty(rows, tmp_path / "uncertainty.png")
    assert (tmp_path / "uncertainty.png").stat().st_size > 10_000


def test_the_studies_are_what_the_data_have(script):
    topics = script("paper_topics")
    report = script("paper_topics_report")
    assert hasattr(datasets, "fetch_paper_topics")
    assert hasattr(datasets, "fetch_paper_projects")
    for panels in report.FIGURES.values():
        for study, strategies in (part for parts in panels.values() for part in parts):
            assert set(strategies or ()) <= set(topics.STUDIES[study].strategies)
    for study, strategy in report.TABLE_3:
        assert strategy in topics.STUDIES[study].strategies
