import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t, wilcoxon

from modal_interp.experiments.analysis.comparisons import (
    WinMatrix,
    holm,
    signed_rank_test,
    win_matrix,
)
from modal_interp.experiments.analysis.frames import check_results, mean_interval
from modal_interp.experiments.analysis.metrics import (
    area_under_curve,
    labels_to_reach,
    normalized_auc,
    summary,
)
from tests import reference_experiments as reference

MEASURES = [
    normalized_auc,
    area_under_curve,
    lambda results: labels_to_reach(results, 0.8),
    summary,
    lambda results: win_matrix(results).shares,
]


def frame_of(curves, sizes=(20, 40, 80), full=1.0):
    """Return the frame of {(strategy, seed): scores}."""
    rows = [
        (strategy, seed, r, sizes[r], score, full)
        for (strategy, seed), scores in curves.items()
        for r, score in enumerate(scores)
    ]
    names = ["strategy", "seed", "round", "n_labeled", "score", "full_score"]
    return pd.DataFrame(rows, columns=names)


def random_results(seed, **options):
    return reference.random_results(pd.DataFrame, seed, **options)


def by_curve(frame, column):
    return {(row.strategy, row.seed): getattr(row, column) for row in frame.itertuples()}


# By hand.


def test_normalized_auc_by_hand():
    results = frame_of({("a", 0): [0.6, 0.7, 0.9], ("b", 0): [0.6, 0.5, 0.6]}, full=0.8)
    found = normalized_auc(results)
    assert list(found.columns) == ["strategy", "seed", "normalized_auc"]
    # (0 + 0.5 + 1.5) / 3 and (0 - 0.5 + 0) / 3
    np.testing.assert_allclose(found["normalized_auc"], [2 / 3, -1 / 6])


@pytest.mark.parametrize("full", [0.6, 0.5, math.nan])
def test_no_way_to_go_has_no_normalized_auc(full):
    results = frame_of({("a", 0): [0.6, 0.7, 0.9]}, full=full)
    assert normalized_auc(results)["normalized_auc"].isna().all()


def test_full_score_of_one_row_serves_the_seed():
    results = frame_of({("a", 0): [0.5, 0.75], ("b", 0): [0.5, 1.0], ("a", 1): [0.5, 0.75]})
    results.loc[1:, "full_score"] = np.nan
    found = normalized_auc(results)["normalized_auc"]
    np.testing.assert_allclose(found, [0.25, np.nan, 0.5])


def test_area_by_hand():
    results = frame_of({("a", 3): [0.5, 0.7, 0.8]})
    # (20 * 0.6 + 40 * 0.75) / 60
    assert area_under_curve(results)["area"].tolist() == pytest.approx([0.7])


def test_area_of_a_point_is_its_score():
    assert area_under_curve(frame_of({("a", 0): [0.7]}))["area"].tolist() == [0.7]


def test_unfinished_curves_have_no_area():
    results = frame_of({("a", 0): [0.5, 0.7, 0.8], ("a", 1): [0.5, 0.7]})
    assert area_under_curve(results)["area"].isna().tolist() == [False, True]
    assert normalized_auc(results)["normalized_auc"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("target", "labels"),
    [(0.4, 20), (0.5, 20), (0.6, 30), (0.7, 40), (0.75, 60), (0.8, 80), (0.81, math.nan)],
)
def test_labels_to_reach_by_hand(target, labels):
    found = labels_to_reach(frame_of({("a", 0): [0.5, 0.7, 0.8]}), target)
    assert list(found.columns) == ["strategy", "seed", "labels"]
    assert found["labels"].tolist() == pytest.approx([labels], nan_ok=True)


def test_the_first_crossing_counts():
    found = labels_to_reach(frame_of({("a", 0): [0.5, 0.9, 0.4]}), 0.7)
    assert found["labels"].tolist() == pytest.approx([30])


def test_no_crossing_is_guessed_behind_a_missing_point():
    results = frame_of({("a", 0): [0.5, math.nan, 0.8], ("b", 0): [0.5, 0.7, 0.8]})
    assert labels_to_reach(results, 0.6)["labels"].tolist() == pytest.approx(
        [math.nan, 30], nan_ok=True
    )


