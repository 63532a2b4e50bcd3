"""The end of a loop: what is left is said, and what to ask for."""

import numpy as np
import pytest
from modAL.models import ActiveLearner, Committee
from sklearn.linear_model import LogisticRegression

from modal_interp import badge, margin, random_sampling
from tests.small_nets import MeanReader, small_net, word_ids
from tests.strategies.conftest import learner_of

TABLE, SIDES = np.arange(12.0)[:, None], np.arange(12) % 2


def askers():
    learner = ActiveLearner(LogisticRegression(), margin, TABLE, SIDES)
    drawing = ActiveLearner(LogisticRegression(), random_sampling, TABLE, SIDES)
    net = learner_of(small_net(MeanReader), badge, word_ids(5), None)
    return [(learner, TABLE), (drawing, TABLE), (Committee([learner]), TABLE), (net, word_ids(12))]


@pytest.mark.parametrize("left", [1, 2, 7])
def test_fewer_are_left_than_asked_for(left):
    for asker, pool in askers():
        asker.query_strategy = margin if isinstance(asker, Committee) else asker.query_strategy
        number = "1 is" if left == 1 else f"{left} are"
        message = f"size of the pool, {left}; found 10. Only {number} left: ask for n_instances"
        with pytest.raises(ValueError, match=f"{message}={left}"):
            asker.query(pool[:left], n_instances=10)
        assert len(asker.query(pool[:left], n_instances=left)[0]) == left


@pytest.mark.parametrize("left", [1, 2, 7])
def test_fewer_candidates_are_left_than_asked_for(left):
    learner = ActiveLearner(LogisticRegression(), margin, TABLE, SIDES)
    with pytest.raises(ValueError, match=f"found {left} of 12. Ask for n_instances={left}, or"):
        learner.query(TABLE, n_instances=10, candidates=np.arange(left))


def test_nothing_is_left():
    learner = ActiveLearner(LogisticRegression(), margin, TABLE, SIDES)
    with pytest.raises(ValueError, match=r"found none. All are labelled: end the loop"):
        learner.query(TABLE[:0])
    with pytest.raises(ValueError, match=r"found 0 of 12. None is left to ask for: end the loop"):
        learner.query(TABLE, candidates=[])


def test_too_few_is_not_the_end():
    learner = ActiveLearner(LogisticRegression(), margin, TABLE, SIDES)
    with pytest.raises(ValueError, match=r"found 0\.$"):
        learner.query(TABLE, n_instances=0)
