"""What a net makes of each sample, as vectors: interpretations, gradient embeddings, features."""

from modal_interp.representations.explained_words import WordInterpretations
from modal_interp.representations.features import features
from modal_interp.representations.gradient_embeddings import gradient_embedding
from modal_interp.representations.interpretation import interpretation
from modal_interp.representations.interpretations import (
    feature_interpretations,
    word_interpretations,
)

__all__ = [
    "WordInterpretations",
    "feature_interpretations",
    "features",
    "gradient_embedding",
    "interpretation",
    "word_interpretations",
]
