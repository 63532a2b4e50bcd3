"""Why samples were asked for: numbers, and the forms that show them."""

from modal_interp.explanations.display import ExplanationDisplay
from modal_interp.explanations.explain import explain_query
from modal_interp.explanations.explanation import Explanation, PoolMap, QueryExplanation
from modal_interp.explanations.interpreted import Interpretations, Interpreted
from modal_interp.explanations.show import show_features, show_words
from modal_interp.queries.candidates import Narrowing
from modal_interp.strategies.reasons import (
    Counterpart,
    Features,
    Neighbours,
    Number,
    Probabilities,
    Reason,
    Reasons,
    Shares,
    Words,
)

__all__ = [
    "Counterpart",
    "Explanation",
    "ExplanationDisplay",
    "Features",
    "Interpretations",
    "Interpreted",
    "Narrowing",
    "Neighbours",
    "Number",
    "PoolMap",
    "Probabilities",
    "QueryExplanation",
    "Reason",
    "Reasons",
    "Shares",
    "Words",
    "explain_query",
    "show_features",
    "show_words",
]
