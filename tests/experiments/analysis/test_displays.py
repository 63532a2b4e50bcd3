import io

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.decomposition import PCA

from modal_interp.experiments.analysis.comparisons import win_matrix
from modal_interp.experiments.analysis.displays import (
    LearningCurveDisplay,
    PairwiseMatrixDisplay,
    SelectionDisplay,
    _names,
)
from modal_interp.experiments.analysis.displays._names import shown_names, text_look
from modal_interp.experiments.analysis.displays._style import style

NAMES = ["alden", "badge", "random_sampling"]
N = 60
X = np.random.default_rng(0).uniform(-1, 1, (N, 2))
Y = (X.prod(axis=1) > 0).astype(int)


@pytest.fixture(autouse=True)
def _no_figures_left():
    assert mpl.get_backend().lower() == "agg"
    yield
    plt.close("all")


@pytest.fixture
def results():
    """Three strategies, eight seeds, rounds 0 to 4, each strategy better than the next."""
    rng = np.random.default_rng(0)
    rows = []
    for seed in range(8):
        base, rows_of_seed = 0.5 + 0.01 * rng.random(), rng.permutation(N)
        for i, name in enumerate(NAMES):
            for r in range(5):
                score = base + (0.05 - 0.01 * i) * r + 0.0001 * (r > 0) * rng.random()
                queried = rows_of_seed[:4] if r == 0 else rng.permutation(rows_of_seed[4:])[:3]
                rows.append((name, seed, r, 4 + 3 * r, score, score - 0.1, 0.9, queried))
    columns = ["strategy", "seed", "round", "n_labeled", "score", "validation_score",
               "full_score", "queried"]  # fmt: skip
    frame = pd.DataFrame(rows, columns=columns)
    frame.attrs["settings"] = {"scoring": "roc_auc", "n_train": 40}
    return frame


def draw_curves(results, ax):
    return LearningCurveDisplay.from_results(results, ax=ax)


def draw_matrix(results, ax):
    return PairwiseMatrixDisplay.from_results(results, ax=ax)


@pytest.mark.parametrize("draw", [draw_curves, draw_matrix])
def test_draws_where_it_is_told(draw, results):
    figure, (left, right) = plt.subplots(1, 2)
    display = draw(results, left)
    assert display.ax_ is left
    assert display.figure_ is figure
    assert not right.has_data()
    assert plt.get_fignums() == [figure.number]
    assert display.plot(right) is display
    assert display.ax_ is right
    figure.canvas.draw()


@pytest.mark.parametrize("draw", [draw_curves, draw_matrix])
def test_makes_one_figure_if_none_is_given(draw, results):
    display = draw(results, None)
    assert plt.get_fignums() == [display.figure_.number]
    display.figure_.canvas.draw()


# Learning curves.


def test_curves_are_medians_and_quartiles(results):
    display = LearningCurveDisplay.from_results(results)
    assert [line.get_label() for line in display.lines_] == NAMES
    for name, line, band in zip(NAMES, display.lines_, display.bands_, strict=True):
        scores = results[results["strategy"] == name].pivot(
            index="seed", columns="round", values="score"
        )
        np.testing.assert_allclose(line.get_xdata(), [4, 7, 10, 13, 16])
        np.testing.assert_allclose(line.get_ydata(), np.median(scores, axis=0))
        ends = band.get_paths()[0].vertices[:, 1]
        quartiles = np.percentile(scores, [25, 75], axis=0)
        assert ends.min() == pytest.approx(quartiles.min())
        assert ends.max() == pytest.approx(quartiles.max())
    assert display.full_line_.get_linestyle() == ":"
    assert set(display.full_line_.get_ydata()) == {0.9}
    assert display.ax_.get_xlabel() == "labelled samples"
    assert display.ax_.get_ylabel() == "test roc auc"
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert legend == [*NAMES, "all labels"]


def test_curves_of_means_with_intervals(results):
    display = LearningCurveDisplay.from_results(results, statistic="mean", band="confidence")
    means = results.groupby(["strategy", "round"])["score"].mean()
    np.testing.assert_allclose(display.curves["value"], means)
    np.testing.assert_allclose((display.curves["low"] + display.curves["high"]) / 2, means)
    narrow = LearningCurveDisplay.from_results(
        results, statistic="mean", band="confidence", confidence=0.5
    )
    assert (narrow.curves["low"] > display.curves["low"]).all()


