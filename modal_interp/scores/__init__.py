"""What a net makes of each sample, as a number: the higher, the sooner it is asked for."""

from modal_interp.scores.combining import product, ranked_mean
from modal_interp.scores.gradient_lengths import (
    expected_gradient_length,
    expected_word_gradient_length,
)
from modal_interp.scores.uncertainty import (
    bald_scores,
    dropout_probabilities,
    entropy_scores,
    least_confidence_scores,
    margin_scores,
)

__all__ = [
    "bald_scores",
    "dropout_probabilities",
    "entropy_scores",
    "expected_gradient_length",
    "expected_word_gradient_length",
    "least_confidence_scores",
    "margin_scores",
    "product",
    "ranked_mean",
]
