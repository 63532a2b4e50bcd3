"""What ``query`` accepts, ``teach`` accepts: every kind of samples and labels, twice around."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from modAL.models import ActiveLearner, Committee
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from modal_interp import (
    TabularMLPClassifier,
    TextCNNClassifier,
    WordEncoder,
    alden_diversity,
    badge,
    coreset,
    dami_kmedoids,
    egl_word,
    entropy,
    make_reviews,
    margin,
    random_sampling,
)
from modal_interp.queries.stacking import stack_rows, take_rows

N = 60
TEXTS, SIDES = make_reviews(N, random_state=1)
NAMES = np.array(["neg", "pos"])[SIDES]
SEVERAL = np.column_stack([SIDES, np.arange(N) % 2])
ENCODER = WordEncoder().fit(TEXTS)
IDS = ENCODER.transform(TEXTS)
RNG = np.random.RandomState(0)
TABLE = RNG.normal(size=(N, 4)).astype(np.float32) + SIDES[:, None]
HOLES = np.where(RNG.rand(N, 4) < 0.2, np.nan, TABLE)
COUNTS = CountVectorizer(max_features=40).fit_transform(TEXTS)
# Labels that lead astray whoever takes them for positions.
SHUFFLED = RNG.permutation(N)
TOWNS = np.array(["Ulm", "Bonn", "Jena"])[np.arange(N) % 3]
MIXED = pd.DataFrame({"size": TABLE[:, 0], "town": TOWNS, "n": np.arange(N)}, index=SHUFFLED)
MIXED_HOLES = MIXED.assign(size=HOLES[:, 0]).replace({"town": {"Jena": None}})


def words():
    net = TextCNNClassifier(n_words=ENCODER.n_words_, max_epochs=1, random_state=0)
    return make_pipeline(FrozenEstimator(ENCODER), net)


def ids():
    return TextCNNClassifier(n_words=ENCODER.n_words_, max_epochs=1, random_state=0)


def table():
    return TabularMLPClassifier(max_epochs=1, random_state=0)


def tfidf():
    return make_pipeline(TfidfVectorizer(), LogisticRegression())


def columns():
    towns = OneHotEncoder(handle_unknown="ignore")
    return make_pipeline(
        make_column_transformer((SimpleImputer(), ["size", "n"]), (towns, ["town"])),
        LogisticRegression(max_iter=1000),
    )


def from_tokens():
    return make_pipeline(CountVectorizer(analyzer=list), LogisticRegression())


def filled(estimator):
    return lambda: make_pipeline(SimpleImputer(), estimator())


def labels():
    return RandomForestClassifier(n_estimators=3, random_state=0)


TEXT_STRATEGIES = [alden_diversity, egl_word, badge, margin, random_sampling]
TABLE_STRATEGIES = [dami_kmedoids, coreset, entropy, random_sampling]
ANY = [margin, random_sampling]
SAMPLES = {
    "texts: list": (TEXTS.tolist(), words, TEXT_STRATEGIES),
    "texts: object array": (TEXTS, words, TEXT_STRATEGIES),
    "texts: U array": (TEXTS.astype("U"), words, TEXT_STRATEGIES),
    "texts: Series": (pd.Series(TEXTS), words, TEXT_STRATEGIES),
    "texts: Series, shuffled index": (pd.Series(TEXTS, SHUFFLED), words, TEXT_STRATEGIES),
    "texts: Series, one index": (pd.Series(TEXTS, np.zeros(N, dtype=int)), words, TEXT_STRATEGIES),
    "texts: Series, names": (pd.Series(TEXTS, [f"t{i}" for i in range(N)]), words, [badge]),
    "texts: Series of string": (pd.Series(TEXTS, SHUFFLED, dtype="string"), words, [badge, margin]),
    "texts: Series, tf-idf": (pd.Series(TEXTS, SHUFFLED), tfidf, ANY),
    "texts: list, tf-idf": (TEXTS.tolist(), tfidf, ANY),
    "tokens: ragged lists": ([text.split() for text in TEXTS], from_tokens, ANY),
    "ids: array": (IDS, ids, TEXT_STRATEGIES),
    "ids: lists": (IDS.tolist(), ids, TEXT_STRATEGIES),
    "ids: frame": (pd.DataFrame(IDS, SHUFFLED), ids, TEXT_STRATEGIES),
    "table: array": (TABLE, table, TABLE_STRATEGIES),
    "table: lists": (TABLE.tolist(), table, TABLE_STRATEGIES),
    "table: lists, tree": (TABLE.tolist(), labels, ANY),
    "table: frame": (pd.DataFrame(TABLE, SHUFFLED, list("abcd")), table, TABLE_STRATEGIES),
    "table: numbered frame": (pd.DataFrame(TABLE, SHUFFLED), table, TABLE_STRATEGIES),
    "table: numbered frame, tree": (pd.DataFrame(TABLE), labels, ANY),
    "mixed frame": (MIXED, columns, ANY),
    "mixed frame, missing": (MIXED_HOLES, columns, ANY),
    "missing: imputer, net": (HOLES, filled(table), TABLE_STRATEGIES),
    "missing: frame, imputer, net": (
        pd.DataFrame(HOLES, SHUFFLED),
        filled(table),
        TABLE_STRATEGIES,
    ),
    "missing: lists, imputer": (HOLES.tolist(), filled(LogisticRegression), ANY),
    "missing: by itself": (HOLES, HistGradientBoostingClassifier, ANY),
    "missing: frame, by itself": (pd.DataFrame(HOLES), HistGradientBoostingClassifier, ANY),
    **{
        f"sparse: {form}": (COUNTS.asformat(form), LogisticRegression, ANY)
        for form in ("csr", "csc", "coo", "bsr", "lil", "dok", "dia")
    },
    "sparse: array": (sp.csr_array(COUNTS), LogisticRegression, ANY),
}
CASES = [
    pytest.param(X, make, strategy, id=f"{name}, {strategy.__name__}")
    for name, (X, make, strategies) in SAMPLES.items()
    for strategy in strategies
]
TARGETS = {
    "array": NAMES,
    "list": NAMES.tolist(),
    "objects": NAMES.astype(object),
    "Series": pd.Series(NAMES, SHUFFLED),
    "Series of numbers": pd.Series(SIDES, SHUFFLED, name="side"),
    "Series of categories": pd.Series(NAMES, SHUFFLED, dtype="category"),
    "several: array": SEVERAL,
    "several: lists": SEVERAL.tolist(),
    "several: frame": pd.DataFrame(SEVERAL, SHUFFLED, ["a", "b"]),
}


@pytest.fixture(autouse=True)
def _same_bootstraps():
    """modAL draws its bootstraps from the global generator; few samples may be of one class."""
    np.random.seed(0)  # noqa: NPY002


def size(X):
    return X.shape[0] if hasattr(X, "shape") else len(X)


def as_lists(X):
    """Rows as lists, to be compared whatever holds them; missing values by their name."""
    if sp.issparse(X):
        X = X.toarray()
    elif isinstance(X, pd.DataFrame | pd.Series):
        X = X.to_numpy()
    rows = X.tolist() if hasattr(X, "tolist") else X
    return [str(row).replace("None", "nan") for row in rows]


def learner_of(make, strategy, X, y, **options):
    start = np.arange(12)
    return ActiveLearner(make(), strategy, take_rows(X, start), take_rows(y, start), **options)


def two_rounds(learner, X, y, members):
    """Query, teach and query again; all samples are remembered with their labels, in order."""
    taught, left = list(range(12)), np.arange(12, N)
    for _ in range(2):
        pool = take_rows(X, left)
        chosen, asked = learner.query(pool, n_instances=3)
        rows = left[chosen]
        assert type(asked) is type(X)
        assert as_lists(asked) == as_lists(take_rows(X, rows))
        learner.teach(asked, take_rows(y, rows))
        taught += rows.tolist()
        left = np.setdiff1d(left, rows)
        for member in members:
            assert type(member.X_training) is type(X)
            assert as_lists(member.X_training) == as_lists(take_rows(X, np.array(taught)))
            assert as_lists(member.y_training) == as_lists(take_rows(y, np.array(taught)))
    learner.query(take_rows(X, left), n_instances=1)
    assert "ActiveLearner" in repr(learner)


@pytest.mark.parametrize(("X", "make", "strategy"), CASES)
def test_a_learner_goes_round(X, make, strategy):
    learner = learner_of(make, strategy, X, NAMES, bootstrap_init=strategy is random_sampling)
    two_rounds(learner, X, NAMES, [learner])


@pytest.mark.parametrize(
    ("X", "make", "strategy"), [case for case in CASES if case.values[2] in (badge, margin)]
)
def test_a_committee_goes_round_and_is_bagged_again(X, make, strategy):
    members = [learner_of(make, strategy, X, NAMES, bootstrap_init=i == 1) for i in range(2)]
    committee = Committee(members, strategy)
    two_rounds(committee, X, NAMES, members)
    committee.rebag()
    committee.query(X, n_instances=2)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("make", [table, labels], ids=["net", "trees"])
def test_labels_go_round(make, target):
    X, y = pd.DataFrame(TABLE, SHUFFLED), TARGETS[target]
    learner = learner_of(make, random_sampling, X, y, bootstrap_init=True)
    two_rounds(learner, X, y, [learner])
    learner.teach(take_rows(X, [0, 1, 2]), take_rows(y, [0, 1, 2]), bootstrap=True)
    learner.teach(take_rows(X, np.arange(20)), take_rows(y, np.arange(20)), only_new=True)
    twice = {"bootstrap": True, "only_new": True}
    learner.teach(take_rows(X, np.arange(20)), take_rows(y, np.arange(20)), **twice)
    learner.fit(X, y, bootstrap=True)
    assert size(learner.X_training) == N


@pytest.mark.parametrize("target", [name for name in TARGETS if "several" not in name])
def test_labels_go_round_in_a_committee(target):
    y = TARGETS[target]
    members = [learner_of(labels, margin, TABLE, y) for _ in range(2)]
    committee = Committee(members, margin)
    two_rounds(committee, TABLE, y, members)
    assert committee.classes_.tolist() == np.unique(y).tolist()
    committee.rebag()


@pytest.mark.parametrize(
    ("known", "new"),
    [
        (pd.Series(["a", "b"], name="x"), ["c"]),
        (pd.Series(["a", "b"]), np.array(["c"])),
        (["a", "b"], np.array(["c"])),
        (["a", "b"], pd.Series(["c"], [7])),
        (np.array(["a", "b"]), pd.Series(["c"], [7])),
        (pd.DataFrame([[1, 2], [3, 4]]), np.array([[5, 6]])),
        (pd.DataFrame([[1, 2], [3, 4]], columns=["u", "v"]), [[5, 6]]),
        ([[1, 2], [3, 4]], pd.DataFrame([[5, 6]])),
        (sp.coo_matrix([[1, 2], [3, 4]]), np.array([[5, 6]])),
    ],
)
def test_what_comes_in_another_kind_joins_the_first(known, new):
    stacked = stack_rows([known, new])
    assert type(stacked) is type(known)
    assert as_lists(stacked) == as_lists(known) + as_lists(new)


def test_columns_are_told_by_their_names():
    known = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
    stacked = stack_rows([known, pd.DataFrame({"b": [6], "a": [5]})])
    assert stacked.to_numpy().tolist() == [[1, 3], [2, 4], [5, 6]]
    with pytest.raises(ValueError, match=r"X must have the columns \['a', 'b'\].*found \['a', 'c'"):
        stack_rows([known, pd.DataFrame({"a": [5], "c": [6]})])


@pytest.mark.parametrize("pool", [HOLES, pd.DataFrame(HOLES), HOLES.tolist(), abs(TABLE) * np.inf])
@pytest.mark.parametrize("make", [table, LogisticRegression])
@pytest.mark.parametrize("strategy", [margin, random_sampling])
def test_missing_values_are_refused_before_labelling(pool, make, strategy):
    learner = ActiveLearner(make(), strategy, TABLE[:12], NAMES[:12])
    with pytest.raises(ValueError, match=r"finite numbers|X_pool must hold a value|Input X cont"):
        learner.query(pool, n_instances=2)
    with pytest.raises(ValueError, match=r"Input (X )?contains (NaN|infinity)"):
        learner.teach(pool, NAMES)
    assert len(learner.X_training) == len(learner.y_training) == 12


def test_the_way_out_is_named():
    learner = ActiveLearner(LogisticRegression(), random_sampling, TABLE[:12], NAMES[:12])
    pool = TABLE.copy()
    pool[17, 2] = np.nan
    message = r"takes no missing ones.*found NaN.* in 1 of 60 candidates, the first in row 17"
    with pytest.raises(ValueError, match=f"{message}.*SimpleImputer.*candidates="):
        learner.query(pool, n_instances=2)
    others = np.delete(np.arange(N), 17)
    chosen, _ = learner.query(pool, n_instances=59, candidates=others)
    assert set(chosen.tolist()) == set(others.tolist())


@pytest.mark.parametrize("texts", [pd.Series(["a", None]), np.array(["a", np.nan], dtype=object)])
def test_missing_texts_are_refused_before_labelling(texts):
    learner = ActiveLearner(tfidf(), random_sampling, TEXTS[:12], NAMES[:12])
    with pytest.raises(ValueError, match=r"X_pool must hold a value.*in row 1"):
        learner.query(texts)


def test_what_cannot_be_added_changes_nothing():
    learner = ActiveLearner(LogisticRegression(), margin, TABLE[:12], SEVERAL[:12, 0])
    with pytest.raises(ValueError, match="dimensions"):
        learner.teach(TABLE[12:14], SEVERAL[12:14])
    assert len(learner.X_training) == len(learner.y_training) == 12


def test_all_finite_can_still_be_switched_off():
    learner = ActiveLearner(
        HistGradientBoostingClassifier(), margin, HOLES[:12], NAMES[:12], force_all_finite=False
    )
    learner.teach(HOLES[12:], NAMES[12:])
    assert len(learner.X_training) == N
