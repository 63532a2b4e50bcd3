"""Pictures of learning-curve experiments, in the manner of scikit-learn's displays."""

from modal_interp.experiments.analysis.displays._curves import LearningCurveDisplay
from modal_interp.experiments.analysis.displays._matrix import PairwiseMatrixDisplay
from modal_interp.experiments.analysis.displays._selection import SelectionDisplay

__all__ = ["LearningCurveDisplay", "PairwiseMatrixDisplay", "SelectionDisplay"]
