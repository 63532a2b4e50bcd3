"""The command line: ``python -m modal_interp.experiments run`` and ``report``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import NoReturn

from modal_interp.experiments.analysis.report import write_report
from modal_interp.experiments.cli.configuration import merged, problem_of, run_arguments
from modal_interp.experiments.cli.flags import add_flags
from modal_interp.experiments.running.files import inside
from modal_interp.experiments.running.reasons import load_asked
from modal_interp.experiments.running.results import load_results
from modal_interp.experiments.running.runner import run_experiment


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return its exit status."""
    try:
        args = vars(_parser().parse_args(arguments))
        command = args.pop("command")
        return _report(**args) if command == "report" else _run(args)
    except (ValueError, TypeError, OSError, RuntimeError, ArithmeticError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except MemoryError as error:
        print(f"error: the memory of this machine does not do: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; the same command goes on from here.", file=sys.stderr)
        return 130


class _Parser(argparse.ArgumentParser):
    """One line that says what is wrong, without all flags before it."""

    def error(self, message: str) -> NoReturn:
        """Raise what `main` reports."""
        raise ValueError(f"{message}. All flags: {self.prog} --help")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m modal_interp.experiments",
        description="Learning curves of query strategies: resumable, with tables and pictures.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser(
        "run", help="run an experiment, or what is missing of it, and report on it"
    )
    add_flags(run)
    report = commands.add_parser("report", help="tables and pictures of results, finished or not")
    report.add_argument("folder", type=Path, help="what --out named")
    return parser


def _run(flags: dict[str, object]) -> int:
    settings = merged(flags)
    options = run_arguments(settings)
    problem = problem_of(settings)
    if options.pop("explain", False):
        options["explain"] = True if problem.names is None else problem.names
    run_experiment(*problem[:3], verbose=1, **options)
    return _report(Path(options["out"]).expanduser())


def _report(folder: Path) -> int:
    results, asked = load_results(folder), load_asked(folder)
    print(write_report(results, inside(folder, folder / "report"), asked))
    return 0


if __name__ == "__main__":
    sys.exit(main())
