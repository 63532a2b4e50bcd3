"""A progress bar over the rounds of an experiment, whoever runs them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tqdm.auto import tqdm

from modal_interp.experiments.running.names import is_baseline
from modal_interp.experiments.running.storage import Curve


@contextmanager
def progress_bar(curves: list[Curve], n_rounds: int, verbose: int) -> Iterator[None]:
    """Show how many rounds are on the disk while the body runs."""
    if verbose <= 0:
        yield
        return
    total = sum(1 if is_baseline(curve.strategy) else n_rounds for curve in curves)
    counts = _Counts(curves)
    stop = threading.Event()
    with tqdm(total=total, initial=counts.update(), unit="round") as bar:

        def watch() -> None:
            while not stop.wait(1.0):
                counts.show(bar)

        # The folder tells of all workers, other processes included.
        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
            counts.show(bar)


class _Counts:
    """Rounds of each curve, read again when its file changes."""

    def __init__(self, curves: list[Curve]) -> None:
        self.curves = curves
        self.seen: dict[Curve, tuple[int, int]] = {}  # when its file was written, rounds
        self.newest = ""

    def update(self) -> int:
        """Return the number of finished rounds."""
        for curve in self.curves:
            try:
                written = curve.rounds_file.stat().st_mtime_ns
            except FileNotFoundError:
                continue
            if self.seen.get(curve, (0, 0))[0] != written:
                rounds = curve.checked_rounds()
                self.seen[curve] = written, len(rounds)
                self.newest = f"{curve.strategy} {rounds[-1]['score']:.3f}"
        return sum(n for _, n in self.seen.values())

    def show(self, bar: tqdm) -> None:
        """Bring the bar up to date."""
        bar.n = self.update()
        bar.set_postfix_str(self.newest, refresh=False)
        bar.refresh()
