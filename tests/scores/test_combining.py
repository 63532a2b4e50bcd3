import numpy as np
import pytest

from modal_interp import product, ranked_mean


def test_ranked_mean_by_hand():
    # Ranks from 0: (0, 1, 2) and (2, 0, 1); halves of the mean.
    np.testing.assert_allclose(ranked_mean([0.1, 0.2, 0.9], [30, 10, 20]), [0.5, 0.25, 0.75])


def test_equal_scores_share_their_ranks():
    np.testing.assert_allclose(ranked_mean([1, 1, 5, 5]), [1 / 6, 1 / 6, 5 / 6, 5 / 6])


def test_units_do_not_matter_to_ranks():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 20))
    np.testing.assert_array_equal(ranked_mean(a, b), ranked_mean(1e6 * a - 3, np.exp(b)))


def test_one_sample():
    assert ranked_mean([3.0]).tolist() == [0.0]
    assert product([3.0]).tolist() == [3.0]


def test_product_by_hand():
    np.testing.assert_allclose(product([0.5, 0.2], [2.0, 4.0], [1, 10]), [1.0, 8.0])


@pytest.mark.parametrize("combine", [ranked_mean, product])
@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ((), "scores must be one or more arrays"),
        (([1, 2], [1, 2, 3]), r"of one shape.*\(2,\), \(3,\)"),
        (([[1, 2]],), r"of one shape.*\(1, 2\)"),
        (([],), r"n >= 1"),
        ((["a", "b"],), "scores must be real numbers"),
        (([1.0, np.nan],), "must be finite; found 1 others"),
        (([np.inf, 1.0], [0.0, 1.0]), "must be finite; found 1 others"),
    ],
)
def test_wrong_scores_are_named(combine, scores, message):
    with pytest.raises(ValueError, match=message):
        combine(*scores)


def test_product_of_negative_scores_is_an_error():
    with pytest.raises(ValueError, match=r"must not be negative.*found -1"):
        product([1, -1], [1, 2])
