"""Query strategies: one paper a file, each a selector applied to what a net says of the pool."""

from modal_interp.strategies.alden import alden_diversity

__all__ = ["alden_diversity"]
