"""A JSON Schema (2020-12) of mapping files, for editors that complete and mark while one types.

Made of what the checker itself knows: the words, the functions of each source, the resources and
their fields, the code tables there are, the site's settings. What takes more than a shape to judge
(a path that leads nowhere, a message type with two mappings) is left to `bridge check`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from bridge.delivery import ACCOUNT
from bridge.hl7v2.paths import PATTERN as HL7_PATH
from bridge.mapping.engine import dotted
from bridge.mapping.folders import Folder
from bridge.mapping.functions import FUNCTIONS
from bridge.mapping.language import language, words
from bridge.mapping.language.decided import SWITCHES
from bridge.message import Protocol
from bridge.settings import Site
from bridge.zauto.catalogue import Catalogue, Resource

Schema: TypeAlias = dict[str, Any]

_WORDS = {"mapping": words.MAPPING, "part": words.PART, "table": words.TABLE}
_COMMON = ("about", "ignore")
#: what tells a file's kind: any word that is its own, since a site's file may say no other
_KINDS = {kind: [word for word in own if word not in _COMMON] for kind, own in _WORDS.items()}
#: what differs by the source of a part
_RULED = ("id", "authority", "also", "numbers", "into", "owner", "fields", "facts", "segments")
#: every scalar is a word: `1` and `NO` are too
_WORD: Schema = {"type": ["string", "number", "boolean"]}
_TEXT: Schema = {"type": "string"}


def schema_of(catalogue: Catalogue, folders: Iterable[Folder]) -> Schema:
    """One schema for mappings, parts and code tables; the file's own words tell which it is."""
    tables = sorted({name for folder in folders for name in folder.tables()})
    definitions = {
        "mapping": _mapping(catalogue),
        "part": _part(catalogue),
        "table": _table(),
        "call": _call(catalogue),
        "test": _test(),
        "tests": _one_or_many({"anyOf": [_TEXT, _ref("test")]}),
    }
    for protocol in Protocol:
        definitions |= _of_source(protocol, tables)
    kinds = {kind: _any_of(stated) for kind, stated in _KINDS.items()}
    chosen = [{"if": stated, "then": _ref(kind)} for kind, stated in kinds.items()]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Mapping files of the ZautoAI bridge",
        "type": "object",
        "anyOf": [*kinds.values(), _any_of(["ignore"])],
        "allOf": chosen,
        "$defs": definitions,
    }


def _any_of(stated: Iterable[str]) -> Schema:
    return {"anyOf": [{"required": [word]} for word in stated]}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _one_or_many(item: Schema) -> Schema:
    return {"anyOf": [item, {"type": "array", "items": item, "minItems": 1}]}


def _object(told: Mapping[str, str], shapes: Mapping[str, Schema], **more: Any) -> Schema:
    """A table of these words, each with what it says."""
    properties = {name: {**shape, "description": told[name]} for name, shape in shapes.items()}
    return {"type": "object", "properties": properties, "additionalProperties": False, **more}


def _mapping(catalogue: Catalogue) -> Schema:
    shapes = {
        "about": _TEXT,
        "messages": _one_or_many(_TEXT),
        "needs": {"type": "object", "additionalProperties": _TEXT}
        | {"propertyNames": {"enum": sorted(catalogue.resources)}},
        "calls": {"type": "array", "items": _ref("call"), "minItems": 1},
        "nothing": _TEXT,
        "ignore": _one_or_many(_TEXT),
    }
    # a site's mapping says only what differs, so that nothing is required
    return _object(words.MAPPING, shapes, **{"not": {"required": ["calls", "nothing"]}})


def _call(catalogue: Catalogue) -> Schema:
    resource = {"enum": sorted(catalogue.resources)}
    identified = {"enum": sorted([*catalogue.resources, ACCOUNT])}
    shapes = {
        "upsert": resource,
        "create": resource,
        "delete": resource,
        **dict.fromkeys(language.IDENTITY_WORDS, identified),
        "send": _TEXT,
        "use": _TEXT,
        "each": _one_or_many(_TEXT),
        "when": _ref("tests"),
        "otherwise": _TEXT,
        "required": {"anyOf": [{"type": "boolean"}, _ref("tests")]},
        "linked": {"type": "boolean"},
    }
    one_of = [{"required": [word]} for word in language.INTERACTION_WORDS]
    return _object(words.CALL, shapes, required=["use"], oneOf=one_of)


