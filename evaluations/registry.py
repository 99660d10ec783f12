"""The features that are evaluated: a line each."""

from caravan.ai.features import Feature
from evaluations.ask import answers
from evaluations.decide import decides
from evaluations.evaluation import Evaluation
from evaluations.summary import summarises

EVALUATIONS: tuple[Evaluation, ...] = (
    Evaluation(Feature.DECIDE, decides),
    Evaluation(Feature.SUMMARY, summarises),
    Evaluation(Feature.ASK, answers),
)