def test_summary_by_hand():
    results = frame_of(
        {
            ("badge", 0): [0.5, 0.9],
            ("badge", 1): [0.5, 0.7],
            ("random_sampling", 0): [0.5, 0.7],
            ("random_sampling", 1): [0.5, 0.6],
        }
    )
    found = summary(results)
    assert found.index.tolist() == ["badge", "random_sampling"]
    badge = found.loc["badge"]
    # Areas 0.7 and 0.6; with one degree of freedom Student's 97.5 % quantile is 12.706.
    half = 12.7062047 * 0.05
    assert badge["area"] == pytest.approx(0.65)
    assert badge["area_low"] == pytest.approx(0.65 - half)
    assert badge["area_high"] == pytest.approx(0.65 + half)
    # Normalised: (0 + 0.8) / 2 and (0 + 0.4) / 2.
    assert badge["normalized_auc"] == badge["normalized_auc_median"] == pytest.approx(0.3)
    assert badge["final_score"] == pytest.approx(0.8)
    # Areas of random sampling 0.6 and 0.55: differences 0.1 and 0.05.
    assert badge["difference"] == pytest.approx(0.075)
    assert badge["difference_high"] == pytest.approx(0.075 + 12.7062047 * 0.025)
    assert found["n_seeds"].tolist() == found["difference_seeds"].tolist() == [2, 2]
    assert found.loc["random_sampling", "difference"] == 0


def test_summary_without_baseline_has_no_difference():
    found = summary(frame_of({("badge", 0): [0.5, 0.9]}))
    assert not [name for name in found.columns if "difference" in name]
    assert np.isnan(found.loc["badge", "area_low"])


def test_summary_takes_whole_curves():
    found = summary(frame_of({("a", 0): [0.5, 0.7, 0.8], ("a", 1): [0.5, 0.7], ("b", 0): [0.5]}))
    assert found["n_seeds"].tolist() == [1, 0]
    assert found["n_unfinished"].tolist() == [1, 1]
    assert found.loc["a", "final_score"] == pytest.approx(0.8)
    assert np.isnan(found.loc["b", "final_score"])


def test_win_matrix_by_hand():
    results = frame_of(
        {
            ("a", 0): [0.5, 0.75, 1.0],
            ("b", 0): [0.5, 0.5, 1.0],
            ("a", 1): [0.5, 0.75, 0.5],
            ("b", 1): [0.5, 0.5, 0.625],
        }
    )
    found = win_matrix(results)
    assert isinstance(found, WinMatrix)
    assert found.shares.index.tolist() == found.shares.columns.tolist() == ["a", "b"]
    assert found.shares.loc["a", "b"] == 2 / 4
    assert found.shares.loc["b", "a"] == 1 / 4
    # Seeds: (0.25 + 0) / 2 and (0.25 - 0.125) / 2.
    assert found.differences.loc["a", "b"] == pytest.approx((0.125 + 0.0625) / 2)
    assert found.differences.loc["b", "a"] == -found.differences.loc["a", "b"]
    assert found.p_values.loc["a", "b"] == found.p_values.loc["b", "a"] == 0.5
    assert (found.n_seeds == 2).all(axis=None)
    for frame in (found.shares, found.p_values, found.differences):
        assert np.isnan(np.diag(frame)).all()


def test_win_matrix_of_one_seed_has_no_test():
    found = win_matrix(frame_of({("a", 0): [0.5, 0.7], ("b", 0): [0.5, 0.6]}))
    assert found.shares.loc["a", "b"] == 1
    assert found.p_values.isna().all(axis=None)


def test_equal_strategies():
    found = win_matrix(frame_of({(name, s): [0.5, 0.7] for name in "ab" for s in range(5)}))
    assert found.shares.loc["a", "b"] == found.shares.loc["b", "a"] == 0
    assert found.p_values.loc["a", "b"] == 1


def test_the_seed_set_alone_compares_nothing():
    found = win_matrix(frame_of({("a", 0): [0.5], ("b", 0): [0.5]}))
    assert found.shares.isna().all(axis=None)
    assert found.n_seeds.to_numpy().tolist() == [[0, 0], [0, 0]]


