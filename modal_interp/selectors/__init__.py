"""Selectors: from representations or scores to indices, NumPy in and indices out."""

from modal_interp.selectors.diverse_words import diverse_words

__all__ = ["diverse_words"]
