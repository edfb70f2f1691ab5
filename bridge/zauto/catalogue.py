"""ZautoAI's resources as declared in `mappings/zauto/*.yaml`: the one place that knows them.

The same entry feeds the mapping checker, the client's paths, the order of calls
(`refers_to`), the sandbox's routes and the reference documentation. What is the same for all
resources stands in `bridge.zauto.contract`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from bridge.errors import Fault, MappingError
from bridge.yamlfile import Table, Way, dotted, fit, nearest, place_of, read_table, text_of, values


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


@dataclass(frozen=True, slots=True)
class _Source:
    """One file, as it was read."""

    file: Path
    root: Table

    def fault(self, way: Way, message: str, suggestion: str | None = None) -> Fault:
        """A fault at the key that is nearest to a way."""
        place = place_of(self.root, way, of_key=True)
        return place.fault(dotted(way), message, suggestion)


def load(folder: Path) -> Catalogue:
    """Read every `*.yaml` of the folder; raises MappingError with all that is wrong."""
    faults: list[Fault] = []
    found: dict[str, Resource] = {}
    sources: dict[str, _Source] = {}
    for file in sorted(folder.glob("*.yaml")):
        source = _read(file, faults)
        resource = _resource(source, faults) if source is not None else None
        if source is not None and resource is not None:
            found[resource.name], sources[resource.name] = resource, source
    if not found and not faults:
        faults.append(Fault(str(folder), 1, 1, "", "holds no resource; expected patients.yaml …"))
    if not faults:
        faults += [f for name, r in found.items() for f in _inconsistent(r, sources[name], found)]
    if faults:
        raise MappingError(faults)
    return Catalogue(_referents_first(found))


def _read(file: Path, faults: list[Fault]) -> _Source | None:
    try:
        text = text_of(file, faults)
    except OSError as error:
        faults.append(Fault(str(file), 1, 1, "", f"cannot be read: {error.strerror}"))
        return None
    root = read_table(text, str(file), faults) if text is not None else None
    return _Source(file, root) if root is not None else None


def _resource(source: _Source, faults: list[Fault]) -> Resource | None:
    resource = fit(Resource, source.root, values(source.root), faults)
    if resource is not None and resource.name != source.file.stem:
        message = f"must be '{source.file.stem}', as the file is called"
        faults.append(source.fault(("name",), message))
        return None
    return resource


def _inconsistent(
    resource: Resource, source: _Source, found: Mapping[str, Resource]
) -> Iterator[Fault]:
    """What names a field or resource that is not there, or refers in a circle."""
    if "id" not in resource.required():
        yield source.fault(("fields", "id"), "every resource needs a field 'id' with required")
    for way, word, known in _words(resource, found):
        if word not in known:
            message = f"'{word}' is not known here"
            yield source.fault(way, message, nearest(word, known))
    if resource.name in _reached(resource, found):
        yield source.fault(("fields",), "refers to itself through refers_to, so none can be first")


def _words(
    resource: Resource, found: Mapping[str, Resource]
) -> Iterator[tuple[Way, str, frozenset[str]]]:
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