def test_win_matrix_of_chosen_strategies_corrects_for_their_pairs():
    results = frame_of({(n, s): [0.5, 0.5 + g] for n, g in zip("abc", (0.1, 0.2, 0.3), strict=True)
                        for s in range(5)})  # fmt: skip
    assert win_matrix(results).p_values.loc["a", "c"] == pytest.approx(3 * 0.0625)
    found = win_matrix(results, strategies=["c", "a"]).p_values
    assert found.columns.tolist() == ["c", "a"]
    assert found.loc["a", "c"] == 0.0625


def test_experiments_are_pooled():
    first = frame_of({("a", 0): [0.5, 0.9], ("b", 0): [0.5, 0.6]})
    second = frame_of({("a", 0): [5, 6], ("b", 0): [5, 7], ("c", 0): [5, 6]}, sizes=(10, 11))
    found = win_matrix([first, second])
    assert found.shares.loc["a", "b"] == 0.5
    assert found.n_seeds.loc["a", "b"] == 1  # one seed, of two experiments
    assert found.differences.loc["a", "b"] == pytest.approx((0.3 - 1) / 2)
    assert found.n_seeds.loc["a", "c"] == 1


def test_rounding_is_no_difference():
    results = frame_of(
        {("a", s): [0.5, 0.1 + 0.2, 0.7] for s in range(3)}
        | {("b", s): [0.5, 0.3, 0.7] for s in range(3)}
    )
    assert win_matrix(results).p_values.loc["a", "b"] == 1


@pytest.mark.parametrize(
    ("p_values", "corrected"),
    [
        # 3 * 0.01, 2 * 0.03, and 0.04, which may not fall below its predecessor.
        ([0.03, 0.01, 0.04], [0.06, 0.03, 0.06]),
        ([0.5, 0.4], [0.8, 0.8]),
        ([0.9, 0.6], [1.0, 1.0]),
        ([math.nan, 0.01, math.nan, 0.03], [math.nan, 0.02, math.nan, 0.03]),
        ([math.nan], [math.nan]),
        ([], []),
    ],
)
def test_holm_by_hand(p_values, corrected):
    np.testing.assert_allclose(holm(p_values), corrected)


@pytest.mark.parametrize(
    ("differences", "p"),
    [
        ([1, 2, 3, 4, 5], 2 / 32),
        ([-1, -2, -3, -4, -5], 2 / 32),
        ([1, 2, 3, 4, -5], 20 / 32),
        ([1, 1], 0.5),
        ([0, 0, 3], 1.0),
        ([0.0, 0.0], 1.0),
        ([1, -1, 1], 1.0),
    ],
)
def test_signed_ranks_by_hand(differences, p):
    # 1 + 2 + 3 + 4 = 10 of 15: of the 32 choices of signs 10 reach that sum, and 10 at most 5.
    assert signed_rank_test(differences) == pytest.approx(p)


@pytest.mark.parametrize("n", [2, 3, 5, 10, 30])
def test_signed_ranks_against_scipy(n):
    values = np.random.default_rng(n).normal(0.3, 1, n)
    assert signed_rank_test(values) == pytest.approx(wilcoxon(values, method="exact").pvalue)


def test_many_seeds():
    assert 0 < signed_rank_test(np.random.default_rng(0).normal(1, 1, 300)) < 1e-20


# Against loops.


@pytest.mark.parametrize("seed", range(12))
def test_curve_measures_are_the_loops(seed):
    results = random_results(seed, n_seeds=1 if seed % 4 == 0 else 4)
    rows = reference.rows_of(results)
    for found, expected in [
        (by_curve(normalized_auc(results), "normalized_auc"), reference.normalized_auc(rows)),
        (by_curve(area_under_curve(results), "area"), reference.area_under_curve(rows)),
        (by_curve(labels_to_reach(results, 0.8), "labels"), reference.labels_to_reach(rows, 0.8)),
        (by_curve(labels_to_reach(results, 0.75), "labels"), reference.labels_to_reach(rows, 0.75)),
    ]:
        assert found == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("seed", range(12))
