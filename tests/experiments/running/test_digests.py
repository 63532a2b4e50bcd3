"""Equal values have equal digests in every process; different values and code have others."""

import collections
import dataclasses
import functools
import importlib
import itertools
import linecache
import operator
import random
import sys
import threading
import types
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import scipy.stats
import torch
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from modal_interp import TabularMLPClassifier, margin
from modal_interp.experiments.running.descriptions import described
from modal_interp.experiments.running.digests import NoValueError, digest
from modal_interp.experiments.running.provenance import estimator_facts


@dataclasses.dataclass
class Options:
    """Options of a strategy of one's own."""

    number: int
    names: set = dataclasses.field(default_factory=lambda: {"a", "bb", "ccc"})


@dataclasses.dataclass(frozen=True, slots=True)
class Slots:
    """The same without a dict."""

    number: int


class Asks:
    """A strategy with a state; as text it is an address."""

    def __init__(self, k):
        self.lock, self.net, self.k = threading.Lock(), layers(k), k

    def __call__(self, learner, X_pool, n_instances=1):
        return self.k

    def ask(self, learner, X_pool, n_instances=1):
        return self.k


def layers(k):
    """Return layers with known weights."""
    net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
    for weights in net.parameters():
        torch.nn.init.constant_(weights, k)
    return net


def hooked(k):
    """Return a module with a hook that holds `k`."""
    net = layers(1)
    net.register_forward_hook(lambda module, args, out: out * k)
    return net


def closure(k):
    """Return a strategy that holds a tensor."""
    known = torch.full((2,), float(k))
    return lambda learner, X_pool, n_instances=1: known


def default(k):
    """Return a strategy with defaults that are no plain values."""

    def strategy(learner, X_pool, n_instances=1, *, a=np.full(3, k), b={k, "x", "yy"}):  # noqa: B006, B008
        return a, b

    return strategy


def holding_itself(k):
    """Return a list that holds itself."""
    found = [k]
    found.append(found)
    return found


def shared_or_not(k):
    """Return equal strings, tuples and arrays that are one object at times."""
    one = ("a" * 300, k)
    return [one, one if random.random() < 0.5 else ("".join(["a"] * 300), k)]


def drawn_from(kind):
    """Return a generator of NumPy that has drawn."""

    def make(k):
        found = kind(0)
        found.random(k)
        return found

    return make


def forest(k):
    X = np.random.RandomState(0).randn(40, 3)
    return RandomForestClassifier(n_estimators=2, random_state=k).fit(X, X[:, 0] > 0)


VALUES = {
    "closure": closure,
    "defaults": default,
    "partial": lambda k: functools.partial(margin, n_passes=k),
    "partial with a tensor": lambda k: functools.partial(margin, w=torch.tensor([k])),
    "partial in a partial": lambda k: functools.partial(functools.partial(default(1), k), 3),
    "method": lambda k: Asks(k).ask,
    "callable": Asks,
    "lambda": lambda k: lambda X: X + k,
    "lambda in a dict": lambda k: {"f": [lambda X: X + k]},
    "no_grad": lambda k: torch.no_grad()(lambda X: X * k),
    "bfloat16": lambda k: torch.tensor([1.0, k], dtype=torch.bfloat16),
    "float8": lambda k: torch.tensor([float(k)]).to(torch.float8_e4m3fn),
    "complex tensor": lambda k: torch.tensor([1j * k]),
    "scalar tensor": torch.tensor,
    "empty tensor": lambda k: torch.empty(k, 0),
    "view": lambda k: torch.arange(10.0)[k : k + 3],
    "meta tensor": lambda k: torch.empty(k, device="meta"),
    "sparse tensor": lambda k: torch.eye(k).to_sparse(),
    "torch.Generator": lambda k: torch.Generator().manual_seed(k),
    "Generator": drawn_from(np.random.default_rng),
    "MT19937": lambda k: np.random.Generator(np.random.MT19937(k)),
    "RandomState": drawn_from(lambda seed: np.random.RandomState(seed)),
    "Random": random.Random,
    "module": layers,
    "hook": hooked,
    "loss": lambda k: torch.nn.CrossEntropyLoss(weight=torch.ones(k)),
    "dtype": lambda k: torch.bfloat16 if k == 1 else torch.float32,
    "estimator": lambda k: LogisticRegression(C=k),
    "fitted": forest,
    "vectoriser": lambda k: TfidfVectorizer(ngram_range=(1, k)).fit(["one two three", "one two"]),
    "net": lambda k: TabularMLPClassifier(max_epochs=k, criterion__weight=torch.tensor([1.0, 2])),
    "scorer": lambda k: make_scorer(f1_score, beta=k),
    "distribution": lambda k: scipy.stats.norm(k, 1),
    "set": lambda k: {"a", "bb", "ccc", "dddd", k},
    "sets in a set": lambda k: frozenset({("a", k), frozenset({"b", "cc", k})}),
    "dataclass": Options,
    "slots": Slots,
    "holding itself": holding_itself,
    "shared": shared_or_not,
    "object array": lambda k: np.array(["a", k, None, {"b", "cc"}], dtype=object),
    "strings": lambda k: np.array(["a" * k, "b"]),
    "record": lambda k: np.array([(1, k)], dtype=[("a", "i1"), ("b", "f8")]),
    "csr": lambda k: sp.csr_array(np.eye(k)),
    "frame": lambda k: pd.DataFrame({"a": [1, k], "b": ["x", "y"]}),
    "categories": lambda k: pd.Categorical(["a", "b"] * k),
    "path": lambda k: Path(f"folder{k}"),
    "counts": lambda k: collections.Counter("a" * k),
    "defaultdict": lambda k: collections.defaultdict(list, {"a": [k]}),
    "getter": operator.itemgetter,
    "namespace": lambda k: types.SimpleNamespace(a=k),
    "builtin method": lambda k: [k, 3].count,
}  # fmt: skip


