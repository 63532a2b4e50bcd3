"""What a net makes of each sample, as vectors: interpretations, gradient embeddings, features."""

from modal_interp.representations.interpretation import (
    features,
    gradient_embedding,
    interpretation,
)
from modal_interp.representations.interpretations import (
    WordInterpretations,
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