def test_win_matrix_is_the_loops(seed):
    results = random_results(seed, n_seeds=1 if seed % 4 == 0 else 6)
    experiments = [results, random_results(seed + 100)][: 1 + seed % 2]
    found = win_matrix(experiments)
    experiments = [reference.rows_of(frame) for frame in experiments]
    for (a, b), p in reference.p_values(experiments).items():
        differences = reference.seed_differences(experiments, a, b)
        mean = sum(differences) / len(differences) if differences else math.nan
        for row, column, sign in [(a, b, 1), (b, a, -1)]:
            share = reference.share(experiments, row, column)
            assert found.shares.loc[row, column] == pytest.approx(share, nan_ok=True)
            assert found.p_values.loc[row, column] == pytest.approx(p, nan_ok=True)
            assert found.differences.loc[row, column] == pytest.approx(sign * mean, nan_ok=True)
            assert found.n_seeds.loc[row, column] == len(differences)


@pytest.mark.parametrize("seed", range(8))
def test_summary_is_the_loops(seed):
    results = random_results(seed)
    rows = reference.rows_of(results)
    found = summary(results, 0.9, baseline="strategy_1")
    areas, shares = reference.area_under_curve(rows), reference.normalized_auc(rows)
    for name in reference.names(rows):
        of_seeds = {s: area for (n, s), area in areas.items() if n == name}
        expected = {
            "area": list(of_seeds.values()),
            "normalized_auc": [share for (n, _), share in shares.items() if n == name],
            "difference": [area - areas["strategy_1", s] for s, area in of_seeds.items()],
        }
        for column, values in expected.items():
            interval = reference.mean_interval(values, lambda n: t.ppf(0.95, n - 1))
            cells = found.loc[name, [column, f"{column}_low", f"{column}_high"]]
            assert cells.tolist() == pytest.approx(interval, nan_ok=True)
        known = [value for value in expected["normalized_auc"] if not math.isnan(value)]
        median = np.median(known) if known else math.nan
        assert found.loc[name, "normalized_auc_median"] == pytest.approx(median, nan_ok=True)
        whole = [s for s, area in of_seeds.items() if not math.isnan(area)]
        assert found.loc[name, "n_seeds"] == len(whole)
        last = max(reference.rounds(rows))
        finals = [reference.curve(rows, name, s)[last] for s in whole]
        mean = sum(finals) / len(finals) if finals else math.nan
        assert found.loc[name, "final_score"] == pytest.approx(mean, nan_ok=True)


# Properties.


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("seed", range(3))
def test_order_of_rows_and_index_do_not_matter(measure, seed):
    results = random_results(seed)
    other = results.sample(frac=1, random_state=seed)
    pd.testing.assert_frame_equal(measure(results), measure(other))


@pytest.mark.parametrize("measure", MEASURES)
def test_results_are_left_as_they_are(measure):
    results = random_results(0)
    results.attrs["settings"] = {"seed_set": np.arange(3)}
    before = results.copy()
    measure(results)
    pd.testing.assert_frame_equal(results, before)
    assert list(results.attrs) == ["settings"]


