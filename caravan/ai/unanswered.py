"""Why there is no answer, in one sentence for people.

Unanswered
    NoModel       nothing is set up to ask, or not wholly: says what to set
    SwitchedOff   this feature is not to ask
    BudgetSpent   today's tokens or money are gone
    ModelFailed   it was asked, and gave no answer in time, or none of use
"""

#: one sentence, the same wherever it is said
NOT_SET = (
    "No model is set: set AI_MODEL to provider:model (openai:gpt-5.2, say) and AI_API_KEY to its key, or AI_BASE_URL "
    "to an OpenAI-compatible server and AI_MODEL to the model's name there; `caravan ai local` starts one"
)


class Unanswered(Exception):
    """No answer came of it. The message is whole sentence enough to be shown, and holds nothing of the data."""


class NoModel(Unanswered):
    """No model is set, or something that it needs."""

    def __init__(self, message: str = NOT_SET) -> None:
        super().__init__(message)


class SwitchedOff(Unanswered):
    """AI_FEATURES leaves this feature out."""


class BudgetSpent(Unanswered):
    """What a day may cost is spent."""


class ModelFailed(Unanswered):
    """The model was not reached, was too slow, refused, or answered past the question."""

    def __init__(self, message: str, *, is_passing: bool = False, wrong: str | None = None) -> None:
        super().__init__(message)
        self.is_passing = is_passing
        """Asking again later may help: it was slow, busy or away."""
        self.wrong = wrong
        """What the check said of the last answer, where a check refused them all."""