def _all(k):
    return {name: described(make(k)) for name, make in VALUES.items()}


@pytest.mark.parametrize("name", VALUES)
def test_values_count_as_values(name):
    one, again, other = (described(VALUES[name](k)) for k in (1, 1, 2))
    assert one == again != other
    assert "\n" not in one
    assert " at 0x" not in one


def test_every_process_finds_the_same_digests(interpreters, tmp_path):
    code = f"from {__name__} import _all; print(_all(1))"
    found = {one.run(code, tmp_path).strip() for one in interpreters}
    assert found == {str(_all(1))}


def test_the_order_of_a_dict_or_a_set_does_not_count():
    assert digest({"a": 1, "b": {1, 2}}) == digest({"b": {2, 1}, "a": 1})
    strategies = [functools.partial(margin, **kwargs) for kwargs in ({"a": 1, "b": 2},) * 2]
    assert described(strategies[0]) == described(strategies[1])
    assert digest([1, 2]) != digest([2, 1]) != digest((2, 1))


def test_kinds_of_numbers_differ_and_nan_is_one_value():
    numbers = [1, 1.0, True, np.int64(1), np.float32(1), "1", b"1", None, torch.tensor(1)]
    assert len({digest(number) for number in numbers}) == len(numbers)
    bits = np.array([0x7FF8000000000000, 0x7FF8000000000001], dtype=np.uint64).view(float)
    assert digest(bits[:1]) == digest(bits[1:]) == digest(np.array([np.nan]))
    assert digest(float("nan")) == digest(-float("nan"))
    assert digest(0.0) != digest(-0.0)


def test_copies_are_equal():
    value = {"net": layers(1), "view": np.arange(9.0).reshape(3, 3).T, "text": ["a"] * 2}
    again = {"text": ["a", "a"], "view": np.arange(9.0).reshape(3, 3).T.copy(), "net": layers(1)}
    assert digest(value) == digest(again)


def test_what_has_no_value_is_named():
    with pytest.raises(
        NoValueError, match="a generator, in a list, in a tuple, in a tuple, in a dict"
    ):
        digest({"a": ([1], [(x for x in range(3))])})


def test_a_lock_or_a_global_generator_does_not_count():
    assert digest([threading.Lock()]) == digest([threading.Lock()])
    before = digest([np.random.mtrand._rand, np.random.rand, torch.default_generator])
    np.random.rand()  # noqa: NPY002
    torch.rand(1)
    assert digest([np.random.mtrand._rand, np.random.rand, torch.default_generator]) == before


def test_a_frozen_vectoriser_is_the_same_in_every_process():
    texts = ["one two three", "one two"]
    facts = [
        estimator_facts(make_pipeline(FrozenEstimator(TfidfVectorizer(**o).fit(texts)),
                                      LogisticRegression()))
        for o in ({}, {}, {"min_df": 2})
    ]  # fmt: skip
    assert facts[0] == facts[1] != facts[2]


# Code.

