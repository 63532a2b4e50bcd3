"""Every code block of the README and of the documentation runs."""

import doctest
import importlib
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import modal_interp
from tests.real_weights import WEIGHTS

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PYTHON_BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)
PRETRAINED = re.compile("TokenEncoder|TransformerClassifier")

# Pages whose blocks, one after the other, are a whole program.
COMPLETE = {"README.md", "experiments.md", "five_minutes.md", "performance.md"}

# What stands on a page without being built there: the reader's own data and learners.
READERS_OWN = """
import numpy as np
from modAL.models import ActiveLearner, Committee
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from modal_interp import *
all_texts, all_labels = make_reviews(200, random_state=0)
all_labels = np.array(["neg", "pos"])[all_labels]
my_words = ["good", "bad"]
labelled_texts, pool = all_texts[:40], all_texts[40:]
def taught(seed):
    net = TextCNNClassifier(classes=["neg", "pos"], max_epochs=1, random_state=seed)
    return ActiveLearner(
        make_pipeline(FrozenEstimator(WordEncoder().fit(all_texts)), net),
        alden_diversity, labelled_texts, all_labels[:40])
learner, committee = taught(0), Committee([taught(1), taught(2)], alden_diversity)
def oracle(texts):
    return np.array([all_labels[list(all_texts).index(text)] for text in texts])
"""


def modules():
    found = pkgutil.walk_packages(modal_interp.__path__, "modal_interp.")
    return [name for _, name, _ in found]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_code_blocks_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace = {"__name__": "page"}
    if page.name not in COMPLETE:
        exec(READERS_OWN, namespace)
    for block in PYTHON_BLOCK.findall(page.read_text(encoding="utf-8")):
        if WEIGHTS is None and PRETRAINED.search(block):
            continue
        exec(compile(block, str(page), "exec"), namespace)


@pytest.mark.parametrize("name", modules())
def test_examples_in_docstrings_run(name):
    failed, _ = doctest.testmod(
        importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE
    )
    assert failed == 0


def test_quickstart_runs(tmp_path):
    picture = tmp_path / "curves.png"
    script = ROOT / "examples" / "quickstart.py"
    ran = subprocess.run(
        [sys.executable, script, "--rounds", "1", "--output", picture],
        env={**os.environ, "MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert picture.stat().st_size > 10_000
    assert "alden_diversity" in ran.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if not target.startswith(("http://", "https://")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_public_names_are_documented():
    reference = (ROOT / "docs" / "api.rst").read_text(encoding="utf-8")
    for name in modal_interp.__all__:
        assert re.search(rf"^   {name}$", reference, re.MULTILINE), f"{name} is not in docs/api.rst"


def test_links_of_the_readme_work_outside_a_checkout():
    source = "https://github.com/modal-interp/modal_interp"
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)]+)\)", readme)
    assert links
    for link in links:
        assert link.startswith("https://"), link
        for kind in ("blob", "raw"):
            if link.startswith(f"{source}/{kind}/main/"):
                assert (ROOT / link.removeprefix(f"{source}/{kind}/main/")).exists(), link


def test_links_of_the_package_lead_to_one_place():
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    urls = re.search(r"\[project\.urls\]\n(.*?)\n\n", pyproject, re.DOTALL).group(1)
    assert all("https://github.com/modal-interp/modal_interp" in line for line in urls.split("\n"))
