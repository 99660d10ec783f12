"""The features that are evaluated: a line each."""

from evaluations.evaluation import Evaluation

EVALUATIONS: tuple[Evaluation, ...] = ()
