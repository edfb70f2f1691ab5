"""What a person asks ZautoAI by `bridge zauto`, paid for from the bridge's own budget."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bridge.causes import MASK
from bridge.delivery import Kind, Outcome, Payload, Reason, Request
from bridge.errors import BridgeError
from bridge.pipeline.delivery.call_limit import CallLimit
from bridge.senders.zauto import Answered, ZautoSender
from bridge.settings import Zauto
from bridge.visible import visible
from bridge.zauto.advice import advice
from bridge.zauto.answers import Answer, json_object, judge, refused
from bridge.zauto.catalogue import Catalogue, FieldType, Operation, Resource
from bridge.zauto.headers import rate_limit, server_time

#: of a record, beside the resource's own fields, what says nothing of a person
_PLAIN = frozenset({"createdAt", "updatedAt"})
#: a resource every client may list
_PROBED = "patients"


@dataclass(frozen=True, slots=True)
class Clocks:
    """Both of them: epoch seconds, and seconds that are never set."""

    wall: Callable[[], float]
    monotonic: Callable[[], float]


@dataclass(frozen=True, slots=True)
class Inquiry:
    """Asks, and tells what was answered as plain JSON values.

    Each raises BridgeError where there is no answer to tell, saying why and what to do.
    """

    settings: Zauto
    sender: ZautoSender
    #: where calls of the budget are to be had
    calls: CallLimit
    catalogue: Catalogue
    clocks: Clocks

    async def ping(self) -> dict[str, Any]:
        """Whether address, credentials and permission are right: a new token and one list call."""
        started = self.clocks.monotonic()
        with self._paid():
            token = await self.sender.renew()
            if isinstance(token, Outcome):
                raise self._error(token)
            granted = self.clocks.monotonic()
            answer = self._answer(await self.sender.list(_PROBED, {"limit": 1}))
        ended, now = self.clocks.monotonic(), self.clocks.wall()
        return {
            "address": self.settings.base_url,
            "client_id": self.settings.client_id,
            "token_seconds": round(token.ends_at - granted),
            "token_milliseconds": round((granted - started) * 1000, 1),
            "call_milliseconds": round((ended - granted) * 1000, 1),
            "clock_ahead_seconds": round(now - server_time(answer.headers, now)),
            "limit": _limit(answer, now),
        }

    async def get(self, resource: str, external_id: str, *, reveal: bool) -> dict[str, Any]:
        """One record by its external id; looked up in the list where it cannot be read."""
        known, name = self._resource(resource), f"{Operation.READ} {resource}"
        by_list = name in self.settings.not_offered
        with self._paid():
            request = Request("GET", resource, external_id, None, by_list=by_list)
            outcome = await self.sender.send(request)
            if outcome.reason is Reason.NOT_THE_API and not by_list:
                by_list = True
                request = Request("GET", resource, external_id, None, by_list=True)
                outcome = await self.sender.send(request)
        if outcome.reason is not Reason.ABSENT and outcome.kind is not Kind.DELIVERED:
            raise self._error(outcome)
        record = outcome.record or {}
        return {
            "resource": resource,
            "found": outcome.reason is Reason.FOUND,
            "by": "list" if by_list else "id",
            "record": record if reveal else masked_record(known, record, typed=external_id),
        }

    async def list(
        self, resource: str, *, search: str, page: int, limit: int, reveal: bool
    ) -> dict[str, Any]:
        """A page of a list."""
        known = self._resource(resource)
        query: dict[str, str | int] = {"page": page, "limit": limit}
        with self._paid():
            asked = query | ({"search": search} if search else {})
            answer = self._answer(await self.sender.list(resource, asked))
        envelope = json_object(answer)
        records = [each for each in envelope["data"] if isinstance(each, dict)]
        found = envelope.get("pagination")
        return {
            "resource": resource,
            "pagination": found if isinstance(found, dict) else {},
            "columns": _columns(known),
            "records": [each if reveal else masked_record(known, each) for each in records],
        }

    @contextmanager
    def _paid(self) -> Iterator[None]:
        """Take a call of the budget and give it back at the end; raises BridgeError where none is
        left."""
        wait = self.calls.take(self.clocks.wall())
        if wait > 0.0:
            raise BridgeError(
                f"the call limit of ZautoAI is used up; the next call may go in {wait:.0f} s "
                "('bridge zauto budget' has more)"
            )
        try:
            yield
        finally:
            self.calls.give_back()

    def _resource(self, name: str) -> Resource:
        if name not in self.catalogue:
            known = ", ".join(sorted(self.catalogue.resources))
            raise BridgeError(f"there is no resource '{name}'; there are {known}")
        return self.catalogue[name]

    def _answer(self, answered: Answered) -> Answer:
        """The answer, where it is a whole list; raises BridgeError."""
        if isinstance(answered, Outcome):
            raise self._error(answered)
        now = self.clocks.wall()
        if not isinstance(answered, Answer):
            raise self._error(judge(_ANY_READ, answered, now=now))
        if not 200 <= answered.status < 300:
            raise self._error(refused("GET", answered, now))
        if not isinstance(json_object(answered).get("data"), list):
            unreadable = Outcome(Kind.TRANSIENT, Reason.UNREADABLE_ANSWER, answered.status)
            raise self._error(unreadable)
        return answered

    def _error(self, outcome: Outcome) -> BridgeError:
        status = f" (HTTP {outcome.status})" if outcome.status else ""
        said = f": {visible(outcome.detail)}" if outcome.detail else ""
        hint = f"; {advice(outcome.reason)}" if advice(outcome.reason) else ""
        where = self.settings.base_url
        return BridgeError(f"ZautoAI at {where}: {outcome.reason}{status}{said}{hint}")


_ANY_READ = Request("GET", _PROBED, "", None)


def fingerprint(settings: Zauto) -> str:
    """A digest of address and credentials: whether two processes mean the same ones."""
    secret = settings.client_secret.get_secret_value() if settings.client_secret else ""
    text = "\n".join((settings.base_url or "", settings.client_id or "", secret))
    return hashlib.sha256(text.encode()).hexdigest()


def masked_record(resource: Resource, record: Payload, *, typed: str = "") -> Payload:
    """A record without what could name a person: of values, only states, flags and times stay,
    and the id that a person typed."""

    def shown(name: str) -> bool:
        spec = resource.fields.get(name)
        plain = spec is not None and (bool(spec.enum) or spec.type is FieldType.BOOLEAN)
        return plain or name in _PLAIN or (name == "externalId" and record[name] == typed)

    return {name: value if value is None or shown(name) else MASK for name, value in record.items()}


def _limit(answer: Answer, now: float) -> Mapping[str, Any] | None:
    told = rate_limit(answer.headers, now)
    if told is None:
        return None
    return {"limit": told.limit, "remaining": told.remaining, "reset_in": round(told.reset_in)}


def _columns(resource: Resource) -> list[str]:
    """What people know a record by, of the fields that a list shows."""
    searched = [name for name in resource.search if "." not in name]
    return list(dict.fromkeys(("externalId", *resource.created, *searched)))
