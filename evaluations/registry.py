"""The features that are evaluated: a line each."""

from caravan.ai_settings import Feature
from evaluations.ask import answers
from evaluations.decide import decides
from evaluations.email import writes
from evaluations.evaluation import Embedded, Evaluation
from evaluations.journey import builds
from evaluations.personas import tells
from evaluations.summary import summarises

EVALUATIONS: tuple[Evaluation, ...] = (
    Evaluation(Feature.EMAIL, writes),
    Evaluation(Feature.JOURNEY, builds),
    Evaluation(Feature.DECIDE, decides),
    Evaluation(Feature.SUMMARY, summarises),
    Evaluation(Feature.ASK, answers),
    Evaluation(Embedded.PERSONAS, tells),
)
