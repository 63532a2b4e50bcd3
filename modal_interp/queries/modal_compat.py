"""Mends modAL where it fails beside current scikit-learn and pandas, or after labelling.

Every mend is a binding inside modAL's own modules and classes, made when ``modal_interp`` is
imported; scikit-learn, pandas and the data of the user are left alone. What modAL does by itself
is still done by modAL.

===========================  ====================================================================
``check_X_y``                scikit-learn 1.6 renamed ``force_all_finite`` to ``ensure_all_finite``:
                             1.6 and 1.7 warn at each call, 1.8 fails (modAL's issue #196, open).
                             Missing values pass where the learner's estimator takes them.
``data_vstack``              Data frames fail (``append`` left pandas in 2.0), Series are refused,
                             lists of unequal rows fail, sparse matrices change their format,
                             dicts of arrays are refused.
``retrieve_rows``            0.4.1 refuses a Series; 0.4.2 takes rows of a frame for its columns and
                             those of a Series for labels of its index; a dict of arrays has none.
``_fit_to_known``,           Bootstrapping indexes lists, frames and Series as if they were arrays.
``_fit_on_new``
``_add_training_data``       Keeps the samples when the labels cannot be added.
``bootstrap_init``           No attribute, so that ``repr``, ``get_params`` and ``clone`` fail.
``Committee._set_classes``   Fails where class names are objects, as those of a Series are.
``Committee.vote``,          Ask lists and dicts of arrays for their ``shape``; ``predict``,
``Committee.vote_proba``     ``predict_proba`` and ``score`` go by them.
``query``                    0.4.1 has no ``return_metrics``.
===========================  ====================================================================
"""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
import warnings
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp

from modal_interp.queries.missing import incomplete, takes_incomplete
from modal_interp.queries.stacking import is_named, n_samples, stack_rows, take_rows, with_rows

# check_X_y is imported by models.base in modAL 0.4.1 and by models.learners in 0.4.2.
_MODAL_MODULES = ("modAL.models.base", "modAL.models.learners")
# Who may have imported modAL's functions for rows already; whoever does later gets the mended ones.
_ROW_MODULES = (*_MODAL_MODULES, "modAL.batch", "modAL.expected_error")

Function = Callable[..., Any]
# Whose samples are being checked; and whether the query that runs returns metrics, in modAL 0.4.1.
_learner_checked: ContextVar[Any] = ContextVar("_learner_checked", default=None)
_metrics_wanted: ContextVar[bool] = ContextVar("_metrics_wanted", default=False)


def mend_modal() -> None:
    """Rebind what fails inside modAL; see the head of this file.

    Runs when ``modal_interp`` is imported. Calling it again changes nothing.
    """
    for name in _MODAL_MODULES:
        module = importlib.import_module(name)
        check_X_y = getattr(module, "check_X_y", None)
        if check_X_y is not None and "ensure_all_finite" in inspect.signature(check_X_y).parameters:
            _rebind(module, "check_X_y", _checks_for_the_learner)
    _mend_rows("data_vstack", _stacks_any)
    _mend_rows("retrieve_rows", _retrieves_from_any)
    _mend_classes()


def metrics_wanted() -> bool:
    """Tell whether a ``query`` runs that was mended to return metrics, and is asked to."""
    return _metrics_wanted.get()


def _mend_rows(name: str, mend: Callable[[Function], Function]) -> None:
    """Rebind a function of modAL.utils.data, there and where it has been imported to."""
    home = importlib.import_module("modAL.utils.data")
    own = getattr(home, name)
    _rebind(home, name, mend)
    for module in filter(None, map(sys.modules.get, _ROW_MODULES)):
        if getattr(module, name, None) is own:
            setattr(module, name, getattr(home, name))


def _mend_classes() -> None:
    """Rebind the methods, each in the class that holds it in this modAL."""
    base = importlib.import_module("modAL.models.base")
    models = importlib.import_module("modAL.models.learners")
    learners = [base.BaseLearner, models.ActiveLearner, models.BayesianOptimizer]
    for kind in learners:
        for name in ("fit", "teach", "_fit_on_new", "_add_training_data"):
            _rebind(kind, name, _names_the_learner)
        _rebind(kind, "_add_training_data", _adds_all_or_nothing, mark="all_or_nothing")
        _rebind(kind, "_fit_to_known", _draws_known_rows)
        _rebind(kind, "_fit_on_new", _draws_given_rows, mark="draws_given_rows")
        if "bootstrap_init" in inspect.signature(kind.__init__).parameters:
            _rebind(kind, "__init__", _remembers_bootstrap_init)
    # Of learners that were pickled before.
    base.BaseLearner.bootstrap_init = False
    if hasattr(models, "DeepActiveLearner"):
        _rebind(models.DeepActiveLearner, "teach", _draws_given_rows)
    _rebind(models.Committee, "_set_classes", _sorts_objects)
    for name in ("vote", "vote_proba"):
        _rebind(models.Committee, name, _counts_samples)
    for kind in (base.BaseLearner, base.BaseCommittee):
        if "return_metrics" not in inspect.signature(kind.query).parameters:
            _rebind(kind, "query", _returns_metrics)


def _rebind(
    place: Any, name: str, mend: Callable[[Function], Function], mark: str = "mends_modal"
) -> None:
    """Put a mended function in the place of modAL's own, once."""
    function = vars(place).get(name)
    abstract = getattr(function, "__isabstractmethod__", False)
    if function is None or abstract or hasattr(function, f"_{mark}"):
        return
    mended = functools.wraps(function)(mend(function))
    setattr(mended, f"_{mark}", True)
    setattr(place, name, mended)


