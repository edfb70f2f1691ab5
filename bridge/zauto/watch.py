"""The watch on ZautoAI's contract: what its answers show that its document does not say.

Nothing here decides anything: an answer that does not fit is counted, so that people learn of a
change before it hurts. Only names and kinds are kept, no value, and a name that could be one is
not kept either.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import orjson

from bridge.zauto.answers import Answer, json_object
from bridge.zauto.catalogue import Catalogue, FieldFormat, FieldType, Resource, ResourceField
from bridge.zauto.contract import LIMIT_HEADER, STATUSES, ErrorCode

#: kinds of things told apart; those beyond are counted together
MOST = 100
#: seconds between two notes of the counts, unless something new is seen
NOTE_EVERY = 60.0

_NAME = re.compile(r"[A-Za-z_]{1,40}[0-9]{0,2}")
_CODE = re.compile(r"[A-Z][A-Z_]{1,49}")
_UNTOLD = "(no name)"
_ENVELOPE = frozenset("status message data pagination errors errorCode timestamp".split())
#: of every record, beside the resource's own fields
_RECORD = frozenset("id externalId createdAt updatedAt".split())
_TYPES: Mapping[FieldType, tuple[type, ...]] = {
    FieldType.STRING: (str,),
    FieldType.NUMBER: (int, float),
    FieldType.BOOLEAN: (bool,),
}
_JSON_TYPES: Mapping[type, str] = {
    str: "string",
    bool: "boolean",
    int: "number",
    float: "number",
    list: "array",
    dict: "object",
}


class Oddity(StrEnum):
    """How an answer differs from the document."""

    STATUS = "unknown status"
    CODE = "unknown error code"
    FIELD = "new field"
    TYPE = "other type"
    VALUE = "other value"
    FORM = "other form"
    LIMIT = "other limit"
    BODY = "not the envelope"


@dataclass(slots=True)
class Seen:
    """One oddity, as often as it was seen."""

    what: Oddity
    #: where in the answer: `patients.nickName`, `PATIENT_LOCKED`, `418`
    where: str
    count: int
    #: epoch seconds
    first_at: float
    last_at: float


class ContractWatch:
    """Counts oddities; answers are shown to it in the loop, counts noted in the store's writer."""

    def __init__(self, catalogue: Catalogue, limits: Sequence[int] = ()) -> None:
        """`limits` are the values that X-RateLimit-Limit may have; empty takes any."""
        self._catalogue = catalogue
        self._limits = limits
        self._seen: dict[tuple[str, str], Seen] = {}
        self._lock = threading.Lock()
        self._fresh = False
        self._noted_at = 0.0

    def show(self, resource: str, answer: Answer, now: float) -> None:
        """Look at an answer about a resource; "" for that of the token endpoint."""
        found = [*_limit(answer, self._limits)]
        if resource:
            found += _oddities(self._catalogue[resource], answer)
        for what, where in found:
            self._count(what, where, now)

    def seen(self) -> list[Seen]:
        """What was seen, latest first."""
        with self._lock:
            return sorted(self._seen.values(), key=lambda each: -each.last_at)

    def dump(self, now: float) -> str | None:
        """The counts as a text for the store; None while that is not worth a write."""
        with self._lock:
            if not self._fresh and 0.0 <= now - self._noted_at < NOTE_EVERY:
                return None
            if all(each.last_at <= self._noted_at for each in self._seen.values()):
                return None
            self._fresh, self._noted_at = False, now
            return orjson.dumps(list(self._seen.values())).decode()

    def restore(self, text: str) -> None:
        """Take up the counts that `dump` wrote."""
        with self._lock:
            self._seen = {(each.what, each.where): each for each in read(text)}

    def _count(self, what: Oddity, where: str, now: float) -> None:
        with self._lock:
            if (what, where) not in self._seen and len(self._seen) >= MOST:
                where = "(others)"
            seen = self._seen.get((what, where))
            if seen is None:
                self._seen[what, where] = Seen(what, where, 1, now, now)
                self._fresh = True
            else:
                seen.count, seen.last_at = seen.count + 1, now


def read(text: str) -> list[Seen]:
    """The counts of a text that `ContractWatch.dump` wrote."""
    return [Seen(Oddity(each.pop("what")), **each) for each in orjson.loads(text)]


def _limit(answer: Answer, limits: Sequence[int]) -> Iterator[tuple[Oddity, str]]:
    told = answer.headers.get(LIMIT_HEADER.lower())
    if told is not None and limits and told.strip() not in map(str, limits):
        number = told.strip() if told.strip().isdecimal() and len(told) < 10 else "(no number)"
        yield Oddity.LIMIT, f"{LIMIT_HEADER} {number}"


def _oddities(resource: Resource, answer: Answer) -> Iterator[tuple[Oddity, str]]:
    if answer.status not in STATUSES:
        yield Oddity.STATUS, str(answer.status)
    envelope = json_object(answer)
    if envelope.get("status") not in ("success", "error"):
        if answer.status in STATUSES:
            yield Oddity.BODY, str(answer.status)
        return
    yield from _new("envelope", envelope, _ENVELOPE)
    code = envelope.get("errorCode")
    if code is not None and code not in ErrorCode.__members__:
        yield Oddity.CODE, _told(code, _CODE)
    for record in _records(envelope.get("data")):
        yield from _of_record(resource, record)


def _records(data: Any) -> list[dict[str, Any]]:
    """The record of an answer, or the first of a list: the others are like it."""
    first = data[:1] if isinstance(data, list) else [data]
    return [each for each in first if isinstance(each, dict)]


def _of_record(resource: Resource, record: Mapping[str, Any]) -> Iterator[tuple[Oddity, str]]:
    yield from _new(resource.name, record, resource.fields.keys() | _RECORD)
    for name, spec in resource.fields.items():
        value = record.get(name)
        # `id` is ZautoAI's own there, of which the document says nothing
        if value is not None and name != "id":
            yield from _of_value(f"{resource.name}.{name}", spec, value)


def _of_value(where: str, spec: ResourceField, value: Any) -> Iterator[tuple[Oddity, str]]:
    if type(value) not in _TYPES[spec.type]:
        yield Oddity.TYPE, f"{where} is {_JSON_TYPES.get(type(value), 'null')}"
    elif spec.enum and value not in spec.enum:
        yield Oddity.VALUE, where
    elif spec.format is not None and not _has_form(spec.format, value):
        yield Oddity.FORM, where


def _has_form(form: FieldFormat, value: str) -> bool:
    """Whether a date or an instant is written as the document shows it."""
    try:
        if form is FieldFormat.DATE:
            date.fromisoformat(value)
        elif form is FieldFormat.DATETIME:
            return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False
    return True


def _new(
    where: str, found: Mapping[str, Any], known: frozenset[str] | set[str]
) -> Iterator[tuple[Oddity, str]]:
    for name in found.keys() - known:
        yield Oddity.FIELD, f"{where}.{_told(name, _NAME)}"


def _told(text: Any, form: re.Pattern[str]) -> str:
    """A name of theirs, where it is like one and cannot be a value."""
    return text if isinstance(text, str) and form.fullmatch(text) else _UNTOLD
