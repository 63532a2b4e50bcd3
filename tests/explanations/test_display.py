"""Pictures of explanations, in the manner of scikit-learn's displays."""

import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest

from modal_interp import ExplanationDisplay
from modal_interp.explanations import Explanation
from tests.explanations.made import PROBA, of_table, of_text


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def labels(ax):
    return [label.get_text() for label in ax.get_yticklabels()]


@pytest.mark.parametrize("make", [of_text, of_table])
def test_bars_of_contributions_and_probabilities(make):
    one = make()
    display = one.plot()
    part = one.words or one.features
    order = np.argsort(-np.abs(part.contributions[:, 0]))[:10]
    widths = [bar.get_width() for bar in display.bars_]
    np.testing.assert_allclose(widths, part.contributions[order, 0], rtol=1e-6)
    assert sum(name.startswith("\u25b6 ") for name in labels(display.ax_)) == 1
    assert [bar.get_width() for bar in display.proba_bars_] == [0.7, 0.3]
    assert labels(display.proba_ax_) == ["<neg>", "pos & co"]
    hatched = [bool(bar.get_hatch()) for bar in display.bars_]
    assert hatched == [width < 0 for width in widths]
    assert display.figure_ is display.ax_.figure


def test_on_axes_of_the_users():
    _, ax = plt.subplots()
    display = ExplanationDisplay.from_explanation(of_text(), n=3, ax=ax)
    assert display.ax_ is ax
    assert display.proba_ax_ is None
    assert len(display.bars_) == 3
    assert "<neg> 70%" in ax.get_title(loc="left")
    assert display.plot().ax_ is not ax


def test_names_are_no_formulas():
    display = of_text(["$x_1$", "\\frac", "\u200b"]).plot()
    display.figure_.canvas.draw()
    assert set(labels(display.ax_)) == {"\u25b6 $x_1$", "\\frac", "\u27e8U+200B\u27e9"}


def test_without_words_or_net():
    assert of_text([]).plot().bars_ is None
    only = Explanation(0, 0, "a", 0.0, "Drawn.", PROBA).plot()
    assert len(only.proba_bars_) == 2
    nothing = Explanation(0, 0, "a", 0.0, "Drawn.").plot()
    assert nothing.bars_ is nothing.proba_bars_ is None


def test_n_is_checked():
    with pytest.raises(ValueError, match="n must be at least 1; found 0"):
        ExplanationDisplay.from_explanation(of_text(), n=0)


def test_matplotlib_is_imported_when_it_draws():
    code = "import sys, modal_interp.explanations; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
