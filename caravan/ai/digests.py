"""What tells one question from another: a digest of all that an answer depends on."""

import json
from hashlib import sha256

from pydantic import BaseModel

from caravan.ai.features import Feature
from caravan.ai.fencing import as_json


def digest_of(
    feature: Feature, instructions: str, facts: object, answer: type[BaseModel], model: str
) -> str:
    """SHA-256 of feature, instructions with the operator's words, facts, the answer's shape and the model."""
    shape = answer.model_json_schema()
    parts = [feature.value, instructions, as_json(facts), json.dumps(shape, sort_keys=True), model]
    return sha256("\0".join(parts).encode()).hexdigest()
