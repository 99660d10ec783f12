"""What tokens cost: as the operator says, else as the list of genai-prices has it."""

from decimal import Decimal

from genai_prices import Usage, calc_price
from pydantic_ai.models import Model

from caravan.ai.budget import Amount
from caravan.ai_settings import AISettings

MILLION = Decimal(1_000_000)
#: the currency of the list
LISTED_IN = "USD"


def amount(settings: AISettings, model: Model, tokens_in: int, tokens_out: int) -> Amount:
    """Tokens with their price."""
    return Amount(tokens_in, tokens_out, _cost(settings, model, tokens_in, tokens_out))


def is_priced(settings: AISettings, model: Model) -> bool:
    """Whether it is known what the model costs."""
    return _cost(settings, model, 1, 1) is not None


def _cost(settings: AISettings, model: Model, tokens_in: int, tokens_out: int) -> Decimal | None:
    if settings.price_in is not None and settings.price_out is not None:
        return (settings.price_in * tokens_in + settings.price_out * tokens_out) / MILLION
    if settings.base_url is not None or settings.currency != LISTED_IN:
        return None  # a name on somebody's own server may be anybody's model
    try:
        price = calc_price(
            Usage(input_tokens=tokens_in, output_tokens=tokens_out),
            model.model_name,
            provider_id=model.system,
        )
    except LookupError:
        return None
    return price.total_price
