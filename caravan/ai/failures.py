"""What to say of a model that failed: one sentence that repeats neither the question nor what the provider sent back."""

from pydantic_ai import exceptions

from caravan.ai.conversation import NoneRight
from caravan.ai.metered import Garbled
from caravan.ai.models import where
from caravan.ai.unanswered import ModelFailed
from caravan.ai_settings import AISettings


def told(error: Exception, settings: AISettings) -> ModelFailed | None:
    """The failure to raise, or None where the fault is ours or a tool's."""
    model = settings.model or "the model"
    place = where(settings)
    match error:
        case TimeoutError() | exceptions.ModelTimeoutError() | exceptions.ModelRequestTimeout():
            seconds = settings.timeout.total_seconds()
            return ModelFailed(
                f"{model} gave no answer within {seconds:g} s (AI_TIMEOUT)", is_passing=True
            )
        case exceptions.ModelConnectionError():
            return ModelFailed(
                f"{model} cannot be reached at {place} (settings AI_MODEL, AI_BASE_URL)",
                is_passing=True,
            )
        case exceptions.ModelAuthenticationError():
            return ModelFailed(f"{place} does not accept the key for {model} (setting AI_API_KEY)")
        case exceptions.ModelNotFoundError():
            return ModelFailed(f"{place} knows no model {model} (settings AI_MODEL, AI_BASE_URL)")
        case exceptions.ModelQuotaExceededError():
            return ModelFailed(f"The account at {place} has nothing left to spend on {model}")
        case exceptions.ModelRateLimitError() | exceptions.ModelUnavailableError():
            return ModelFailed(f"{place} has no room for {model} just now", is_passing=True)
        case exceptions.ModelServerError():
            return ModelFailed(f"{place} failed while {model} was asked", is_passing=True)
        case exceptions.ModelContextWindowExceededError():
            return ModelFailed(f"What {model} was to read is more than it can")
        case exceptions.ModelAPIError():
            status = getattr(error, "status_code", None)
            if status is None:
                return ModelFailed(f"What {place} sent back for {model} cannot be read")
            return ModelFailed(
                f"{place} refused the question to {model} with status {status} "
                "(AI_OUTPUT says how answers are asked for)"
            )
        case exceptions.ContentFilterError():
            return ModelFailed(f"{place} withheld the answer of {model}")
        case exceptions.UsageLimitExceeded():
            return ModelFailed(f"{model} came to no answer in as many rounds as it may have")
        case NoneRight(rounds=rounds, wrong=wrong):
            return ModelFailed(
                f"{model} gave no answer of use in {rounds} tries"
                + (f": {wrong}" if wrong else ""),
                wrong=wrong,
            )
        case Garbled():
            return ModelFailed(
                f"{model} cannot be asked, or what {place} sent back cannot be read: {error} (settings AI_API_KEY, AI_BASE_URL)"
            )
        case exceptions.UserError():
            return ModelFailed(f"{model} cannot be asked this way (settings AI_MODEL, AI_OUTPUT)")
    return None
