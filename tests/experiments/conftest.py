import multiprocessing

import pytest

from tests.experiments.interpreters import Interpreter


@pytest.fixture(scope="session")
def processes():
    """Return a way to start clean processes that have the package loaded already."""
    context = multiprocessing.get_context("forkserver")
    # The first training imports torch._dynamo, for as long as three runs take.
    context.set_forkserver_preload(["tests.experiments.small", "torch._dynamo"])
    return context.Process


@pytest.fixture(scope="session")
def interpreters():
    """Two interpreters in which sets and dicts of strings have other orders."""
    both = [Interpreter(seed) for seed in (1, 2)]
    yield both
    for one in both:
        one.close()
