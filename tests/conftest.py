import os
import signal

# Before torch starts its pools: small problems run faster without threads to wait for.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import matplotlib
import pytest
import torch

from tests.real_weights import lay_where_names_are_looked_up
from tests.thoroughness import load_profiles

load_profiles()
lay_where_names_are_looked_up()  # before the hub's library reads where that is
matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def _one_seed_for_all():
    torch.manual_seed(0)


@pytest.fixture
def ctrl_c_is_heard():
    """Undo what a shell does to its background jobs, and they to the processes they start."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def pytest_collection_modifyitems(items):
    if torch.cuda.is_available():
        return
    for item in items:
        if "gpu" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="needs a CUDA device"))
