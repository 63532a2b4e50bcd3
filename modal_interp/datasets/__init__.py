"""Data sets in scikit-learn's manner: public ones to fetch, and two that are made."""

from modal_interp.datasets._fetch import fetch_agnews, fetch_mr, fetch_subj, fetch_trec
from modal_interp.datasets._make import make_reviews, make_sigmoid
from modal_interp.datasets._tables import (
    fetch_default,
    fetch_employee,
    fetch_news,
    fetch_telescope,
)
from modal_interp.datasets._topics import fetch_paper_projects, fetch_paper_topics

__all__ = [
    "fetch_agnews",
    "fetch_default",
    "fetch_employee",
    "fetch_mr",
    "fetch_news",
    "fetch_paper_projects",
    "fetch_paper_topics",
    "fetch_subj",
    "fetch_telescope",
    "fetch_trec",
    "make_reviews",
    "make_sigmoid",
]
