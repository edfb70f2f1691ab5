"""ZautoAI's resources as declared in `mappings/zauto/*.yaml`: the one place that knows them.

The same entry feeds the mapping checker, the client's paths, the order of calls
(`refers_to`), the sandbox's routes and the reference documentation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

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


class ResourceField(BaseModel):
    """One field of a resource."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: FieldType = FieldType.STRING
    format: FieldFormat | None = None
    required: bool = False
    enum: tuple[str, ...] = ()
    #: name of the resource whose external id this holds
    refers_to: str | None = None
    #: one line for people; names an assumption where the vendor's document is silent
    about: str = ""


class Resource(BaseModel):
    """One resource of the API."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    #: path under the base URL, `/zauto-api/patients`
    path: str
    #: word for one record in messages to people, `Patient`
    title: str
    fields: Mapping[str, ResourceField]
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
    #: records like the vendor's test data that a new sandbox holds
    examples: tuple[dict[str, Any], ...] = ()

    def required(self) -> frozenset[str]:
        """Names of the fields a create must carry."""
        return frozenset(name for name, spec in self.fields.items() if spec.required)

    def referents(self) -> Mapping[str, str]:
        """Field name to the name of the resource it refers to."""
        return {n: spec.refers_to for n, spec in self.fields.items() if spec.refers_to}

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


def load(folder: Path) -> Catalogue:
    """Read every `*.yaml` of the folder; raises MappingError with all that is wrong."""
    faults: list[Fault] = []
    found: dict[str, Resource] = {}
    for file in sorted(folder.glob("*.yaml")):
        try:
            resource = Resource.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
            found[resource.name] = resource
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark
            line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
            faults.append(Fault(str(file), line, column, "", f"is not YAML: {error.problem}"))
        except ValidationError as error:
            faults += [
                Fault(str(file), 1, 1, ".".join(map(str, e["loc"])), e["msg"])
                for e in error.errors()
            ]
    if not found and not faults:
        faults.append(Fault(str(folder), 1, 1, "", "holds no resource; expected patients.yaml …"))
    if faults:
        raise MappingError(faults)
    return Catalogue(_referents_first(found))


def _referents_first(found: dict[str, Resource]) -> dict[str, Resource]:
    ordered: dict[str, Resource] = {}

    def add(name: str, path: tuple[str, ...]) -> None:
        if name in ordered or name not in found or name in path:
            return
        for referent in found[name].referents().values():
            add(referent, (*path, name))
        ordered[name] = found[name]

    for name in found:
        add(name, ())
    return ordered
