"""The flags of the command line, and what their texts mean."""

from __future__ import annotations

import argparse

from modal_interp.experiments.cli.problems import TABLES, TEXT_ESTIMATORS, TEXTS
from modal_interp.experiments.running.numbers import found

ESTIMATORS = (*TEXT_ESTIMATORS, "mlp")


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Give a parser the flags of ``run``; one that is not given is None."""
    data = parser.add_argument_group("data")
    data.add_argument("--dataset", choices=TEXTS + TABLES, metavar="NAME",
                      help=f"a public data set: {', '.join(TEXTS + TABLES)}")  # fmt: skip
    data.add_argument("--data", metavar="FILE",
                      help="your own file: CSV and the like, JSON, Parquet, Excel")  # fmt: skip
    _add_file_flags(parser.add_argument_group("your own file"))
    _add_text_flags(parser.add_argument_group("texts"))
    net = parser.add_argument_group("network")
    net.add_argument("--estimator", choices=ESTIMATORS, help="default: cnn for texts, else mlp")
    net.add_argument(
        "--max-epochs", type=_whole, help="passes over the labelled samples in a round"
    )
    net.add_argument("--batch-size", type=_whole)
    net.add_argument("--lr", type=float, help="step size of Adam")
    run = parser.add_argument_group("experiment")
    run.add_argument("--strategies", type=names, help="names, with commas between")
    run.add_argument("--seeds", type=_seeds, help="how many, or the seeds with commas between")
    for name, what in (("initial", "at first"), ("step", "more a round"), ("budget", "in the end")):
        run.add_argument(f"--{name}", type=size,
                         help=f"labelled samples {what}: 0.02 is a share, 100 a count")  # fmt: skip
    run.add_argument("--split", type=_split, metavar="TRAIN,VALIDATION,TEST")
    run.add_argument("--scoring", help="a scorer of scikit-learn (default: accuracy)")
    _add_length_flags(run)
    run.add_argument("--full-training", type=_sizes, metavar="SIZE,SIZE,...",
                     help="train once on each of these: 0.1 is a share of the training part, 1.0 "
                     "all of it, 100 a count (default: 1.0)")  # fmt: skip
    run.add_argument("--explain", action="store_const", const=True,
                     help="keep which word or feature decided, for the report")  # fmt: skip
    run.add_argument("--n-jobs", type=_whole, help="curves at once (default: one a processor)")
    run.add_argument("--n-threads", type=_whole, help="threads of each curve (default: 1)")
    run.add_argument("--out", help="folder of the results, continued if it has some")
    run.add_argument("--config", metavar="FILE", help="a TOML file of these settings")


def _add_length_flags(run: argparse._ArgumentGroup) -> None:
    run.add_argument("--warm-start", action="store_const", const=True,
                     help="go on training instead of training from scratch")  # fmt: skip
    run.add_argument("--acquisition-period", type=_whole, metavar="EPOCHS",
                     help="passes over the labelled samples before each query, in place of "
                     "--max-epochs")  # fmt: skip
    run.add_argument("--early-stopping", nargs="?", const=True, choices=("validation", "training"),
                     help="ask when this loss no longer falls (default: validation)")  # fmt: skip
    run.add_argument("--patience", type=_whole, metavar="EPOCHS",
                     help="passes without a lower loss until then (default: 10)")  # fmt: skip


def _add_file_flags(of_file: argparse._ArgumentGroup) -> None:
    of_file.add_argument("--text-column", help="column of texts; without it, it is a table")
    of_file.add_argument("--label-column", action="append", metavar="COLUMN",
                         help="column of labels (default: label); several times: labels of yes and "
                         "no")  # fmt: skip
    of_file.add_argument("--label-separator", help="what stands between several labels of a cell")
    of_file.add_argument("--encoding", help="such as utf-8, cp1252, shift_jis (default: found)")
    of_file.add_argument("--separator", type=_mark, help="between columns (default: found)")
    of_file.add_argument("--quote", help="what quotes cells, or none (default: found)")
    of_file.add_argument("--decimal", choices=(".", ","), help="decimal sign (default: found)")
    of_file.add_argument("--missing", action="append", metavar="WORD",
                         help="what stands for an empty cell, in place of NA, null, ? and the "
                         "like")  # fmt: skip
    for name, what in (
        ("drop", "a column to leave out"),
        ("keep", "a column to keep though it counts or names the rows"),
        ("categories", "a column of words though they look like numbers"),
    ):
        of_file.add_argument(f"--{name}", action="append", metavar="COLUMN", help=what)


def _add_text_flags(texts: argparse._ArgumentGroup) -> None:
    texts.add_argument("--max-length", type=_whole, metavar="WORDS", help="cut longer texts")
    texts.add_argument("--tokenizer", metavar="MODULE:FUNCTION", help="splits a text into words")
    vectors = texts.add_mutually_exclusive_group()
    vectors.add_argument("--word-vectors", metavar="FILE",
                         help="start embeddings from word2vec, GloVe, fastText")  # fmt: skip
    vectors.add_argument("--no-word-vectors", dest="word_vectors", action="store_const",
                         const=False, help="start embeddings at random, not from word2vec of the "
                         "texts")  # fmt: skip


def _mark(text: str) -> str:
    return {"tab": "\t", r"\t": "\t"}.get(text, text)


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:  # also from numbers of thousands of digits
        raise argparse.ArgumentTypeError(
            f"must be a whole number such as 10; found {found(text)}"
        ) from None


def size(text: str) -> float | int:
    """Read a count (100) or a share (0.02)."""
    try:
        return int(text) if text.isdigit() else float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must be a share such as 0.02 or a count such as 100; found {found(text)}"
        ) from None


def names(text: str) -> list[str]:
    """Read names with commas between."""
    return [name.strip() for name in text.split(",") if name.strip()]


def _seeds(text: str) -> int | list[int]:
    try:
        return [int(seed) for seed in text.split(",") if seed] if "," in text else int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            "must be how many, such as 5, or the seeds with commas between, such as 0,1,2; found "
            f"{found(text)}"
        ) from None


def _split(text: str) -> tuple[float | int, ...]:
    return tuple(size(part) for part in text.split(","))


def _sizes(text: str) -> list[float | int]:
    return [size(part) for part in names(text)]