CODE = {
    "plain": "K = {K}\ndef s(learner, X, n=1): return K",
    "unused by name": "K = {K}\ndef s(learner, X, n=1): return globals()['K']",
    "nested": "def h(i): return i * {K}\ndef s(learner, X, n=1):\n    def key(i): return h(i)\n"
    "    return sorted(range(9), key=key)[:n]",
    "attribute": "class C: k = {K}\nc = C()\ndef s(learner, X, n=1): return c.k",
    "list constant": "K = [[{K}]]\ndef s(learner, X, n=1): return K[0]",
    "array constant": "import numpy as np\nK = np.full(3, {K})\ndef s(learner, X, n=1): return K",
    "tensor constant": "import torch\nK = torch.tensor({K})\ndef s(learner, X, n=1): return K",
    "base class": "class B:\n    def f(self): return {K}\nclass S(B):\n"
    "    def __call__(self, learner, X, n=1): return [self.f()]\ns = S()",
    "class variable": "class S:\n    k = [{K}]\n"
    "    def __call__(self, learner, X, n=1): return self.k\ns = S()",
    "property": "class S:\n    @property\n    def k(self): return {K}\n"
    "    def __call__(self, learner, X, n=1): return self.k\ns = S().__call__",
    "class method": "class S:\n    @classmethod\n    def f(cls, learner, X, n=1): return {K}\n"
    "s = S.f",
    "metaclass": "class M(type):\n    def f(cls): return {K}\nclass S(metaclass=M):\n"
    "    def __call__(self, learner, X, n=1): return S.f()\ns = S()",
    "decorator": "import functools\ndef deco(f):\n    @functools.wraps(f)\n"
    "    def g(*a): return f(*a)[:{K}]\n    return g\n@deco\ndef s(learner, X, n=1): return [1]",
    "cached": "import functools\n@functools.cache\ndef h(): return {K}\n"
    "def s(learner, X, n=1): return h()",
    "dispatched": "import functools\n@functools.singledispatch\ndef h(x): return 0\n"
    "@h.register\ndef _(x: int): return {K}\ndef s(learner, X, n=1): return h(1)",
    "partial": "from functools import partial\ndef f(*a, k): return k\ns = partial(f, k={K})",
    "of a package": "from functools import partial\nfrom modal_interp import margin\n"
    "s = partial(margin, n_passes={K})",
    "default": "def s(learner, X, n=1, k=[{K}]): return k",
    "keyword default": "def s(learner, X, n=1, *, k={{'a': {K}}}): return k",
    "two lambdas": "s = [lambda learner, X: 2, lambda learner, X: 5][{K} % 2]",
    "generator": "def s(learner, X, n=1): return list({K} * i for i in range(n))",
    "exec": "exec('def s(learner, X, n=1): return {K}')",
    "comprehension": "K = {K}\ndef s(learner, X, n=1): return [i * K for i in X]",
    "table of functions": "T = {{'a': lambda: {K}}}\ndef s(learner, X, n=1): return T['a']()",
    "dataclass": "import dataclasses\n@dataclasses.dataclass\nclass S:\n    k: int = {K}\n"
    "    def __call__(self, learner, X, n=1): return self.k\ns = S()",
    "estimator": "from sklearn.base import BaseEstimator\nclass S(BaseEstimator):\n"
    "    def fit(self, X, y): return {K}\ns = S()",
    "module": "import torch\nclass S(torch.nn.Module):\n    def forward(self, x): return x * {K}\n"
    "s = S()",
}


