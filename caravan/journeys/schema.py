"""The JSON Schema of the documents, for editors: made by asking the readers (``probing``), the registries
of nodes, actions and events, and the reader of conditions.

It says which keys there are, what each takes and which are needed. What goes beyond one document (names
that exist, operators that fit a field's type) is validation's.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path as FilePath
from typing import Any

from caravan.journeys.actions import ACTIONS
from caravan.journeys.condition_schema import (
    DURATION,
    PERIOD,
    SCALAR,
    TEST,
    Schema,
    condition_schemas,
)
from caravan.journeys.conditions.counts import MOST
from caravan.journeys.conditions.scope import Scope
from caravan.journeys.documents import (
    LISTS,
    WorkspaceDocument,
    read_audience,
    read_buying_groups,
    read_campaign,
    read_communication_limits,
    read_identity,
    read_journey,
    read_list,
    read_persona,
    read_roles_template,
    read_score_model,
    read_service,
    read_solution_interest,
    read_source,
    read_stage_model,
    read_tests,
    read_workspace_document,
)
from caravan.journeys.documents.service import WAYS
from caravan.journeys.documents.settings import FIELD_TYPES
from caravan.journeys.documents.tests import RECORDS
from caravan.journeys.events import BOTS, EVENTS, GENERIC
from caravan.journeys.fields import ENGAGEMENT, STANDARD, FieldCatalog
from caravan.journeys.nodes import call
from caravan.journeys.nodes.reading import KINDS as NODES
from caravan.journeys.nodes.reading import OF
from caravan.journeys.probing import ITEM, STRANGE, Mapping, Read, probe
from caravan.journeys.problems import Path
from caravan.journeys.reading import SLUG, Fields, JourneyScope
from caravan.journeys.time import WEEKDAYS

_SCOPE = Scope(catalog=FieldCatalog(), in_journey=True)
_JOURNEY = JourneyScope(_SCOPE, frozenset(), {}, frozenset())
_AT = datetime(2026, 1, 1, tzinfo=UTC)

#: what reads each kind of document
READERS: dict[str, Callable[[Fields], object]] = {
    "workspace": read_workspace_document,
    "audience": lambda fields: read_audience(fields, _SCOPE),
    **{
        kind: lambda fields, kind=kind: read_list(fields, kind, _SCOPE, "UTC", FilePath())  # type: ignore[misc]
        for kind in LISTS
    },
    "journey": lambda fields: read_journey(fields, WorkspaceDocument(workspace="x"), _JOURNEY, _AT),
    "campaign": lambda fields: read_campaign(fields, _JOURNEY),
    "service": lambda fields: read_service(fields, FieldCatalog()),
    "roles_template": lambda fields: read_roles_template(fields, _SCOPE, "UTC"),
    "stage_model": read_stage_model,
    "solution_interest": lambda fields: read_solution_interest(fields, (), ()),
    "buying_groups": lambda fields: read_buying_groups(fields, (), _SCOPE),
    "score_model": lambda fields: read_score_model(fields, "UTC", alone=True),
    "communication_limits": lambda fields: read_communication_limits(fields, "UTC"),
    "identity": read_identity,
    "persona": read_persona,
    "source": lambda fields: read_source(fields, FieldCatalog()),
    "tests": lambda fields: read_tests(fields, FieldCatalog(), {}, "", lambda path: 1),
}

#: what a key takes, by what its reader asked for it as
TAKEN: dict[str, Schema] = {
    "boolean": {"type": "boolean"},
    "fraction": {"type": "number", "minimum": 0, "maximum": 1},
    "duration": DURATION,
    "signed duration": {"type": "string", "pattern": rf"^\s*[+-]?{PERIOD}"},
    "zone": {"type": "string"},
    "moment": {"type": "string"},
    "clock": {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"},
    "ends_on": {"type": "string"},
    "account condition": {"$ref": "#/$defs/account_condition"},
    "person condition": {"$ref": "#/$defs/person_condition"},
    "test": TEST,
    "tests": {"$ref": "#/$defs/field_tests"},
}

#: keys that take the same wherever they stand
EVERYWHERE: dict[str, Schema] = {
    "nodes": {
        "type": "object",
        "additionalProperties": {"$ref": "#/$defs/node"},
        "minProperties": 1,
    },
    "listen": {"type": "array", "items": {"$ref": "#/$defs/event"}, "minItems": 1},
    "weekdays": {"type": "array", "items": {"enum": list(WEEKDAYS)}},
    "members": {"type": "array", "items": SCALAR},
    "which": {"$ref": "#/$defs/field_tests"},
    "changes": {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "at": SCALAR,
                "set": {"type": "object"},
                "change": {"enum": list(RECORDS)},
                **{
                    key: {"type": ["string", "number", "array", "object"]}
                    for key in ("id", *RECORDS)
                },
            },
            "required": ["at"],
            "additionalProperties": False,
        },
    },
}

#: keys of a document that its reader asks for in ways of its own
OF_DOCUMENT: dict[str, dict[str, Schema]] = {
    # of accounts or of people: what may be asked depends on that
    "audience": {"when": {"anyOf": [TAKEN["account condition"], TAKEN["person condition"]]}},
    "workspace": {
        "fields": {
            "type": ["object", "null"],
            "properties": {
                entity: {
                    "type": ["object", "null"],
                    "additionalProperties": {"enum": list(FIELD_TYPES)},
                }
                for entity in STANDARD
            },
            "additionalProperties": False,
        },
    },
    "service": {
        "auth": {
            "anyOf": [
                *(
                    {
                        "type": "object",
                        "properties": dict.fromkeys(keys, SCALAR),
                        "required": [key for key in keys if key not in ("header", "query")],
                        "additionalProperties": False,
                    }
                    for keys in WAYS.values()
                ),
                {"type": "null"},
            ]
        },
        "attributes": {
            "type": ["object", "null"],
            "additionalProperties": {
                "anyOf": [
                    SCALAR,
                    {
                        "type": "object",
                        "properties": {"env": SCALAR},
                        "required": ["env"],
                        "additionalProperties": False,
                    },
                ]
            },
        },
    },
}


def json_schema() -> Schema:
    """The schema of every document a workspace may have."""
    documents = {kind: _document(kind, read) for kind, read in READERS.items()}
    nodes = {
        f"{kind}_node": _node(kind, {}, module)
        for kind, module in NODES.items()
        if module is not call
    }
    nodes |= {f"call_{of}_node": _node("call", {"of": of}, call) for of in call.OF}
    for kind, modules in OF.items():
        for of, module in modules.items():
            nodes[f"{kind}_{of}_node"] = _node(kind, {kind: of}, module)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A document of a Caravan workspace",
        "anyOf": _references(documents),
        "$defs": {
            **documents,
            "node": {"anyOf": _references(nodes)},
            **nodes,
            "actions": _actions(list(ACTIONS)),
            "people_actions": _actions(
                [name for name, action in ACTIONS.items() if action.context == "person"]
            ),
            "event": _one_of({name: _event(name) for name in (*EVENTS, GENERIC)}),
            "field_tests": {"type": "object", "additionalProperties": {"$ref": "#/$defs/test"}},
            **condition_schemas(),
        },
    }


def _references(named: Iterable[str]) -> list[Schema]:
    return [{"$ref": f"#/$defs/{name}"} for name in named]


def _document(kind: str, read: Callable[[Fields], object]) -> Schema:
    schema = _mapping(probe(read, {}), (), "people_actions" if kind == "campaign" else "actions")
    schema["properties"] |= OF_DOCUMENT.get(kind, {})
    schema["properties"][kind] = {"type": ["string", "number"], "pattern": f"^{SLUG.pattern}$"}
    schema["required"] = sorted({*schema.get("required", []), kind})
    return schema


def _node(kind: str, given: dict[str, str], module: Any) -> Schema:
    """A node by its leading key; ``given`` says of whom it is, where there are two of that key."""
    found = probe(lambda fields: module.read(fields, _JOURNEY), dict(given))
    of_people = any(of.endswith("people") for of in given.values())
    schema = _mapping(found, (), "people_actions" if of_people else "actions")
    schema["properties"] |= {key: {"const": of} for key, of in given.items()}
    needed = {
        key for key, of in given.items() if of != "account"
    }  # which a call is if it says nothing
    schema["required"] = sorted({*schema.get("required", []), kind, *needed})
    return schema


def _actions(names: list[str]) -> Schema:
    return {"type": "array", "items": _one_of({name: _action(name) for name in names})}


def _action(name: str) -> Schema:
    """Its own keys, and whom among the people it is for."""
    schema = _mapping(
        probe(lambda fields: (ACTIONS[name].read(fields, _JOURNEY), fields.finish()), {}), (), ""
    )
    if ACTIONS[name].context == "person":
        schema["properties"]["who"] = TAKEN["person condition"]
        schema["properties"]["top"] = {
            "type": "object",
            "additionalProperties": {"const": ENGAGEMENT},
            "minProperties": 1,
            "maxProperties": 1,
        }
    return schema


def _event(name: str) -> Schema:
    """The arguments of an event that is listened for, and those every event takes."""
    read = probe(
        lambda fields: NODES["listen"].read(
            Fields({"listen": [{name: fields.raw}]}, (), fields.report), _JOURNEY
        ),
        {},
    )
    schema = _mapping(read, ("listen", ITEM, name), "actions")
    event = EVENTS.get(name)
    if event is None:
        own: dict[str, Schema] = {
            "type": {"type": "string"},
            "where": {"$ref": "#/$defs/field_tests"},
        }
    else:
        own = {key: {"$ref": "#/$defs/test"} for key in (*event.names, *event.tests)}
        if BOTS in own:
            own[BOTS] = {"type": "boolean"}
    schema["properties"] |= own
    if event is not None and event.whose == "account":
        for key in ("who", "people"):
            schema["properties"].pop(key, None)
    schema["additionalProperties"] = False
    return {"anyOf": [schema, {"type": "null"}]}


def _one_of(named: dict[str, Schema]) -> Schema:
    """A mapping of one key, which says what it is."""
    return {
        "type": "object",
        "properties": named,
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    }


def _mapping(read: Read, path: Path, actions: str) -> Schema:
    """A mapping that was probed, with all that it holds."""
    mapping = read.get(path, Mapping())
    schema: Schema = {
        "type": "object",
        "properties": {
            key: _taken(read, (*path, key), kinds, actions, key in mapping.needed)
            for key, kinds in mapping.kinds.items()
            if key != STRANGE
        },
        "additionalProperties": False,
    }
    if mapping.open:
        kinds = mapping.kinds.get(STRANGE, set())
        place = (*path, STRANGE)
        known = kinds or place in read
        schema["additionalProperties"] = (
            _taken(read, place, kinds, actions, needed=False) if known else True
        )
    if mapping.needed:
        schema["required"] = sorted(mapping.needed)
    return schema


def _taken(read: Read, path: Path, kinds: set[str], actions: str, needed: bool) -> Schema:
    """What a key takes; nothing at all is as if it were not there."""
    key = str(path[-1])
    if key == "do":
        options = [{"$ref": f"#/$defs/{actions}"}]
    elif key in EVERYWHERE:
        options = [EVERYWHERE[key]]
    else:
        options = [one for one in map(_plain, sorted(kinds)) if one is not None]
        if not options and kinds & {"text", "given"}:
            options = [SCALAR]
        options += _within(read, path, kinds, actions)
    if not needed:
        options.append({"type": "null"})
    return options[0] if len(options) == 1 else {"anyOf": options}


def _plain(kind: str) -> Schema | None:
    """What is no mapping and no list of them; None where nothing more is known than that."""
    if kind.startswith("one of "):
        return {"enum": kind.removeprefix("one of ").split()}
    if kind.startswith("count from "):
        least = int(kind.removeprefix("count from "))
        return {"type": "integer", "minimum": least, "maximum": MOST}
    return TAKEN.get(kind)


def _within(read: Read, path: Path, kinds: set[str], actions: str) -> list[Schema]:
    """What was opened at a path: a mapping, a list of them, or mappings by free names."""
    options = []
    if "mapping" in kinds:
        each = (*path, STRANGE)
        options.append(
            {
                "type": "object",
                "additionalProperties": _mapping(read, each, actions) if each in read else True,
            }
        )
    elif path in read:
        options.append(_mapping(read, path, actions))
    item = (*path, ITEM)
    if item in read:
        options.append({"type": "array", "items": _mapping(read, item, actions)})
    elif "items" in kinds:
        options.append({"type": "array"})
    return options