def test_curves_of_shares(results):
    display = LearningCurveDisplay.from_results(results, x="share")
    np.testing.assert_allclose(display.lines_[0].get_xdata(), np.array([4, 7, 10, 13, 16]) / 40)
    assert "share" in display.ax_.get_xlabel()
    assert display.ax_.xaxis.get_major_formatter()(0.25) == "25%"
    results.attrs.clear()
    with pytest.raises(ValueError, match=r"n_train.*found None"):
        LearningCurveDisplay.from_results(results, x="share")


@pytest.mark.parametrize("score", ["score", "validation_score"])
def test_training_once_on_parts_is_drawn_as_points(results, score):
    rows = [(0, 0.1, 10, 0.4), (1, 0.1, 10, 0.6), (0, 1, 1, 0.1), (0, 1.0, 100, 0.9)]
    results.attrs["full_training"] = [
        {"seed": seed, "size": size, "n_labeled": n, "score": s, "validation_score": s / 2}
        for seed, size, n, s in rows
    ]
    display = drawn(LearningCurveDisplay.from_results(results, score=score))
    half = 1 if score == "score" else 2
    np.testing.assert_allclose(display.part_points_.get_xdata(), [1, 10])
    np.testing.assert_allclose(display.part_points_.get_ydata(), np.array([0.1, 0.5]) / half)
    assert "trained once, at random" in legend_of(display.ax_.get_legend())
    del results.attrs["full_training"]
    assert drawn(LearningCurveDisplay.from_results(results)).part_points_ is None


def test_validation_scores_have_no_line_of_full_training(results):
    display = LearningCurveDisplay.from_results(results, score="validation_score", band=None)
    assert display.full_line_ is None
    assert display.bands_ == [None] * 3
    assert display.ax_.get_ylabel() == "validation roc auc"


@pytest.mark.parametrize("change", ["drop", "nan"])
def test_full_training_that_was_not_run(results, change):
    if change == "drop":
        results = results.drop(columns="full_score")
    else:
        results["full_score"] = np.nan
    assert LearningCurveDisplay.from_results(results).full_line_ is None


def test_strategies_keep_their_looks(results):
    display = LearningCurveDisplay.from_results(results, strategies=["random_sampling", "badge"])
    assert [line.get_label() for line in display.lines_] == ["random_sampling", "badge"]
    for line, position in zip(display.lines_, [2, 1], strict=True):
        assert line.get_color() == style(position)["color"]
        assert line.get_marker() == style(position)["marker"]


def test_looks_do_not_repeat_early():
    looks = {tuple(style(i).values()) for i in range(66)}
    assert len(looks) == 66


def test_order_of_rows_does_not_matter(results):
    one = LearningCurveDisplay.from_results(results).curves
    two = LearningCurveDisplay.from_results(results.sample(frac=1, random_state=0)).curves
    pd.testing.assert_frame_equal(one, two)


def test_curves_end_where_a_seed_ends(results):
    late = (results["strategy"] == "badge") & (results["seed"] == 3) & (results["round"] > 2)
    one_seed = (results["strategy"] != "alden") | (results["seed"] == 0)
    display = LearningCurveDisplay.from_results(results[~late & one_seed])
    assert [len(line.get_xdata()) for line in display.lines_] == [5, 3, 5]
    assert [line.get_label() for line in display.lines_] == [
        "alden (1 seed)",
        "badge (8 seeds)",
        "random_sampling (8 seeds)",
    ]
    assert display.bands_[0] is None


def test_one_seed_has_no_band(results):
    display = LearningCurveDisplay.from_results(results[results["seed"] == 0])
    assert display.bands_ == [None] * 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"statistic": "max"}, "statistic must be one of"),
        ({"band": "std"}, "band must be one of"),
        ({"score": "accuracy"}, "score must be one of"),
        ({"x": "rounds"}, "x must be one of"),
        ({"band": "confidence"}, "needs statistic=\"mean\"; found 'median'"),
        ({"confidence": 95}, "confidence must lie"),
        ({"strategies": ["bald"]}, r"found \['bald'\]"),
    ],
)
def test_wrong_options_of_curves(results, options, message):
    with pytest.raises(ValueError, match=message):
        LearningCurveDisplay.from_results(results, **options)
    assert not plt.get_fignums()


def test_scores_that_nobody_knows(results):
    results["validation_score"] = np.nan
    with pytest.raises(ValueError, match="must hold a validation_score"):
        LearningCurveDisplay.from_results(results, score="validation_score")


# Matrix.


