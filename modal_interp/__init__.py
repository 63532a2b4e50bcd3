"""Interpretation-driven query strategies for modAL."""

from modal_interp.modal_compat import mend_modal

mend_modal()
