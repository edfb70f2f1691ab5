"""ZautoAI's resources as declared in `mappings/zauto/*.yaml`: the one place that knows them.

The same entry feeds the mapping checker, the client's paths, the order of calls
(`refers_to`), the sandbox's routes and the reference documentation. What is the same for all
resources stands in `bridge.zauto.contract`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeAlias

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from bridge.errors import Fault, MappingError


class FieldType(StrEnum):
    """JSON type of a field."""

    STRING = "string"
    NUMBER = "number"
    BOOLEAN = "boolean"


class FieldFormat(StrEnum):
    """What a string must look like."""

    DATE = "date"
    DATETIME = "date-time"
    EMAIL = "email"
    PHONE = "phone"


class Operation(StrEnum):
    """What can be done with a resource."""

    CREATE = "create"
    LIST = "list"
    READ = "read"
    UPDATE = "update"
    DELETE = "delete"

    @property
    def method(self) -> str:
        """Its HTTP method."""
        return _METHODS[self]

    @property
    def of_one(self) -> bool:
        """Whether its path ends in the external id of one record."""
        return self not in (Operation.CREATE, Operation.LIST)


_METHODS: Mapping[Operation, str] = {
    Operation.CREATE: "POST",
    Operation.LIST: "GET",
    Operation.READ: "GET",
    Operation.UPDATE: "PUT",
    Operation.DELETE: "DELETE",
}


class ResourceField(BaseModel):
    """One field of a resource."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: FieldType = FieldType.STRING
    format: FieldFormat | None = None
    required: bool = False
    enum: tuple[str, ...] = ()
    #: name of the resource whose external id this holds
    refers_to: str | None = None
    #: one line for people
    about: str = ""


class Resource(BaseModel):
    """One resource of the API."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    #: also the name of its file
    name: str
    #: path under the base URL, `/zauto-api/patients`
    path: str
    #: word for one record in messages to people, `Patient`
    title: str
    fields: Mapping[str, ResourceField]
    #: operations the vendor's document shows; the others are assumed (`contract.ASSUMED`)
    shown: tuple[Operation, ...] = ()
    #: what is assumed of this resource alone, a sentence each
    assumes: tuple[str, ...] = ()
    #: fields the answer to a create repeats, beside the ids and createdAt
    created: tuple[str, ...] = ()
    #: fields a list's `search` looks in; `patient.fullName` follows `patientId`
    search: tuple[str, ...] = ()
    #: field a list is ordered by, `-` before it for descending
    order: str = ""
    #: fields that must be equal for two records to be of the same person or thing
    same: tuple[str, ...] = ()
    #: fields that must not differ where both records have them
    not_different: tuple[str, ...] = ()
    #: fields made of the number that the hospital knows the record by
    numbers: tuple[str, ...] = ()
    #: records like the vendor's test data that a new sandbox holds
    examples: tuple[dict[str, Any], ...] = ()

    def required(self) -> frozenset[str]:
        """Names of the fields a create must carry."""
        return frozenset(name for name, spec in self.fields.items() if spec.required)

    def assumed(self) -> tuple[Operation, ...]:
        """Operations the document does not show, in the order create to delete."""
        return tuple(each for each in Operation if each not in self.shown)

    def referents(self) -> Mapping[str, str]:
        """Field name to the name of the resource it refers to."""
        return {n: spec.refers_to for n, spec in self.fields.items() if spec.refers_to}

    def owner(self) -> str | None:
        """Name of the field that says which record one belongs to, None where none does: a
        visit's patient."""
        return next((name for name in self.same if name in self.referents()), None)

    def related(self, word: str) -> tuple[str, str, str] | None:
        """The search word `patient.fullName` as (`patientId`, `patients`, `fullName`).

        None for a word of the resource's own, or one that follows no field.
        """
        stem, dot, target = word.partition(".")
        referent = self.referents().get(f"{stem}Id")
        return (f"{stem}Id", referent, target) if dot and referent else None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All resources, by name, in the order in which they must be created."""

    resources: Mapping[str, Resource] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Resource:
        return self.resources[name]

    def __contains__(self, name: object) -> bool:
        return name in self.resources


#: where a value stands in a file: its keys and indexes from the top
_Way: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class _Source:
    """One file, with the line and column of each of its keys and values (both from 1)."""

    file: Path
    places: Mapping[_Way, tuple[int, int]]

    def fault(self, way: _Way, message: str, suggestion: str | None = None) -> Fault:
        """A fault at the nearest place that stands in the file."""
        known = way
        while known and known not in self.places:
            known = known[:-1]
        line, column = self.places.get(known, (1, 1))
        return Fault(str(self.file), line, column, _dotted(way), message, suggestion)


def load(folder: Path) -> Catalogue:
    """Read every `*.yaml` of the folder; raises MappingError with all that is wrong."""
    faults: list[Fault] = []
    found: dict[str, Resource] = {}
    sources: dict[str, _Source] = {}
    for file in sorted(folder.glob("*.yaml")):
        source, value, unread = _parse(file)
        resource, unfit = (None, []) if unread else _validate(source, value)
        faults += unread + unfit
        if resource is not None:
            found[resource.name], sources[resource.name] = resource, source
    if not found and not faults:
        faults.append(Fault(str(folder), 1, 1, "", "holds no resource; expected patients.yaml …"))
    if not faults:
        faults += [f for name, r in found.items() for f in _inconsistent(r, sources[name], found)]
    if faults:
        raise MappingError(faults)
    return Catalogue(_referents_first(found))


def _parse(file: Path) -> tuple[_Source, Any, list[Fault]]:
    """The file's value with the places in it, or the faults that keep it from being read."""
    text = file.read_text(encoding="utf-8")
    try:
        node = yaml.compose(text, yaml.SafeLoader)
        value = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        return (
            _Source(file, {}),
            None,
            [Fault(str(file), line, column, "", f"is not YAML: {error.problem}")],
        )
    places: dict[_Way, tuple[int, int]] = {}
    faults = []
    for way, mark in _places(node):
        at = (mark.line + 1, mark.column + 1)
        if places.setdefault(way, at) != at:
            faults.append(Fault(str(file), *at, _dotted(way), "stands here a second time"))
    return _Source(file, places), value, faults