def test_matrix_shows_shares_and_marks(results):
    display = PairwiseMatrixDisplay.from_results(results)
    matrix = win_matrix(results)
    np.testing.assert_array_equal(display.im_.get_array().filled(np.nan), matrix.shares)
    assert [tick.get_text() for tick in display.ax_.get_yticklabels()] == NAMES
    assert display.text_[0, 0] is None
    # 8 seeds of one sign: 2 / 256, times 3 pairs.
    assert matrix.p_values.loc["alden", "badge"] == pytest.approx(6 / 256)
    assert display.text_[0, 2].get_text() == "1.00*"
    assert display.text_[2, 0].get_text() == "0.00*"
    assert display.text_[0, 2].get_position() == (2, 0)
    assert display.text_[0, 2].get_color() == "black"
    assert display.text_[2, 0].get_color() == "white"
    assert "p < 0.05" in display.ax_.get_title()
    assert "compared" in display.ax_.get_xlabel()
    assert "evaluated" in display.ax_.get_ylabel()


def test_matrix_without_marks(results):
    few = PairwiseMatrixDisplay.from_results(results[results["seed"] < 5])
    assert few.text_[0, 2].get_text() == "1.00"
    assert few.ax_.get_title() == ""
    strict = PairwiseMatrixDisplay.from_results(results, alpha=0.01)
    assert strict.text_[0, 2].get_text() == "1.00"


def test_matrix_of_several_experiments_in_a_given_order(results):
    display = PairwiseMatrixDisplay.from_results(
        [results, results], strategies=["random_sampling", "alden"]
    )
    assert display.matrix.n_seeds.to_numpy().tolist() == [[8, 8], [8, 8]]
    assert display.text_[1, 0].get_text() == "1.00*"


def test_matrix_of_strategies_that_never_met(results):
    apart = results[(results["strategy"] == "alden") == (results["seed"] < 4)]
    display = PairwiseMatrixDisplay.from_results(apart)
    assert display.text_[0, 1].get_text() == "?"
    display.figure_.canvas.draw()


# Selection.


def test_selection_by_hand(results):
    display = SelectionDisplay.from_results(results, X, Y, seed=2, rounds=2)
    assert [ax.get_title() for ax in display.axes_] == ["all samples", *NAMES]
    for ax, name in zip(display.axes_[1:], NAMES, strict=True):
        of = results[(results["strategy"] == name) & (results["seed"] == 2)].set_index("round")
        every, start, chosen = (points.get_offsets() for points in ax.collections)
        np.testing.assert_array_equal(every, X)
        np.testing.assert_array_equal(start, X[of.loc[0, "queried"]])
        rows = np.concatenate([of.loc[1, "queried"], of.loc[2, "queried"]])
        np.testing.assert_array_equal(chosen, X[rows])
    by_class = [points.get_offsets() for points in display.axes_[0].collections]
    np.testing.assert_array_equal(by_class[0], X[Y == 0])
    np.testing.assert_array_equal(by_class[1], X[Y == 1])
    display.figure_.canvas.draw()


def test_selection_defaults(results):
    display = SelectionDisplay.from_results(results.sample(frac=1, random_state=0), X)
    first = results[(results["strategy"] == "badge") & (results["seed"] == 0)]
    expected = np.concatenate(list(first["queried"])[1:])
    np.testing.assert_array_equal(display.chosen["badge"], expected)
    assert len(display.axes_[0].collections) == 1
    assert plt.get_fignums() == [display.figure_.number]


def test_selection_on_given_axes(results):
    figure, axes = plt.subplots(1, 3)
    display = SelectionDisplay.from_results(
        results, pd.DataFrame(X), list(Y), strategies=["badge", "alden"], axes=axes
    )
    assert display.figure_ is figure
    assert list(display.axes_) == list(axes)
    assert axes[1].get_title() == "badge"
    assert plt.get_fignums() == [figure.number]
    with pytest.raises(ValueError, match="3; found 1"):
        display.plot(axes[0])


def test_selection_in_many_columns(results):
    wide = np.random.default_rng(1).normal(size=(N, 6))
    display = SelectionDisplay.from_results(results, wide)
    np.testing.assert_allclose(display.points, PCA(2, random_state=0).fit_transform(wide))
    assert "principal" in display.axes_[0].get_ylabel()
    sparse = SelectionDisplay.from_results(results, csr_matrix(wide))
    assert sparse.points.shape == (N, 2)
    assert "singular" in sparse.axes_[0].get_ylabel()
    two = SelectionDisplay.from_results(results, csr_matrix(X))
    np.testing.assert_array_equal(two.points, X)


def legend_of(artist):
    return [text.get_text() for text in artist.get_texts()]


