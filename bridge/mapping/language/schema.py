"""A JSON Schema (2020-12) of mapping files, for editors that complete and mark while one types.

Made of what the checker itself reads with: the models of the words, the functions of each source,
the resources and their fields, the code tables there are, the site's settings. What takes more than
a shape to judge (a path that leads nowhere, a message type with two mappings) is left to
`bridge check`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema
from pydantic_core import core_schema

from bridge.delivery import ACCOUNT
from bridge.hl7v2.paths import PATTERN as HL7_PATH
from bridge.mapping.engine import dotted
from bridge.mapping.folders import Folder
from bridge.mapping.functions import FUNCTIONS
from bridge.mapping.language.decided import SWITCHES
from bridge.mapping.language.words import MappingText, MessageText, RecordText, TableText
from bridge.message import Protocol
from bridge.settings import Site
from bridge.zauto.catalogue import Catalogue, Resource

Schema: TypeAlias = dict[str, Any]

_COMMON = {"about", "ignore"}
_PARTS = (RecordText, MessageText)


def schema_of(catalogue: Catalogue, folders: Iterable[Folder]) -> Schema:
    """One schema for mappings, parts and code tables; the file's own words tell which it is."""
    resources = sorted(catalogue.resources)
    names: dict[str, Schema] = {
        "resource": {"enum": resources},
        "record": {"enum": sorted([*resources, ACCOUNT])},
        "setting": {"enum": sorted(Site.model_fields)},
        "code table": {"enum": sorted({name for folder in folders for name in folder.tables()})},
    }
    definitions = _definitions((MappingText, TableText), "", names)
    for protocol in Protocol:
        functions = {"enum": sorted(FUNCTIONS[protocol])}
        of_source = names | {"path": _path(protocol), "function": functions}
        definitions |= _definitions(_PARTS, f"_{protocol}", of_source)
    mapping = definitions["MappingText"]
    mapping["properties"]["needs"]["propertyNames"] = names["resource"]
    mapping["not"] = {"required": ["calls", "nothing"]}
    definitions["Part"] = _part(catalogue)
    # what tells a file's kind: any word that is its own, since a site's file may say no other
    own = {
        "MappingText": MappingText.vocabulary,
        "Part": [name for kind in _PARTS for name in kind.vocabulary],
        "TableText": TableText.vocabulary,
    }
    kinds = {kind: _any_of(set(known) - _COMMON) for kind, known in own.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Mapping files of the ZautoAI bridge",
        "type": "object",
        "anyOf": [*kinds.values(), _any_of(["ignore"])],
        "allOf": [{"if": stated, "then": _ref(kind)} for kind, stated in kinds.items()],
        "$defs": definitions,
    }


class _Bare(GenerateJsonSchema):
    """Of shapes alone: a word that is not stated is not there, and is never null."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> Schema:
        """What it is where it is stated."""
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> Schema:
        """The same."""
        return self.generate_inner(schema["schema"])

    def field_title_should_be_set(self, schema: Any) -> bool:
        """A word is its own title."""
        return False


def _definitions(
    kinds: tuple[type[BaseModel], ...], suffix: str, names: Mapping[str, Schema]
) -> dict[str, Schema]:
    """The models of files and of all that is in them, of which a file need not state all."""
    _, made = models_json_schema(
        [(kind, "validation") for kind in kinds],
        ref_template=f"#/$defs/{{model}}{suffix}",
        schema_generator=_Bare,
    )
    definitions = made["$defs"]
    for kind in kinds:
        # a site's file says only what differs
        definitions[kind.__name__].pop("required", None)
    if condition := definitions.get("ConditionText"):
        asked = [{"required": ["is"]}, {"required": ["not"]}]
        switch = {"properties": {"site": {"enum": list(SWITCHES)}}}
        condition["anyOf"] = [*asked, switch]
        definitions["ConditionText"] = {"anyOf": [{"type": "string"}, condition]}
    return {f"{name}{suffix}": _resolved(each, names) for name, each in definitions.items()}


def _resolved(schema: Any, names: Mapping[str, Schema]) -> Any:
    """The same with the names of each kind (`shapes.name_of`) that there are."""
    if isinstance(schema, list):
        return [_resolved(each, names) for each in schema]
    if not isinstance(schema, dict):
        return schema
    resolved = {key: _resolved(each, names) for key, each in schema.items() if key != "names"}
    return resolved | names.get(schema["names"], {}) if "names" in schema else resolved


def _any_of(stated: Iterable[str]) -> Schema:
    return {"anyOf": [{"required": [word]} for word in sorted(stated)]}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _part(catalogue: Catalogue) -> Schema:
    """A part has the rules of its source, and the fields of its resource."""
    of_source = {protocol.value: _of_source(protocol) for protocol in Protocol}
    by_source = [_when("source", source, part) for source, part in of_source.items()]
    of_any = {"if": {"required": ["source"]}, "else": {"anyOf": list(of_source.values())}}
    by_resource = [
        _when("resource", resource.name, _fields_of(resource))
        for resource in catalogue.resources.values()
    ]
    return {
        "properties": {"source": {"enum": list(of_source)}},
        "allOf": [*by_source, of_any, *by_resource],
    }


def _of_source(protocol: Protocol) -> Schema:
    record, message = (_ref(f"{kind.__name__}_{protocol}") for kind in _PARTS)
    return {"if": _any_of(["message", "segments"]), "then": message, "else": record}


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
    known, required = list(dotted.FACTS.get(resource.name, ())), {"enum": sorted(resource.fields)}
    return {
        "properties": {
            "fields": {"properties": fields, "additionalProperties": False},
            "facts": {"propertyNames": {"enum": known}},
            "requires": {"anyOf": [required, {"type": "array", "items": required}]},
        }
    }


def _path(protocol: Protocol) -> Schema:
    if protocol is Protocol.HL7V2:
        return {"type": "string", "pattern": f"^{HL7_PATH}$"}
    if protocol is Protocol.ORDERS:
        return {
            "enum": [f"{root}.{name}" for root, names in dotted.NAMES.items() for name in names]
        }
    return {"type": "string"}