def _part(catalogue: Catalogue) -> Schema:
    """The words of a part; its rules are those of its source, its fields of its resource."""
    of_source = {protocol.value: _ref(f"part_{protocol.value}") for protocol in Protocol}
    by_source = [_when("source", source, rules) for source, rules in of_source.items()]
    of_any = {"if": {"required": ["source"]}, "else": {"anyOf": list(of_source.values())}}
    by_resource = [
        _when("resource", resource.name, _fields_of(resource))
        for resource in catalogue.resources.values()
    ]
    shapes: dict[str, Schema] = {
        "about": _TEXT,
        "like": _TEXT,
        "source": {"enum": [protocol.value for protocol in Protocol]},
        "resource": {"enum": sorted([*catalogue.resources, ACCOUNT])},
        "message": _TEXT,
        "requires": _one_or_many(_TEXT),
        "ignore": _one_or_many(_TEXT),
        "choose": {"type": "object", "additionalProperties": _ref("test")},
        **{name: {} for name in _RULED},
    }
    # a site's part says only what differs, so that nothing is required
    return _object(words.PART, shapes, allOf=[*by_source, of_any, *by_resource])


def _when(word: str, value: str, then: Schema) -> Schema:
    test = {"properties": {word: {"const": value}}, "required": [word]}
    return {"if": test, "then": then}


def _fields_of(resource: Resource) -> Schema:
    """The fields and facts of one resource."""
    fields = {
        name: {"description": spec.about or f"{resource.title}: {spec.type.value}"}
        for name, spec in resource.fields.items()
        if name != "id"
    }
    known = dotted.FACTS.get(resource.name, ())
    return {
        "properties": {
            "fields": {"properties": fields, "additionalProperties": False},
            "facts": {"propertyNames": {"enum": list(known)}},
            "requires": _one_or_many({"enum": sorted(resource.fields)}),
        }
    }


def _of_source(protocol: Protocol, tables: list[str]) -> dict[str, Schema]:
    """What differs by the source: its paths and its functions."""
    rule, rules = f"rule_{protocol.value}", f"rules_{protocol.value}"
    fields = {"type": "object", "additionalProperties": _ref(rules)}
    also = {"id": _ref(rules), "authority": _ref(rules), "guessed": {"const": True}}
    numbers = dict.fromkeys(words.NUMBERS, _one_or_many(_TEXT))
    segment = {
        "segment": _TEXT,
        "when": _ref("tests"),
        "requires": _one_or_many(_WORD),
        "fields": fields,
        "each": _TEXT,
        "order": _object(words.ORDER, dict.fromkeys(language.ORDER_WORDS, _ref(rules)))
        | {"required": ["control"]},
        "segments": {"type": "array", "items": _ref(f"segment_{protocol.value}")},
    }
    return {
        f"part_{protocol.value}": {
            "properties": {
                **{name: _ref(rules) for name in ("id", "authority", "into", "owner")},
                "also": {"type": "array", "items": _object(words.ALSO, also), "minItems": 1},
                "numbers": _object(words.NUMBERS, numbers),
                "fields": fields,
                "facts": fields,
                "segments": {"type": "array", "items": _ref(f"segment_{protocol.value}")},
            }
        },
        f"segment_{protocol.value}": _object(words.SEGMENT, segment),
        # none takes a field out of the part that this one is like
        rules: {"anyOf": [_ref(rule), {"type": "array", "items": _ref(rule)}]},
        rule: _rule(protocol, tables),
    }


def _rule(protocol: Protocol, tables: list[str]) -> Schema:
    shapes: dict[str, Schema] = {
        "from": _one_or_many(_path(protocol)),
        "constant": _WORD,
        "site": {"enum": sorted(Site.model_fields)},
        "id_of": _TEXT,
        "clear": {"const": True},
        "as": {"enum": sorted(FUNCTIONS[protocol])},
        "zone": _TEXT,
        "unit": _TEXT,
        "stated": _TEXT,
        "units": {"enum": tables},
        "codes": {"enum": tables},
        "default": _WORD,
        "join": _WORD,
        "prefix": _WORD,
        "on": {"const": "create"},
        "when": _ref("tests"),
    }
    one_of = [{"required": [word]} for word in language.ORIGIN_WORDS]
    return _object(words.RULE, shapes, oneOf=one_of)


def _path(protocol: Protocol) -> Schema:
    if protocol is Protocol.HL7V2:
        return {"type": "string", "pattern": f"^{HL7_PATH}$"}
    if protocol is Protocol.ORDERS:
        return {
            "enum": [f"{root}.{name}" for root, names in dotted.NAMES.items() for name in names]
        }
    return _TEXT


def _test() -> Schema:
    shapes = {
        "path": _TEXT,
        "is": _one_or_many(_WORD),
        "not": _one_or_many(_WORD),
        "empty": {"const": True},
        "site": {"enum": sorted(Site.model_fields)},
    }
    asked = {"anyOf": [{"required": ["is"]}, {"required": ["not"]}]}
    switch = {"properties": {"site": {"enum": list(SWITCHES)}}}
    return _object(words.TEST, shapes, anyOf=[asked, switch])


def _table() -> Schema:
    rows = {"type": "object", "additionalProperties": _WORD, "minProperties": 1}
    shapes: dict[str, Schema] = {
        "about": _TEXT,
        "otherwise": _WORD,
        "rows": rows,
        "senders": {"type": "object", "additionalProperties": rows},
    }
    return _object(words.TABLE, shapes)