def test_legends_of_selections(results):
    display = SelectionDisplay.from_results(results, X, Y)
    (legend,) = display.figure_.legends
    assert legend_of(legend) == ["class 0", "class 1", "seed set", "chosen"]
    assert [ax.get_ylabel() for ax in display.axes_] == ["x2", "", "", "x2"]
    assert [ax.get_xlabel() for ax in display.axes_] == ["", "x1", "x1", "x1"]
    _, axes = plt.subplots(1, 4)
    display.plot(axes)
    assert legend_of(axes[0].get_legend()) == ["class 0", "class 1"]
    assert legend_of(axes[1].get_legend()) == ["seed set", "chosen"]
    many = SelectionDisplay.from_results(results, X, np.arange(N) % 11)
    assert legend_of(many.figure_.legends[0]) == ["seed set", "chosen"]


def test_nothing_chosen_yet(results):
    display = SelectionDisplay.from_results(results[results["round"] == 0], X)
    assert all(len(rows) == 0 for rows in display.chosen.values())
    display.figure_.canvas.draw()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 99}, r"seed must be one of \[0, 1, 2, 3, 4, 5, 6, 7\]; found 99"),
        ({"rounds": 0}, "rounds must be a positive int or None; found 0"),
        ({"X": X[:30]}, r"rows of X, 0 to 29; found \d+ of alden"),
        ({"X": X[:, :1]}, "minimum of 2 is required"),
        ({"X": np.full((N, 2), np.nan)}, "NaN"),
        ({"y": Y[1:]}, "one label a row of X, 60; found 59"),
        ({"strategies": ["bald"]}, r"found \['bald'\]"),
    ],
)
def test_wrong_options_of_selections(results, change, message):
    with pytest.raises(ValueError, match=message):
        SelectionDisplay.from_results(results, **{"X": X, **change})
    assert not plt.get_fignums()


def test_selection_needs_the_chosen_rows(results):
    with pytest.raises(ValueError, match=r"missing are \['queried'\]"):
        SelectionDisplay.from_results(results.drop(columns="queried"), X)
    results["queried"] = "[1 2]"
    with pytest.raises(ValueError, match="queried must hold one-dimensional arrays of int"):
        SelectionDisplay.from_results(results, X)


def test_what_is_no_strategy_shows_on_a_dark_background(results):
    with plt.style.context("dark_background"):
        display = LearningCurveDisplay.from_results(results)
        assert display.full_line_.get_color() == "white"
    plt.close(display.figure_)


# Names of any kind.

STRANGE = [
    "$10-$20", "$_$", r"$\bad$", r"\$5 $6$", "a_b^c", "100%", "R&D", "<b>|</b>", "{x}", "_hidden",
    "__", "中文", "two\nlines", "tab\there", "nu\x00l", "", " ", "x" * 300, "ひらがな", "😀",
    "e\u0301", "\u05e9\u05dc\u05d5\u05dd", "\ud800", "'quoted'", "#comment",
]  # fmt: skip


def legend_texts(display):
    legends = [*display.figure_.legends, *(ax.get_legend() for ax in display.figure_.axes)]
    return [text for legend in legends if legend for text in legend.get_texts()]


def drawn(display):
    display.figure_.savefig(io.BytesIO())
    return display


def is_plain(text):
    return not text.get_parse_math() and not text.get_usetex()


def renamed(results, name):
    results["strategy"] = results["strategy"].replace({"alden": name})
    return results


@pytest.mark.parametrize("name", STRANGE)
def test_curves_of_strategies_of_any_name(results, name):
    display = drawn(LearningCurveDisplay.from_results(renamed(results, name)))
    texts = legend_texts(display)
    assert {text.get_text() for text in texts} == {*shown_names([name, *NAMES[1:]]), "all labels"}
    assert all(is_plain(text) for text in texts)
    assert not name or name in [line.get_label() for line in display.lines_]


@pytest.mark.parametrize("name", STRANGE)
def test_matrices_of_strategies_of_any_name(results, name):
    display = drawn(PairwiseMatrixDisplay.from_results(renamed(results, name)))
    for axis in (display.ax_.get_xticklabels(), display.ax_.get_yticklabels()):
        assert {text.get_text() for text in axis} == set(shown_names([name, *NAMES[1:]]))
        assert all(is_plain(text) for text in axis)


