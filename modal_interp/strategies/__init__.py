"""Query strategies for modAL, one paper a file."""

from modal_interp.strategies.alden import alden_diversity
from modal_interp.strategies.badge import badge
from modal_interp.strategies.bayesian import bald, batch_bald
from modal_interp.strategies.coreset import coreset
from modal_interp.strategies.dami import dami_kmedoids
from modal_interp.strategies.egl import egl, egl_word
from modal_interp.strategies.random import random_sampling
from modal_interp.strategies.uncertainty import entropy, least_confidence, margin

__all__ = [
    "alden_diversity",
    "badge",
    "bald",
    "batch_bald",
    "coreset",
    "dami_kmedoids",
    "egl",
    "egl_word",
    "entropy",
    "least_confidence",
    "margin",
    "random_sampling",
]
