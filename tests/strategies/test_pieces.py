"""Words of several pieces, and ids that are no words: every strategy equals its literal loops."""

from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from modal_interp import alden_diversity, word_interpretations
from tests import reference_pieces as literal
from tests import reference_strategies as reference
from tests.reference import alden
from tests.small_nets import PieceReader, small_net
from tests.strategies.conftest import learner_of
from tests.strategies.test_against_references import (
    assert_chooses,
    committee_of,
    member,
    once_each,
    ranked,
)
from tests.thoroughness import examples

N_IDS = 10
TARGETS = st.sampled_from(["proba", "logit"]), st.sampled_from(["all", "predicted"])


class Problem(NamedTuple):
    learner: object
    nets: list
    pool: np.ndarray
    labeled: np.ndarray
    k: int
    seed: int
    counts: dict  # what the reference goes by
    said: dict  # what the query says

    def __repr__(self):  # that of a learner needs what only its constructor sets
        return f"Problem(seed={self.seed}, k={self.k}, {len(self.nets)} nets, {self.counts})"


def pieces(n, width, padding, special, seed):
    """Texts with doubles, empty ones, ones of special ids alone, and gaps of either kind."""
    rng = np.random.default_rng(seed)
    ids = rng.integers(0, N_IDS, (n, width))
    ids[np.arange(width) >= rng.integers(1, width + 1, n)[:, None]] = padding
    for row, fill in ((1, padding), (3, special[0] if special else padding)):
        if n > row + 1:
            ids[row] = fill
    if n > 5:
        ids[5] = ids[0]
    return ids


@st.composite
def problems(draw):
    seed = draw(st.integers(0, 2**31 - 1))
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    padding, several = draw(st.sampled_from([0, 1])), draw(st.booleans())
    special = draw(st.sampled_from([(), (2,), (2, 7)]))
    begins = draw(st.sampled_from([None, rng.random(N_IDS) < 0.4, rng.random(N_IDS - 3) < 0.4]))
    words = draw(st.sampled_from(["whole", "whole", "pieces"]))
    said = {"no_words": special or None, "begins_word": begins, "words": words}
    by_module = draw(st.booleans())
    params = {
        "padding": padding,
        "counts": said if by_module else {},
        "freeze": draw(st.booleans()),
    }
    params = {f"module__{key}": value for key, value in params.items()}
    n_outputs = draw(st.sampled_from([2, 3, 7]))
    n_nets = draw(st.sampled_from([1, 1, 2]))
    nets = [small_net(PieceReader, n_outputs, several, **params) for _ in range(n_nets)]
    n = draw(st.integers(1, 8))
    pool = pieces(n, 7, padding, special, seed)
    # Of another width they are explained apart from the pool.
    labeled = pieces(4, draw(st.sampled_from([7, 5])), padding, special, seed + 1)
    learners = [member(net, labeled) for net in nets]
    return Problem(
        learners[0] if n_nets == 1 else committee_of(learners),
        [reference.Literal.of(net, several) for net in nets],
        pool,
        labeled,
        draw(st.integers(1, n)),
        seed,
        {
            "padding": padding,
            "no_words": special,
            "begins_word": begins if words == "whole" else None,
        },
        {} if by_module else said,
    )


@settings(max_examples=examples(100), deadline=None)
@given(problems(), *TARGETS)
def test_alden_diversity(problem, target, classes):
    pool, labeled = (
        [literal.alden_text(problem.nets, x, problem.counts, target, classes) for x in X]
        for X in (problem.pool, problem.labeled)
    )
    rows = literal.stand_in_rows(problem.nets, [*pool, *labeled])
    expected = alden(pool, labeled, rows, problem.k)
    options = {"target": target, "classes": classes, **problem.said}
    assert_chooses("alden_diversity", problem, *expected, **options)


@settings(max_examples=examples(100), deadline=None)
@given(problems(), *TARGETS)
def test_dami_kmedoids(problem, target, classes):
    members = [
        literal.dami(net, problem.pool, problem.counts, target, classes) for net in problem.nets
    ]
    expected = reference.medoids(reference.side_by_side(members), problem.k, problem.seed)
    options = {"target": target, "classes": classes, "random_state": problem.seed}
    assert_chooses("dami_kmedoids", problem, *expected, **options, **problem.said)


@settings(max_examples=examples(100), deadline=None)
@given(problems(), st.booleans())
def test_egl_word(problem, reverse):
    def score(x, net):
        return literal.word_gradient_length(net, x, problem.counts)

    of_nets = [once_each(lambda x, net=net: score(x, net), problem.pool) for net in problem.nets]
    scores = [reference.mean(s) for s in zip(*of_nets, strict=True)]
    expected = ranked(scores, problem.k, reverse)
    assert_chooses("egl_word", problem, *expected, reverse=reverse, **problem.said)


@pytest.mark.parametrize("seed", range(10))
def test_between_its_own_pieces_a_word_takes_the_lowest(seed):
    torch.manual_seed(seed)
    begins = np.arange(N_IDS) != 4
    net = small_net(PieceReader, module__counts={"begins_word": begins})
    # As far from the one as from the other, by rows whose sum rounds in single precision.
    labeled, pool = np.array([[3, 0], [4, 0]]), np.array([[3, 4]])
    found = [word_interpretations(net, X).values[:, 0].astype(float) for X in (labeled, pool)]
    learner = learner_of(net, alden_diversity, labeled, None)
    diversity = learner.query(pool, return_metrics=True)[2]
    np.testing.assert_allclose(diversity, abs(found[1] - found[0][0]), atol=1e-7)
