"""The features that are evaluated: a line each."""

from caravan.ai.features import Feature
from evaluations.decide import decides
from evaluations.evaluation import Evaluation

EVALUATIONS: tuple[Evaluation, ...] = (Evaluation(Feature.DECIDE, decides),)