def _places(node: yaml.Node | None, way: _Way = ()) -> Iterator[tuple[_Way, yaml.Mark]]:
    """Every key of a mapping and item of a list, with where it begins."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*way, str(key.value))
            yield inner, key.start_mark
            yield from _places(value, inner)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield (*way, index), item.start_mark
            yield from _places(item, (*way, index))


def _validate(source: _Source, value: Any) -> tuple[Resource | None, list[Fault]]:
    try:
        resource = Resource.model_validate(value)
    except ValidationError as error:
        return None, [
            source.fault(e["loc"], e["msg"], _nearest(e["loc"], e["type"])) for e in error.errors()
        ]
    if resource.name != source.file.stem:
        message = f"must be '{source.file.stem}', as the file is called"
        return None, [source.fault(("name",), message)]
    return resource, []


def _nearest(way: _Way, kind: str) -> str | None:
    """The word nearest to one that the format does not have."""
    if kind != "extra_forbidden":
        return None
    model = ResourceField if way[0] == "fields" else Resource
    return _close(str(way[-1]), model.model_fields)


def _inconsistent(
    resource: Resource, source: _Source, found: Mapping[str, Resource]
) -> Iterator[Fault]:
    """What names a field or resource that is not there, or refers in a circle."""
    if "id" not in resource.required():
        yield source.fault(("fields", "id"), "every resource needs a field 'id' with required")
    for way, word, known in _words(resource, found):
        if word not in known:
            message = f"'{word}' is not known here"
            yield source.fault(way, message, _close(word, known))
    if resource.name in _reached(resource, found):
        yield source.fault(("fields",), "refers to itself through refers_to, so none can be first")


def _words(
    resource: Resource, found: Mapping[str, Resource]
) -> Iterator[tuple[_Way, str, frozenset[str]]]:
    """Every word that names something, with what may be named there."""
    fields = frozenset(resource.fields)
    for name, referent in resource.referents().items():
        yield ("fields", name, "refers_to"), referent, frozenset(found)
    for index, word in enumerate(resource.search):
        yield ("search", index), word, fields | {"externalId"} | _related_words(resource, found)
    for key in ("created", "same", "not_different", "numbers"):
        for index, word in enumerate(getattr(resource, key)):
            yield (key, index), word, fields
    if resource.order:
        yield ("order",), resource.order.removeprefix("-"), fields
    for index, example in enumerate(resource.examples):
        for word in example:
            yield ("examples", index, word), word, fields


def _related_words(resource: Resource, found: Mapping[str, Resource]) -> frozenset[str]:
    """`patient.fullName` and the like: what the referents' own lists can be searched for."""
    return frozenset(
        f"{name.removesuffix('Id')}.{word}"
        for name, referent in resource.referents().items()
        if referent in found and name.endswith("Id")
        for word in found[referent].search
        if word in found[referent].fields
    )


def _reached(resource: Resource, found: Mapping[str, Resource]) -> frozenset[str]:
    """Names of the resources it refers to, directly or through others."""
    reached: set[str] = set()
    ahead = [resource]
    while ahead:
        for name in ahead.pop().referents().values():
            if name in found and name not in reached:
                reached.add(name)
                ahead.append(found[name])
    return frozenset(reached)


def _close(word: str, known: Iterable[str]) -> str | None:
    return next(iter(get_close_matches(word, list(known), 1)), None)


def _dotted(way: _Way) -> str:
    return ".".join(map(str, way))


def _referents_first(found: dict[str, Resource]) -> dict[str, Resource]:
    """In the order in which they must be created; a circle has been refused before."""
    ordered: dict[str, Resource] = {}

    def add(name: str) -> None:
        for referent in found[name].referents().values():
            add(referent)
        ordered.setdefault(name, found[name])

    for name in found:
        add(name)
    return ordered
