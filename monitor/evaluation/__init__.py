"""How good the scores are, measured against labels: pure functions from labels and stored scores to figures.

``clean_labels`` reads what an analyst labelled, ``judge`` puts scores beside labels, ``evaluate`` measures. Every
figure that the data cannot support is None with the reason, never 0 or 1. ``table`` and ``page`` show an evaluation.
"""

from monitor.evaluation.labels import EvaluationError, Judged, Labels, clean_labels, judge
from monitor.evaluation.measures import BUDGETS, FIRST_EVENTS, evaluate
from monitor.evaluation.result import AtBudget, AttackKind, BenignKind, Evaluation, Measure

__all__ = [
    "BUDGETS",
    "FIRST_EVENTS",
    "AtBudget",
    "AttackKind",
    "BenignKind",
    "Evaluation",
    "EvaluationError",
    "Judged",
    "Labels",
    "Measure",
    "clean_labels",
    "evaluate",
    "judge",
]