def _checks_for_the_learner(check_X_y: Function) -> Function:
    """Take ``force_all_finite`` by its old name, and ask the estimator about missing values."""

    def checked(X: Any, y: Any, *args: Any, **kwargs: Any) -> Any:
        if "force_all_finite" in kwargs:
            kwargs["ensure_all_finite"] = kwargs.pop("force_all_finite")
        learner = _learner_checked.get()
        if learner is not None and kwargs.get("ensure_all_finite", True) is True:
            lenient = incomplete(X).any() and takes_incomplete(learner.estimator, X)
            kwargs["ensure_all_finite"] = not lenient
        return check_X_y(_as_checked(X), y, *args, **kwargs)

    return checked


def _as_checked(X: Any) -> Any:
    """Return samples as scikit-learn can check them: it looks into no DOK, and no ragged list."""
    if sp.issparse(X):
        return with_rows(X)
    if is_named(X):  # of which scikit-learn would ask for a shape: the number of rows
        return np.zeros((n_samples(X), 1))
    if not isinstance(X, list) or not all(isinstance(row, list | tuple) for row in X):
        return X
    equal = len({len(row) for row in X}) <= 1
    return X if equal else np.fromiter(X, dtype=object, count=len(X))


def _stacks_any(data_vstack: Function) -> Function:
    kinds = (pd.DataFrame, pd.Series, list, dict)

    def stacked(blocks: Any) -> Any:
        ours = isinstance(blocks[0], kinds) or any(sp.issparse(block) for block in blocks)
        return (stack_rows if ours else data_vstack)(blocks)

    return stacked


def _retrieves_from_any(retrieve_rows: Function) -> Function:
    kinds = (pd.DataFrame, pd.Series, list, dict)

    def retrieved(X: Any, I: Any) -> Any:  # noqa: E741
        return (take_rows if isinstance(X, kinds) else retrieve_rows)(X, I)

    return retrieved


def _names_the_learner(method: Function) -> Function:
    """Let the check of the samples know whose they are."""

    def named(self: Any, *args: Any, **kwargs: Any) -> Any:
        token = _learner_checked.set(self)
        try:
            return method(self, *args, **kwargs)
        finally:
            _learner_checked.reset(token)

    return named


def _adds_all_or_nothing(add: Function) -> Function:
    """Leave what the learner knows alone where samples or labels cannot be added."""

    def added(self: Any, X: Any, y: Any) -> Any:
        known = self.X_training, self.y_training
        try:
            return add(self, X, y)
        except Exception:
            self.X_training, self.y_training = known
            raise

    return added


def _draw(n: int) -> Any:
    """Draw rows with replacement, from the generator that modAL draws from."""
    return np.random.choice(range(n), n, replace=True)  # noqa: NPY002


def _draws_known_rows(fit_to_known: Function) -> Function:
    def fitted(self: Any, bootstrap: bool = False, **fit_kwargs: Any) -> Any:
        # modAL 0.4.2 passes it on from its constructor to the estimator.
        fit_kwargs.pop("force_all_finite", None)
        if not bootstrap:
            return fit_to_known(self, **fit_kwargs)
        rows = _draw(n_samples(self.X_training))
        X, y = take_rows(self.X_training, rows), take_rows(self.y_training, rows)
        self.estimator.fit(X, y, **fit_kwargs)
        return self

    return fitted


def _draws_given_rows(method: Function) -> Function:
    signature = inspect.signature(method)

    def drawn(*args: Any, **kwargs: Any) -> Any:
        given = signature.bind(*args, **kwargs)
        if given.arguments.pop("bootstrap", False):
            rows = _draw(n_samples(given.arguments["X"]))
            for name in "Xy":
                given.arguments[name] = take_rows(given.arguments[name], rows)
        return method(*given.args, **given.kwargs)

    return drawn


def _remembers_bootstrap_init(init: Function) -> Function:
    signature = inspect.signature(init)

    def made(*args: Any, **kwargs: Any) -> None:
        init(*args, **kwargs)
        given = signature.bind(*args, **kwargs)
        args[0].bootstrap_init = given.arguments.get("bootstrap_init", False)

    return made


def _sorts_objects(set_classes: Function) -> Function:
    def known(self: Any) -> None:
        try:
            set_classes(self)
        except TypeError:  # numpy compares no rows of objects
            classes = [learner.estimator.classes_ for learner in self.learner_list]
            self.classes_ = np.unique(np.concatenate(classes))
            self.n_classes_ = len(self.classes_)

    return known


class _CountedDict(dict):
    @property
    def shape(self) -> Any:
        return (n_samples(self),)


class _CountedList(list):
    @property
    def shape(self) -> Any:
        return np.shape(_as_checked(list(self)))


def _counts_samples(method: Function) -> Function:
    """Vote on what by itself has no shape."""

    def counted(self: Any, X: Any, *args: Any, **kwargs: Any) -> Any:
        if is_named(X):
            X = _CountedDict(X)
        return method(self, _CountedList(X) if type(X) is list else X, *args, **kwargs)

    return counted


def _returns_metrics(query: Function) -> Function:
    """Take ``return_metrics`` as modAL 0.4.2 does, by keyword."""

    def queried(self: Any, X_pool: Any, *args: Any, **kwargs: Any) -> Any:
        if not kwargs.pop("return_metrics", False):
            return query(self, X_pool, *args, **kwargs)
        token = _metrics_wanted.set(True)
        try:
            answer = self.query_strategy(self, X_pool, *args, **kwargs)
        finally:
            _metrics_wanted.reset(token)
        indices, metrics = answer if isinstance(answer, tuple) else (answer, None)
        if metrics is None:
            warnings.warn(
                "The selected query strategy doesn't support return_metrics", stacklevel=2
            )
        return indices, take_rows(X_pool, indices), metrics

    return queried
