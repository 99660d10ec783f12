"""The External Actions contract as a judge: whether a body is what its schema says."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

FOLDER = Path(__file__).parent / "contracts"

#: which schema the subject of a request has, by its objectType. The contract's `oneOf` cannot tell them
#: apart: whatever is an AccountPersonObjectData is an AccountObjectData too
SUBJECTS = {
    "lead": "LeadObjectData",
    "account": "AccountObjectData",
    "accountPerson": "AccountPersonObjectData",
}


@cache
def _document() -> dict[str, Any]:
    document = YAML(typ="safe", pure=True).load(FOLDER / "external-actions.yaml")
    subject = document["components"]["schemas"]["ExecutionRequest"]["properties"]["objectData"]
    subject["properties"]["objectContext"].pop("oneOf")
    return dict(document)


def faults(schema: str, body: Any) -> list[str]:
    """What a schema of the contract says against a body; empty where it is one."""
    validator = Draft202012Validator({**_document(), "$ref": f"#/components/schemas/{schema}"})
    found = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(body)]
    if schema == "ExecutionRequest" and not found:
        subject = body["objectData"]
        found = faults(SUBJECTS[subject["objectType"]], subject["objectContext"])
    return found


def example(name: str) -> dict[str, Any]:
    """A definition that the contract's authors published."""
    definition = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return dict(definition)
