"""Imports point one way, so that the data's way can be read from the folders."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import modal_interp

PACKAGE = Path(modal_interp.__file__).parent

# What each folder may import of the package, itself aside. The files with an underscore stand
# under all of them.
GROUND = {"_out_of_core", "_seeding"}
MAY_IMPORT = {
    "_out_of_core": set(),
    "_seeding": set(),
    "texts": set(),
    "modules": set(),
    "nets": set(),
    "selectors": set(),
    "queries": set(),
    "datasets": set(),
    # Of texts what a tokenizer says of its ids, which a classifier and its encoder share.
    "estimators": {"modules", "texts"},
    "representations": {"nets"},
    "scores": {"nets", "representations"},
    "strategies": {"nets", "representations", "scores", "selectors", "queries"},
    "explanations": {"nets", "queries", "representations", "strategies", "texts"},
    "experiments": {"datasets", "estimators", "queries", "strategies", "texts"},
}
# Inside a folder a file may import those that stand before it.
IN_ORDER = {
    "texts": [
        "words",
        "vocabulary",
        "doubts",
        "id_rows",
        "word_encoder",
        "chosen_words",
        "unpacking",
        "vector_text",
        "vector_binary",
        "vector_fasttext",
        "vector_files",
        "coverage",
        "word_vectors",
        "pretrained",
        "tokenizers",
        "token_encoder",
    ],
    "modules": [
        "open_embedding",
        "_words",
        "cnn",
        "bilstm",
        "cnn_lstm",
        "mlp",
        "feature_store",
        "transformer",
    ],
    "estimators": [
        "indicator",
        "labels",
        "callbacks",
        "scoring",
        "skorch_net",
        "length",
        "failures",
        "classifier",
        "word_ids",
        "cnn",
        "bilstm",
        "cnn_lstm",
        "mlp",
        "encoders",
        "token_ids",
        "contrastive",
        "trainable",
        "prepared",
        "transformer",
        "members",
        "ensemble",
    ],
    "nets": [
        "samples",
        "layers",
        "inputs",
        "outputs",
        "precision",
        "batches",
        "pieces",
        "sequences",
        "state",
        "hooks",
        "words",
        "forward",
        "predictions",
        "dropout",
        "norms",
        "gradients",
    ],
    "representations": [
        "features",
        "gradient_embeddings",
        "explained_words",
        "interpretations",
        "interpretation",
    ],
    "scores": ["combining", "uncertainty", "gradient_lengths"],
    "queries": [
        "estimators",
        "stacking",
        "seen",
        "missing",
        "modal_compat",
        "learner",
        "candidates",
        "query",
    ],
    "explanations": [
        "text",
        "windows",
        "rows",
        "frames",
        "html",
        "terminal",
        "display",
        "explanation",
        "names",
        "replay",
        "maps",
        "telling",
        "explain",
        "interpreted",
        "show",
    ],
    "explanations/html": [
        "markup",
        "styles",
        "bars",
        "words",
        "parts",
        "samples",
        "pool_map",
        "report",
    ],
    "experiments": ["running", "analysis", "cli", "__main__"],
    "experiments/running": [
        "numbers",
        "plan",
        "early_stopping",
        "names",
        "files",
        "lines",
        "storage",
        "asked",
        "curve",
        "several_labels",
        "interleaving",
        "arguments",
        "scorings",
        "own_files",
        "workers",
        "code_parts",
        "object_parts",
        "value_parts",
        "digests",
        "descriptions",
        "provenance",
        "progress",
        "results",
        "reasons",
        "runner",
    ],
    "experiments/analysis": [
        "frames",
        "full_training",
        "metrics",
        "comparisons",
        "displays",
        "asked_words",
        "report",
    ],
    "datasets/files": [
        "content",
        "encodings",
        "cells",
        "delimited",
        "records",
        "reading",
        "labels",
        "features",
    ],
    "experiments/cli": ["problems", "own_data", "flags", "net_numbers", "configuration"],
}
FORBIDDEN = {
    "selectors": {"skorch", "modAL"},
    "modules": {"skorch", "modAL", "sklearn"},
    "nets": {"modAL"},
    "representations": {"modAL"},
    "scores": {"modAL"},
    "strategies": {"modAL", "torch", "skorch"},
    "explanations": {"modAL", "torch", "skorch"},
}
FILES = sorted(PACKAGE.rglob("*.py"))


def part_of(path):
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def dotted(path):
    name = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    return name.removesuffix(".__init__")


DOTTED = {dotted(path) for path in FILES}


def imports_of(path):
    """Everything a file imports, as dotted names, wherever in the file it stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in DOTTED else node.module


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_one_way(path):
    part = part_of(path)
    if part == "__init__":
        return
    for name in imports_of(path):
        top, *rest = name.split(".")
        assert top not in FORBIDDEN.get(part, set()), f"{part} imports {name}"
        if top == "modal_interp" and rest and rest[0] != part:
            assert rest[0] in MAY_IMPORT[part] | GROUND, f"{part} imports {name}"


@pytest.mark.parametrize("folder", IN_ORDER)
def test_imports_point_one_way_inside_a_folder(folder):
    order = [*IN_ORDER[folder], "__init__"]
    inside = f"modal_interp.{folder.replace('/', '.')}."
    for path in sorted((PACKAGE / folder).rglob("*.py")):
        own = path.relative_to(PACKAGE / folder).with_suffix("").parts[0]
        for name in imports_of(path):
            other = name.removeprefix(inside).split(".")[0]
            if name.startswith(inside) and other != own:
                assert order.index(other) < order.index(own), f"{path.name} imports {name}"


def test_no_circle_among_the_files():
    graph = {dotted(path): set(imports_of(path)) & DOTTED for path in FILES}
    assert len(list(TopologicalSorter(graph).static_order())) == len(FILES)


def test_only_one_folder_knows_modal():
    knowing = {
        path.relative_to(PACKAGE).with_suffix("").as_posix()
        for path in FILES
        if any(name.split(".")[0] == "modAL" for name in imports_of(path))
    }
    # Experiments drive modAL's own learner; one file of theirs does.
    assert knowing == {"queries/learner", "experiments/running/curve"}


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
    assert folders == set(MAY_IMPORT) - GROUND
    files = {p.name for p in PACKAGE.iterdir() if p.is_file()}
    assert files == {"__init__.py", "py.typed", *(f"{name}.py" for name in GROUND)}
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
