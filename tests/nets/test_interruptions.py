"""A query that is interrupted at whatever line of the package leaves nothing changed."""

import sys
from pathlib import Path

import numpy as np
import pytest

import modal_interp
from modal_interp import strategies
from tests.nets.test_state import MaxNorm, Rewriter, make, state_of, switches
from tests.small_nets import SmoothTable, small_net, table, word_ids
from tests.strategies.conftest import learner_of
from tests.strategies.test_properties import EVERY, on_all_samples

PACKAGE = str(Path(modal_interp.__file__).parent)


class CountsAndCaches(Rewriter):
    """Rewrites in each pass a buffer, an attribute and a parameter."""

    def rewrite(self):
        self.calls = self.calls + 1
        self.cache = self.last + 1.0
        self.out.bias.data.mul_(0.9)


def lines_of(work, stop_at=0):
    """Run `work` up to the n-th line of the package that it runs; return how many it ran."""
    n = 0

    def in_package(frame, event, argument):
        nonlocal n
        if event == "line":
            n += 1
            if n == stop_at:
                raise KeyboardInterrupt
        return in_package

    def trace(frame, event, argument):
        return in_package if frame.f_code.co_filename.startswith(PACKAGE) else None

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    except KeyboardInterrupt:
        pass
    except TypeError:  # modAL 0.4.2 swallows what ends a query, and calls the strategy once more
        if not stop_at:
            raise
    finally:
        sys.settrace(before)
    return n


def everything(net):
    kind, keys, *rest = np.random.get_state(legacy=True)  # noqa: NPY002
    gradients = [p.grad for p in net.module_.parameters()]
    modes = [m.training for m in net.module_.modules()]
    return state_of(net), switches(), (kind, keys.tolist(), *rest), gradients, modes


def query(name, kind):
    """A net, and what queries it by a strategy."""
    if kind == "table":
        net, X = small_net(SmoothTable), table(12)
    else:
        net, X = make(MaxNorm if name == "badge" else CountsAndCaches), word_ids(12, n_words=30)
    net.module_.train()
    learner = learner_of(net, getattr(strategies, name), X[:4], None)
    return net, lambda: learner.query(X[4:], n_instances=3, random_state=0)


def interrupt(n, seed):
    """Interrupt queries `n` times in all, by every strategy in turn, and compare."""
    rng = np.random.default_rng(seed)
    pairs = on_all_samples(EVERY)
    for place, (name, kind) in enumerate(pairs):
        net, work = query(name, kind)
        before, n_lines = everything(net), lines_of(work)
        assert everything(net) == before
        expected = np.asarray(work()[0]).tolist()
        for line in rng.integers(1, n_lines + 1, len(range(place, n, len(pairs)))).tolist():
            assert lines_of(work, stop_at=line) <= n_lines
            assert everything(net) == before, f"{name} of {kind} interrupted at line {line}"
        assert np.asarray(work()[0]).tolist() == expected


@pytest.mark.filterwarnings("ignore")
def test_interruptions_at_random_lines():
    interrupt(60, seed=0)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", range(1, 6))
def test_many_interruptions_at_random_lines(seed):
    interrupt(100, seed)
