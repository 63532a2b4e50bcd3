import importlib
import inspect

import numpy as np
import pytest
import sklearn.utils
import sklearn.utils.validation
from modAL.models import ActiveLearner, Committee
from sklearn.linear_model import LogisticRegression

from modal_interp.queries import modal_compat

ORIGINAL = sklearn.utils.validation.check_X_y


def bindings():
    modules = [importlib.import_module(name) for name in modal_compat._MODAL_MODULES]
    return [module.check_X_y for module in modules if hasattr(module, "check_X_y")]


def test_scikit_learn_itself_is_left_alone():
    assert sklearn.utils.check_X_y is ORIGINAL
    assert not hasattr(ORIGINAL, "_mends_modal")


def test_mending_twice_changes_nothing():
    before = bindings()
    assert before
    modal_compat.mend_modal()
    assert all(a is b for a, b in zip(before, bindings(), strict=True))


def test_only_what_needs_it_is_mended(monkeypatch):
    module = next(
        importlib.import_module(name)
        for name in modal_compat._MODAL_MODULES
        if hasattr(importlib.import_module(name), "check_X_y")
    )

    def check_X_y(X, y, force_all_finite=True):  # noqa: N802
        """A scikit-learn that knows the old name only."""

    monkeypatch.setattr(module, "check_X_y", check_X_y)
    modal_compat.mend_modal()
    assert module.check_X_y is check_X_y


def test_the_old_keyword_reaches_the_check():
    mended = bindings()[0]
    X, y = np.array([[1.0], [np.nan]]), np.array([0, 1])
    with pytest.raises(ValueError, match="NaN"):
        mended(X, y, force_all_finite=True)
    mended(X, y, force_all_finite=False)
    assert "ensure_all_finite" in inspect.signature(ORIGINAL).parameters


def test_fit_and_teach_run_without_a_warning():
    X, y = np.arange(12.0)[:, None], np.arange(12) % 2
    learner = ActiveLearner(LogisticRegression(), X_training=X[:6], y_training=y[:6])
    learner.teach(X[6:8], y[6:8])
    learner.teach(X[8:], y[8:], only_new=True)
    learner.fit(X, y)
    committee = Committee(
        [learner, ActiveLearner(LogisticRegression(), X_training=X, y_training=y)]
    )
    committee.teach(X[:2], y[:2])
    assert committee.predict(X).shape == (12,)
