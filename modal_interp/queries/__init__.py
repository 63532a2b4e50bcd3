"""One call of a strategy: from modAL's learner to its nets, from a choice to modAL's answer.

This is the only folder that knows modAL.
"""

from modal_interp.queries.learner import View
from modal_interp.queries.modal_compat import mend_modal
from modal_interp.queries.query import Query, open_query

__all__ = ["Query", "View", "mend_modal", "open_query"]