@pytest.mark.parametrize("seed", range(5))
def test_unit_of_scores_does_not_matter(seed):
    results = random_results(seed)
    other = results.assign(score=3 * results["score"] - 7, full_score=3 * results["full_score"] - 7)
    np.testing.assert_allclose(
        normalized_auc(results)["normalized_auc"],
        normalized_auc(other)["normalized_auc"],
        atol=1e-12,
    )
    one, two = win_matrix(results), win_matrix(other)
    pd.testing.assert_frame_equal(one.shares, two.shares)
    pd.testing.assert_frame_equal(one.p_values, two.p_values)
    np.testing.assert_allclose(3 * one.differences, two.differences, atol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_wins_of_both_sides_are_at_most_all(seed):
    shares = win_matrix(random_results(seed)).shares.to_numpy()
    both = (shares + shares.T)[~np.isnan(shares)]
    assert (both <= 1 + 1e-12).all()
    assert (both >= 0).all()


def test_full_training_all_along_is_one_but_for_the_seed_set():
    results = frame_of({("a", 0): [0.5, 0.9, 0.9]}, full=0.9)
    assert normalized_auc(results)["normalized_auc"].tolist() == pytest.approx([2 / 3])


def test_interval_covers_as_it_says():
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(2000):
        _, low, high = mean_interval(rng.normal(3, 2, 5), 0.8)
        inside += low < 3 < high
    assert 0.77 < inside / 2000 < 0.83


@pytest.mark.parametrize("strategy_type", ["category", "string"])
def test_names_of_other_types(strategy_type):
    results = random_results(1)
    other = results.astype({"strategy": strategy_type})
    pd.testing.assert_frame_equal(summary(results), summary(other))


# Mistakes.


@pytest.mark.parametrize("measure", MEASURES)
def test_missing_columns_are_named(measure):
    with pytest.raises(ValueError, match=r"missing are \['n_labeled', 'score'\]"):
        measure(random_results(0).drop(columns=["score", "n_labeled"]))


@pytest.mark.parametrize("measure", MEASURES)
def test_empty_frames_are_refused(measure):
    with pytest.raises(ValueError, match="at least one row"):
        measure(random_results(0).iloc[:0])


@pytest.mark.parametrize("measure", MEASURES)
def test_points_that_stand_twice_are_refused(measure):
    results = frame_of({("a", 0): [0.5, 0.7], ("b", 0): [0.5, 0.7]})
    with pytest.raises(ValueError, match=r"must stand once; \('b', 0, 1\) and 0 others"):
        measure(pd.concat([results, results.iloc[3:]]))


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("strategy", 3, "strategy must hold names"),
        ("seed", 0.5, "seed must hold integers; found dtype float64"),
        ("seed", True, "seed must hold integers; found dtype bool"),
        ("round", "0", "round must hold integers; found dtype (object|str)"),
        ("round", -1, "round must not be negative; found -1"),
        ("n_labeled", math.nan, "n_labeled must hold integers; found dtype float64 with missing"),
        ("score", "0.5", "score must hold real numbers; found dtype (object|str)"),
        ("score", math.inf, "score must be finite"),
        ("full_score", -math.inf, "full_score must be finite"),
    ],
)
def test_wrong_values_are_named(column, value, message):
    results = frame_of({("a", 0): [0.5]})
    results[column] = [value]
    with pytest.raises(ValueError, match=message):
        check_results(results, also=("full_score",))


def test_results_must_be_a_frame():
    with pytest.raises(TypeError, match="must be a pandas DataFrame; found dict"):
        check_results({"score": [1]})
    with pytest.raises(TypeError, match="must be a pandas DataFrame; found str"):
        win_matrix("results")


def test_sizes_must_agree_and_rise():
    results = frame_of({("a", 0): [0.5, 0.7], ("b", 0): [0.5, 0.7]})
    results.loc[3, "n_labeled"] = 41
    with pytest.raises(ValueError, match=r"same for all strategies.*\('a', 0, 1\)"):
        area_under_curve(results)
    with pytest.raises(ValueError, match=r"must rise from round to round; not at \('a', 0, 1\)"):
        area_under_curve(frame_of({("a", 0): [0.5, 0.7]}, sizes=(20, 20)))


def test_one_full_score_a_seed():
    results = frame_of({("a", 0): [0.5, 0.7]})
    results.loc[1, "full_score"] = 0.9
    with pytest.raises(ValueError, match=r"seed 0 has \[0\.9, 1\.0\]"):
        normalized_auc(results)


def test_normalized_auc_needs_the_seed_set():
    results = frame_of({("a", 0): [0.5, 0.7]})
    with pytest.raises(ValueError, match="must hold round 0"):
        normalized_auc(results[results["round"] > 0])


@pytest.mark.parametrize("target", [math.nan, math.inf, "0.8", None])
def test_wrong_targets(target):
    with pytest.raises(ValueError, match="target must be a finite number"):
        labels_to_reach(random_results(0), target)


@pytest.mark.parametrize("confidence", [0, 1, 95, -0.1])
def test_wrong_confidence(confidence):
    with pytest.raises(ValueError, match="confidence must lie between 0 and 1"):
        summary(random_results(0), confidence)


def test_wrong_strategies():
    results = random_results(0)
    with pytest.raises(ValueError, match=r"found \['badge'\]"):
        win_matrix(results, strategies=["strategy_0", "badge"])
    with pytest.raises(ValueError, match="at least one; found none"):
        win_matrix(results, strategies=[])
    with pytest.raises(TypeError, match=r"Write \['badge'\]"):
        win_matrix(results, strategies="badge")
    with pytest.raises(ValueError, match="one frame or more"):
        win_matrix([])
