"""Run the benchmarks and write their tables for the documentation.

    python -m tests.benchmarks.report              up to 50,000 sentences, and the peers
    python -m tests.benchmarks.report --slow       200,000 and 1,000,000 sentences, too
    python -m tests.benchmarks.report --json a.json b.json    from runs with --benchmark-json

The tables go to docs/performance/. Where a measurement stands in several files, the last counts.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.benchmarks.measure import SMALLEST, growth

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs" / "performance"
# The largest exponent by which a query's seconds may grow with the pool.
LARGEST_EXPONENT = 1.1

Row = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--slow", action="store_true", help="the largest pools, too")
    parser.add_argument("--json", nargs="*", type=Path, help="files of earlier runs")
    args = parser.parse_args()

    paths, status = (args.json, 0) if args.json else run(slow=args.slow)
    runs = [json.loads(path.read_text()) for path in paths]
    measured = {
        b["fullname"]: b["extra_info"] | {"test": b["fullname"]}
        for r in runs
        for b in r["benchmarks"]
    }
    DOCS.mkdir(exist_ok=True)
    info = runs[-1]["machine_info"]
    found = tables(list(measured.values())) | {"machine": machine(info)}
    if "encoders" in found:
        found["encoders"] += f"\n\n{runs[-1]['datetime'][:10]}. {machine(info)}"
    if list(found) == ["encoders", "machine"]:
        del found["machine"]  # which is of the other tables
    for name, text in found.items():
        (DOCS / f"{name}.md").write_text(text + "\n", encoding="utf-8")
    sys.exit(status)


def run(*, slow: bool) -> tuple[list[Path], int]:
    """Run the benchmarks; return the file of what they measured, and whether one failed."""
    path = Path(tempfile.mkdtemp()) / "benchmarks.json"
    marks = ["-m", ""] if slow else []
    command = [sys.executable, "-m", "pytest", str(HERE), "-q", f"--benchmark-json={path}", *marks]
    return [path], subprocess.run(command, check=False).returncode


def tables(rows: list[Row]) -> dict[str, str]:
    """Return the Markdown of each table that there are rows for."""
    of = {
        part: [row for row in rows if f"test_{part}.py" in row["test"]]
        for part in ("over_floor", "peers", "training", "encoders")
    }
    by_size = sorted(of["over_floor"], key=lambda row: (row["row"], row["n"]))
    found = {}
    if by_size:
        found |= {"over_floor": over_floor(by_size), "growth": exponents(by_size)}
    if of["peers"]:
        found["peers"] = beside_peers(of["peers"])
    if of["training"]:
        found["training"] = training(of["training"])
    if by_size or of["peers"]:
        found["notes"] = notes([*by_size, *of["peers"]])
    if of["encoders"]:
        found["encoders"] = encoders(of["encoders"])
    return found


def encoders(rows: list[Row]) -> str:
    """Return the tables of first queries and encoding, and of rounds after the first."""
    first = [row for row in rows if "ratio" in row]
    rounds = [row for row in rows if "training_seconds" in row]
    head = ["work", "n", "ours (s)", "other (s)", "ratio", "limit", "memory (MB), ours and other's"]
    beside = (
        [
            row["row"],
            f"{row['n']:,}",
            seconds(row["seconds"]),
            seconds(row["other_seconds"]),
            f"{ratio(row)} {'faster' if row['faster'] else 'slower'}",
            limit(row),
            ", ".join(f"{row[peak]:,.0f}" for peak in ("peak_mb", "other_peak_mb") if row[peak]),
        ]
        for row in first
    )
    after = (
        [row["row"], f"{row['n']:,}", seconds(row["seconds"]), seconds(row["training_seconds"])]
        for row in rounds
    )
    return (
        f"{table(head, beside)}\n\n"
        f"{table(['round after the first', 'n', 'whole (s)', 'training (s)'], after)}"
    )


def over_floor(rows: list[Row]) -> str:
    head = ["work", "n", "query (s)", "floor (s)", "ratio", "at most", "memory (MB)"]
    return table(
        head,
        (
            [
                f"`{row['row']}`",
                f"{row['n']:,}",
                seconds(row["seconds"]),
                seconds(row["other_seconds"]),
                ratio(row),
                limit(row),
                f"{row['peak_mb']:,.0f}",
            ]
            for row in rows
        ),
    )


def exponents(rows: list[Row]) -> str:
    sizes: dict[str, list[tuple[int, float]]] = {}
    for row in rows:
        sizes.setdefault(row["row"], []).append((row["n"], row["seconds"]))
    fitted = (
        [f"`{name}`", f"{SMALLEST:,} to {max(points)[0]:,}", *exponent(points)]
        for name, points in sizes.items()
        if sum(n >= SMALLEST for n, _ in points) > 1
    )
    return table(["strategy", "n", "exponent", "at most"], fitted)


def exponent(points: list[tuple[int, float]]) -> list[str]:
    found = growth(points)
    missed = "" if found <= LARGEST_EXPONENT else ", missed"
    return [f"{found:.2f}", f"{LARGEST_EXPONENT}{missed}"]


def beside_peers(rows: list[Row]) -> str:
    head = ["work, peer", "ours (s)", "peer (s)", "ratio", "wanted", "memory (MB), ours and peer's"]
    return table(
        head,
        (
            [
                row["row"],
                seconds(row["seconds"]),
                seconds(row["other_seconds"]),
                f"{ratio(row)} {'faster' if row['faster'] else 'slower'}",
                limit(row),
                memory(row),
            ]
            for row in rows
        ),
    )


def training(rows: list[Row]) -> str:
    head = ["training, beside", "ours (s)", "other (s)", "ratio", "at most"]
    return table(
        head,
        (
            [
                row["row"],
                seconds(row["seconds"]),
                seconds(row["other_seconds"]),
                ratio(row),
                limit(row),
            ]
            for row in rows
        ),
    )


def notes(rows: list[Row]) -> str:
    return "\n".join(f"- {row['row']}: {row['note']}" for row in rows if "note" in row)


def table(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def seconds(value: float) -> str:
    return f"{value:.3f}" if value < 1 else f"{value:.1f}"


def ratio(row: Row) -> str:
    low, high = row["spread"]
    spread = "" if low == high else f" ({low:.2f} to {high:.2f})"
    return f"**{row['ratio']:.2f}**{spread}"


def limit(row: Row) -> str:
    """Return what the row should reach, and whether it does."""
    if row["limit"] is None:
        return ""
    reached = row["ratio"] >= row["limit"] if row["faster"] else row["ratio"] <= row["limit"]
    return f"{row['limit']:g}" if reached else f"{row['limit']:g}, missed"


def memory(row: Row) -> str:
    if "traced_mb" not in row:
        return ""
    return f"{row['traced_mb']:.1f}, {row['other_traced_mb']:.1f}"


def machine(info: Row) -> str:
    cpu = info["cpu"].get("brand_raw", info["machine"])
    versions = ", ".join(f"{name} {version}" for name, version in info["versions"].items())
    return f"{cpu}, {info['cpu']['count']} cores, threads used: {info['threads']}. {versions}."


if __name__ == "__main__":
    main()
