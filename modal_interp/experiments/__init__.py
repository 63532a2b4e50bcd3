"""Learning curves: run query strategies side by side, measure them and draw them."""

from modal_interp.experiments.analysis.comparisons import WinMatrix, win_matrix
from modal_interp.experiments.analysis.displays import (
    LearningCurveDisplay,
    PairwiseMatrixDisplay,
    SelectionDisplay,
)
from modal_interp.experiments.analysis.full_training import full_training_scores
from modal_interp.experiments.analysis.metrics import (
    area_under_curve,
    labels_to_reach,
    normalized_auc,
    summary,
)
from modal_interp.experiments.running.reasons import load_asked
from modal_interp.experiments.running.results import load_results
from modal_interp.experiments.running.runner import run_experiment

__all__ = [
    "LearningCurveDisplay",
    "PairwiseMatrixDisplay",
    "SelectionDisplay",
    "WinMatrix",
    "area_under_curve",
    "full_training_scores",
    "labels_to_reach",
    "load_asked",
    "load_results",
    "normalized_auc",
    "run_experiment",
    "summary",
    "win_matrix",
]
