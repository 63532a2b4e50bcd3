"""Explanations made by hand, of any texts and tables."""

import numpy as np

from modal_interp.explanations import (
    Counterpart,
    Explanation,
    Features,
    Narrowing,
    Neighbours,
    Number,
    PoolMap,
    Probabilities,
    QueryExplanation,
    Shares,
    Words,
)

# What texts may hold: markup, quotes, letters that lie over others, right to left, nothing to see.
HOSTILE = (
    "<script>alert(1)</script>",
    "\"'&amp;</style><b onclick=x>",
    "\U0001f469\u200d\U0001f52c",
    "\u05e9\u05dc\u05d5\u05dd",
    "\u202eevil",
    "\u200b",
    "nul\x00esc\x1b[31m",
    "half\ud83d",
    "\u4e2d\u6587" * 60,
    "{braces}",
)
PROBA = Probabilities(
    np.array([[0.6, 0.4], [0.8, 0.2]]), "passes", False, np.array([0.7, 0.3]),
    np.array([0.1, 0.1]), ("<neg>", "pos & co"),
)  # fmt: skip


def words_of(names, decided=0, known=None, spans=(), seed=0):
    n = len(names)
    values = np.random.RandomState(seed).randn(n, 1).astype(np.float32)
    return Words(
        tuple((k,) for k in range(n)),
        values,
        "contribution to the probability",
        decided=decided if n else None,
        names=tuple(names),
        known=np.ones(n, dtype=bool) if known is None else known,
        spans=spans,
        outputs=("pos & co",),
    )


def of_text(names=HOSTILE, place=0, text=None, **options):
    text = " ".join(names) if text is None else text
    words = words_of(names, **options)
    other = Counterpart(
        "labelled", 3, 0, (1,), True, 0.5, np.array([-0.25], np.float32), 1.5,
        name=HOSTILE[0], sample=" ".join(HOSTILE), label="<neg>",
    )  # fmt: skip
    near = Neighbours(
        "nearest labelled", "labelled", np.array([3, 1]), np.array([0.1, 0.2]), 7,
        (text, HOSTILE[1]), ("<neg>", None),
    )  # fmt: skip
    shares = Shares("length by layer", ("<embedding>", "output"), np.array([3.0, 1.0]))
    return Explanation(
        7 + place, place, text, 1.25, f"Because of {HOSTILE[0]} and {HOSTILE[3]}.", PROBA,
        words, counterpart=other, neighbours=(near,), shares=(shares,),
        numbers=(Number("mean entropy", 0.5, "nats"),),
    )  # fmt: skip


def of_table(place=0, d=5, decided=1):
    rng = np.random.RandomState(place)
    x = rng.randn(d)
    names = ("<width>", *(f"column {k}" for k in range(1, d)))
    features = Features(
        x, rng.randn(d, 1).astype(np.float32), "change by a unit of the probability", decided,
        names, ("pos & co",),
    )  # fmt: skip
    near = Neighbours("stands for", "pool", np.array([2]), np.array([0.5]), 1, (x + 1,), (None,))
    return Explanation(
        7 + place, place, 10 * x, np.nan, "It stands for 2.", PROBA, features=features,
        neighbours=(near,),
    )  # fmt: skip


def query_of(explanations, **changes):
    n = 40
    points = np.random.RandomState(0).randn(n, 2).astype(np.float32)
    points[5] = np.nan  # a text without words
    given = {
        "strategy": "alden_diversity",
        "options": {"target": "<logit>", "random_state": 0},
        "metric_name": "D & so on",
        "n_pool": 50,
        "n_candidates": n,
        "narrowing": (Narrowing("<exclude>", 50, n, False),),
        "classes": PROBA.classes,
        "several": False,
        "n_members": 2,
        "checked": False,
        "explanations": tuple(explanations),
        "pool_map": PoolMap("features", np.arange(n), points, points[:9], np.array([0.5, 0.25])),
    }
    return QueryExplanation(**{**given, **changes})
