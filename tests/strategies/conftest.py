import numpy as np
import pytest
from modAL.models import ActiveLearner, Committee

from tests.small_nets import attention_net, word_ids


def learner_of(net, strategy, X, y):
    """A learner whose net keeps the weights it was born with."""
    learner = ActiveLearner(estimator=net, query_strategy=strategy)
    learner.X_training, learner.y_training = X, y
    return learner


@pytest.fixture
def ids():
    return word_ids(30, seed=1)


@pytest.fixture
def labeled():
    return word_ids(6, seed=2)


@pytest.fixture
def learner_for(labeled):
    def make(strategy, net=None):
        y = np.arange(len(labeled)) % 2
        return learner_of(net or attention_net(), strategy, labeled, y)

    return make


@pytest.fixture
def committee_for(labeled):
    def make(strategy, nets=None):
        y = np.arange(len(labeled)) % 2
        nets = nets or [attention_net(), attention_net()]
        members = [learner_of(net, strategy, labeled, y) for net in nets]
        committee = Committee.__new__(Committee)
        committee.learner_list, committee.query_strategy = members, strategy
        committee.X_training = None
        return committee

    return make
