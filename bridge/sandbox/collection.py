"""The five interactions of one resource, driven by its catalogue entry alone."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from bridge.sandbox.answers import ApiError, ApiResponse, ErrorEntry, page, success, timestamp
from bridge.sandbox.database import Database
from bridge.sandbox.journal import Effect
from bridge.sandbox.records import Index, Query, Related, SortKey, Stored
from bridge.sandbox.validation import check_change, check_new, invalid, read_object
from bridge.zauto.catalogue import FieldFormat, Resource
from bridge.zauto.contract import DEFAULT_PAGE_SIZE, MAX_PAGE, MAX_PAGE_SIZE, ErrorCode


class Collection:
    """One resource's records; each method answers one request or raises ApiError."""

    def __init__(self, resource: Resource, state: Database) -> None:
        self.resource = resource
        self._records = state.records
        self._referents = resource.referents()
        for name in (resource.name, *self._referents.values()):
            self._records.serve(name)
        self._related = tuple(
            Related(*path) for word in resource.search if (path := resource.related(word))
        )
        self._searched = tuple(word for word in resource.search if "." not in word)

    def create(self, body: bytes, now: float) -> ApiResponse:
        """201 with the few fields the document shows."""
        given = read_object(body)
        external_id = _text(given.get("id"))
        try:
            record = self._new(given, now)
        except ApiError as refusal:
            refusal.external_id = external_id
            raise
        shown = {name: record.fields.get(name) for name in self.resource.created}
        data = {"id": record.internal_id, "externalId": external_id, **shown}
        data["createdAt"] = timestamp(record.created_at)
        message = f"{self.resource.title} created successfully"
        return success(message, data, status=201, external_id=external_id, effect=Effect.CREATED)

    def list(self, query: Mapping[str, str]) -> ApiResponse:
        """200 with a page of records."""
        number, size = _page(query)
        # SQLite's full-text queries end at a NUL
        term = query.get("search", "").replace("\0", "").strip().casefold()
        wanted = Query(
            self.resource.name,
            term,
            self._related,
            ordered=bool(self.resource.order),
            descending=self.resource.order.startswith("-"),
        )
        total = self._records.count(wanted)
        records = self._records.select(wanted, limit=size, offset=(number - 1) * size)
        message = f"{self.resource.title} list retrieved successfully"
        return page(message, [_shown(r) for r in records], number=number, size=size, total=total)

    def read(self, external_id: str) -> ApiResponse:
        """200 with the whole record."""
        return self._success("retrieved", self._existing(external_id))

    def update(self, external_id: str, body: bytes, now: float) -> ApiResponse:
        """200 with the whole record; absent fields keep their value, null clears."""
        record = self._existing(external_id)
        changes = check_change(self.resource, read_object(body), external_id)
        self._require_referents(changes)
        fields = {**record.fields, **changes}
        kept = {name: value for name, value in fields.items() if value is not None}
        changed = replace(record, fields=kept, updated_at=now)
        self._records.replace(self.resource.name, changed, self._index(external_id, kept))
        return self._success("updated", changed, Effect.UPDATED)

    def delete(self, external_id: str) -> ApiResponse:
        """200 with the record as it was; what refers to it stays, the document says nothing."""
        record = self._existing(external_id)
        self._records.delete(self.resource.name, record)
        return self._success("deleted", record, Effect.DELETED)

    def _success(self, verb: str, record: Stored, effect: Effect = Effect.NONE) -> ApiResponse:
        return success(
            f"{self.resource.title} {verb} successfully",
            _shown(record),
            external_id=record.external_id,
            effect=effect,
        )

    def _new(self, given: Mapping[str, Any], now: float) -> Stored:
        fields = check_new(self.resource, given)
        self._require_referents(fields)
        external_id = fields.pop("id")
        record = Stored(0, external_id, str(uuid.uuid4()), fields, now, now)
        seq = self._records.insert(self.resource.name, record, self._index(external_id, fields))
        if seq is None:
            raise ApiError(
                ErrorCode.DUPLICATE_EXTERNAL_ID,
                f"{self.resource.title} with this external ID already exists",
                errors=[ErrorEntry("id", "already exists")],
            )
        return replace(record, seq=seq)

    def _existing(self, external_id: str) -> Stored:
        record = self._records.find(self.resource.name, external_id)
        if record is None:
            message = f"{self.resource.title} not found"
            raise ApiError(ErrorCode.RESOURCE_NOT_FOUND, message)
        return record

    def _require_referents(self, fields: Mapping[str, Any]) -> None:
        missing = [
            ErrorEntry(name, f"refers to a record of {referent} that does not exist")
            for name, referent in self._referents.items()
            if fields.get(name) is not None and not self._records.find(referent, fields[name])
        ]
        if missing:
            code = ErrorCode.REFERENCED_RESOURCE_NOT_FOUND
            raise ApiError(code, "Referenced resource not found", errors=missing)

    def _index(self, external_id: str, fields: Mapping[str, Any]) -> Index:
        followed = {each.field for each in self._related}
        referents = {name: fields[name] for name in followed if name in fields}
        return Index(self._sort_key(fields), self._text(external_id, fields), referents)

    def _sort_key(self, fields: Mapping[str, Any]) -> SortKey:
        name = self.resource.order.removeprefix("-")
        value = fields.get(name)
        if value is None:
            return None
        if self.resource.fields[name].format is FieldFormat.DATETIME:
            return _moment(value)
        return value.casefold() if isinstance(value, str) else float(value)

    def _text(self, external_id: str, fields: Mapping[str, Any]) -> str:
        values = {**fields, "externalId": external_id}
        text = "\n".join(_text(values.get(word)).casefold() for word in self._searched)
        # what follows a NUL would not be indexed
        return text.replace("\0", "\1")


def _shown(record: Stored) -> dict[str, Any]:
    return {
        "id": record.internal_id,
        "externalId": record.external_id,
        **record.fields,
        "createdAt": timestamp(record.created_at),
        "updatedAt": timestamp(record.updated_at),
    }


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _moment(value: str) -> float:
    moment = datetime.fromisoformat(value)
    # a moment without an offset is ordered as if it were UTC
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _page(query: Mapping[str, str]) -> tuple[int, int]:
    """Page number and size of a list; out of range is refused, which the document leaves open."""
    asked = {
        "page": _number(query.get("page"), 1, MAX_PAGE),
        "limit": _number(query.get("limit"), DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE),
    }
    errors = [
        ErrorEntry(name, f"must be a whole number from 1 to {most}")
        for name, most in (("page", MAX_PAGE), ("limit", MAX_PAGE_SIZE))
        if asked[name] is None
    ]
    if errors:
        raise invalid(errors)
    return asked["page"] or 1, asked["limit"] or DEFAULT_PAGE_SIZE


def _number(given: str | None, default: int, most: int) -> int | None:
    """The number asked for, or None when it is none from 1 to `most`."""
    if given is None:
        return default
    if not (given.isascii() and given.isdigit() and len(given) <= len(str(most))):
        return None
    return int(given) if 1 <= int(given) <= most else None
