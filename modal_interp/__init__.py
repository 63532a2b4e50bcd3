"""Interpretation-driven query strategies for modAL."""
