"""Worker processes that end with the process they work for, and know the code it knows."""

from __future__ import annotations

import os
import threading
import time

import joblib

from modal_interp.experiments.running.own_files import loaded_digest

_SECONDS = 1.0


def workers(n_jobs: int) -> joblib.Parallel:
    """Return what runs jobs in processes, or here where one is enough.

    Workers that wait for more from an earlier call are used again unless code of the user's own
    was changed: they would not load it anew.
    """
    return joblib.Parallel(
        n_jobs=n_jobs,
        # Processes: threads would share torch's and NumPy's global generators.
        backend="loky",
        # Without memory maps: strategies would get arrays that they cannot write to.
        max_nbytes=None,
        batch_size=1,
        initializer=_end_with,
        initargs=(os.getpid(), loaded_digest() if n_jobs != 1 else ""),
    )


def _end_with(owner: int, code: str) -> None:
    """Watch the owner: whatever ends it, SIGTERM or worse, its workers would wait for more work."""
    if os.name == "posix":  # elsewhere nobody is told that a parent is gone
        threading.Thread(target=_watch, args=(owner,), daemon=True).start()


def _watch(owner: int) -> None:
    while os.getppid() == owner:
        time.sleep(_SECONDS)
    os._exit(1)  # at any line, as a kill: what is written is written at once or not at all
