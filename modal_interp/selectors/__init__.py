"""Selectors: from representations or scores to indices, NumPy in and indices out."""

from modal_interp.selectors.diverse_words import diverse_words
from modal_interp.selectors.farthest_first import farthest_first
from modal_interp.selectors.joint_information import joint_information
from modal_interp.selectors.k_medoids import KMedoids, k_medoids
from modal_interp.selectors.kmeans_pp import kmeans_pp
from modal_interp.selectors.top_k import top_k

__all__ = [
    "KMedoids",
    "diverse_words",
    "farthest_first",
    "joint_information",
    "k_medoids",
    "kmeans_pp",
    "top_k",
]
