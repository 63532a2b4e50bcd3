"""Imports point one way, so that the data's way can be read from the folders."""

import ast
from pathlib import Path

import pytest

import modal_interp

PACKAGE = Path(modal_interp.__file__).parent

# What each part may import of the package, itself aside. A folder stands for all of its files.
MAY_IMPORT = {
    "vocabulary": set(),
    "text": {"vocabulary"},
    "vector_files": set(),
    "word_vectors": {"text", "vocabulary"},
    "datasets": set(),
    "modules": set(),
    "seeding": set(),
    "estimators": {"modules", "seeding"},
    "modal_compat": set(),
    "learner": set(),
    "nets": {"seeding"},
    "gradients": {"nets"},
    "arrays": set(),
    "interpretations": {"arrays", "gradients", "nets"},
    "representations": {"arrays", "gradients", "interpretations", "nets"},
    "measures": set(),
    "combining": set(),
    "scores": {"measures", "nets"},
    "gradient_lengths": {"gradients", "interpretations", "nets"},
    "candidates": {"learner"},
    "query": {"candidates", "learner"},
    "narrowing": {"learner", "nets", "query", "scores", "selectors"},
    "selectors": {"arrays"},
    "strategies": {
        "arrays",
        "gradient_lengths",
        "gradients",
        "interpretations",
        "learner",
        "measures",
        "nets",
        "query",
        "representations",
        "scores",
        "selectors",
    },
    "experiments": {
        "datasets",
        "estimators",
        "seeding",
        "strategies",
        "text",
        "word_vectors",
    },
}
# Inside a folder a file may import those that stand before it.
IN_ORDER = {
    "estimators": [
        "indicator",
        "labels",
        "callbacks",
        "skorch_net",
        "classifier",
        "word_ids",
        "cnn",
        "bilstm",
        "mlp",
        "__init__",
    ],
    "experiments": [
        "plan",
        "early_stopping",
        "storage",
        "curve",
        "arguments",
        "descriptions",
        "provenance",
        "progress",
        "results",
        "runner",
        "frames",
        "metrics",
        "comparisons",
        "displays",
        "report",
        "problems",
        "own_data",
        "configuration",
        "__main__",
        "__init__",
    ],
    "nets": [
        "samples",
        "layers",
        "batches",
        "reading",
        "outputs",
        "hooks",
        "passes",
        "dropout",
        "__init__",
    ],
}
FORBIDDEN = {
    "selectors": {"skorch", "modAL"},
    "modules": {"skorch", "modAL", "sklearn"},
    "nets": {"modAL"},
    "gradients": {"modAL"},
    "interpretations": {"modAL", "torch"},
    "strategies": {"modAL", "torch", "skorch"},
}
FILES = sorted(PACKAGE.rglob("*.py"))


def part_of(path):
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports_of(path):
    """Everything a file imports, as dotted names, wherever in the file it stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_one_way(path):
    part = part_of(path)
    if part == "__init__":
        return
    for name in imports_of(path):
        top, *rest = name.split(".")
        assert top not in FORBIDDEN.get(part, set()), f"{part} imports {name}"
        if top == "modal_interp" and rest and rest[0] != part:
            assert rest[0] in MAY_IMPORT[part], f"{part} imports {name}"


@pytest.mark.parametrize(
    "path",
    [path for path in FILES if part_of(path) in IN_ORDER],
    ids=lambda path: str(path.relative_to(PACKAGE)),
)
def test_imports_point_one_way_inside_a_folder(path):
    order = IN_ORDER[part_of(path)]
    own = path.relative_to(PACKAGE).with_suffix("").parts[1]
    for name in imports_of(path):
        if name.startswith(f"modal_interp.{part_of(path)}.{own}."):
            continue  # a folder in the folder
        if name.startswith(f"modal_interp.{part_of(path)}."):
            assert order.index(name.split(".")[2]) < order.index(own)


def test_only_one_file_knows_modal():
    knowing = {
        part_of(path)
        for path in FILES
        if any(name.split(".")[0] == "modAL" for name in imports_of(path))
    }
    # Experiments drive modAL's own learner; one file of theirs does.
    assert knowing <= {"learner", "modal_compat", "experiments"}
    driving = {path.stem for path in FILES if part_of(path) == "experiments"} & {
        path.stem
        for path in FILES
        if any(name.split(".")[0] == "modAL" for name in imports_of(path))
    }
    assert driving == {"curve"}


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("gradients", ("autograd.grad", "torch.func", ".backward(")),
        ("hooks", ("register_forward_hook", "register_forward_pre_hook", ".training =")),
    ],
)
def test_hard_things_live_in_one_file(part, words):
    doing = {
        path.stem
        for path in FILES
        if any(word in path.read_text(encoding="utf-8") for word in words)
    }
    assert doing == {part}


def test_folders_are_the_house():
    root = PACKAGE.parent
    if not (root / "pyproject.toml").exists():
        pytest.skip("runs in a checkout")
    folders = {p.name for p in PACKAGE.iterdir() if p.is_dir()} - {"__pycache__"}
    assert folders <= {
        "modules",
        "estimators",
        "nets",
        "selectors",
        "strategies",
        "datasets",
        "experiments",
    }
    tracked = {"modal_interp", "tests", "docs", "examples"}
    assert tracked <= {p.name for p in root.iterdir() if p.is_dir()}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_files_and_functions_stay_short(path):
    """About 250 lines and 25; docstrings with their equations make some files a little longer."""
    source = path.read_text(encoding="utf-8")
    assert source.count("\n") <= 300
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
            assert lines <= 35, f"{path.name}: {node.name} has {lines} lines"