@pytest.mark.parametrize("name", STRANGE)
def test_selections_of_strategies_and_classes_of_any_name(results, name):
    labels = np.where(Y > 0, name, "other").astype(object)
    display = drawn(SelectionDisplay.from_results(renamed(results, name), X, labels))
    titles = [ax.title for ax in display.axes_[1:]]
    assert {title.get_text() for title in titles} == set(shown_names([name, *NAMES[1:]], 30))
    assert all(is_plain(text) for text in [*titles, *legend_texts(display)])
    shown = f"class {name if name.strip() else repr(name)}"
    assert shown_names([shown])[0] in [text.get_text() for text in legend_texts(display)]


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (["badge", "$_$", "_x", "ü"], ["badge", "$_$", "_x", "ü"]),
        (["", "  ", "a\nb", "a\\nb"], ["''", "'  '", "a\\nb (1)", "a\\nb (2)"]),
        (["a" * 50, "a" * 60], ["a" * 26 + "…" + "a" * 13 + f" ({i})" for i in (1, 2)]),
        ([1, 2.5, True], ["1", "2.5", "True"]),
        (["\U000f0000"], ["U+F0000"]),
    ],
)
def test_names_are_shown_on_one_line_and_stay_apart(names, shown):
    assert shown_names(names) == shown


def test_letters_that_no_font_has_are_told_by_their_code(monkeypatch):
    monkeypatch.setattr(_names, "_fonts", lambda letters, own: ((), letters & {"中", "文"}))
    assert shown_names(["中a", "文a"]) == ["U+4E2Da", "U+6587a"]


def test_a_font_that_has_the_letters_stands_behind_the_usual_ones():
    assert "fontfamily" not in text_look(["abc ü"])
    only_in_stix = next(
        c
        for c in map(chr, range(0x2000, 0x2C00))
        if _names._fonts(frozenset(c), ("sans-serif",))[0]
    )
    look = text_look([only_in_stix])
    assert look["fontfamily"][0] == "sans-serif"
    assert len(look["fontfamily"]) == 2


def test_hidden_labels_of_others_stay_hidden_and_shown_ones_shown(results):
    ax = plt.subplots()[1]
    ax.plot([4, 5], [0.5, 0.5], label="mine")
    ax.plot([4, 5], [0.5, 0.5], label="_not mine")
    display = LearningCurveDisplay.from_results(renamed(results, "_a"), ax=ax)
    texts = [text.get_text() for text in legend_texts(display)]
    assert texts == ["mine", "_a", "badge", "random_sampling", "all labels"]


@pytest.mark.parametrize("scoring", ["$x$", "a" * 300, "<lambda> (code $1_$)", "中"])
def test_scorers_of_any_name(results, scoring):
    results.attrs["settings"]["scoring"] = scoring
    display = drawn(LearningCurveDisplay.from_results(results))
    assert len(display.ax_.get_ylabel()) < 60


# Numbers of any size.


@pytest.mark.parametrize("size", [1e300, -1e300, 1e-300, 5e-324, 1e15, 0.0])
def test_curves_of_any_size(results, size):
    for name in ("score", "validation_score", "full_score"):
        results[name] *= size
    for options in ({}, {"statistic": "mean", "band": "confidence"}):
        display = drawn(LearningCurveDisplay.from_results(results, **options))
        assert np.isfinite(display.curves["value"]).all()
    drawn(PairwiseMatrixDisplay.from_results(results))


@pytest.mark.parametrize("size", [1e300, 1e-300, 5e-324, 0.0])
@pytest.mark.parametrize("columns", [2, 3])
def test_selections_of_any_size(results, size, columns):
    wide = np.random.default_rng(0).uniform(-1, 1, (N, columns)) * size
    display = drawn(SelectionDisplay.from_results(results, wide, Y))
    assert np.isfinite(display.points).all()


def test_samples_too_large_to_be_drawn(results):
    with pytest.raises(ValueError, match=r"at most 1e\+300 to be drawn; found 1"):
        SelectionDisplay.from_results(results, np.full((N, 2), 1e308))


def test_unknown_points_leave_gaps_and_infinite_ones_are_refused(results):
    results.loc[results["round"] == 2, "score"] = np.nan
    display = drawn(LearningCurveDisplay.from_results(results))
    assert 10 not in display.lines_[0].get_xdata()
    results.loc[3, "score"] = np.inf
    with pytest.raises(ValueError, match="score must be finite, or NaN"):
        LearningCurveDisplay.from_results(results)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_curves_that_were_made_by_hand(results, value):
    curves = LearningCurveDisplay.from_results(results).curves
    curves.loc[2, ["value", "low", "high"]] = value
    assert drawn(LearningCurveDisplay(curves, full_score=value).plot()).full_line_ is None


def test_one_point_of_one_seed(results):
    one = results[(results["seed"] == 0) & (results["round"] == 0)]
    assert len(drawn(LearningCurveDisplay.from_results(one)).lines_) == 3
    drawn(SelectionDisplay.from_results(one, X))
    one = one[one["strategy"] == "badge"]
    assert len(drawn(LearningCurveDisplay.from_results(one)).lines_) == 1
