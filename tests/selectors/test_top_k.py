import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modal_interp.selectors.top_k import top_k
from tests import reference_selectors as reference
from tests.thoroughness import examples

SCORES = st.one_of(
    st.lists(st.integers(-3, 3), min_size=1, max_size=25),
    st.lists(st.floats(allow_nan=False), min_size=1, max_size=25),
    st.lists(st.sampled_from([0.0, -0.0, 1.0, np.inf, -np.inf]), min_size=1, max_size=25),
)


@settings(max_examples=examples(300), deadline=None)
@given(SCORES, st.booleans(), st.data())
def test_equals_the_literal_choice(scores, reverse, data):
    k = data.draw(st.integers(1, len(scores)))
    chosen = top_k(scores, k, reverse=reverse)
    assert chosen.dtype == np.intp
    assert chosen.tolist() == reference.top_k(scores, k, reverse)


@settings(max_examples=examples(100), deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 200), st.booleans())
def test_all_of_them_are_a_stable_order(seed, n, reverse):
    scores = np.random.default_rng(seed).integers(0, 6, n)
    chosen = top_k(scores, n, reverse=reverse)
    expected = np.argsort(scores if reverse else -scores, kind="stable")
    assert chosen.tolist() == expected.tolist()


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float16, np.float32, bool])
def test_takes_every_kind_of_real_number(dtype):
    scores = np.array([1, 0, 1, 0], dtype=dtype)
    assert top_k(scores, 3).tolist() == [0, 2, 1]
    assert top_k(scores, 3, reverse=True).tolist() == [1, 3, 0]


def test_integers_that_no_float_holds_are_told_apart():
    assert top_k(np.array([2**62, 2**62 + 1, -(2**63)]), 3).tolist() == [1, 0, 2]


@pytest.mark.parametrize(
    ("scores", "k", "error", "message"),
    [
        ([[1.0, 2.0]], 1, ValueError, r"scores must have shape \(n,\).*found shape \(1, 2\)"),
        ([], 1, ValueError, r"found shape \(0,\)"),
        ([1.0, np.nan, np.nan], 1, ValueError, "NaN; found 2, the first at index 1"),
        (["a"], 1, ValueError, "scores must be real numbers; found dtype <U1"),
        ([1.0, 2.0], 0, ValueError, "k must lie between 1 and the number of samples, 2; found 0"),
        ([1.0, 2.0], 3, ValueError, "found 3"),
        ([1.0, 2.0], 1.0, TypeError, "k must be a whole number; found 1.0"),
        ([1.0, 2.0], True, TypeError, "k must be a whole number; found True"),
    ],
)
def test_bad_input_is_named(scores, k, error, message):
    with pytest.raises(error, match=message):
        top_k(scores, k)
