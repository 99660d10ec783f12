"""Which fields accounts, people, opportunities and relations have, and of what type.

Values are stored as JSON in the record's ``attributes``: strings as text, numbers as numbers,
booleans as booleans, dates as ``YYYY-MM-DD``, instants as RFC 3339 in UTC with ``Z`` (seconds;
fractions only where given). An empty value is absent.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict

FieldType = Literal["string", "integer", "number", "boolean", "date", "datetime"]
Entity = Literal["account", "person", "relation", "opportunity"]

#: of a person, told from the job title by the Platform (caravan/platform/personas.py): a column of its own, and only to
#: be asked for
PERSONA = "persona"
#: of a person, 0 to 100: reckoned by the engage store, held by no record, and only to be asked for
ENGAGEMENT = "engagement"

STANDARD: dict[Entity, dict[str, FieldType]] = {
    "account": {
        "name": "string",
        "industry": "string",
        "annual_revenue": "number",
        "employees": "integer",
        "city": "string",
        "state": "string",
        "country": "string",
        "postal_code": "string",
        "street": "string",
        "domain": "string",
        "sic_code": "string",
        "source_type": "string",
        "phone": "string",
        "logo_url": "string",
    },
    "person": {
        "email": "string",
        "first_name": "string",
        "last_name": "string",
        "job_title": "string",
        "phone": "string",
        "mobile_phone": "string",
        "city": "string",
        "state": "string",
        "country": "string",
        "postal_code": "string",
        "date_of_birth": "date",
        "time_zone": "string",
        "unsubscribed": "boolean",
        "email_consent": "boolean",  # nothing said: yes (product.md §5.6)
        "sms_consent": "boolean",  # nothing said: no
        "suspended": "boolean",  # no marketing mail, for as long as it stands
        "email_invalid": "boolean",
    },
    "relation": {},
    "opportunity": {
        "name": "string",
        "stage": "string",
        "type": "string",
        "amount": "number",
        "expected_revenue": "number",
        "expected_close_date": "date",
        "closed_on": "date",
        "probability": "number",
        "is_closed": "boolean",
        "is_won": "boolean",
    },
}


class FieldCatalog(BaseModel):
    """The fields of a workspace: the standard ones and its managed custom ones."""

    model_config = ConfigDict(frozen=True)

    custom: dict[Entity, dict[str, FieldType]] = {}
    scores: dict[str, int] = {}  # of people, in the engage store alone: name → what one starts with

    def of(self, entity: Entity) -> dict[str, FieldType]:
        """Field name → type, standard fields first."""
        return {**STANDARD[entity], **self.custom.get(entity, {})}