@pytest.fixture
def loaded(tmp_path, monkeypatch):
    """Return a function that writes a module of one's own and loads it anew."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def load(sources, found="s"):
        for name, source in sources.items():
            path = tmp_path / f"{name.replace('.', '/')}.py"
            path.parent.mkdir(exist_ok=True)
            path.write_text(source)
        linecache.clearcache()
        for name in [name for name in sys.modules if name.partition(".")[0].startswith("own_")]:
            del sys.modules[name]
        importlib.invalidate_caches()
        return getattr(importlib.import_module(next(iter(sources))), found)

    yield load
    for name in [name for name in sys.modules if name.partition(".")[0].startswith("own_")]:
        del sys.modules[name]


@pytest.mark.parametrize("name", CODE)
def test_changed_code_is_told_apart(loaded, name):
    one, again, other = (described(loaded({"own_": CODE[name].format(K=k)})) for k in (2, 2, 5))
    assert one == again != other


@pytest.mark.parametrize("name", [name for name in CODE if name not in ("unused by name",)])
def test_changed_code_that_was_typed_is_told_apart(name):
    found = []
    for k in (2, 2, 5):
        typed = {"__name__": "typed"}
        exec(CODE[name].format(K=k), typed)
        found.append(described(typed["s"]))
    assert found[0] == found[1] != found[2]


IMPORTS = {
    "module": "import own_helper\ndef s(learner, X, n=1): return own_helper.K",
    "name": "from own_helper import K\ndef s(learner, X, n=1): return K",
    "late": "def s(learner, X, n=1):\n    from own_helper import K\n    return K",
    "all": "from own_helper import *\ndef s(learner, X, n=1): return K",
    "another": "import own_between\ndef s(learner, X, n=1): return own_between.f()",
    "passed on": "from own_helper import s",
}


@pytest.mark.parametrize("name", IMPORTS)
def test_own_modules_that_are_imported_count(loaded, name):
    found = []
    for k in (2, 2, 5):
        helper = f"K = [{k}]\ndef s(learner, X, n=1): return K"
        between = "import own_helper\ndef f(): return own_helper.K"
        sources = {"own_": IMPORTS[name], "own_helper": helper, "own_between": between}
        found.append(described(loaded({**sources, "own_other": f"K = {len(found)}"})))
    assert found[0] == found[1] != found[2]


@pytest.mark.parametrize(
    "line", ["from . import helper", "from .helper import K", "from own_pkg import helper"]
)
def test_imports_inside_a_package_count(loaded, line):
    found = []
    for k in (2, 2, 5):
        strategy = f"{line}\ndef s(learner, X, n=1): return helper.K"
        sources = {"own_pkg.mine": strategy, "own_pkg.__init__": "", "own_pkg.helper": f"K = {k}"}
        found.append(described(loaded(sources)))
    assert found[0] == found[1] != found[2]


def test_what_does_not_run_does_not_count(loaded):
    sources = {"own_": IMPORTS["module"], "own_helper": "K = 1", "own_other": "K = 1"}
    before = described(loaded(sources))
    assert described(loaded({**sources, "own_other": "K = 2"})) == before
    assert described(loaded({**sources, "own_helper": "K = 1  # a remark"})) != before


def test_a_file_is_the_same_in_another_folder_and_by_another_name(interpreters, tmp_path):
    found = []
    for folder, interpreter in zip(("one", "two"), interpreters, strict=True):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "own_.py").write_text(CODE["class variable"].format(K=2))
        code = "import own_; from modal_interp.experiments.running.descriptions import described;"
        found.append(interpreter.run(f"{code}print(described(own_.s))", tmp_path / folder))
    assert found[0] == found[1]


SCRIPT = """
import sys
import own_helper
from modal_interp.experiments.running.descriptions import described
K = {K}
TABLE = {{"a": [K]}}
class Asks:
    def __call__(self, learner, X, n_instances=1): return own_helper.K, TABLE
def strategy(learner, X, n_instances=1): return Asks()
if __name__ == "__main__":
    print(described(strategy), described(Asks()))  # {remark}
"""


def test_of_a_script_what_its_strategies_use_counts_and_no_more(interpreters, tmp_path):
    each = itertools.cycle(interpreters)

    def said(K=1, helped=1, remark=""):
        (tmp_path / "own_helper.py").write_text(f"K = {helped}")
        script = SCRIPT.format(K=K, remark=remark)
        (tmp_path / "script.py").write_text(script)
        return next(each).run(script, tmp_path, "script.py")

    before = said()
    assert said(remark="more seeds") == before
    assert said(K=2) != before
    assert said(helped=2) != before


def test_what_training_noted_of_itself_does_not_count():
    X = np.random.RandomState(0).randn(40, 3).astype("f4")
    y = (X[:, 0] > 0).astype(int)

    def fitted(seed, make=lambda seed: TabularMLPClassifier(max_epochs=1, random_state=seed)):
        return make(seed).fit(X, y)

    def searched(seed):
        return GridSearchCV(LogisticRegression(), {"C": [1 + seed, 9]}, cv=2)

    one, again, other = (fitted(seed) for seed in (0, 0, 1))
    again.predict(X)  # which leaves it in another mode
    assert digest(one) == digest(again) != digest(other)
    assert digest(fitted(0, searched)) == digest(fitted(0, searched)) != digest(fitted(1, searched))


def test_modes_of_a_module_alone_count():
    assert digest(layers(1).train()) != digest(layers(1).eval())
