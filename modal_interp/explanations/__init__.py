"""Why samples were asked for: numbers, and the forms that show them."""

from modal_interp.explanations.explain import explain_query
from modal_interp.explanations.explanation import Explanation, QueryExplanation

__all__ = ["Explanation", "QueryExplanation", "explain_query"]
